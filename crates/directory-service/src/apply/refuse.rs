//! How a refusal is worded for the administrator who reads it in Entra's provisioning log.

use bus_contract::provisioning::{Refused, refused::Reason};
use scim_protocol::error::ScimError;
use typed_ids::MemberId;

use super::{decide::Refusal, request::Request};

pub(crate) fn to_wire(refusal: &Refusal) -> Refused {
    match refusal {
        Refusal::Invalid(error) => invalid(error),
        Refusal::NotFound => Refused {
            reason: Reason::NotFound.into(),
            scim_type: String::new(),
            detail: "There is no such user in this company. It may have been deleted.".to_owned(),
        },
        Refusal::NameTaken => Refused {
            reason: Reason::Conflict.into(),
            scim_type: "uniqueness".to_owned(),
            detail:
                "Another user of this company already has this userName (compared without regard to case). \
                     Rename or delete that user, or map userName to an attribute that is unique."
                    .to_owned(),
        },
        Refusal::NoSuchGroup => Refused {
            reason: Reason::NotFound.into(),
            scim_type: String::new(),
            detail: "There is no such group in this company. It may have been deleted.".to_owned(),
        },
        Refusal::GroupNameTaken => Refused {
            reason: Reason::Conflict.into(),
            scim_type: "uniqueness".to_owned(),
            detail: "Another group of this company already has this displayName (compared without regard to case). \
                     Rename or delete that group."
                .to_owned(),
        },
        Refusal::NoSuchMembers { named, others } => no_such_members(named, *others),
        Refusal::OwnMember => invalid(&ScimError::invalid_value("A group cannot be a member of itself.")),
        Refusal::IdTaken => Refused {
            reason: Reason::Conflict.into(),
            scim_type: "uniqueness".to_owned(),
            detail: "This was created before, by the same request.".to_owned(),
        },
        Refusal::NotRemoved => Refused {
            reason: Reason::NotFound.into(),
            scim_type: String::new(),
            detail: "This user is not part of the mass removal that is being undone.".to_owned(),
        },
        Refusal::Superseded => Refused {
            reason: Reason::Conflict.into(),
            scim_type: "uniqueness".to_owned(),
            detail: "Entra has created this person anew in the meantime, with the same userName or externalId. The new \
                     user stays, and the deleted one is not brought back."
                .to_owned(),
        },
        Refusal::PreconditionFailed { current } => Refused {
            reason: Reason::PreconditionFailed.into(),
            scim_type: String::new(),
            detail: format!(
                "The resource has changed: its version is now W/\"{current}\". Read it again and retry."
            ),
        },
    }
}

/// How the refusal of a change begins that names members who do not exist.
const MISSING_MEMBERS: &str = "No user or group of this company has the id ";

/// Whether a refusal is about a reference to somebody who is not there: Entra leaves those out of its first two rules of
/// quarantine (entra-wire 3.5). A manager who does not exist is no refusal at all.
pub(crate) fn is_about_missing_members(detail: &str) -> bool {
    detail.starts_with(MISSING_MEMBERS)
}

fn no_such_members(named: &[MemberId], others: usize) -> Refused {
    let named = named.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(", ");
    let others = if others == 0 { String::new() } else { format!(" and {others} more") };
    invalid(&ScimError::invalid_value(format!(
        "{MISSING_MEMBERS}{named}{others}; nothing was changed. Provision the members first, or \
         restart provisioning if they were deleted here."
    )))
}

/// The answer to a request that Postgres will never store.
pub(crate) fn unstorable(request: &Request) -> Refused {
    Refused {
        reason: Reason::Invalid.into(),
        scim_type: "invalidValue".to_owned(),
        detail: format!(
            "The directory cannot store these values. The request was kept for support as {}.",
            request.id
        ),
    }
}

fn invalid(error: &ScimError) -> Refused {
    Refused {
        reason: Reason::Invalid.into(),
        scim_type: error.scim_type.map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        detail: error.detail.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_because_of_missing_members_is_known_by_its_words() {
        let missing = to_wire(&Refusal::NoSuchMembers { named: vec![MemberId::mint()], others: 3 });
        assert!(is_about_missing_members(&missing.detail));
        for other in [Refusal::NotFound, Refusal::OwnMember, Refusal::NameTaken, Refusal::NoSuchGroup] {
            assert!(!is_about_missing_members(&to_wire(&other).detail));
        }
    }
}
