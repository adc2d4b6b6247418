//! A SCIM filter as SQL that says the same as [`Filter::matches`].
//!
//! What Entra filters by is a column with an index. Everything else is read out of the stored JSON, for the users of
//! one company. Text becomes a bind, never SQL. Every term is made two-valued (`coalesce`), because `not` of SQL's
//! unknown is unknown, and in SCIM a comparison with an absent attribute is false and its negation true.

use chrono::{DateTime, Utc};
use scim_protocol::{
    attribute_path::AttributePath,
    error::ScimError,
    filter::{Filter, Literal, Op},
    fold::fold,
    schema::ENTERPRISE_USER_URN,
};
use uuid::Uuid;

/// A value for one `$n`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bind {
    Text(String),
    /// The keys that lead to a value inside the JSON.
    Path(Vec<String>),
    Uuid(Uuid),
    Bool(bool),
    Time(DateTime<Utc>),
}

/// A condition on the table `users` under the alias `u`, and the values it refers to.
#[derive(Debug, PartialEq)]
pub(crate) struct Condition {
    pub(crate) sql: String,
    pub(crate) binds: Vec<Bind>,
}

/// Compiles a filter. `first_bind` is the number of its first `$n`.
pub(crate) fn compile(filter: &Filter, first_bind: usize) -> Result<Condition, ScimError> {
    let mut compiler = Compiler { sql: String::new(), binds: vec![], first_bind };
    compiler.filter(filter, Scope::User)?;
    Ok(Condition { sql: compiler.sql, binds: compiler.binds })
}

/// Whose attributes a term speaks of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    User,
    /// One element of a multi-valued attribute, under the alias `e`.
    Element,
}

struct Compiler {
    sql: String,
    binds: Vec<Bind>,
    first_bind: usize,
}

impl Compiler {
    fn filter(&mut self, filter: &Filter, scope: Scope) -> Result<(), ScimError> {
        match filter {
            Filter::And(terms) => self.joined(terms, " and ", scope),
            Filter::Or(terms) => self.joined(terms, " or ", scope),
            Filter::Not(term) => {
                self.sql.push_str("not (");
                self.filter(term, scope)?;
                self.sql.push(')');
                Ok(())
            }
            Filter::Present(path) => {
                self.present(path, scope);
                Ok(())
            }
            Filter::Compare { path, op, value } => self.compare(path, *op, value, scope),
            Filter::Element { path, filter } => self.element(path, filter),
            Filter::Unknown { .. } => {
                self.sql.push_str("false");
                Ok(())
            }
        }
    }

    fn joined(&mut self, terms: &[Filter], word: &str, scope: Scope) -> Result<(), ScimError> {
        self.sql.push('(');
        for (place, term) in terms.iter().enumerate() {
            if place > 0 {
                self.sql.push_str(word);
            }
            self.filter(term, scope)?;
        }
        self.sql.push(')');
        Ok(())
    }

    fn present(&mut self, path: &AttributePath, scope: Scope) {
        if scope == Scope::User
            && matches!(
                column(path),
                Some(Column::Always(_) | Column::Schemas | Column::Id | Column::UserName)
            )
        {
            self.sql.push_str("true");
            return;
        }
        if scope == Scope::User && matches!(column(path), Some(Column::ManagerName)) {
            self.sql.push_str(&format!("({MANAGER_NAME} is not null)"));
            return;
        }
        // Canonical attributes hold nothing empty, so to be there is to have a value.
        let value = self.json(path, scope, "#>");
        self.sql.push_str(&format!("({value} is not null)"));
    }

