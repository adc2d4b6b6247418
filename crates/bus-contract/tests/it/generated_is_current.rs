//! `src/gen` is what `proto/` says. `make gen` (this test with `UPDATE_GENERATED=1`) writes it anew.

use std::{fs, path::Path};

const FILES: [&str; 10] = [
    "timeclock/audit/v1/audit.proto",
    "timeclock/console/v1/administrator.proto",
    "timeclock/console/v1/session.proto",
    "timeclock/directory/v1/activity.proto",
    "timeclock/directory/v1/fact.proto",
    "timeclock/directory/v1/query.proto",
    "timeclock/directory/v1/user.proto",
    "timeclock/provisioning/v1/outcome.proto",
    "timeclock/provisioning/v1/request.proto",
    "timeclock/token/v1/token.proto",
];

#[test]
fn generated_code_is_current() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    // protox compiles the files without a protoc on the machine.
    let descriptors = protox::compile(FILES, [here.join("../../proto")]).unwrap();
    let fresh = tempfile::tempdir().unwrap();
    prost_build::Config::new().out_dir(fresh.path()).compile_fds(descriptors).unwrap();

    #[expect(clippy::disallowed_methods, reason = "a test has no command line of its own")]
    let update = std::env::var_os("UPDATE_GENERATED").is_some();
    for package in ["audit", "console", "directory", "provisioning", "token"] {
        let name = format!("timeclock.{package}.v1.rs");
        let written = fs::read_to_string(fresh.path().join(&name)).unwrap();
        let committed = here.join("src/gen").join(&name);
        if update {
            fs::write(&committed, &written).unwrap();
        }
        let committed = fs::read_to_string(&committed).unwrap_or_default();
        assert!(written == committed, "src/gen/{name} is not what proto/ says: run `make gen`");
    }
}
