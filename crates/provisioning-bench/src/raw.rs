//! What the machine can do: the servers that ours stand on, each by itself, with nothing of ours in between.

mod bus;
mod rows;

pub(crate) use self::{
    bus::{Exchange, RawBus},
    rows::RawRows,
};
