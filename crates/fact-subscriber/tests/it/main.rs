//! The program against a real NATS, with a directory that a test plays.

mod following;
mod harness;
