//! Whom somebody who has proved who they are is in the company's directory, at this moment, and what they may do here.

use bus_contract::directory::look_up_user::Key;
use typed_ids::{CompanyId, UserId};

use super::{
    MatchBy,
    federation::{CLOCK_SKEW, Proven, Refusal},
};
use crate::{
    app::App, attributes::Attributes, directory::Directory, question::Unanswered, session::Arrival,
    signed_in::Role,
};

/// Asks the directory. An e-mail address decides nothing: whoever may write one into the identity provider could be anybody.
pub(crate) async fn arrival(
    app: &App,
    company: CompanyId,
    match_by: MatchBy,
    proven: &Proven,
    is_confirmed: bool,
) -> Result<Arrival, Refusal> {
    let key = match match_by {
        MatchBy::ExternalId => Key::ExternalId(proven.object_id.clone().ok_or(Refusal::NoIdentifier)?),
        MatchBy::UserName => Key::UserName(proven.user_name.clone().ok_or(Refusal::NoIdentifier)?),
    };
    let mut found = Directory::of_company(app, company).people_by(key).await?.into_iter();
    let user = match (found.next(), found.next()) {
        (None, _) => return Err(Refusal::NotProvisioned),
        (Some(_), Some(_)) => return Err(Refusal::Ambiguous),
        (Some(user), None) => user,
    };
    let attributes = Attributes::read(&user.attributes_json);
    if !attributes.is_active() {
        return Err(Refusal::Inactive);
    }
    let id: UserId = user.user_id.parse().map_err(|_not_an_id| Unanswered::Unintelligible)?;
    Ok(Arrival {
        user: id,
        version: user.version,
        user_name: attributes.text("userName").to_owned(),
        display_name: attributes.shown_name().to_owned(),
        role: role(&attributes.roles(), proven.roles.as_deref()),
        way: proven.way,
        subject: proven.subject.clone(),
        session_index: proven.session_index.clone(),
        // As long as it was accepted by a clock that may be ahead of theirs.
        ends_at: proven.session_ends_at.map(|at| at + CLOCK_SKEW),
        is_confirmed,
    })
}

/// What somebody may do. What was provisioned decides. A claim about roles may only take away: it is newer than the last
/// cycle, and Entra's `AppRoleAssignmentsComplex` never takes a role away.
fn role(provisioned: &[String], claimed: Option<&[String]>) -> Role {
    let provisioned = greatest(provisioned);
    claimed.map_or(provisioned, |claimed| greatest(claimed).lesser(provisioned))
}

fn greatest(values: &[String]) -> Role {
    let has = |role: Role| values.iter().any(|value| value.eq_ignore_ascii_case(role.as_str()));
    [Role::Administrator, Role::Auditor].into_iter().find(|role| has(*role)).unwrap_or(Role::Member)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role_of(provisioned: &[&str], claimed: Option<&[&str]>) -> Role {
        let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
        role(&owned(provisioned), claimed.map(owned).as_deref())
    }

    #[test]
    fn what_was_provisioned_decides_and_a_claim_only_takes_away() {
        assert_eq!(role_of(&["Administrator", "auditor"], None), Role::Administrator);
        assert_eq!(role_of(&["auditor"], None), Role::Auditor);
        assert_eq!(role_of(&["owner"], None), Role::Member);
        assert_eq!(role_of(&[], Some(&["administrator"])), Role::Member, "a claim gives nothing");
        assert_eq!(role_of(&["auditor"], Some(&["administrator"])), Role::Auditor);
        assert_eq!(role_of(&["administrator"], Some(&["auditor"])), Role::Auditor);
        assert_eq!(role_of(&["administrator"], Some(&["user"])), Role::Member);
        assert_eq!(role_of(&["administrator"], Some(&["administrator"])), Role::Administrator);
    }
}
