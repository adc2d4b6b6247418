//! What is printed: a table or JSON on standard output, reasons on standard error. The only place that prints.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use comfy_table::{ContentArrangement, Table, presets::NOTHING};
use serde::Serialize;

use crate::failure::Failure;

/// Something that is shown as a row.
pub(crate) trait Row: Serialize {
    /// The titles.
    const COLUMNS: &'static [&'static str];

    /// One cell per title.
    fn cells(&self) -> Vec<String>;
}

/// The result of a command, in both shapes.
pub(crate) struct Answer {
    json: String,
    tables: Vec<Table>,
    /// Said below the table, and nowhere in the JSON.
    note: Option<String>,
    /// Whether a company that does not exist would have been answered the same.
    is_of_nothing: bool,
}

impl Answer {
    /// One thing.
    pub(crate) fn one<R: Row>(row: R) -> Result<Self, Failure> {
        Ok(Self { json: json(&row)?, tables: vec![table(&[row])], note: None, is_of_nothing: false })
    }

    /// A list of things.
    pub(crate) fn many<R: Row>(rows: &[R]) -> Result<Self, Failure> {
        Ok(Self {
            json: json(&rows)?,
            tables: vec![table(rows)],
            note: rows.is_empty().then(|| "(none)".to_owned()),
            is_of_nothing: rows.is_empty(),
        })
    }

    /// Says where the next page begins, when there is one.
    pub(crate) fn with_more(self, last: Option<String>) -> Self {
        match last {
            Some(last) => self.with_note(format!("There are more: --after {last}")),
            None => self,
        }
    }

    pub(crate) fn with_note(self, note: String) -> Self {
        Self { note: Some(note), ..self }
    }

    /// Shows rows below, which the JSON has already.
    pub(crate) fn with_table<R: Row>(mut self, rows: &[R]) -> Self {
        if !rows.is_empty() {
            self.tables.push(table(rows));
        }
        self
    }

    /// Says whether there was nothing to tell.
    pub(crate) fn of_nothing(self, is_of_nothing: bool) -> Self {
        Self { is_of_nothing, ..self }
    }

    /// Whether there was nothing to tell.
    pub(crate) const fn is_of_nothing(&self) -> bool {
        self.is_of_nothing
    }
}

fn json(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::Unavailable(error.to_string()))
}

fn table<R: Row>(rows: &[R]) -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(R::COLUMNS);
    table.add_rows(rows.iter().map(Row::cells));
    table
}

pub(crate) fn answer(answer: Answer, as_json: bool) -> ExitCode {
    let mut text = if as_json {
        answer.json
    } else {
        answer.tables.iter().map(Table::trim_fmt).collect::<Vec<_>>().join("\n\n")
    };
    text.push('\n');
    if let (false, Some(note)) = (as_json, answer.note) {
        text.push_str(&format!("\n{note}\n"));
    }
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader has seen enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => failure(&Failure::Output(error)),
    }
}

pub(crate) fn failure(failure: &Failure) -> ExitCode {
    // With nowhere to print to, the exit status is all that can be told.
    writeln!(io::stderr(), "timeclock-operator: {failure}").ok();
    ExitCode::from(failure.exit_status())
}

/// Help, the version, or what is wrong with the command line.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // With nowhere to print to, the exit status is all that can be told.
    error.print().ok();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}
