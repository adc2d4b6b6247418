//! Code of the last release lives with the tables of this one, and nobody waits long for a migration
//! (docs/guides/change-the-schema.md).

use std::{fmt::Write as _, fs, path::PathBuf};

use sha2::{Digest as _, Sha256};
use squawk_linter::{Linter, Rule};
use squawk_syntax::{SourceFile, SyntaxKind, ast::Stmt};

use crate::{assert_none, workspace};

/// Those before it were written before there were rules, and before there was a release.
const FIRST_UNDER_THE_RULES: &str = "2026-11-26-100000";

/// What each merged migration's files are, one a line as `sha256sum` writes them, in the order in which they came.
const RECORD: &str = "crates/workspace-tidy/tests/it/migrations.sha256";

/// After these, code that was written before fails or is refused what it writes.
const BREAKS: [Rule; 19] = [
    Rule::AddingNotNullableField,
    Rule::AddingRequiredField,
    Rule::BanDropColumn,
    Rule::BanDropConstraint,
    Rule::BanDropDefault,
    Rule::BanDropDomain,
    Rule::BanDropFunction,
    Rule::BanDropNotNull,
    Rule::BanDropPolicy,
    Rule::BanDropSequence,
    Rule::BanDropTable,
    Rule::BanDropType,
    Rule::BanDropView,
    Rule::BanNewWriteRestriction,
    Rule::BanSetSchema,
    Rule::ChangingColumnType,
    Rule::RenamingColumn,
    Rule::RenamingObject,
    Rule::RenamingTable,
];

/// During these, a table is locked for as long as it is large.
const BLOCKS: [Rule; 9] = [
    Rule::AddingFieldWithDefault,
    Rule::AddingForeignKeyConstraint,
    Rule::AddingSerialPrimaryKeyField,
    Rule::ConstraintMissingNotValid,
    Rule::DisallowedUniqueConstraint,
    Rule::RequireConcurrentIndexCreation,
    Rule::RequireConcurrentIndexDeletion,
    Rule::RequireConcurrentPartitionDetach,
    Rule::RequireConcurrentReindex,
];

/// These never work, because `migrate` opens the transaction.
const NEVER: [Rule; 2] = [Rule::BanUncommittedTransaction, Rule::TransactionNesting];

/// A migration as it lies in its folder.
struct Migration {
    /// Its folder, from the root of the workspace.
    folder: String,
    sql: String,
    in_transaction: bool,
}

fn folders() -> Vec<PathBuf> {
    let crates = workspace().packages.into_iter().map(|package| package.folder.join("migrations"));
    let all = crates.filter(|folder| folder.is_dir());
    let mut folders: Vec<PathBuf> = all
        .flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()))
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

fn under_the_rules() -> Vec<Migration> {
    let workspace = workspace();
    let later = |folder: &PathBuf| folder.file_name().unwrap().to_str().unwrap() >= FIRST_UNDER_THE_RULES;
    let read = |folder: PathBuf| Migration {
        sql: fs::read_to_string(folder.join("up.sql")).unwrap(),
        in_transaction: !fs::read_to_string(folder.join("metadata.toml"))
            .is_ok_and(|metadata| metadata.contains("run_in_transaction = false")),
        folder: workspace.shown(&folder).to_string(),
    };
    folders().into_iter().filter(later).map(read).collect()
}

impl Migration {
    /// What the comment at its head says after this word.
    fn head(&self, word: &str) -> Option<&str> {
        let head = self.sql.lines().take_while(|line| line.starts_with("--"));
        head.filter_map(|line| line.trim_start_matches('-').trim().strip_prefix(word)).next().map(str::trim)
    }

    /// What is dangerous in it according to these rules.
    fn dangers(&self, rules: &[Rule]) -> Vec<String> {
        let mut linter = Linter::from(rules.iter().copied());
        linter.settings.assume_in_transaction = self.in_transaction;
        linter.settings.pg_version = "15".parse().unwrap();
        let mut found = linter.lint(&SourceFile::parse(&self.sql), &self.sql);
        // A column that is new restricts nobody who does not know it; one without a default has a rule of its own.
        found.retain(|one| {
            one.code != Rule::BanNewWriteRestriction || !one.message.contains("new column constraint")
        });
        found.into_iter().map(|violation| format!("{}: {}", violation.code, violation.message)).collect()
    }

