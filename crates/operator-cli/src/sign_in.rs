//! Commands about how a company's people sign in.

use bus_contract::{
    console::{ReleaseSignIn, Reply, ShowSignIn, SignIn, VouchForDomain, WithdrawDomain, reply},
    subject::{RELEASE_SIGN_IN, SHOW_SIGN_IN, VOUCH_FOR_DOMAIN, WITHDRAW_DOMAIN},
};
use serde::Serialize;

use crate::{
    administrator::{CONSOLE, result},
    bus::{Questions, unintelligible},
    cli::SignInCommand,
    failure::Failure,
    output::{Answer, Row},
};

/// How a company's people sign in, as it is shown.
#[derive(Serialize)]
struct Shown {
    company_id: String,
    way: String,
    issuer: String,
    passwords_off: bool,
    domains: Vec<String>,
    vouched_domains: Vec<String>,
}

impl Row for Shown {
    const COLUMNS: &'static [&'static str] = &["WAY", "ISSUER", "PASSWORDS", "DOMAINS", "VOUCHED FOR"];

    fn cells(&self) -> Vec<String> {
        let passwords = if self.passwords_off { "off" } else { "on" };
        let (way, issuer) = (self.way.clone(), self.issuer.clone());
        vec![way, issuer, passwords.to_owned(), self.domains.join("\n"), self.vouched_domains.join("\n")]
    }
}

pub(crate) async fn execute(questions: &Questions, command: SignInCommand) -> Result<Answer, Failure> {
    let actor = questions.actor();
    let reply: Reply = match command {
        SignInCommand::Show { company } => {
            questions.ask(CONSOLE, SHOW_SIGN_IN, &ShowSignIn { company_id: company }).await?
        }
        SignInCommand::Vouch { company, domain } => {
            let question = VouchForDomain { company_id: company, domain, actor };
            questions.ask(CONSOLE, VOUCH_FOR_DOMAIN, &question).await?
        }
        SignInCommand::Withdraw { company, domain } => {
            let question = WithdrawDomain { company_id: company, domain, actor };
            questions.ask(CONSOLE, WITHDRAW_DOMAIN, &question).await?
        }
        SignInCommand::Release { company } => {
            questions.ask(CONSOLE, RELEASE_SIGN_IN, &ReleaseSignIn { company_id: company, actor }).await?
        }
    };
    match result(reply)? {
        reply::Result::SignIn(sign_in) => Answer::one(shown(sign_in)),
        _ => Err(unintelligible(CONSOLE, "another result")),
    }
}

fn shown(sign_in: SignIn) -> Shown {
    Shown {
        company_id: sign_in.company_id,
        way: sign_in.way,
        issuer: sign_in.issuer,
        passwords_off: sign_in.passwords_off,
        domains: sign_in.domains,
        vouched_domains: sign_in.vouched_domains,
    }
}