    fn compare(
        &mut self,
        path: &AttributePath,
        op: Op,
        literal: &Literal,
        scope: Scope,
    ) -> Result<(), ScimError> {
        let column = if scope == Scope::User { column(path) } else { None };
        match (literal, column) {
            (Literal::Boolean(wanted), column) => {
                let value = match column {
                    Some(Column::Always(sql)) => sql.to_owned(),
                    _ => format!("({})::boolean", self.json(path, scope, "#>>")),
                };
                let wanted = self.bind(Bind::Bool(*wanted));
                self.sql.push_str(&format!("coalesce({value} = {wanted}, false)"));
            }
            (Literal::DateTime(at), Some(Column::Always(sql))) => {
                let at = self.bind(Bind::Time(*at));
                self.sql.push_str(&format!("({sql} {} {at})", order(op)?));
            }
            // No attribute of a user has these types, but for `meta`.
            (Literal::DateTime(_) | Literal::Number(_), _) => return Err(unsupported(path)),
            (Literal::Exact(text), Some(Column::Id)) if op == Op::Equal => match text.parse::<Uuid>() {
                Ok(id) if id.as_hyphenated().to_string() == *text => {
                    let id = self.bind(Bind::Uuid(id));
                    self.sql.push_str(&format!("(u.user_id = {id})"));
                }
                _ => self.sql.push_str("false"),
            },
            (Literal::Folded(text), Some(Column::UserName)) => {
                self.text("u.user_name_key", op, fold(text))?
            }
            (Literal::Exact(text), Some(Column::Id)) => self.text("u.user_id::text", op, text.clone())?,
            (Literal::Exact(text), Some(Column::ExternalId)) => {
                self.text("u.external_id", op, text.clone())?;
            }
            (Literal::Exact(text), Some(Column::Always(sql))) => self.text(sql, op, text.clone())?,
            (Literal::Folded(text), Some(Column::Always(sql))) => {
                self.text(&folded(sql), op, fold(text))?;
            }
            (Literal::Exact(text) | Literal::Folded(text), Some(Column::Schemas)) => {
                let text = if matches!(literal, Literal::Folded(_)) { fold(text) } else { text.clone() };
                let value =
                    if matches!(literal, Literal::Folded(_)) { folded("s.urn") } else { "s.urn".to_owned() };
                self.sql.push_str(&format!("exists (select 1 from unnest({SCHEMAS}) as s(urn) where "));
                self.text(&value, op, text)?;
                self.sql.push(')');
            }
            (Literal::Folded(text), Some(Column::ManagerName)) => {
                self.text(&folded(MANAGER_NAME), op, fold(text))?
            }
            (_, Some(Column::Elsewhere)) => return Err(unsupported(path)),
            (Literal::Exact(text), _) => {
                let value = self.json(path, scope, "#>>");
                self.text(&value, op, text.clone())?;
            }
            (Literal::Folded(text), _) => {
                let value = folded(&self.json(path, scope, "#>>"));
                self.text(&value, op, fold(text))?;
            }
        }
        Ok(())
    }

    /// Compares text by code point, which is what "C" does with UTF-8.
    fn text(&mut self, value: &str, op: Op, literal: String) -> Result<(), ScimError> {
        let bind = self.bind(Bind::Text(literal));
        let comparison = match op {
            Op::Equal => format!("{value} = {bind}"),
            Op::Contains => format!("strpos({value}, {bind}) > 0"),
            Op::StartsWith => format!("starts_with({value}, {bind})"),
            Op::EndsWith => format!("right({value}, length({bind})) = {bind}"),
            Op::Greater | Op::GreaterOrEqual | Op::Less | Op::LessOrEqual => {
                format!("({value}) collate \"C\" {} {bind}", order(op)?)
            }
        };
        self.sql.push_str(&format!("coalesce({comparison}, false)"));
        Ok(())
    }

    fn element(&mut self, path: &AttributePath, filter: &Filter) -> Result<(), ScimError> {
        if let Some(address) = work_email(path, filter) {
            let key = self.bind(Bind::Text(fold(address)));
            self.sql
                .push_str(&format!("(coalesce(u.work_email_key = {key}, false) or (u.many_work_emails and "));
            self.any_element(path, filter)?;
            self.sql.push_str("))");
            return Ok(());
        }
        self.any_element(path, filter)
    }

    fn any_element(&mut self, path: &AttributePath, filter: &Filter) -> Result<(), ScimError> {
        let value = self.json(path, Scope::User, "#>");
        self.sql.push_str(&format!(
            "exists (select 1 from jsonb_array_elements(case jsonb_typeof({value}) when 'array' then {value} \
             when 'object' then jsonb_build_array({value}) else '[]'::jsonb end) as e(v) where "
        ));
        self.filter(filter, Scope::Element)?;
        self.sql.push(')');
        Ok(())
    }

