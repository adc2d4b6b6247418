//! The command line: `up`, `down`, `status`, and `run` for `make run`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this module is what speaks to people")]

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Parser, Subcommand};
use signal_hook::{consts::TERM_SIGNALS, flag};

use crate::{
    binaries::Binaries,
    cycle::{self, Size},
    detach,
    endpoints::{self, Endpoints},
    probe,
    stack::{Options, Stack},
    topology::READY_PATH,
};

const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// The whole of TimeClock 365 provisioning on this machine: private Postgres and NATS, every service, two companies.
const MORE: &str = "\
Examples:
  local-stack up --detach   # prints where everything is and who may sign in to the console
  local-stack status
  local-stack down
  local-stack run --once    # up, an initial cycle per company, down

Everything is kept in .local/stack, or where --workdir says: endpoints.json, logs/, mail/, the data.
Exit status: 0 done; 1 something did not start, or a cycle failed; 2 the command line is wrong.";

#[derive(Parser)]
#[command(name = "local-stack", version, after_help = MORE)]
struct Arguments {
    #[command(subcommand)]
    command: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Start everything and stay until Ctrl-C
    Up {
        #[command(flatten)]
        start: Start,
        /// Return when everything is ready, and leave it running
        #[arg(long)]
        detach: bool,
    },
    /// Start everything, let the emulated Entra provision both companies, and stay until Ctrl-C
    Run {
        #[command(flatten)]
        start: Start,
        /// End after the cycle; success only when every object was provisioned
        #[arg(long, env = "ONCE", value_parser = clap::builder::FalseyValueParser::new())]
        once: bool,
        #[command(flatten)]
        size: Size,
    },
    /// Stop the stack of a working directory
    Down(Place),
    /// Show where everything is and whether it is ready
    Status(Place),
}

#[derive(Args)]
struct Place {
    /// Data, logs, passwords and endpoints.json
    #[arg(long, value_name = "DIR", default_value = ".local/stack")]
    workdir: PathBuf,
}

#[derive(Args)]
struct Start {
    #[command(flatten)]
    place: Place,
    /// Take the programs as they are, without cargo build
    #[arg(long)]
    no_build: bool,
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    match act(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("local-stack: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn act(action: Action) -> Result<()> {
    match action {
        Action::Up { start, detach: true } => {
            built(&start)?;
            detach::up(&start.place.workdir)?;
            show(&Endpoints::read(&start.place.workdir)?, &start.place.workdir)
        }
        Action::Up { start, detach: false } => {
            let stack = up(&start)?;
            show(&stack.endpoints(), stack.workdir())?;
            stay(stack)
        }
        Action::Run { start, once, size } => run(&start, once, size),
        Action::Down(Place { workdir }) => {
            let stopped = detach::down(&workdir)?;
            println!(
                "{} in {}",
                if stopped { "stopped the stack" } else { "no stack runs" },
                workdir.display()
            );
            Ok(())
        }
        Action::Status(Place { workdir }) => status(&workdir),
    }
}

fn built(start: &Start) -> Result<Binaries> {
    let binaries = Binaries::beside_this_program()?;
    if !start.no_build {
        binaries.build()?;
    }
    Ok(binaries)
}

fn up(start: &Start) -> Result<Stack> {
    let binaries = built(start)?;
    let mut options = Options::new(&start.place.workdir)?;
    options.binaries = binaries;
    options.progress = |step| println!("starting {step} ...");
    Stack::start(options)
}

fn run(start: &Start, once: bool, size: Size) -> Result<()> {
    let binaries = built(start)?;
    let emulator = binaries.find("entra-emulator")?;
    let stack = up(&Start { place: Place { workdir: start.place.workdir.clone() }, no_build: true })?;
    let stop = stop_requested()?;
    let endpoints = stack.endpoints();
    // Before the cycle, so that it can be watched in the console.
    show(&endpoints, stack.workdir())?;
    for (number, company) in endpoints.companies.iter().enumerate() {
        println!("\nEntra provisions {} into {}", company.name, endpoints.scim_url);
        cycle::provision(emulator.clone(), &endpoints, (number + 1, company), size, || check(&stack, &stop))?;
    }
    if once {
        return Ok(());
    }
    stay(stack)
}

/// Raised by Ctrl-C and SIGTERM. Until it is asked for, they end this process at once, and with it, by their
/// watchdogs, whatever it has started so far.
fn stop_requested() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in TERM_SIGNALS {
        flag::register(*signal, Arc::clone(&stop)).context("cannot listen to signals")?;
    }
    Ok(stop)
}

fn check(stack: &Stack, stop: &AtomicBool) -> Result<()> {
    if stop.load(Ordering::Relaxed) {
        bail!("interrupted");
    }
    stack.unexpected_end().map_or(Ok(()), |what| bail!("{what}"))
}

fn stay(stack: Stack) -> Result<()> {
    let stop = stop_requested()?;
    println!("\nCtrl-C stops everything.");
    while !stop.load(Ordering::Relaxed) {
        check(&stack, &stop)?;
        thread::sleep(POLL_INTERVAL);
    }
    println!("\nstopping ...");
    drop(stack);
    Ok(())
}

fn status(workdir: &Path) -> Result<()> {
    let endpoints = Endpoints::read(workdir).context("no stack runs here")?;
    for (service, metrics) in &endpoints.metrics {
        let address = metrics.trim_start_matches("http://").split('/').next().unwrap_or_default();
        let answer = address.parse().ok().and_then(|address| probe::get(address, READY_PATH));
        let word = match answer {
            Some((200, _)) => "ready".to_owned(),
            Some((status, body)) => format!("not ready: {status} {body}"),
            None => "does not answer".to_owned(),
        };
        println!("{service:<20} {word}");
    }
    show(&endpoints, workdir)
}

fn show(endpoints: &Endpoints, workdir: &Path) -> Result<()> {
    let workdir = workdir.canonicalize().context("the working directory is gone")?;
    println!();
    println!("SCIM           {}", endpoints.scim_url);
    println!("tokens         {}", endpoints.token_url);
    if let Some(console) = &endpoints.console_url {
        println!("console        {console}");
    }
    for company in &endpoints.companies {
        println!("company        {} ({})", company.name, company.id);
        if let (Some(email), Some(password)) = (&company.admin_email, &company.admin_password) {
            println!("  signs in     {email} with {password}");
        }
    }
    println!("mails          {}", workdir.join("mail").display());
    for (service, url) in &endpoints.metrics {
        println!("metrics        {url} ({service})");
    }
    println!("all of it      {} (with the companies' tokens)", workdir.join(endpoints::FILE).display());
    println!("logs           {}", workdir.join("logs").display());
    Ok(())
}
