//! The one `main`: a service says what it reads and how it starts; everything around that happens here, in the order
//! that this crate's README lists.

use std::{future::Future, net::SocketAddr, process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::{Arg, ArgAction, ArgMatches, Command};
use futures_util::{FutureExt as _, future::BoxFuture};

use crate::{
    Process,
    build_info::BUILD,
    clock::Clock,
    healthcheck,
    http::{Listener, Serving, observe},
    listing::Listing,
    metrics,
    settings::{Effective, Environment, Reader, Setting},
    tasks::TaskFailure,
    telemetry,
};

/// What `--help` says besides, of every service.
const MORE: &str = "\
Settings come from environment variables that begin with TIMECLOCK_: `settings` lists them with their defaults, and
`serve --check` prints those in effect.
Exit status: 0 asked to stop, or done; 1 something failed; 64 the command line or a setting is wrong.";

/// The command that asks a running process of these settings whether it is ready.
const HEALTHCHECK: &str = "healthcheck";
const HEALTHCHECK_ABOUT: &str = "Asks the process that runs here with these settings whether it is ready: exit status 0 when it is, 1 when not";

/// The exit code for settings or a command line that cannot be used (`EX_USAGE`).
pub const EXIT_USAGE: u8 = 64;
/// The exit code for a failed start, a failed task, or a missed shutdown deadline.
pub const EXIT_FAILURE: u8 = 1;

/// How long requests to the observe listener may take once it is asked to stop.
const OBSERVE_DRAIN: Duration = Duration::from_secs(1);

type Work<T> = Box<dyn FnOnce(T) -> BoxFuture<'static, anyhow::Result<()>>>;
type Prepare<T> = Box<dyn FnOnce(&mut Reader) -> Work<T>>;

/// A service, described.
pub struct Service {
    name: &'static str,
    about: &'static str,
    observe: SocketAddr,
    serve: Option<Prepare<Process>>,
    commands: Vec<(&'static str, &'static str, Prepare<()>)>,
}

impl Service {
    /// A service of this name, with the default address of its observe listener.
    #[must_use]
    pub fn new(name: &'static str, about: &'static str, observe: SocketAddr) -> Self {
        Self { name, about, observe, serve: None, commands: Vec::new() }
    }

    /// What `serve` reads and how it starts. `start` binds listeners, registers readiness checks, spawns tasks, and
    /// returns; it does not wait for dependencies.
    #[must_use]
    pub fn serve<S, R, F, Fut>(mut self, read: R, start: F) -> Self
    where
        S: 'static,
        R: FnOnce(&mut Reader) -> S + 'static,
        F: FnOnce(S, Process) -> Fut + 'static,
        Fut: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.serve = Some(Box::new(move |reader| {
            let settings = read(reader);
            Box::new(move |process| start(settings, process).boxed())
        }));
        self
    }

    /// A further command, which does its work and ends.
    #[must_use]
    pub fn command<S, R, F, Fut>(mut self, name: &'static str, about: &'static str, read: R, work: F) -> Self
    where
        S: 'static,
        R: FnOnce(&mut Reader) -> S + 'static,
        F: FnOnce(S) -> Fut + 'static,
        Fut: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let prepare: Prepare<()> = Box::new(move |reader| {
            let settings = read(reader);
            Box::new(move |()| work(settings).boxed())
        });
        self.commands.push((name, about, prepare));
        self
    }

    /// Runs the process to its end. `main` returns what this returns.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let arguments = match self.command_line().try_get_matches() {
            Ok(arguments) => arguments,
            Err(error) => {
                // With nowhere to print to, the exit code is all that can be told.
                error.print().ok();
                return ExitCode::from(if error.use_stderr() { EXIT_USAGE } else { 0 });
            }
        };
        let name = self.name;
        match self.dispatch(&arguments, Environment::of_process()) {
            Ok(code) => code,
            Err(error) => {
                report(name, &error);
                ExitCode::from(EXIT_FAILURE)
            }
        }
    }

    fn command_line(&self) -> Command {
        let check = Arg::new("check")
            .long("check")
            .action(ArgAction::SetTrue)
            .help("Read the settings, print them with secrets redacted, and exit");
        let serve = Command::new("serve").about("Serves until SIGTERM or SIGINT").arg(check);
        let json = Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print JSON");
        let settings = Command::new("settings")
            .about("Prints every setting with its meaning and default, as a file of environment variables")
            .arg(json);
        let others = self.commands.iter().map(|(name, about, _)| Command::new(*name).about(*about));
        Command::new(self.name)
            .about(self.about)
            .version(BUILD.version)
            .after_help(MORE)
            .subcommand_required(true)
            .arg_required_else_help(true)
            .subcommand(serve)
            .subcommand(Command::new(HEALTHCHECK).about(HEALTHCHECK_ABOUT))
            .subcommands(others)
            .subcommand(settings)
    }

    fn dispatch(mut self, arguments: &ArgMatches, environment: Environment) -> anyhow::Result<ExitCode> {
        let (name, arguments) = arguments.subcommand().context("no command")?;
        if name == "settings" {
            return self.list(arguments.get_flag("json"));
        }
        let mut reader = Reader::new(environment);
        if name == HEALTHCHECK {
            // Only where to ask: the process that is asked has checked the rest when it started, and its files may have
            // changed since.
            return Ok(print_health(Own::read(&mut reader, self.observe).observe));
        }
        let telemetry = telemetry::Settings::read(&mut reader);
        if name != "serve" {
            let at =
                self.commands.iter().position(|(command, ..)| *command == name).context("no such command")?;
            let (.., prepare) = self.commands.swap_remove(at);
            let work = prepare(&mut reader);
            return match reader.finish() {
                Ok(effective) => self.work(name, &telemetry, &effective, work),
                Err(problems) => Ok(refuse(self.name, &problems)),
            };
        }

        let own = Own::read(&mut reader, self.observe);
        let start = self.serve.take().context("this service does not serve")?(&mut reader);
        let effective = match reader.finish() {
            Ok(effective) => effective,
            Err(problems) => return Ok(refuse(self.name, &problems)),
        };
        if arguments.get_flag("check") {
            let lines: Vec<String> =
                effective.iter().map(|(name, value)| format!("{name}={value}")).collect();
            print(&lines.join("\n"));
            telemetry.otel.complaints.iter().for_each(|complaint| warn(complaint));
            return Ok(ExitCode::SUCCESS);
        }
        let flushes_on_drop = telemetry::install(self.name, &telemetry)?;
        log_start(self.name, "serve", &effective);
        runtime()?.block_on(serve(self.name, own, flushes_on_drop.log_lines(), start))
    }

    fn list(self, as_json: bool) -> anyhow::Result<ExitCode> {
        let mut listing = Listing::new(self.name);
        if let Some(prepare) = self.serve {
            listing.add("serve", |reader| {
                telemetry::Settings::read(reader);
                Own::read(reader, self.observe);
                drop(prepare(reader));
            });
        }
        for (command, _, prepare) in self.commands {
            listing.add(command, |reader| {
                telemetry::Settings::read(reader);
                drop(prepare(reader));
            });
        }
        print(&if as_json { listing.json()? } else { listing.to_string() });
        Ok(ExitCode::SUCCESS)
    }

    fn work(
        &self,
        command: &str,
        telemetry: &telemetry::Settings,
        effective: &Effective,
        work: Work<()>,
    ) -> anyhow::Result<ExitCode> {
        let _flushes_on_drop = telemetry::install(self.name, telemetry)?;
        log_start(self.name, command, effective);
        runtime()?.block_on(work(()))?;
        Ok(ExitCode::SUCCESS)
    }
}

