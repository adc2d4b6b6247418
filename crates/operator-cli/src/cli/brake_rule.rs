//! The part of the command line that says when a removal is a mass removal.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum BrakeRuleCommand {
    /// Shows when a removal of people is a mass removal for a company
    Show {
        /// The company's id
        #[arg(long)]
        company: String,
    },
    /// Changes that; both have to be exceeded
    #[command(
        after_help = "Example: timeclock-operator brake rule set --company ID --more-than 50 --percent 20"
    )]
    Set {
        /// The company's id
        #[arg(long)]
        company: String,
        /// More people than so many
        #[arg(long, value_name = "PEOPLE")]
        more_than: u32,
        /// And more than so many per cent of those who had access
        #[arg(long)]
        percent: u32,
    },
}