    /// Rows that are changed in place: locked until the end, and as many as there are.
    fn changes_of_rows(&self) -> Vec<String> {
        let statements = SourceFile::parse(&self.sql).tree().stmts();
        let changes = statements.filter(|one| matches!(one, Stmt::Update(_) | Stmt::Delete(_)));
        changes.map(|_| "changes-rows: rows stay locked until the migration ends".to_owned()).collect()
    }

    /// Everything that is wrong with it, while this version is being made.
    fn problems(&self, version: &str) -> Vec<String> {
        let parsed = SourceFile::parse(&self.sql);
        let unparsable = parsed.errors().into_iter().map(|error| format!("cannot be parsed: {error}"));
        let mut problems: Vec<String> = unparsable.collect();
        problems.extend(self.dangers(&NEVER));
        let mut words = parsed.syntax_node().descendants_with_tokens();
        let is_concurrent = words.any(|word| word.kind() == SyntaxKind::CONCURRENTLY_KW);
        if self.in_transaction && is_concurrent {
            problems.push("`concurrently` needs a metadata.toml with run_in_transaction = false".to_owned());
        }
        // Postgres makes one transaction of statements that are sent together.
        if !self.in_transaction && parsed.tree().stmts().count() != 1 {
            problems.push("outside of a transaction there is one statement to a migration".to_owned());
        }
        // "Breaks: 0.3.0 stopped reading users.manager_id."
        let released = self.head("Breaks:").and_then(|why| number(why.split(' ').next().unwrap_or_default()));
        if released.is_none_or(|released| Some(released) >= number(version)) {
            problems.extend(self.dangers(&BREAKS));
        }
        if self.head("Blocks:").is_none_or(str::is_empty) {
            problems.extend(self.dangers(&BLOCKS));
            problems.extend(self.changes_of_rows());
        }
        problems
    }
}

/// A release such as `0.12.3`, so that releases can be compared.
fn number(release: &str) -> Option<[u64; 3]> {
    let parts: Result<Vec<u64>, _> = release.split('.').map(str::parse).collect();
    parts.ok()?.try_into().ok()
}

#[test]
fn migrations_neither_break_the_last_release_nor_block_it() {
    let manifest = workspace().manifest;
    let version = manifest["workspace"]["package"]["version"].as_str().unwrap();
    let problems = under_the_rules().into_iter().flat_map(|migration| {
        let problems = migration.problems(version);
        problems.into_iter().map(move |problem| format!("{}: {problem}", migration.folder))
    });
    assert_none("see docs/guides/change-the-schema.md", problems);
}

#[test]
fn a_merged_migration_is_never_edited_and_a_new_one_comes_last() {
    let workspace = workspace();
    let path = workspace.root.join(RECORD);
    let record = fs::read_to_string(&path).unwrap_or_default();
    let recorded: Vec<(&str, &str)> = record.lines().map(|line| line.split_once("  ").unwrap()).collect();
    let mut found = Vec::new();
    let mut fresh = String::new();
    for folder in folders() {
        for file in ["up.sql", "metadata.toml"].map(|name| folder.join(name)) {
            let name = workspace.shown(&file).to_string();
            let hash = fs::read(&file).map(|bytes| format!("{:x}", Sha256::digest(bytes)));
            match (hash, recorded.iter().find(|(_, known)| *known == name)) {
                (Ok(hash), Some((known, _))) if hash != *known => found.push(format!("{name} was edited")),
                (Ok(hash), None) => {
                    let beside = file.parent().unwrap().parent().unwrap();
                    let beside = workspace.shown(beside).to_string();
                    let last = recorded.iter().rfind(|(_, known)| known.starts_with(&beside));
                    if last.is_some_and(|(_, last)| *last > name.as_str()) {
                        found.push(format!("{name} comes before one that is merged"));
                    }
                    writeln!(fresh, "{hash}  {name}").unwrap();
                }
                _ => (),
            }
        }
    }
    let missing = recorded.iter().filter(|(_, name)| !workspace.root.join(name).exists());
    found.extend(missing.map(|(_, name)| format!("{name} is gone")));
    assert_none("what has run somewhere is what it was: write another migration", found);

    #[expect(clippy::disallowed_methods, reason = "a test has no command line of its own")]
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&path, format!("{record}{fresh}")).unwrap();
        return;
    }
    assert_none("not recorded yet: run `make gen`", fresh.lines().map(str::to_owned));
}

