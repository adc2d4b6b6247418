//! How users and groups lie in their tables, for filters and orders: which attribute is a column, and which is rows.
//!
//! Both tables stand under the alias `r`.

use scim_protocol::{attribute_path::AttributePath, schema::ENTERPRISE_USER_URN};

/// A table of resources.
pub(crate) struct ResourceTable {
    /// What they are called in a refusal.
    pub(crate) people: &'static str,
    pub(crate) table: &'static str,
    /// The column of the id.
    pub(crate) id: &'static str,
    /// What an attribute is, where it is more than a part of the stored JSON.
    pub(super) column: fn(&AttributePath) -> Option<Column>,
}

/// What an attribute is.
pub(super) enum Column {
    Id(&'static str),
    /// Always there, compared by its folded key.
    Name(&'static str),
    /// Compared as it stands.
    Exact(&'static str),
    /// Never null.
    Always(&'static str),
    /// What is shown and not stored with the resource; null where there is none.
    Shown(&'static str),
    /// A list that is not stored: it follows from what is.
    Schemas(&'static str),
    /// Rows of another table.
    Rows(&'static Rows),
    /// Known only to who renders the resource.
    Elsewhere,
}

/// A multi-valued attribute that is kept as rows.
pub(super) struct Rows {
    /// A select that finds a row when there is one.
    pub(super) any: &'static str,
    /// A select of all rows, as `value`, `type` and `display`.
    pub(super) all: &'static str,
    /// The beginning of a select of the resources that have a row with the id that follows.
    pub(super) by_id: &'static str,
}

pub(crate) static USERS: ResourceTable =
    ResourceTable { people: "Users", table: "users", id: "r.user_id", column: user_column };

pub(crate) static GROUPS: ResourceTable =
    ResourceTable { people: "Groups", table: "groups", id: "r.group_id", column: group_column };

static GROUPS_OF_A_USER: Rows = Rows {
    any: "select 1 from memberships m where m.company_id = r.company_id and m.member_id = r.user_id",
    all: "select m.group_id::text as value, 'direct' as type, n.display_name as display \
          from memberships m join groups n on n.company_id = m.company_id and n.group_id = m.group_id \
          where m.company_id = r.company_id and m.member_id = r.user_id",
    by_id: "select m.member_id from memberships m where m.company_id = r.company_id and m.group_id =",
};

static MEMBERS_OF_A_GROUP: Rows = Rows {
    any: "select 1 from memberships m where m.company_id = r.company_id and m.group_id = r.group_id",
    all: "select m.member_id::text as value, case when m.is_group then 'Group' else 'User' end as type, \
            coalesce(w.display_name, n.display_name) as display \
          from memberships m \
          left join users w on w.company_id = m.company_id and w.user_id = m.member_id and not m.is_group \
          left join groups n on n.company_id = m.company_id and n.group_id = m.member_id and m.is_group \
          where m.company_id = r.company_id and m.group_id = r.group_id",
    by_id: "select m.group_id from memberships m where m.company_id = r.company_id and m.member_id =",
};

/// The `schemas` of a user as it is rendered.
/// No attribute has a colon in its name, and every URN has.
const USER_SCHEMAS: &str = "array['urn:ietf:params:scim:schemas:core:2.0:User'] \
    || array(select k from jsonb_object_keys(r.attributes::jsonb) as k where strpos(k, ':') > 0)";

const GROUP_SCHEMAS: &str = "array['urn:ietf:params:scim:schemas:core:2.0:Group']";

/// What the user's manager is called, as it is rendered.
const MANAGER_NAME: &str =
    "(select m.display_name from users m where m.company_id = r.company_id and m.user_id = r.manager_id)";

fn user_column(path: &AttributePath) -> Option<Column> {
    if path.urn.as_deref() == Some(ENTERPRISE_USER_URN) && path.name == "manager" {
        return match path.sub.as_deref() {
            Some("displayName") => Some(Column::Shown(MANAGER_NAME)),
            Some("$ref") => Some(Column::Elsewhere),
            _ => None,
        };
    }
    if path.urn.is_some() {
        return None;
    }
    Some(match (path.name.as_str(), path.sub.as_deref()) {
        ("id", None) => Column::Id("r.user_id"),
        ("userName", None) => Column::Name("r.user_name_key"),
        ("active", None) => Column::Always("r.active"),
        ("schemas", None) => Column::Schemas(USER_SCHEMAS),
        ("groups", None) => Column::Rows(&GROUPS_OF_A_USER),
        ("meta", Some("resourceType")) => Column::Always("'User'"),
        _ => return common_column(path),
    })
}

fn group_column(path: &AttributePath) -> Option<Column> {
    if path.urn.is_some() {
        return None;
    }
    Some(match (path.name.as_str(), path.sub.as_deref()) {
        ("id", None) => Column::Id("r.group_id"),
        ("displayName", None) => Column::Name("r.display_name_key"),
        ("schemas", None) => Column::Schemas(GROUP_SCHEMAS),
        ("members", None) => Column::Rows(&MEMBERS_OF_A_GROUP),
        ("meta", Some("resourceType")) => Column::Always("'Group'"),
        _ => return common_column(path),
    })
}

fn common_column(path: &AttributePath) -> Option<Column> {
    Some(match (path.name.as_str(), path.sub.as_deref()) {
        ("externalId", None) => Column::Exact("r.external_id"),
        ("meta", None) => Column::Always("''"),
        ("meta", Some("created")) => Column::Always("r.created_at"),
        ("meta", Some("lastModified")) => Column::Always("r.last_modified_at"),
        ("meta", Some("version")) => Column::Always("('W/\"' || r.version || '\"')"),
        ("meta", _) => Column::Elsewhere,
        _ => return None,
    })
}
