//! A SCIM filter as SQL that says the same as [`Filter::matches`].
//!
//! What Entra filters by is a column with an index. Who is in which group is rows of its own. Everything else is read out
//! of the stored JSON, for the resources of one company. Text becomes a bind, never SQL. Every term is made two-valued (`coalesce`), because `not` of SQL's
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

use super::resource_table::{Column, ResourceTable, Rows};

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

/// A condition on a table of resources under the alias `r`, and the values it refers to.
#[derive(Debug, PartialEq)]
pub(crate) struct Condition {
    pub(crate) sql: String,
    pub(crate) binds: Vec<Bind>,
}

/// Compiles a filter. `first_bind` is the number of its first `$n`.
pub(crate) fn compile(
    table: &'static ResourceTable,
    filter: &Filter,
    first_bind: usize,
) -> Result<Condition, ScimError> {
    let mut compiler = Compiler { table, sql: String::new(), binds: vec![], first_bind };
    compiler.filter(filter, Scope::Resource)?;
    Ok(Condition { sql: compiler.sql, binds: compiler.binds })
}

/// Whose attributes a term speaks of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Resource,
    /// One element of a multi-valued attribute, under the alias `e`.
    Element,
    /// One of the rows that are a multi-valued attribute, under the alias `e`.
    Row,
}

struct Compiler {
    table: &'static ResourceTable,
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
            Filter::Present(path) => self.present(path, scope),
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

    fn present(&mut self, path: &AttributePath, scope: Scope) -> Result<(), ScimError> {
        let sql = match self.column(path, scope) {
            Some(Column::Always(_) | Column::Schemas(_) | Column::Id(_) | Column::Name(_)) => {
                "true".to_owned()
            }
            // The `$ref` of whoever is there, and what every resource has in `meta`.
            Some(Column::Elsewhere) if scope == Scope::Row || path.name == "meta" => "true".to_owned(),
            Some(Column::Elsewhere) => return Err(self.unsupported(path)),
            Some(Column::Shown(sql)) => format!("({sql} is not null)"),
            Some(Column::Exact(sql)) if scope == Scope::Row => format!("({sql} is not null)"),
            Some(Column::Rows(rows)) => format!("exists ({})", rows.any),
            _ => String::new(),
        };
        if !sql.is_empty() {
            self.sql.push_str(&sql);
            return Ok(());
        }
        // Canonical attributes hold nothing empty, so to be there is to have a value.
        let value = self.json(path, scope, "#>");
        self.sql.push_str(&format!("({value} is not null)"));
        Ok(())
    }