/// The problems of a migration of this text, in the version 0.3.0.
fn problems(sql: &str, in_transaction: bool) -> Vec<String> {
    let migration = Migration { folder: String::new(), sql: sql.to_owned(), in_transaction };
    migration.problems("0.3.0")
}

#[test]
fn what_old_code_bears_passes() {
    for harmless in [
        "create table things (thing_id uuid primary key, name text not null);
         create index things_name on things (name);
         alter table things enable row level security;
         create policy things_company on things using (true);",
        "alter table users add column nickname text;",
        "alter table users add column rank bigint not null default 0;",
    ] {
        assert_eq!(problems(harmless, true), Vec::<String>::new(), "{harmless}");
    }
    assert_eq!(
        problems("create index concurrently users_rank on users (rank);", false),
        Vec::<String>::new()
    );
}

#[test]
fn what_breaks_old_code_needs_the_release_that_stopped_using_it() {
    for breaking in [
        "drop table users;",
        "alter table users drop column manager_id;",
        "alter table users rename column active to enabled;",
        "alter table users rename to people;",
        "alter table users alter column version type integer;",
        "alter table users add column nickname text not null;",
        "alter table users alter column display_name set not null;",
        "alter table users alter column display_name drop not null;",
        "alter table users alter column version drop default;",
        "alter table users drop constraint users_pkey;",
        "drop function fold(text);",
        "alter table users add constraint users_rank check (rank > 0) not valid;",
        "alter table users add constraint users_manager foreign key (manager_id) references users (user_id);",
        "create unique index concurrently users_external_id_key on users (external_id);",
    ] {
        let in_transaction = !breaking.contains("concurrently");
        assert_ne!(problems(breaking, in_transaction), Vec::<String>::new(), "{breaking}");
        let excused = format!("-- Breaks: 0.2.0 stopped using it.\n{breaking}");
        let left = problems(&excused, in_transaction);
        assert!(
            left.iter().all(|one| BLOCKS.iter().any(|rule| one.starts_with(&rule.to_string()))),
            "{left:?}"
        );
        // What is being made is not released, so code that uses it may still run.
        let too_early = format!("-- Breaks: 0.3.0 stopped using it.\n{breaking}");
        assert_ne!(problems(&too_early, in_transaction), Vec::<String>::new(), "{too_early}");
    }
}

#[test]
fn what_locks_a_table_for_long_needs_its_reason() {
    for blocking in [
        "create index users_rank on users (rank);",
        "drop index users_rank;",
        "alter table users add column seen timestamptz not null default clock_timestamp();",
        "update users set active = true;",
        "delete from users where not active;",
    ] {
        assert_ne!(problems(blocking, true), Vec::<String>::new(), "{blocking}");
        let excused = format!("-- Blocks: there are sixteen rows.\n{blocking}");
        assert_eq!(problems(&excused, true), Vec::<String>::new(), "{excused}");
        assert_ne!(
            problems(&format!("-- Blocks:\n{blocking}"), true),
            Vec::<String>::new(),
            "a reason is words"
        );
    }
}

#[test]
fn what_never_works_is_excused_by_nothing() {
    for (sql, in_transaction) in [
        ("create index concurrently users_rank on users (rank);", true),
        ("begin; alter table users add column nickname text; commit;", true),
        ("create index concurrently a on users (rank); create index concurrently b on users (rank);", false),
        ("alter table users ad column nickname text;", true),
    ] {
        let excused = format!("-- Breaks: 0.2.0 stopped.\n-- Blocks: it is short.\n{sql}");
        assert_ne!(problems(&excused, in_transaction), Vec::<String>::new(), "{sql}");
    }
}
