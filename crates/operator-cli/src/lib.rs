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
mod token;

mod actor;
mod bus;
mod failure;
mod output;
mod time;

use std::process::ExitCode;

use bus_contract::audit::Actor;
use clap::Parser as _;

use crate::{
    bus::Questions,
    cli::{Cli, Command},
    failure::Failure,
};

/// Reads the command line, does what it says, prints the result and returns the exit code.
pub async fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and usage errors print themselves; clap exits with 0 and 2.
        Err(error) => return output::usage(&error),
    };
    match execute(cli.command, actor::operator(cli.operator)).await {
        Ok(answer) => output::answer(answer, cli.json),
        Err(failure) => output::failure(&failure),
    }
}

async fn execute(command: Command, actor: Actor) -> Result<output::Answer, Failure> {
    let questions = Questions::connect(actor).await?;
    match command {
        Command::Activity(command) => activity::execute(&questions, command).await,
        Command::Brake(command) => brake::execute(&questions, command).await,
        Command::Person(command) => person::execute(&questions, command).await,
        Command::Group(command) => group::execute(&questions, command).await,
        Command::Company(command) => company::execute(&questions, command).await,
        Command::Token(command) => token::execute(&questions, command).await,
        Command::Client(command) => client::execute(&questions, command).await,
        Command::Administrator(command) => administrator::execute(&questions, command).await,
        Command::SignIn(command) => sign_in::execute(&questions, command).await,
        Command::Schema(command) => schema::execute(&questions, command).await,
    }
}
