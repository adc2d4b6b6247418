//! The process; everything else is in the library.

use std::process::ExitCode;

use service_runtime::Service;
use token_service::{MigrateSettings, OBSERVE_ADDR, Settings, migrate, start};

fn main() -> ExitCode {
    Service::new("token-service", "Issues, rotates and revokes companies' Entra tokens", OBSERVE_ADDR)
        .serve(Settings::read, start)
        .command("migrate", "Runs forward migrations, then exits", MigrateSettings::read, migrate)
        .run()
}
