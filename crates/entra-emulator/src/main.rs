//! Starts the process; everything else is in the library.

use std::process::ExitCode;

use clap::Parser;
use entra_emulator::cli::Cli;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    // Usage errors (an absent token among them) exit 2, as clap's own do.
    Cli::parse().run().await
}
