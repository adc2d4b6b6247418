//! Owners change tables, services use them, and neither sees the other service's.

use backing_servers::postgres::{Options, Server};
use local_stack::topology::{self, DATABASE, POSTGRES_INIT};

/// A server after `init.sql`, where each role's password is its name.
fn server() -> Server {
    let server = Server::start(Options { fast: true, ..Options::default() }).unwrap();
    initialise(&server);
    server
}

fn initialise(server: &Server) {
    let passwords: Vec<_> =
        topology::roles().map(|role| (topology::role_password_variable(role), role.to_owned())).collect();
    server.sql_with("postgres", POSTGRES_INIT, &passwords).unwrap();
}

fn run(server: &Server, role: &str, script: &str) -> Result<String, String> {
    server.sql_as(DATABASE, role, role, script).map_err(|error| format!("{error:#}"))
}

#[test]
fn a_service_uses_the_tables_of_its_owner_and_cannot_change_them() {
    let server = server();
    for (owner, service) in [("directory_owner", "directory_service"), ("token_owner", "token_service")] {
        run(&server, owner, "CREATE TABLE things (id bigint GENERATED ALWAYS AS IDENTITY, n int)").unwrap();
        let used = "INSERT INTO things (n) VALUES (1); UPDATE things SET n = 2; SELECT n FROM things; DELETE FROM things";
        assert_eq!(run(&server, service, used).unwrap().trim(), "2");
        for refused in [
            "CREATE TABLE more (n int)",
            "ALTER TABLE things ADD m int",
            "TRUNCATE things",
            "DROP TABLE things",
        ] {
            let error = run(&server, service, refused).expect_err(refused);
            assert!(
                error.contains("permission denied") || error.contains("must be owner"),
                "{refused}: {error}"
            );
        }
    }
}

#[test]
fn nobody_sees_the_tables_of_another_service() {
    let server = server();
    run(&server, "directory_owner", "CREATE TABLE people (n int)").unwrap();
    run(&server, "token_owner", "CREATE TABLE keys (n int)").unwrap();
    for (role, table) in [
        ("token_owner", "directory.people"),
        ("token_service", "directory.people"),
        ("directory_owner", "tokens.keys"),
        ("directory_service", "tokens.keys"),
    ] {
        let error = run(&server, role, &format!("SELECT * FROM {table}")).expect_err(table);
        assert!(error.contains("permission denied"), "{role} on {table}: {error}");
    }
}

#[test]
fn no_role_of_ours_is_above_row_level_security() {
    let server = server();
    let above = "SELECT rolname FROM pg_roles WHERE rolname <> 'postgres' AND rolcanlogin AND (rolsuper OR rolbypassrls)";
    assert_eq!(server.sql("postgres", above).unwrap().trim(), "");
}

#[test]
fn running_the_script_again_changes_nothing() {
    let server = server();
    run(&server, "directory_owner", "CREATE TABLE kept (n int)").unwrap();
    initialise(&server);
    assert_eq!(run(&server, "directory_service", "SELECT count(*) FROM kept").unwrap().trim(), "0");
}

#[test]
fn a_missing_password_is_an_error_and_not_an_empty_password() {
    let server = Server::start(Options { fast: true, ..Options::default() }).unwrap();
    assert!(server.sql("postgres", POSTGRES_INIT).is_err());
}
