//! Who signs in to the console, and whether its mails arrive.

use crate::{
    Dashboard,
    dashboard::Row,
    expression::rate,
    panel::{
        Judgement::{Bad, Doubtful, Good},
        Panel, Unit,
    },
    visual::Visual,
};

pub(super) fn board() -> Dashboard {
    Dashboard {
        name: "console",
        title: "Console",
        description: "Who signs in to the console, what is kept open, and whether its mails are taken. How fast its pages are is told by Service health.",
        choices: Vec::new(),
        rows: vec![people(), identity_providers(), mails()],
    }
}

fn people() -> Row {
    let panels = vec![
        Panel::new(
            Visual::Stack,
            "Attempts to sign in",
            Unit::PerSecond,
            "By their outcome. Many `wrong` ones at once are somebody who guesses.",
        )
        .ask("{{outcome}}", rate("timeclock_console_sign_ins_total", "", "outcome")),
        Panel::new(
            Visual::Lines,
            "Single sign-on",
            Unit::PerSecond,
            "Sign-ins that came back from identity providers, by their result. Many `untrusted` ones are an identity \
             provider that signs with a new certificate, or somebody who forges.",
        )
        .ask("{{result}}", rate("timeclock_console_single_sign_ons_total", "", "result")),
        Panel::new(
            Visual::Lines,
            "Passwords",
            Unit::PerSecond,
            "Hashed, to set or to try one; and those that were not tried because of too many before.",
        )
        .ask("hashed", rate("timeclock_console_password_hashes_total", "", ""))
        .ask("throttled", rate("timeclock_console_throttled_total", "", "")),
        Panel::new(
            Visual::Lines,
            "Sessions",
            Unit::PerSecond,
            "That began, and that somebody ended; others expire.",
        )
        .ask("begun", rate("timeclock_console_sessions_begun_total", "", ""))
        .ask("ended", rate("timeclock_console_sessions_ended_total", "", "")),
        Panel::new(
            Visual::Lines,
            "Open pages that refresh themselves",
            Unit::Count,
            "Streams of events; 2,000 of one process at most.",
        )
        .ask("{{instance}}", "timeclock_console_open_streams")
        .from(2_000.0, Bad),
        Panel::new(
            Visual::Stack,
            "What operators do to administrators",
            Unit::PerSecond,
            "Requests to the console over the bus.",
        )
        .ask(
            "{{operation}} {{result}}",
            rate("timeclock_console_operator_requests_total", "", "operation, result"),
        ),
    ];
    Row { title: "People", panels }
}

fn identity_providers() -> Row {
    let panels = vec![
        Panel::new(
            Visual::Number,
            "Our certificate for identity providers",
            Unit::Days,
            "Days until the certificate expires by which this installation proves itself. Empty where it has none.",
        )
        .ask("", "(min(timeclock_console_sign_in_certificate_expiry_timestamp_seconds) - time()) / 86400")
        .below(Bad)
        .from(7.0, Doubtful)
        .from(60.0, Good)
        .runbook("SignInCertificateNearExpiry"),
        Panel::new(
            Visual::Stack,
            "What identity providers were asked for",
            Unit::PerSecond,
            "Metadata, keys and what a code stands for. `unreachable` of all kinds at once is our way out; otherwise it is \
             a company's provider.",
        )
        .ask("{{kind}} {{result}}", rate("timeclock_console_provider_fetches_total", "", "kind, result"))
        .runbook("IdentityProvidersUnreachable"),
    ];
    Row { title: "Identity providers", panels }
}

fn mails() -> Row {
    let panels = vec![
        Panel::new(
            Visual::Stack,
            "Mails",
            Unit::PerSecond,
            "Handed to the mail server, and not taken by it.",
        )
        .ask("{{result}}", rate("timeclock_console_mails_total", "", "result"))
        .runbook("MailsFail"),
        Panel::new(
            Visual::Stack,
            "Notices",
            Unit::PerSecond,
            "What administrators were told without asking, by kind.",
        )
        .ask("{{kind}}", rate("timeclock_console_notices_total", "", "kind"))
        .runbook("MailsFail"),
    ];
    Row { title: "Mails", panels }
}
