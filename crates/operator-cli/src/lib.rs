#![doc = include_str!("../README.md")]

mod cli;

mod activity;
mod administrator;
mod brake;
mod client;
mod company;
mod events;
mod group;
mod person;
mod schema;
mod sign_in;
mod signing_key;
mod token;

mod actor;
mod bus;
mod failure;
mod output;
mod time;

use std::process::ExitCode;

use crate::{bus::Questions, cli::Command, failure::Failure};
use bus_contract::audit::Actor;

/// Reads the command line, does what it says, prints the result and returns the exit code.
pub async fn run() -> ExitCode {
    let (cli, company) = match cli::parse() {
        Ok(parsed) => parsed,
        // Help and usage errors print themselves; clap exits with 0 and 2.
        Err(error) => return output::usage(&error),
    };
    match execute(cli.command, company, actor::operator(cli.operator)).await {
        Ok(answer) => output::answer(answer, cli.json),
        Err(failure) => output::failure(&failure),
    }
}

/// Does what was asked about a company, if about one.
async fn execute(command: Command, company: Option<String>, actor: Actor) -> Result<output::Answer, Failure> {
    let questions = Questions::connect(actor).await?;
    let answer = match command {
        Command::Activity(command) => activity::execute(&questions, command).await,
        Command::Brake(command) => brake::execute(&questions, command).await,
        Command::Person(command) => person::execute(&questions, command).await,
        Command::Group(command) => group::execute(&questions, command).await,
        Command::Company(command) => company::execute(&questions, command).await,
        Command::Token(command) => token::execute(&questions, command).await,
        Command::Client(command) => client::execute(&questions, command).await,
        Command::Administrator(command) => administrator::execute(&questions, command).await,
        Command::SigningKey(command) => signing_key::execute(&questions, command).await,
        Command::SignIn(command) => sign_in::execute(&questions, command).await,
        Command::Schema(command) => schema::execute(&questions, command).await,
    }?;
    // "None" about a mistyped id reads as "Entra never asked". Asked only then: what can be answered does not wait for the
    // directory.
    if let Some(company) = company.filter(|_| answer.is_of_nothing()) {
        company::must_exist(&questions, company).await?;
    }
    Ok(answer)
}
