//! What can be asked about how a company's people sign in.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum SignInCommand {
    /// Shows a company's identity provider, its domains, and which of them somebody has vouched for
    Show {
        /// The company's id
        #[arg(long)]
        company: String,
    },
    /// Says that you have made sure that a domain is the company's: its administrators can then enter it
    Vouch {
        /// The company's id
        #[arg(long)]
        company: String,
        /// The domain, such as contoso.com
        #[arg(long)]
        domain: String,
    },
    /// Takes that back; the domain leads to the company no more
    Withdraw {
        /// The company's id
        #[arg(long)]
        company: String,
        /// The domain
        #[arg(long)]
        domain: String,
    },
    /// Has a company give up its identity provider and its domains, so that another can have them; whoever signed in by it
    /// is signed out, and passwords are good again
    Release {
        /// The company's id
        #[arg(long)]
        company: String,
    },
}
