//! Each user of the bus may do its own work and nothing else, with the server's configuration as it is deployed.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, TcpStream},
};

use backing_servers::nats::{Options, Server};
use local_stack::topology::{self, NATS_CONFIG};

use crate::deployment::read;

const COMPANY: &str = "0198c5a0-0000-7000-8000-000000000000";

fn server() -> Server {
    server_with(NATS_CONFIG, topology::bus_users())
}

fn server_with(config: &str, users: impl Iterator<Item = &'static str>) -> Server {
    let password = |user: &str| (topology::bus_password_variable(user), format!("secret{user}"));
    let environment = users.map(password).collect();
    Server::start(Options { config: Some(config.to_owned()), environment, ..Options::default() }).unwrap()
}

/// What the server objects to when this user sends this line.
fn objections(server: &Server, user: &str, line: &str) -> Vec<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).unwrap();
    write!(stream, "CONNECT {{\"verbose\":false,\"user\":\"{user}\",\"pass\":\"secret{user}\"}}\r\n")
        .unwrap();
    write!(stream, "{line}\r\nPING\r\n").unwrap();
    let answers = BufReader::new(stream).lines().map(Result::unwrap);
    answers.take_while(|answer| answer != "PONG").filter(|answer| answer.starts_with("-ERR")).collect()
}

fn may_publish(server: &Server, user: &str, subject: &str) -> bool {
    objections(server, user, &format!("PUB {subject} 0\r\n")).is_empty()
}

fn may_subscribe(server: &Server, user: &str, subject: &str) -> bool {
    objections(server, user, &format!("SUB {subject} 1")).is_empty()
}

#[test]
fn each_user_may_do_its_own_work() {
    let server = server();
    let request = format!("provisioning.v1.3.{COMPANY}.user.create");
    let fact = format!("facts.v1.{COMPANY}.user.{COMPANY}.created");
    for (user, subjects) in [
        (
            "gateway",
            vec![request.as_str(), "directory.v1.query.user.search", "$JS.API.STREAM.INFO.KV_TOKENS"],
        ),
        ("directory", vec!["outcome.v1.a.b", &fact, "_INBOX.gateway.x", "$JS.ACK.PROVISIONING.c.1.2.3.4.5"]),
        ("tokens", vec!["$KV.TOKENS.key.1", "directory.v1.company.list", "_INBOX.operator.x"]),
        (
            "console",
            vec![
                "directory.v1.activity.get",
                "directory.v1.query.user.browse",
                "tokens.v1.issue",
                "receipts.v1.access_end.sign",
                "sessions.v1.ended",
                "$JS.API.CONSUMER.CREATE.DIRECTORY.access.facts.v1.x",
                "$JS.API.CONSUMER.MSG.NEXT.DIRECTORY.access",
                "$JS.ACK.DIRECTORY.access.1.2.3.4.5",
            ],
        ),
        (
            "operator",
            vec![
                "directory.v1.company.create",
                "directory.v1.query.user.look_up",
                "directory.v1.query.group.look_up",
                "tokens.v1.issue",
                "console.v1.administrator.invite",
                // What runbooks look at; tests-e2e asks it.
                "$JS.API.STREAM.INFO.KV_TOKENS",
                "$JS.API.CONSUMER.INFO.DIRECTORY.access",
            ],
        ),
        (
            "subscriber",
            vec![
                "$JS.API.STREAM.INFO.DIRECTORY",
                "$JS.API.CONSUMER.CREATE.DIRECTORY.seats.facts.v1.x",
                "$JS.API.CONSUMER.MSG.NEXT.DIRECTORY.seats",
                "$JS.ACK.DIRECTORY.seats.1.2.3.4.5",
                "directory.v1.query.group.members",
            ],
        ),
    ] {
        for subject in subjects {
            assert!(may_publish(&server, user, subject), "{user} must be able to publish {subject}");
        }
        let inbox = format!("_INBOX.{user}.>");
        assert!(may_subscribe(&server, user, &inbox), "{user} must be able to receive answers");
    }
    assert!(may_subscribe(&server, "gateway", "outcome.v1.process.*"));
    assert!(may_subscribe(&server, "directory", "directory.v1.query.user.search directory"));
    assert!(may_subscribe(&server, "tokens", "tokens.v1.issue tokens"));
}

