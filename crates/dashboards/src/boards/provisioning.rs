//! How provisioning goes, for all companies and for one.

use crate::{
    Dashboard,
    dashboard::{Choice, Row},
    expression::{quantile, rate, share},
    panel::{
        Judgement::{Bad, Doubtful, Good},
        Panel, Unit,
    },
    visual::Visual,
};

const CHOSEN: &str = r#"company=~"$company""#;
const CALLS: &str = "timeclock_directory_company_calls_total";

pub(super) fn board() -> Dashboard {
    Dashboard {
        name: "provisioning",
        title: "Provisioning per company",
        description: "What Entra does for companies, and which of them are in trouble. Companies are named by their ids; timeclock-operator company show tells whose they are.",
        choices: vec![Choice { name: "company", label: "Company", series: CALLS }],
        rows: vec![health(), changes(), one_company(), every_company(), reports()],
    }
}

fn health() -> Row {
    let count = |selector: &str| format!("sum(timeclock_directory_companies{{{selector}}})");
    let panels = vec![
        Panel::new(Visual::Number, "Connected", Unit::Count, "Companies for which Entra has called in the last two weeks.")
            .ask("", count(r#"health!~"never_connected|disconnected""#)),
        Panel::new(
            Visual::Number,
            "Critical",
            Unit::Count,
            "Companies that Entra is about to put into quarantine by its own rules, or has.",
        )
        .ask("", count(r#"health="critical""#))
        .from(1.0, Bad)
        .runbook("QuarantineRisk"),
        Panel::new(
            Visual::Number,
            "Silent",
            Unit::Count,
            "Connected companies that have not called for three cycles (120 minutes).",
        )
        .ask("", "max(timeclock_directory_companies_silent)")
        .from(1.0, Bad)
        .runbook("CompaniesSilent"),
        Panel::new(Visual::Stack, "Companies by their health", Unit::Count, "Told once a minute.")
            .wide(6)
            .ask("{{health}}", "sum by (health) (timeclock_directory_companies)")
            .runbook("QuarantineRisk"),
        Panel::new(
            Visual::Lines,
            "What becomes of tokens",
            Unit::PerSecond,
            "Requests by what the gateways made of their credential. `not_ready` are answered 503, all others but `accepted` 401.",
        )
        .wide(6)
        .ask("{{result}}", rate("timeclock_gateway_auth_total", "", "result"))
        .runbook("AuthenticationFailures"),
    ];
    Row { title: "How companies are", panels }
}

fn changes() -> Row {
    let outcomes = "timeclock_gateway_outcomes_total";
    let panels = vec![
        Panel::new(
            Visual::Stack,
            "Changes",
            Unit::PerSecond,
            "What Entra wants changed, by resource and verb.",
        )
        .ask("{{resource}} {{verb}}", rate(outcomes, "", "resource, verb")),
        Panel::new(
            Visual::Stack,
            "What becomes of changes",
            Unit::PerSecond,
            "`timeout` and `unavailable` are answered 503; a change that timed out is still applied when the stream has stored it.",
        )
        .ask("{{result}}", rate(outcomes, "", "result"))
        .runbook("ScimErrorBudgetBurn"),
        Panel::new(
            Visual::Lines,
            "Refused changes",
            Unit::PerSecond,
            "By the error that SCIM has for them. They are the customers' to mend: a name that is taken, a value that is none.",
        )
        .ask("{{verb}} {{scim_type}}", rate(outcomes, r#"result="refused""#, "verb, scim_type")),
        Panel::new(
            Visual::Lines,
            "From a change to its outcome, p99",
            Unit::Seconds,
            "From the publication of a change to the directory's answer, by verb.",
        )
        .ask("{{verb}}", quantile(0.99, "timeclock_gateway_outcome_wait_seconds", "", "verb"))
        .from(5.0, Doubtful)
        .from(10.0, Bad)
        .runbook("RequestsWaitLong"),
        Panel::new(
            Visual::Lines,
            "Changes without an outcome in time",
            Unit::PerSecond,
            "Answered 503. `yes` are stored, and applied later; `no` are not.",
        )
        .ask("stored {{stored}}", rate("timeclock_gateway_outcome_timeouts_total", "", "stored"))
        .ask("too late", rate("timeclock_gateway_outcomes_unexpected_total", "", ""))
        .runbook("RequestsWaitLong"),
        Panel::new(
            Visual::Lines,
            "Held back",
            Unit::PerSecond,
            "Requests answered 429, by the limit of their company that they went beyond.",
        )
        .ask("{{limit}}", rate("timeclock_gateway_rate_limited_total", "", "limit"))
        .runbook("RateLimited"),
        Panel::new(
            Visual::Lines,
            "Wait for a turn",
            Unit::Seconds,
            "What a change waits for one of its company's turns, before it is handed to the stream. Only companies that send much at once wait.",
        )
        .ask("p50", quantile(0.5, "timeclock_gateway_turn_wait_seconds", "", ""))
        .ask("p99", quantile(0.99, "timeclock_gateway_turn_wait_seconds", "", ""))
        .runbook("RateLimited"),
    ];
    Row { title: "Changes of all companies", panels }
}

fn one_company() -> Row {
    let refused = format!(r#"{CHOSEN},result!="ok""#);
    let panels = vec![
        Panel::new(
            Visual::Stack,
            "Calls",
            Unit::PerSecond,
            "Calls of the chosen companies: `refused` are answered 4xx, `failed` 5xx. The companies called most recently have series of their own, the others are summed as `other`.",
        )
        .ask("{{result}}", rate(CALLS, CHOSEN, "result")),
        Panel::new(Visual::Stack, "Changes", Unit::PerSecond, "Changes that were made for the chosen companies.")
            .ask("{{change}}", rate("timeclock_directory_company_changes_total", CHOSEN, "change")),
        Panel::new(
            Visual::Lines,
            "Refused or failed",
            Unit::Share,
            "The share of the calls of each chosen company.",
        )
        .ask("{{company}}", share(CALLS, &refused, CHOSEN, "company"))
        .runbook("QuarantineRisk"),
    ];
    Row { title: "The chosen companies: $company", panels }
}

fn every_company() -> Row {
    let table = Visual::Table {
        row: "company",
        columns: &[
            ("Health (0 never connected, 1 healthy, 2 warning, 3 critical, 4 disconnected)", "short"),
            ("Last call", "dateTimeFromNow"),
            ("Calls in the last hour", "short"),
            ("Refused or failed in the last hour", "short"),
        ],
    };
    let in_the_last_hour = |selector: &str| format!("sum by (company) (increase({CALLS}{{{selector}}}[1h]))");
    let panels = vec![
        Panel::new(
            table,
            "Companies",
            Unit::Count,
            "Those with series of their own. timeclock-operator activity health tells of all.",
        )
        .ask("", format!("max by (company) (timeclock_directory_company_health{{{CHOSEN}}})"))
        .ask("", format!("max by (company) (timeclock_directory_company_last_call_timestamp_seconds{{{CHOSEN}}}) * 1000"))
        .ask("", in_the_last_hour(CHOSEN))
        .ask("", in_the_last_hour(&format!(r#"{CHOSEN},result!="ok""#)))
        .runbook("QuarantineRisk"),
    ];
    Row { title: "Every company", panels }
}

fn reports() -> Row {
    let panels = vec![
        Panel::new(
            Visual::Lines,
            "Calls reported and counted",
            Unit::PerSecond,
            "What gateways report of answered calls, and what the directory has counted.",
        )
        .ask("reported", rate("timeclock_gateway_calls_reported_total", "", ""))
        .ask("batches", rate("timeclock_gateway_call_batches_total", "", ""))
        .ask("counted", rate("timeclock_directory_calls_counted_total", "", ""))
        .ask("with a log line", rate("timeclock_directory_call_lines_total", "", "")),
        Panel::new(
            Visual::Lines,
            "Reports on their way",
            Unit::Count,
            "Reports that wait in gateways, and messages that wait in the stream CALLS.",
        )
        .ask("in gateways", "sum(timeclock_gateway_calls_waiting)")
        .ask("in the stream", "max(timeclock_directory_calls_lag)")
        .from(10_000.0, Bad)
        .runbook("CallsCountedLate"),
        Panel::new(
            Visual::Lines,
            "Reports lost",
            Unit::PerSecond,
            "Calls that no administrator will see. `flood` is meant so: calls without end by a credential that has ended.",
        )
        .ask("{{reason}}", rate("timeclock_gateway_calls_dropped_total", "", "reason"))
        .ask("unreadable", rate("timeclock_directory_calls_dead_total", "", ""))
        .runbook("CallReportsLost"),
        Panel::new(
            Visual::Lines,
            "Time to count calls",
            Unit::Seconds,
            "From calls in hand to their commit.",
        )
        .ask("p50", quantile(0.5, "timeclock_directory_calls_batch_seconds", "", ""))
        .ask("p99", quantile(0.99, "timeclock_directory_calls_batch_seconds", "", ""))
        .runbook("CallsCountedLate"),
        Panel::new(
            Visual::Number,
            "Companies with attributes of their own",
            Unit::Count,
            "That have declared a schema.",
        )
        .ask("", "max(timeclock_gateway_companies_with_schemas)")
        .below(Good),
    ];
    Row { title: "What the console and these panels are made of", panels }
}
