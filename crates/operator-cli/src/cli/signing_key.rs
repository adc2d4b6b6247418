//! What can be asked about the keys that sign every company's tokens.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum SigningKeyCommand {
    /// Lists the keys, the newest first: which one signs, and what each is sealed with
    List,
    /// Makes a new key, which signs from a minute later on; what older keys signed stays valid
    Rotate,
    /// Has everything refused that a key signed: for a key that leaked, or whose last token has expired
    ///
    /// Every token that names the key ends at once, recorded or not. `token list` says which key signed a token. Give the
    /// companies concerned new tokens first: Entra quarantines a provisioning job whose token is refused.
    Retire {
        /// The key's id, as the list says it
        #[arg(long)]
        key: String,
    },
    /// Seals every private key with the present sealing key, after which the previous one can go
    Seal,
    /// Lists what was done to the keys, by whom, the newest first
    Events {
        /// How many acts, 1 to 200
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u8).range(1..=200), value_name = "N")]
        limit: u8,
        /// Only acts before this one, by its id; the last of a page leads to the next (ids are in the JSON)
        #[arg(long, value_name = "ID")]
        before: Option<String>,
    },
}
