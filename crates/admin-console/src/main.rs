//! The process; everything else is in the library.

use std::process::ExitCode;

use admin_console::{MigrateSettings, OBSERVE_ADDR, Settings, migrate, start};
use service_runtime::Service;

fn main() -> ExitCode {
    Service::new("admin-console", "The pages for companies' administrators", OBSERVE_ADDR)
        .serve(Settings::read, start)
        .command("migrate", "Runs forward migrations, then exits", MigrateSettings::read, migrate)
        .run()
}
