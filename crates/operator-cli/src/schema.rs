//! Commands about the schemas that a company declares.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use bus_contract::{
    directory::{DeclareSchema, ListSchemas, RemoveSchema, reply},
    subject::{DECLARE_SCHEMA, LIST_SCHEMAS, REMOVE_SCHEMA},
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    bus::{Questions, unintelligible},
    cli::SchemaCommand,
    company::{DIRECTORY, result},
    failure::Failure,
    output::{Answer, Row},
};

/// More than any document may have; the directory says how much that is.
const MAX_READ: u64 = 1 << 20;

/// A schema as it is shown.
#[derive(Serialize)]
struct Shown {
    urn: String,
    name: String,
    attributes: Vec<String>,
    document: Value,
}

impl Row for Shown {
    const COLUMNS: &'static [&'static str] = &["URN", "NAME", "ATTRIBUTES"];

    fn cells(&self) -> Vec<String> {
        vec![self.urn.clone(), self.name.clone(), self.attributes.join(", ")]
    }
}

impl Shown {
    fn new(document: &str) -> Result<Self, Failure> {
        let document: Value =
            serde_json::from_str(document).map_err(|error| unintelligible(DIRECTORY, &error.to_string()))?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let attributes = document["attributes"].as_array().into_iter().flatten();
        Ok(Self {
            urn: text(&document["id"]),
            name: text(&document["name"]),
            attributes: attributes.map(|attribute| text(&attribute["name"])).collect(),
            document,
        })
    }
}

#[derive(Serialize)]
struct Changed {
    urn: String,
    changed: bool,
}

impl Row for Changed {
    const COLUMNS: &'static [&'static str] = &["URN"];

    fn cells(&self) -> Vec<String> {
        vec![self.urn.clone()]
    }
}

pub(crate) async fn execute(questions: &Questions, command: SchemaCommand) -> Result<Answer, Failure> {
    match command {
        SchemaCommand::Declare { company, file } => declare(questions, company, &file).await,
        SchemaCommand::List { company } => list(questions, company).await,
        SchemaCommand::Remove { company, urn } => remove(questions, company, urn).await,
    }
}

async fn declare(questions: &Questions, company_id: String, file: &Path) -> Result<Answer, Failure> {
    let document_json =
        read(file).map_err(|error| Failure::Usage(format!("{} cannot be read: {error}", file.display())))?;
    let question = DeclareSchema { company_id, document_json, actor: questions.actor() };
    match result(questions.ask(DIRECTORY, DECLARE_SCHEMA, &question).await?)? {
        reply::Result::DeclareSchema(declared) => {
            let note =
                if declared.created { "declared" } else { "declared anew, in place of the one before" };
            Ok(Answer::one(Changed { urn: declared.urn, changed: true })?.with_note(note.to_owned()))
        }
        _ => Err(unintelligible(DIRECTORY, "another result")),
    }
}

fn read(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    if file == Path::new("-") {
        io::stdin().lock().take(MAX_READ).read_to_string(&mut text)?;
    } else {
        File::open(file)?.take(MAX_READ).read_to_string(&mut text)?;
    }
    Ok(text)
}

async fn list(questions: &Questions, company_id: String) -> Result<Answer, Failure> {
    match result(questions.ask(DIRECTORY, LIST_SCHEMAS, &ListSchemas { company_id }).await?)? {
        reply::Result::ListSchemas(list) => {
            let rows = list.document_json.iter().map(String::as_str).map(Shown::new);
            Answer::many(&rows.collect::<Result<Vec<_>, _>>()?)
        }
        _ => Err(unintelligible(DIRECTORY, "another result")),
    }
}

async fn remove(questions: &Questions, company_id: String, urn: String) -> Result<Answer, Failure> {
    let question = RemoveSchema { company_id, urn: urn.clone(), actor: questions.actor() };
    match result(questions.ask(DIRECTORY, REMOVE_SCHEMA, &question).await?)? {
        reply::Result::RemoveSchema(removed) => {
            let note = if removed.removed { "removed" } else { "there was none; nothing was changed" };
            Ok(Answer::one(Changed { urn, changed: removed.removed })?.with_note(note.to_owned()))
        }
        _ => Err(unintelligible(DIRECTORY, "another result")),
    }
}
