//! What a stack offers to tests that disturb it.

use local_stack::{Options, Stack};

use crate::{eventually, programs, workdir};

#[test]
fn services_and_servers_come_back_after_a_crash() {
    let workdir = workdir();
    let options = Options { binaries: programs(), throwaway: true, ..Options::new(workdir.path()).unwrap() };
    let stack = Stack::start(options).unwrap();
    let before = stack.endpoints();

    stack.kill_9("scim-gateway").unwrap();
    assert!(!stack.is_ready("scim-gateway").unwrap());
    assert!(stack.unexpected_end().is_none(), "it was asked for");
    stack.restart("scim-gateway").unwrap();
    let after = stack.endpoints();
    assert_eq!(after.scim_url, before.scim_url);
    assert_ne!(after.processes["scim-gateway"], before.processes["scim-gateway"]);

    stack.postgres().kill_9().unwrap();
    eventually("unready without Postgres", || (!stack.is_ready("directory-service").unwrap()).then_some(()));
    stack.postgres().restart().unwrap();
    stack.nats().restart().unwrap();
    stack.wait_until_ready().unwrap();

    let another = stack.start_another("directory-service").unwrap();
    assert_eq!(another, "directory-service-2");
    assert!(stack.endpoints().processes.contains_key(&another));

    let company = stack.new_company("Northwind").unwrap();
    assert!(!company.scim_token.is_empty());
    assert!(stack.kill_9("no-such-service").is_err());
}
