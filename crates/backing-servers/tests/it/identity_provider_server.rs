//! The identity provider: its keys, what it answers, and that it ends.

use backing_servers::{
    identity_provider::{Options, Server},
    port,
};

fn certificates(server: &Server) -> Vec<String> {
    let metadata = server.metadata().unwrap();
    let texts = metadata.split("X509Certificate>").skip(1).step_by(2);
    texts.map(|text| text.split('<').next().unwrap().to_owned()).collect()
}

#[test]
fn it_publishes_one_key_both_or_the_other_as_it_is_told() {
    let server = Server::start(Options::default()).unwrap();
    let before = certificates(&server);
    server.tell("/keys", r#"{"published": ["first", "second"], "signing": "first"}"#).unwrap();
    let both = certificates(&server);
    server.tell("/keys", r#"{"published": ["second"], "signing": "second"}"#).unwrap();
    let after = certificates(&server);
    assert_eq!([&before[..], &after[..]].concat(), both);
    assert_ne!(before, after);
    assert!(server.key_files("second").1.is_file());
}

#[test]
fn what_it_does_not_understand_is_an_error_that_says_why() {
    let server = Server::start(Options::default()).unwrap();
    let refused = server.get("/sso?SAMLRequest=nothing").unwrap_err().to_string();
    assert!(refused.contains("Traceback"), "{refused}");
    assert!(server.get("/nowhere").unwrap_err().to_string().contains("404"));
    assert!(server.get("/").unwrap().contains("Who are you?"));
}

#[test]
fn it_ends_with_whoever_started_it() {
    let port = port::free().unwrap();
    let server = Server::start(Options { port: Some(port), ..Options::default() }).unwrap();
    assert_eq!(server.metadata_url(), format!("http://127.0.0.1:{port}/metadata"));
    drop(server);
    assert!(port::is_free(port));
}
