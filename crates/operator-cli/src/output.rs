//! What is printed: a table or JSON on standard output, reasons on standard error. The only place that prints.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

use std::process::ExitCode;

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
    table: Table,
    /// Said below the table, and nowhere in the JSON.
    note: Option<String>,
}

impl Answer {
    /// One thing.
    pub(crate) fn one<R: Row>(row: R) -> Result<Self, Failure> {
        Ok(Self { json: json(&row)?, table: table(&[row]), note: None })
    }

    /// A list of things.
    pub(crate) fn many<R: Row>(rows: &[R]) -> Result<Self, Failure> {
        Ok(Self {
            json: json(&rows)?,
            table: table(rows),
            note: rows.is_empty().then(|| "(none)".to_owned()),
        })
    }

    pub(crate) fn with_note(self, note: String) -> Self {
        Self { note: Some(note), ..self }
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
    if as_json {
        println!("{}", answer.json);
    } else {
        println!("{}", answer.table.trim_fmt());
        if let Some(note) = answer.note {
            println!("\n{note}");
        }
    }
    ExitCode::SUCCESS
}

pub(crate) fn failure(failure: &Failure) -> ExitCode {
    eprintln!("timeclock-operator: {failure}");
    ExitCode::from(failure.exit_status())
}

/// Help, the version, or what is wrong with the command line.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // With nowhere to print to, the exit status is all that can be told.
    error.print().ok();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}
