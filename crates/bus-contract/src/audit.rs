//! Who did what to a company's settings, and who may be named as the one who did it.

use std::net::IpAddr;

pub use crate::generated::audit::v1::*;

/// The longest name of an actor, in characters: what an e-mail address may have (RFC 5321 §4.5.3.1.3, less brackets).
pub const ACTOR_NAME_MOST: usize = 254;

/// Why nobody is named who could have asked for an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoActor {
    /// Nobody is named at all.
    #[error("the request must say who asks: its actor is missing")]
    Missing,
    /// None of the kinds that there are.
    #[error("the actor must be an administrator, an operator or a system")]
    Kind,
    /// No name, one that is too long, or none that could stand in a line.
    #[error("the actor's name must have 1 to {} characters and no line breaks", ACTOR_NAME_MOST)]
    Name,
    /// Something else than an address.
    #[error("the actor's address must be an IP address, or empty")]
    Address,
}

/// Who acts, for the record of the act: an act that nobody is named for is not done.
///
/// # Errors
/// When nobody is named, or somebody who cannot be.
pub fn acting(actor: Option<Actor>) -> Result<Actor, NoActor> {
    let actor = actor.ok_or(NoActor::Missing)?;
    if actor.kind() == actor::Kind::Unspecified {
        return Err(NoActor::Kind);
    }
    let has_length = (1..=ACTOR_NAME_MOST).contains(&actor.name.chars().count());
    if !has_length || actor.name.chars().any(char::is_control) {
        return Err(NoActor::Name);
    }
    if !actor.address.is_empty() && actor.address.parse::<IpAddr>().is_err() {
        return Err(NoActor::Address);
    }
    Ok(actor)
}
