//! Fixed SQL text with typed parameters, prepared once per connection.
//!
//! diesel prepares a `sql_query` anew each time, because its text could be different each time.
//! Here the text belongs to a type, so diesel's cache of prepared statements may key on that type.
//!
//! ```
//! use diesel::{prelude::*, sql_types::{BigInt, Text}};
//!
//! pg_pool::static_sql! {
//!     /// How many users have this name; a row is a tuple.
//!     CountByName -> (BigInt,) = "SELECT count(*) FROM users WHERE user_name = $1"
//! }
//!
//! fn count(connection: &mut PgConnection, name: &str) -> QueryResult<i64> {
//!     pg_pool::sql::statement(CountByName).bind::<Text, _>(name).get_result::<(i64,)>(connection).map(|(count,)| count)
//! }
//! ```
//!
//! Without `-> (types)`, a row is read by column name into a `QueryableByName`, or the statement returns none.

use std::marker::PhantomData;

use diesel::{
    RunQueryDsl,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    result::QueryResult,
    serialize::ToSql,
    sql_types::HasSqlType,
};

/// SQL text that belongs to a type; made by [`crate::static_sql!`].
pub trait StaticText: 'static {
    /// The statement, with `$1`, `$2` … for its parameters.
    const TEXT: &'static str;
    /// The SQL types of a row's columns, or [`diesel::sql_types::Untyped`].
    type Row;
}

/// A statement without parameters yet.
#[derive(Debug, Clone, Copy)]
pub struct Statement<S>(PhantomData<S>);

/// A statement with one parameter more.
#[derive(Debug, Clone, Copy)]
pub struct Bound<Q, T, V> {
    statement: Q,
    value: V,
    sql_type: PhantomData<T>,
}

/// The statement; parameters follow by `bind`, in order.
#[must_use]
pub fn statement<S: StaticText>(_text: S) -> Statement<S> {
    Statement(PhantomData)
}

impl<S> Statement<S> {
    /// Sets the first parameter; `T` is its SQL type, which the text's `$1` must have.
    pub const fn bind<T, V>(self, value: V) -> Bound<Self, T, V> {
        Bound { statement: self, value, sql_type: PhantomData }
    }
}

impl<Q, T, V> Bound<Q, T, V> {
    /// Sets the next parameter.
    pub const fn bind<T2, V2>(self, value: V2) -> Bound<Self, T2, V2> {
        Bound { statement: self, value, sql_type: PhantomData }
    }
}

impl<S: StaticText> QueryFragment<Pg> for Statement<S> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(S::TEXT);
        // Whoever adds a parameter through diesel's public interface also writes its placeholder. The text has its own
        // placeholders where they belong, so those land in a comment.
        out.push_sql("\n-- parameters: ");
        Ok(())
    }
}

impl<Q, T, V> QueryFragment<Pg> for Bound<Q, T, V>
where
    Q: QueryFragment<Pg>,
    Pg: HasSqlType<T>,
    V: ToSql<T, Pg>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.statement.walk_ast(out.reborrow())?;
        out.push_bind_param::<T, V>(&self.value)
    }
}

impl<S: StaticText> QueryId for Statement<S> {
    type QueryId = S;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<Q: QueryId, T: QueryId, V> QueryId for Bound<Q, T, V> {
    type QueryId = Bound<Q::QueryId, T::QueryId, ()>;
    const HAS_STATIC_QUERY_ID: bool = Q::HAS_STATIC_QUERY_ID && T::HAS_STATIC_QUERY_ID;
}

impl<S: StaticText> Query for Statement<S> {
    type SqlType = S::Row;
}

impl<Q: Query, T, V> Query for Bound<Q, T, V> {
    type SqlType = Q::SqlType;
}

impl<S, C> RunQueryDsl<C> for Statement<S> {}
impl<Q, T, V, C> RunQueryDsl<C> for Bound<Q, T, V> {}

/// Defines a statement; see [the module](crate::sql).
#[macro_export]
macro_rules! static_sql {
    ($($(#[$meta:meta])* $vis:vis $name:ident $(-> ($($column:ty),+ $(,)?))? = $text:expr);+ $(;)?) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy)]
        $vis struct $name;

        impl $crate::sql::StaticText for $name {
            const TEXT: &'static str = $text;
            type Row = $crate::static_sql!(@row $($($column),+)?);
        }
    )+};
    (@row) => { $crate::sql::Untyped };
    (@row $($column:ty),+) => { ($($column,)+) };
}

/// The columns are read by name.
pub use diesel::sql_types::Untyped;
