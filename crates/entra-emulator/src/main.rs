//! Starts the process; everything else is in the library.

use std::process::ExitCode;

use clap::Parser;
use entra_emulator::cli::Cli;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    Cli::parse().run().await
}
