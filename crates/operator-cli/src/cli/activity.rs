//! The part of the command line that asks what Entra did.

use bus_contract::call::{OUTCOMES, Verb};
use clap::{Subcommand, builder::PossibleValuesParser};

#[derive(Debug, Subcommand)]
pub(crate) enum ActivityCommand {
    /// Shows how a company's provisioning is going
    Show {
        /// The company's id
        #[arg(long)]
        company: String,
    },
    /// Lists the provisioning log, the newest first
    Log {
        /// The company's id
        #[arg(long)]
        company: String,
        /// Only what was about this user
        #[arg(long, group = "subject")]
        user: Option<String>,
        /// Only what was about this group
        #[arg(long, group = "subject")]
        group: Option<String>,
        /// Only what was about somebody whose userName or displayName begins so
        #[arg(long, group = "subject")]
        name: Option<String>,
        /// Only this request, by the id that an error message or a log line tells
        #[arg(long, group = "subject")]
        request: Option<String>,
        /// Only such calls, such as create,deactivate
        #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(Verb::ALL.map(Verb::as_str)))]
        verb: Vec<String>,
        /// Only what ended so, such as refused,failed
        #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(OUTCOMES))]
        outcome: Vec<String>,
        /// Only what was asked within this time, such as 24h
        #[arg(long, value_parser = super::seconds)]
        since: Option<u32>,
        /// Lines to show
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
        /// Goes on behind this line's request id
        #[arg(long)]
        before: Option<String>,
    },
    /// Lists Entra's cycles, the newest first
    Cycles {
        /// The company's id
        #[arg(long)]
        company: String,
        /// Cycles to show
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
        limit: u32,
        /// Goes on behind this cycle
        #[arg(long)]
        before: Option<String>,
    },
    /// Lists companies that are not healthy, or with --all every company that was ever connected
    Health {
        /// Healthy ones too
        #[arg(long)]
        all: bool,
    },
}