    /// The value at a path, with `#>` as JSON or with `#>>` as text.
    fn json(&mut self, path: &AttributePath, scope: Scope, operator: &str) -> String {
        let root = match scope {
            Scope::User => "u.attributes::jsonb",
            Scope::Element => "e.v",
        };
        let keys = self.bind(Bind::Path(keys(path)));
        format!("({root} {operator} {keys})")
    }

    fn bind(&mut self, value: Bind) -> String {
        self.binds.push(value);
        format!("${}", self.first_bind + self.binds.len() - 1)
    }
}

/// `fold` in SQL; `und-x-icu` lower-cases as Unicode does, whatever the database's locale.
fn folded(value: &str) -> String {
    format!(
        "normalize(replace(lower(normalize({value}, NFC) collate \"und-x-icu\"), 'ς', 'σ'), NFC) collate \"C\""
    )
}

/// The keys that lead to the attribute in canonical JSON.
fn keys(path: &AttributePath) -> Vec<String> {
    [path.urn.as_ref(), Some(&path.name), path.sub.as_ref()].into_iter().flatten().cloned().collect()
}

/// The `schemas` of a user as it is rendered.
const SCHEMAS: &str = "case when u.attributes::jsonb ? 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User' \
    then array['urn:ietf:params:scim:schemas:core:2.0:User', \
               'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'] \
    else array['urn:ietf:params:scim:schemas:core:2.0:User'] end";

/// What the user's manager is called, as it is rendered.
const MANAGER_NAME: &str =
    "(select m.display_name from users m where m.company_id = u.company_id and m.user_id = u.manager_id)";

enum Column {
    Id,
    UserName,
    ExternalId,
    /// Never null.
    Always(&'static str),
    /// A list that is not stored: it follows from what is.
    Schemas,
    /// Another user's.
    ManagerName,
    /// Known only to who renders the resource.
    Elsewhere,
}

fn column(path: &AttributePath) -> Option<Column> {
    if path.urn.as_deref() == Some(ENTERPRISE_USER_URN) && path.name == "manager" {
        return match path.sub.as_deref() {
            Some("displayName") => Some(Column::ManagerName),
            Some("$ref") => Some(Column::Elsewhere),
            _ => None,
        };
    }
    if path.urn.is_some() {
        return None;
    }
    Some(match (path.name.as_str(), path.sub.as_deref()) {
        ("id", None) => Column::Id,
        ("userName", None) => Column::UserName,
        ("externalId", None) => Column::ExternalId,
        ("active", None) => Column::Always("u.active"),
        ("schemas", None) => Column::Schemas,
        ("meta", None) => Column::Always("''"),
        ("meta", Some("created")) => Column::Always("u.created_at"),
        ("meta", Some("lastModified")) => Column::Always("u.last_modified_at"),
        ("meta", Some("resourceType")) => Column::Always("'User'"),
        ("meta", Some("version")) => Column::Always("('W/\"' || u.version || '\"')"),
        ("meta", _) => Column::Elsewhere,
        _ => return None,
    })
}

/// Recognises `emails[type eq "work" and value eq "…"]`, which Entra sends when it matches by mail.
fn work_email<'f>(path: &AttributePath, filter: &'f Filter) -> Option<&'f str> {
    let (None, "emails", None, Filter::And(terms)) = (&path.urn, path.name.as_str(), &path.sub, filter)
    else {
        return None;
    };
    let [first, second] = terms.as_slice() else { return None };
    let equal = |term: &'f Filter, name: &str| match term {
        Filter::Compare { path, op: Op::Equal, value: Literal::Folded(text) } if path.name == name => {
            Some(text.as_str())
        }
        _ => None,
    };
    (fold(equal(first, "type")?) == "work").then(|| equal(second, "value")).flatten()
}

fn order(op: Op) -> Result<&'static str, ScimError> {
    Ok(match op {
        Op::Equal => "=",
        Op::Greater => ">",
        Op::GreaterOrEqual => ">=",
        Op::Less => "<",
        Op::LessOrEqual => "<=",
        Op::Contains | Op::StartsWith | Op::EndsWith => {
            return Err(ScimError::invalid_filter("co, sw and ew compare text only."));
        }
    })
}

fn unsupported(path: &AttributePath) -> ScimError {
    ScimError::invalid_filter(format!("Users cannot be filtered by {path} in this way."))
}
