//! Fixed SQL is prepared once per connection.

use diesel::{
    QueryableByName, RunQueryDsl as _, sql_query,
    sql_types::{Array, BigInt, Text},
};
use pg_pool::{sql::statement, static_sql};

use crate::harness::{migrated, pool};

static_sql! {
    Insert = "INSERT INTO notes SELECT * FROM unnest($1::bigint[], $2::text[])";
    ByText -> (BigInt, Text) = "SELECT id, text FROM notes WHERE text = $1 OR text = $2 OR text = $1 ORDER BY id";
    ByName = "SELECT id FROM notes WHERE id = $1 -- the last line is a comment"
}

#[derive(QueryableByName, Debug, PartialEq)]
struct Note {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

#[derive(QueryableByName)]
struct Prepared {
    #[diesel(sql_type = BigInt)]
    times: i64,
}

#[tokio::test]
async fn a_static_statement_binds_returns_and_is_prepared_once() {
    let pool = pool(&pg_pool::Settings { pool_size: 1, ..migrated().await });
    let (rows, notes, prepared) = pool
        .run("test", |connection| {
            statement(Insert)
                .bind::<Array<BigInt>, _>(vec![1, 2, 3])
                .bind::<Array<Text>, _>(vec!["a", "b", "c"])
                .execute(connection)?;
            let mut rows: Vec<(i64, String)> = Vec::new();
            for _ in 0..5 {
                rows = statement(ByText).bind::<Text, _>("a").bind::<Text, _>("c").load(connection)?;
            }
            let notes: Vec<Note> = statement(ByName).bind::<BigInt, _>(2_i64).load(connection)?;
            let prepared: Prepared = sql_query(
                "SELECT count(*) AS times FROM pg_prepared_statements WHERE statement LIKE 'SELECT id, text FROM notes%'",
            )
            .get_result(connection)?;
            Ok((rows, notes, prepared.times))
        })
        .await
        .unwrap();
    assert_eq!(rows, [(1, "a".to_owned()), (3, "c".to_owned())]);
    assert_eq!(notes, [Note { id: 2 }]);
    assert_eq!(prepared, 1);
}
