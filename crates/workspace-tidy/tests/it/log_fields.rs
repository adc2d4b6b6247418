//! The page of log fields has every field that a line of our own code writes, and no other.

use std::{collections::BTreeSet, fs};

use proc_macro2::{TokenStream, TokenTree};

use crate::{assert_none, workspace};

const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// Fields, each with a file in which a line writes it.
type Written = BTreeSet<(String, String)>;

/// Takes the fields of every `tracing::warn!(…)` and its siblings, and of every `log_at!(level, …)`, wherever they stand.
fn take(tokens: TokenStream, file: &str, written: &mut Written) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (place, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        let before: String = tokens[place.saturating_sub(5)..place].iter().map(ToString::to_string).collect();
        let is_line = LEVELS.iter().any(|level| before == format!("tracing::{level}!"));
        if is_line || before.ends_with("log_at!") {
            let fields = fields(group.stream(), usize::from(!is_line));
            written.extend(fields.into_iter().map(|field| (field, file.to_owned())));
        }
        take(group.stream(), file, written);
    }
}

/// The names before the message: `name = value`, or a variable that is its own name.
fn fields(arguments: TokenStream, passed_over: usize) -> Vec<String> {
    let arguments: Vec<TokenTree> = arguments.into_iter().collect();
    let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ',');
    let parts = arguments.split(is_comma).skip(passed_over);
    let fields = parts.take_while(|part| !matches!(part.first(), Some(TokenTree::Literal(_))));
    fields.filter_map(field).collect()
}

fn field(argument: &[TokenTree]) -> Option<String> {
    let is_mark = |token: &&TokenTree, marks: &[char]| matches!(token, TokenTree::Punct(mark) if marks.contains(&mark.as_char()));
    let named = argument.iter().skip_while(|token| is_mark(token, &['%', '?']));
    let name: Vec<_> = named
        .clone()
        .take_while(|token| matches!(token, TokenTree::Ident(_)) || is_mark(token, &['.']))
        .collect();
    // Such as `target: "…"`, which is no field.
    let ends = named.clone().nth(name.len()).is_none_or(|token| is_mark(&token, &['=']));
    (ends && !name.is_empty()).then(|| name.iter().map(ToString::to_string).collect())
}

fn written() -> Written {
    let workspace = workspace();
    let mut written = Written::new();
    for file in workspace.packages.iter().flat_map(|package| package.rust_files("src")) {
        let shown = workspace.shown(&file).to_string();
        let text = fs::read_to_string(&file).unwrap();
        let tokens = text.parse::<TokenStream>().map_err(|error| format!("{shown}: {error}"));
        take(tokens.unwrap(), &shown, &mut written);
    }
    written
}

/// The fields that some sections of the page list.
fn listed<'p>(sections: impl IntoIterator<Item = &'p str>) -> Vec<String> {
    let rows = sections.into_iter().flat_map(str::lines).filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split('`').next()).map(str::to_owned).collect()
}

#[test]
fn the_page_of_log_fields_has_those_that_are_written_and_no_other() {
    let page = fs::read_to_string(workspace().root.join("docs/reference/log-fields.md")).unwrap();
    let written = written();
    assert!(written.len() > 50, "the sources are read: {written:?}");
    let known = listed([page.as_str()]);
    let missing = written.iter().filter(|(field, _)| !known.contains(field));
    let missing = missing.map(|(field, file)| format!("{field} is not on the page: {file}"));
    // What is in every line is written by what writes lines.
    let others = page.split("\n## ").filter(|section| !section.starts_with("Of every line"));
    let unwritten = listed(others).into_iter().filter(|field| !written.iter().any(|(name, _)| name == field));
    let unwritten = unwritten.map(|field| format!("{field} is on the page, and no line writes it"));
    assert_none("docs/reference/log-fields.md", missing.chain(unwritten));
}

#[test]
fn the_fields_of_a_line_are_told_from_its_target_its_message_and_what_that_quotes() {
    for line in [
        r#"tracing::warn!(target: "t", company.id = %company, ?kind, n = f(a, b), "m {}", q)"#,
        r#"crate::log_at!(level, company.id = %company, ?kind, n = f(a, b), "m")"#,
    ] {
        let mut found = Written::new();
        take(format!("fn f() {{ if x {{ {line}; }} }}").parse().unwrap(), "a file", &mut found);
        let names: Vec<_> = found.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["company.id", "kind", "n"], "{line}");
    }
}
