//! Starts the process; everything else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    provisioning_bench::command::main()
}
