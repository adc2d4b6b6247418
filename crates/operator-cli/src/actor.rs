//! Who is at the terminal, for the audit log.

use bus_contract::audit::{Actor, actor::Kind};
use nix::unistd::{User, getuid};

/// The operator of this name; without one, the account that runs the program.
///
/// The account comes from the system and not from variables such as `USER`, which anybody sets. From which address an
/// operator came is not known here.
pub(crate) fn operator(name: Option<String>) -> Actor {
    Actor { kind: Kind::Operator.into(), name: name.unwrap_or_else(account), address: String::new() }
}

fn account() -> String {
    let id = getuid();
    match User::from_uid(id) {
        Ok(Some(user)) => user.name,
        _ => format!("uid {id}"),
    }
}