    fn compare(
        &mut self,
        path: &AttributePath,
        op: Op,
        literal: &Literal,
        scope: Scope,
    ) -> Result<(), ScimError> {
        match (literal, self.column(path, scope)) {
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
            (_, None) if is_declared(path) => self.declared(path, scope, op, literal)?,
            // Standard elements have none of these types, so this is an element of a declared attribute.
            (Literal::DateTime(_) | Literal::Number(_), None) if scope == Scope::Element => {
                self.declared(path, scope, op, literal)?;
            }
            // No standard attribute has these types, but for `meta`.
            (Literal::DateTime(_) | Literal::Number(_), _) => return Err(self.unsupported(path)),
            (Literal::Exact(text), Some(Column::Id(sql))) if op == Op::Equal => match canonical(text) {
                Some(id) => {
                    let id = self.bind(Bind::Uuid(id));
                    self.sql.push_str(&format!("({sql} = {id})"));
                }
                None => self.sql.push_str("false"),
            },
            (Literal::Folded(text), Some(Column::Name(key))) => self.text(key, op, fold(text))?,
            (Literal::Exact(text), Some(Column::Id(sql))) => {
                self.text(&format!("{sql}::text"), op, text.clone())?
            }
            (Literal::Exact(text), Some(Column::Exact(sql) | Column::Always(sql) | Column::Shown(sql))) => {
                self.text(sql, op, text.clone())?;
            }
            (Literal::Folded(text), Some(Column::Always(sql))) => {
                self.text(&folded(sql), op, fold(text))?;
            }
            (Literal::Exact(text) | Literal::Folded(text), Some(Column::Schemas(urns))) => {
                let is_folded = matches!(literal, Literal::Folded(_));
                let text = if is_folded { fold(text) } else { text.clone() };
                let value = if is_folded { folded("s.urn") } else { "s.urn".to_owned() };
                self.sql.push_str(&format!("exists (select 1 from unnest({urns}) as s(urn) where "));
                self.text(&value, op, text)?;
                self.sql.push(')');
            }
            (Literal::Folded(text), Some(Column::Shown(sql) | Column::Exact(sql))) => {
                self.text(&folded(sql), op, fold(text))?;
            }
            (_, Some(Column::Elsewhere | Column::Rows(_))) => return Err(self.unsupported(path)),
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

    /// An attribute that the company has declared: of any type, and a list perhaps, of which any element will do.
    fn declared(
        &mut self,
        path: &AttributePath,
        scope: Scope,
        op: Op,
        literal: &Literal,
    ) -> Result<(), ScimError> {
        let value = self.json(path, scope, "#>");
        self.sql.push_str(&format!(
            "exists (select 1 from jsonb_array_elements(case jsonb_typeof({value}) when 'array' then {value} \
             else jsonb_build_array({value}) end) as d(v) where "
        ));
        // A value of another type than the literal compares with nothing; the cast must not see it.
        let (kind, compared) = match literal {
            Literal::Boolean(wanted) => {
                ("boolean", format!("d.v = to_jsonb({})", self.bind(Bind::Bool(*wanted))))
            }
            Literal::Number(number) => {
                let number = self.bind(Bind::Text(number.to_string()));
                ("number", format!("(d.v #>> '{{}}')::numeric {} {number}::numeric", order(op)?))
            }
            Literal::DateTime(at) => {
                let at = self.bind(Bind::Time(*at));
                ("string", format!("(d.v #>> '{{}}')::timestamptz {} {at}", order(op)?))
            }
            Literal::Exact(_) | Literal::Folded(_) => ("string", String::new()),
        };
        self.sql.push_str(&format!("case when jsonb_typeof(d.v) = '{kind}' then "));
        match literal {
            Literal::Exact(text) => self.text("(d.v #>> '{}')", op, text.clone())?,
            Literal::Folded(text) => self.text(&folded("(d.v #>> '{}')"), op, fold(text))?,
            _ => self.sql.push_str(&compared),
        }
        self.sql.push_str(" else false end)");
        Ok(())
    }

    fn element(&mut self, path: &AttributePath, filter: &Filter) -> Result<(), ScimError> {
        if let Some(Column::Rows(rows)) = self.column(path, Scope::Resource) {
            return self.any_row(rows, filter);
        }
        if let Some(address) = work_email(path, filter) {
            let key = self.bind(Bind::Text(fold(address)));
            self.sql
                .push_str(&format!("(coalesce(r.work_email_key = {key}, false) or (r.many_work_emails and "));
            self.any_element(path, filter)?;
            self.sql.push_str("))");
            return Ok(());
        }
        self.any_element(path, filter)
    }

    /// One of the rows between two resources. By id, as Entra's checks of a membership are, it is an index probe.
    fn any_row(&mut self, rows: &'static Rows, filter: &Filter) -> Result<(), ScimError> {
        if let Filter::Compare { path, op: Op::Equal, value: Literal::Exact(id) } = filter
            && path.name == "value"
        {
            match canonical(id) {
                Some(id) => {
                    let id = self.bind(Bind::Uuid(id));
                    self.sql.push_str(&format!("({} in ({} {id}))", self.table.id, rows.by_id));
                }
                None => self.sql.push_str("false"),
            }
            return Ok(());
        }
        self.sql.push_str(&format!("exists (select 1 from ({}) as e where ", rows.all));
        self.filter(filter, Scope::Row)?;
        self.sql.push(')');
        Ok(())
    }

    fn column(&self, path: &AttributePath, scope: Scope) -> Option<Column> {
        match scope {
            Scope::Resource => (self.table.column)(path),
            Scope::Element => None,
            Scope::Row => Some(match path.name.as_str() {
                "value" => Column::Exact("e.value"),
                "type" => Column::Shown("e.type"),
                "display" => Column::Shown("e.display"),
                _ => Column::Elsewhere,
            }),
        }
    }

    fn unsupported(&self, path: &AttributePath) -> ScimError {
        ScimError::invalid_filter(format!("{} cannot be filtered by {path} in this way.", self.table.people))
    }

    fn any_element(&mut self, path: &AttributePath, filter: &Filter) -> Result<(), ScimError> {
        let value = self.json(path, Scope::Resource, "#>");
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
            Scope::Resource => "r.attributes::jsonb",
            Scope::Element | Scope::Row => "e.v",
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
pub(super) fn folded(value: &str) -> String {
    format!(
        "normalize(replace(lower(normalize({value}, NFC) collate \"und-x-icu\"), 'ς', 'σ'), NFC) collate \"C\""
    )
}

/// The keys that lead to the attribute in canonical JSON.
pub(super) fn keys(path: &AttributePath) -> Vec<String> {
    [path.urn.as_ref(), Some(&path.name), path.sub.as_ref()].into_iter().flatten().cloned().collect()
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

/// Whether an attribute is none of the standard's.
fn is_declared(path: &AttributePath) -> bool {
    path.urn.as_deref().is_some_and(|urn| urn != ENTERPRISE_USER_URN)
}

/// An id as it is spelt; no other spelling is anybody's.
fn canonical(text: &str) -> Option<Uuid> {
    text.parse::<Uuid>().ok().filter(|id| id.as_hyphenated().to_string() == *text)
}
