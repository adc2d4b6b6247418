//! An act is done for somebody who can be named.

use bus_contract::audit::{Actor, NoActor, acting, actor::Kind};

fn actor(kind: Kind, name: &str, address: &str) -> Actor {
    Actor { kind: kind.into(), name: name.to_owned(), address: address.to_owned() }
}

#[test]
fn whoever_has_a_kind_and_a_name_acts() {
    let longest = "ü".repeat(254);
    for actor in [
        actor(Kind::Administrator, "anna@contoso.example", "2001:db8::1"),
        actor(Kind::Operator, "olga", "192.0.2.1"),
        actor(Kind::System, &longest, ""),
    ] {
        assert_eq!(acting(Some(actor.clone())), Ok(actor));
    }
}

#[test]
fn nobody_and_what_cannot_be_somebody_do_not() {
    assert_eq!(acting(None), Err(NoActor::Missing));
    let unknown = Actor { kind: 99, ..actor(Kind::Operator, "olga", "") };
    for actor in [actor(Kind::Unspecified, "olga", ""), unknown] {
        assert_eq!(acting(Some(actor.clone())), Err(NoActor::Kind), "{actor:?}");
    }
    for name in ["", "ol\0ga", "olga\nroot", &"x".repeat(255)] {
        assert_eq!(acting(Some(actor(Kind::Operator, name, ""))), Err(NoActor::Name), "{name:?}");
    }
    for address in ["olga's desk", "192.0.2.1\0", "192.0.2.1:80", "192.0.2.256"] {
        let refused = acting(Some(actor(Kind::Operator, "olga", address)));
        assert_eq!(refused, Err(NoActor::Address), "{address:?}");
    }
}