#[test]
fn nobody_may_do_the_work_of_another() {
    let server = server();
    let request = format!("provisioning.v1.3.{COMPANY}.user.delete");
    let restore = format!("provisioning.v1.3.{COMPANY}.user.restore");
    for user in topology::bus_users() {
        for (subject, owners) in [
            (request.as_str(), ["gateway"].as_slice()),
            (restore.as_str(), &["directory"]),
            ("outcome.v1.a.b", &["directory"]),
            ("facts.v1.a.user.b.deleted", &["directory"]),
            ("activity.v1.a", &["directory"]),
            ("calls.v1.a", &["gateway", "tokens"]),
            ("$JS.API.STREAM.UPDATE.PROVISIONING", &["directory"]),
            ("$JS.API.STREAM.UPDATE.DIRECTORY", &["directory"]),
            ("$JS.API.CONSUMER.CREATE.DIRECTORY.seats.facts.v1.x", &["subscriber"]),
            // A follower leaves the others' consumers and every other stream alone.
            ("$JS.API.CONSUMER.DELETE.DIRECTORY.another", &[]),
            ("$JS.API.CONSUMER.CREATE.PROVISIONING.seats.provisioning.v1.x", &["directory"]),
            ("directory.v1.query.group.members", &["gateway", "console", "operator", "subscriber"]),
            ("directory.v1.query.user.browse", &["gateway", "console", "operator"]),
            ("directory.v1.query.group.browse", &["gateway", "console", "operator"]),
            ("directory.v1.query.user.search", &["gateway", "subscriber"]),
            ("$JS.API.STREAM.UPDATE.CALLS", &["directory"]),
            ("$KV.TOKENS.key.1", &["tokens"]),
            ("$JS.API.STREAM.PURGE.KV_TOKENS", &["tokens"]),
            ("tokens.v1.reveal", &["console", "operator"]),
            ("receipts.v1.access_end.sign", &["console"]),
            ("signing.v1.key.retire", &["operator"]),
            ("sessions.v1.ended", &["console"]),
            ("$JS.API.CONSUMER.CREATE.DIRECTORY.access.facts.v1.x", &["console"]),
            ("$JS.ACK.DIRECTORY.access.1.2.3.4.5", &["console"]),
            ("directory.v1.activity.log", &["console", "operator"]),
            // Whoever looks after the bus sees how much waits where, and one request that cannot be applied.
            ("$JS.API.CONSUMER.LIST.CALLS", &["directory", "operator"]),
            ("$JS.API.STREAM.MSG.GET.PROVISIONING", &["operator"]),
            ("$JS.API.STREAM.MSG.GET.DIRECTORY", &[]),
            ("$JS.API.STREAM.MSG.GET.KV_TOKENS", &["gateway", "tokens"]),
            ("directory.v1.company.create", &["operator"]),
            ("directory.v1.company.schema.declare", &["operator"]),
            ("console.v1.administrator.invite", &["operator"]),
            ("console.v1.person.sign_out", &["operator"]),
        ] {
            let may = owners.contains(&user);
            assert_eq!(may_publish(&server, user, subject), may, "{user} publishes {subject}");
        }
        for (subject, owner) in [
            ("outcome.v1.>", "gateway"),
            ("directory.v1.>", "directory"),
            ("tokens.v1.>", "tokens"),
            ("receipts.v1.>", "tokens"),
            ("signing.v1.>", "tokens"),
            ("console.v1.>", "console"),
            ("sessions.v1.ended", "console"),
            ("activity.v1.*", "console"),
            ("calls.v1.>", "nobody"),
            ("provisioning.v1.>", "nobody"),
            ("facts.v1.>", "nobody"),
            ("_INBOX.>", "nobody"),
        ] {
            assert_eq!(
                may_subscribe(&server, user, subject),
                user == owner,
                "{user} subscribes to {subject}"
            );
        }
        assert!(!may_publish(&server, user, "$JS.API.STREAM.DELETE.PROVISIONING"), "{user} deletes a stream");
    }
}

#[test]
fn users_and_permissions_stand_by_themselves_for_a_cluster_that_is_configured_elsewhere() {
    // What docs/guides/operate.md cuts out for NATS' own chart.
    let start = NATS_CONFIG.find("\nauthorization").unwrap();
    let config = format!("jetstream {{}}\n{}", NATS_CONFIG.split_at(start).1);
    let server = server_with(&config, topology::bus_users());
    assert!(may_publish(&server, "operator", "tokens.v1.issue"));
    assert!(!may_publish(&server, "operator", "facts.v1.a"));
}

#[test]
fn a_follower_of_ones_own_is_made_by_what_the_guide_says_and_cannot_reach_what_is_another_s() {
    let guide = read("docs/guides/consume-events.md");
    let user = guide.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    let answered = "\"_INBOX.timesheets.>\"";
    assert!(
        guide.contains(&format!("`{answered}` beside the other inboxes in the list of the user `directory`"))
    );
    let config = NATS_CONFIG.replacen("  users: [\n", &format!("  users: [\n{user}"), 1);
    let others = "            \"_INBOX.subscriber.>\"\n";
    let config = config.replacen(others, &format!("{others}{answered}\n"), 1);
    let server = server_with(&config, topology::bus_users().chain(["timesheets"]));

    assert!(may_subscribe(&server, "timesheets", "_INBOX.timesheets.>"));
    assert!(may_publish(&server, "directory", "_INBOX.timesheets.x"));
    for own in ["CREATE.DIRECTORY.timesheets.facts.v1.x", "MSG.NEXT.DIRECTORY.timesheets"] {
        assert!(may_publish(&server, "timesheets", &format!("$JS.API.CONSUMER.{own}")), "{own}");
    }
    assert!(may_publish(&server, "timesheets", "directory.v1.query.group.members"));
    assert!(!may_subscribe(&server, "timesheets", "_INBOX.subscriber.>"));
    for of_another in ["seats", "sessions", "access"] {
        for verb in ["INFO", "DELETE", "MSG.NEXT"] {
            let subject = format!("$JS.API.CONSUMER.{verb}.DIRECTORY.{of_another}");
            assert!(!may_publish(&server, "timesheets", &subject), "{subject}");
        }
    }
}

#[test]
fn nobody_enters_without_a_password() {
    let server = server();
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).unwrap();
    stream.write_all(b"CONNECT {\"verbose\":false}\r\nPING\r\n").unwrap();
    let answers: Vec<String> = BufReader::new(stream).lines().map_while(Result::ok).collect();
    assert!(answers.iter().any(|answer| answer.contains("Authorization Violation")), "{answers:?}");
}
