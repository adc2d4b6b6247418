//! The order of a list as SQL that says the same as [`Sort::compare`], with the id behind what is equal.

use bus_contract::directory::Position;
use scim_protocol::{
    error::ScimError,
    sort::{By, Sort},
};
use uuid::Uuid;

use super::{
    filter_sql::{Bind, folded, keys},
    resource_table::{Column, ResourceTable},
};

/// An order, for a statement on a table under the alias `r`.
pub(crate) struct Order {
    /// What a resource is sorted by, as text; null where it has no such value, and in the order of ids.
    pub(crate) key_text: String,
    /// What stands behind `order by`.
    pub(crate) by: String,
    /// The condition that a resource is behind the place where the page begins.
    pub(crate) after: String,
    pub(crate) binds: Vec<Bind>,
}

/// The order of ids when there is no `sort`. `first_bind` is the number of the first `$n`.
///
/// # Errors
///
/// 400 `invalidValue` for what only who renders the resource knows, 400 `invalidCursor` for a place that is none.
pub(crate) fn compile(
    table: &'static ResourceTable,
    sort: Option<&Sort>,
    after: Option<&Position>,
    first_bind: usize,
) -> Result<Order, ScimError> {
    let mut binds = Vec::new();
    let key = sort.map(|sort| key(table, sort, first_bind, &mut binds)).transpose()?;
    let id = table.id;
    let by = match (&key, sort.is_some_and(|sort| sort.is_descending)) {
        (None, _) => id.to_owned(),
        (Some(key), false) => format!("{key} asc nulls last, {id}"),
        (Some(key), true) => format!("{key} desc nulls first, {id}"),
    };
    let after = after.map(|after| condition(table, sort, key.as_deref(), after, first_bind, &mut binds));
    Ok(Order {
        key_text: key.as_ref().map_or_else(|| "null::text".to_owned(), |key| format!("({key})::text")),
        by,
        after: after.transpose()?.unwrap_or_else(|| "true".to_owned()),
        binds,
    })
}

fn condition(
    table: &'static ResourceTable,
    sort: Option<&Sort>,
    key: Option<&str>,
    after: &Position,
    first_bind: usize,
    binds: &mut Vec<Bind>,
) -> Result<String, ScimError> {
    let mut bind = |value| {
        binds.push(value);
        format!("${}", first_bind + binds.len() - 1)
    };
    let id: Uuid = after.id.parse().map_err(|_not_an_id| {
        ScimError::invalid_cursor("the cursor names no place in this list; begin again with an empty one")
    })?;
    let behind_id = format!("{} > {}", table.id, bind(Bind::Uuid(id)));
    let (Some(sort), Some(key)) = (sort, key) else { return Ok(behind_id) };
    let Some(text) = &after.key else {
        return Ok(match sort.is_descending {
            false => format!("({key} is null and {behind_id})"),
            true => format!("({key} is not null or {behind_id})"),
        });
    };
    let value = format!("{}::{}", bind(Bind::Text(text.clone())), sql_type(sort.by));
    Ok(match sort.is_descending {
        false => format!("({key} > {value} or ({key} = {value} and {behind_id}) or {key} is null)"),
        true => format!("({key} < {value} or ({key} = {value} and {behind_id}))"),
    })
}

/// What is sorted by, typed and collated so that `<` is the order.
fn key(
    table: &'static ResourceTable,
    sort: &Sort,
    first_bind: usize,
    binds: &mut Vec<Bind>,
) -> Result<String, ScimError> {
    let text = match (table.column)(&sort.path) {
        Some(Column::Name(key)) => return Ok(format!("({key} collate \"C\")")),
        Some(Column::Id(sql)) => format!("{sql}::text"),
        Some(Column::Always(sql)) if matches!(sort.by, By::Boolean | By::DateTime) => {
            return Ok(sql.to_owned());
        }
        Some(Column::Exact(sql) | Column::Always(sql) | Column::Shown(sql)) => sql.to_owned(),
        // The base schema comes first.
        Some(Column::Schemas(urns)) => format!("({urns})[1]"),
        Some(Column::Rows(_) | Column::Elsewhere) => {
            return Err(ScimError::invalid_value(format!(
                "{} cannot be sorted by '{}'.",
                table.people, sort.path
            )));
        }
        None => stored(sort, first_bind, binds),
    };
    Ok(match sort.by {
        By::Exact => format!("(({text}) collate \"C\")"),
        By::Folded => format!("({})", folded(&text)),
        by => format!("({text})::{}", sql_type(by)),
    })
}

/// A value inside the stored JSON; of a list that of the primary element, or else of the first.
fn stored(sort: &Sort, first_bind: usize, binds: &mut Vec<Bind>) -> String {
    let mut path = keys(&sort.path);
    let mut bind = |path| {
        binds.push(Bind::Path(path));
        format!("${}", first_bind + binds.len() - 1)
    };
    if !sort.is_multi_valued {
        return format!("r.attributes::jsonb #>> {}", bind(path));
    }
    // A list of plain values has no parts.
    let part = if sort.path.sub.is_some() { path.split_off(path.len() - 1) } else { vec![] };
    let (list, part) = (bind(path), bind(part));
    format!(
        "(select e.v #>> {part} from jsonb_array_elements(case jsonb_typeof(r.attributes::jsonb #> {list}) \
           when 'array' then r.attributes::jsonb #> {list} else '[]'::jsonb end) with ordinality as e(v, place) \
         order by coalesce(e.v -> 'primary' = 'true'::jsonb, false) desc, e.place limit 1)"
    )
}

fn sql_type(by: By) -> &'static str {
    match by {
        By::Exact | By::Folded => "text",
        By::Boolean => "boolean",
        By::DateTime => "timestamptz",
        By::Number => "double precision",
    }
}