const OBSERVE_ADDR: Setting =
    Setting::new("TIMECLOCK_OBSERVE_ADDR", "The listener of `/healthz`, `/readyz` and `/metrics`.");
const DRAIN_DELAY: Setting = Setting::new(
    "TIMECLOCK_DRAIN_DELAY_MS",
    "How long the process goes on accepting once it is asked to stop and `/readyz` says so: longer than a load balancer \
     takes to notice.",
);
const SHUTDOWN_DEADLINE: Setting =
    Setting::new("TIMECLOCK_SHUTDOWN_DEADLINE_MS", "How long what is in flight may take after that.");

/// The settings that every serving process has.
struct Own {
    observe: SocketAddr,
    ending: Ending,
}

impl Own {
    fn read(reader: &mut Reader, observe: SocketAddr) -> Self {
        Self {
            observe: reader.address(OBSERVE_ADDR, observe),
            ending: Ending {
                drain_delay: reader.duration_ms(DRAIN_DELAY, 3_000, 0..=600_000),
                deadline: reader.duration_ms(SHUTDOWN_DEADLINE, 20_000, 0..=600_000),
            },
        }
    }
}

async fn serve(
    name: &'static str,
    own: Own,
    log_lines: &telemetry::LogLines,
    start: Work<Process>,
) -> anyhow::Result<ExitCode> {
    // Before anything else, so that a signal during the start is not lost.
    let signal = stop_signal()?;
    let process = Process::new(Clock::system());
    metrics::register_process(&process.metrics, name)?;
    log_lines.register(&process.metrics)?;
    process.health.tell(&process.metrics)?;
    let observing = Listener::bind(&process, "observe", own.observe)?;
    let routes = observe(&process);
    process.tasks.spawn_supporting("observe listener", |stop| {
        observing.serve(Serving { workers: 1, drain: OBSERVE_DRAIN }, stop, routes)
    });
    start(process.clone()).await.context("cannot start")?;
    process.health.started();
    process.tasks.spawn_supporting("readiness", |stop| process.health.clone().watch(stop));

    match supervise(&process, signal, own.ending).await {
        Ended::Stopped => Ok(ExitCode::SUCCESS),
        Ended::Failed(_) | Ended::DeadlineMissed(_) => Ok(ExitCode::from(EXIT_FAILURE)),
    }
}

