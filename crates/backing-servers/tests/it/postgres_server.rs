//! Postgres: data, isolation, faults.

use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};

use backing_servers::postgres::{Options, Server};

fn fast() -> Options {
    Options { fast: true, ..Options::default() }
}

#[test]
fn a_restart_after_a_crash_keeps_what_was_committed() {
    let server = Server::start(fast()).unwrap();
    let (port, first) = (server.port(), server.pid());
    server.sql("postgres", "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)").unwrap();
    server.kill_9().unwrap();
    assert!(!server.is_running());
    server.restart().unwrap();
    assert_eq!(server.sql("postgres", "SELECT n FROM kept").unwrap().trim(), "7");
    assert_eq!(server.port(), port);
    assert_ne!(server.pid(), first);
}

#[test]
fn a_named_directory_is_found_again_by_the_next_server() {
    let closed = Permissions::from_mode(0o700);
    let directory = tempfile::Builder::new().permissions(closed).tempdir().unwrap();
    let options = Options { directory: Some(directory.path().to_owned()), ..fast() };
    let first = Server::start(options.clone()).unwrap();
    first.create_database("kept").unwrap();
    let url = first.superuser_url("kept");
    let data = first.data_directory().to_owned();
    // It is closed to others, so the account that root lends to Postgres cannot reach it.
    let root = nix::unistd::geteuid().is_root();
    let place = if root { std::path::Path::new("/var/tmp/backing-servers") } else { directory.path() };
    assert!(data.starts_with(place), "{}", data.display());
    drop(first);
    let second = Server::start(Options { port: Some(port_of(&url)), ..options }).unwrap();
    assert_eq!(second.superuser_url("kept"), url, "same port, same password");
    assert_eq!(second.sql("kept", "SELECT 1").unwrap().trim(), "1");
    drop(second);
    std::fs::remove_dir_all(data.parent().unwrap()).unwrap();
}

#[test]
fn two_servers_stand_beside_each_other() {
    let (one, other) = (Server::start(fast()).unwrap(), Server::start(fast()).unwrap());
    assert_ne!(one.port(), other.port());
    one.create_database("only_here").unwrap();
    assert!(other.sql("only_here", "SELECT 1").is_err());
}

#[test]
fn each_database_from_a_template_has_its_tables_and_its_own_rows() {
    let server = Server::shared().unwrap();
    let prepare = |url: &str| {
        let name = url.rsplit('/').next().unwrap();
        server.sql(name, "CREATE TABLE things (n int)").map(drop)
    };
    let one = server.database_from_template("things", prepare).unwrap();
    let other = server.database_from_template("things", |_| panic!("prepared twice")).unwrap();
    server.sql(&one.name, "INSERT INTO things VALUES (1)").unwrap();
    assert_eq!(server.sql(&other.name, "SELECT count(*) FROM things").unwrap().trim(), "0");
    assert!(other.url.ends_with(&other.name));
}

#[test]
fn a_template_that_cannot_be_prepared_fails_everybody_who_asks_for_it() {
    let server = Server::shared().unwrap();
    let first = server.database_from_template("broken", |_| anyhow::bail!("no such migration"));
    let second = server.database_from_template("broken", |_| panic!("prepared twice"));
    for failed in [first, second] {
        assert!(failed.unwrap_err().to_string().contains("no such migration"));
    }
}

#[test]
fn a_server_that_cannot_start_shows_its_last_words() {
    let settings = vec![("shared_buffers".to_owned(), "a great deal".to_owned())];
    let error = Server::start(Options { settings, ..fast() }).unwrap_err().to_string();
    assert!(error.contains("invalid value for parameter \"shared_buffers\""), "{error}");
}

#[test]
fn a_password_is_asked_for() {
    let server = Server::shared().unwrap();
    server.sql("postgres", "CREATE ROLE visitor LOGIN PASSWORD 'right'").unwrap();
    let method = server.sql("postgres", "SELECT DISTINCT auth_method FROM pg_hba_file_rules").unwrap();
    assert_eq!(method.trim(), "scram-sha-256");
}

#[test]
fn the_server_is_durable_unless_asked_to_be_fast() {
    let durable = Server::start(Options::default()).unwrap();
    assert_eq!(durable.sql("postgres", "SHOW fsync").unwrap().trim(), "on");
    assert_eq!(Server::shared().unwrap().sql("postgres", "SHOW fsync").unwrap().trim(), "off");
}

fn port_of(url: &str) -> u16 {
    url.rsplit_once(':').unwrap().1.split('/').next().unwrap().parse().unwrap()
}
