//! Records of the directory as SCIM shows them.

use bus_contract::Timestamp;
use chrono::{DateTime, Utc};
use scim_protocol::{
    Attributes,
    projection::Projection,
    resource::{self, DirectGroup, Manager, Member, Rendering},
    schema::SchemaSet,
};

use super::{
    Authenticated,
    members::{Members, Shown},
    respond::Refusal,
};
use crate::directory::Record;

impl Authenticated<'_> {
    pub(super) fn render(&self, shown: &Shown, projection: &Projection) -> Result<Vec<u8>, Refusal> {
        let record = &shown.record;
        let (manager, groups) = match record {
            Record::User(user) => (user.manager.as_ref(), user.groups.as_slice()),
            Record::Group(_) => (None, [].as_slice()),
        };
        let groups: Vec<_> = groups
            .iter()
            .map(|group| DirectGroup { id: &group.group_id, display: Some(&group.display_name) })
            .collect();
        let members: Option<Vec<_>> = match &shown.members {
            Members::Of(members) => Some(members.iter().map(shown_member).collect()),
            Members::Unasked | Members::Gone => None,
        };
        let rendering = Rendering {
            id: record.id(),
            base_url: &self.base_url.0,
            version: record.version(),
            created: moment(record.created_at()),
            last_modified: moment(record.last_modified_at()),
            manager: manager
                .map(|manager| Manager { user_id: &manager.user_id, display_name: &manager.display_name }),
            members: members.as_deref(),
            groups: &groups,
        };
        rendered(self.schemas_of(record.endpoint()), record, &rendering, projection)
            .map_err(|error| Refusal::internal(format!("cannot render {}: {error}", record.id())))
    }
}

fn rendered(
    schemas: &SchemaSet,
    record: &Record,
    rendering: &Rendering<'_>,
    projection: &Projection,
) -> Result<Vec<u8>, serde_json::Error> {
    if projection.is_everything() {
        return resource::render_bytes(schemas, record.attributes_json(), rendering);
    }
    let attributes: Attributes = serde_json::from_str(record.attributes_json())?;
    let mut shown = resource::render(schemas, &attributes, rendering);
    projection.apply(&mut shown);
    serde_json::to_vec(&shown)
}

fn shown_member(member: &bus_contract::directory::Member) -> Member<'_> {
    Member { id: &member.member_id, is_group: member.is_group, display: Some(&member.display_name) }
}

fn moment(at: Option<&Timestamp>) -> DateTime<Utc> {
    at.and_then(|at| DateTime::from_timestamp(at.seconds, u32::try_from(at.nanos).ok()?)).unwrap_or_default()
}
