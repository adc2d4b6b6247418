//! The part of the command line that asks who there is.

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum PersonCommand {
    /// Lists a company's people, or looks for some of them
    #[command(
        after_help = "Example: timeclock-operator person list --company ID --search lindqvist --state inactive"
    )]
    List {
        #[command(flatten)]
        page: Browse,
        /// Only those who have access, or only those who have none
        #[arg(long, value_enum)]
        state: Option<Access>,
    },
    /// Shows one person: names, access, manager, groups
    #[command(
        after_help = "Example: timeclock-operator person show --company ID --user-name anna@contoso.com"
    )]
    Show {
        /// The company's id
        #[arg(long)]
        company: String,
        #[command(flatten)]
        key: PersonKey,
    },
    /// Ends every session of a person in the console; they may sign in again
    #[command(after_help = "Example: timeclock-operator person sign-out --company ID --person PERSON_ID")]
    SignOut {
        /// The company's id
        #[arg(long)]
        company: String,
        /// The person's id
        #[arg(long)]
        person: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum GroupCommand {
    /// Lists a company's groups, or looks for some of them
    #[command(after_help = "Example: timeclock-operator group list --company ID --search payroll")]
    List(Browse),
    /// Shows one group and its members
    #[command(after_help = "Example: timeclock-operator group show --company ID --group GROUP_ID")]
    Show {
        /// The company's id
        #[arg(long)]
        company: String,
        /// The group's id
        #[arg(long)]
        group: String,
        /// How many members, 1 to 1000
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N")]
        limit: u32,
        /// Goes on behind this member, by its id
        #[arg(long, value_name = "ID")]
        after: Option<String>,
    },
}

/// A page of people or groups.
#[derive(Debug, Args)]
pub(crate) struct Browse {
    /// The company's id
    #[arg(long)]
    pub(crate) company: String,
    /// How a name begins, a surname or a mail of people too; or a whole id or externalId; everybody when left out
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) search: String,
    /// How many, 1 to 200
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200), value_name = "N")]
    pub(crate) limit: u32,
    /// Goes on behind this one, by its id; the last of a page leads to the next
    #[arg(long, value_name = "ID")]
    pub(crate) after: Option<String>,
}

/// By what one person is found.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct PersonKey {
    /// The person's id
    #[arg(long)]
    pub(crate) person: Option<String>,
    /// The person's userName, whole
    #[arg(long)]
    pub(crate) user_name: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Access {
    /// May sign in
    Active,
    /// Disabled
    Inactive,
}