/// How much time a process takes to end.
#[derive(Debug, Clone, Copy)]
pub struct Ending {
    /// How long it goes on accepting after it has said that it is not ready: until whoever sends requests here has
    /// heard of it.
    pub drain_delay: Duration,
    /// How long what is in flight may take after that.
    pub deadline: Duration,
}

/// How a supervised process ended.
#[derive(Debug)]
pub enum Ended {
    /// It was asked to stop and finished everything in time.
    Stopped,
    /// This task failed; the rest was stopped.
    Failed(TaskFailure),
    /// These tasks had not finished when the deadline came.
    DeadlineMissed(Vec<&'static str>),
}

/// Waits for `signal` or the first failed task, then stops the process in order.
pub async fn supervise(
    process: &Process,
    signal: impl Future<Output = &'static str>,
    ending: Ending,
) -> Ended {
    let Ending { drain_delay, deadline } = ending;
    let asked = async {
        let signal = signal.await;
        tracing::info!(signal, drain_delay_ms = drain_delay.as_millis(), "stopping because asked to");
        process.health.stopping();
        tokio::time::sleep(drain_delay).await;
    };
    // What is broken is not worth a delay, not even one that has begun.
    let failure = tokio::select! {
        failure = process.tasks.failure() => {
            tracing::error!(task = failure.task, "stopping because {failure}");
            Some(failure)
        }
        () = asked => None,
    };
    process.health.stopping();
    let in_time = tokio::time::timeout(deadline, process.tasks.stop()).await.is_ok();
    let unfinished = process.tasks.running();
    if !in_time {
        let deadline_ms = deadline.as_millis();
        tracing::error!(
            ?unfinished,
            deadline_ms,
            "abandoning tasks that did not finish before the shutdown deadline"
        );
    }
    match failure {
        Some(failure) => Ended::Failed(failure),
        None if in_time => {
            tracing::info!("stopped");
            Ended::Stopped
        }
        None => Ended::DeadlineMissed(unfinished),
    }
}

/// Installs the handlers at once; the future ends with the name of the first signal that asks the process to stop.
fn stop_signal() -> anyhow::Result<impl Future<Output = &'static str>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    })
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the async runtime")
}

#[expect(clippy::print_stderr, reason = "beside the answer to --check")]
fn warn(complaint: &str) {
    eprintln!("{complaint}");
}

fn log_start(service: &'static str, command: &str, effective: &Effective) {
    tracing::info!(service, command, version = BUILD.version, commit = BUILD.commit, settings = ?effective, "starting");
}

#[expect(clippy::print_stderr, reason = "when the log itself cannot be installed, there is no other place")]
fn report(service: &str, error: &anyhow::Error) {
    if tracing::dispatcher::has_been_set() {
        tracing::error!(error = %format!("{error:#}"), "cannot go on");
    } else {
        eprintln!("{service}: {error:#}");
    }
}

#[expect(clippy::print_stdout, reason = "the answer to --check, to settings and to healthcheck")]
fn print(answer: &str) {
    println!("{}", answer.trim_end());
}

/// What the process that runs beside this one says of itself, or why it says nothing.
fn print_health(observe: SocketAddr) -> ExitCode {
    let (ready, said) = match healthcheck::ask(observe) {
        Ok(answer) => (answer.ready, answer.said),
        Err(error) => (false, format!("{error:#}")),
    };
    print(&said);
    ExitCode::from(if ready { 0 } else { EXIT_FAILURE })
}

#[expect(clippy::print_stderr, reason = "settings are read before the log is installed")]
fn refuse(service: &str, problems: &crate::settings::Problems) -> ExitCode {
    eprintln!("{service} cannot start with these settings:");
    for problem in &problems.0 {
        eprintln!("  {problem}");
    }
    ExitCode::from(EXIT_USAGE)
}
