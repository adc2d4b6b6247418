//! How soon somebody whom Entra disables loses access.

use crate::{
    Dashboard,
    boards::tokens,
    dashboard::Row,
    expression::{buckets, quantile, rate},
    panel::{
        Judgement::{Bad, Doubtful, Good},
        Panel, Unit,
    },
    visual::Visual,
};

const REMOVAL: &str = "timeclock_directory_access_removal_seconds";
const SESSIONS: &str = "timeclock_console_access_removal_seconds";

pub(super) fn board() -> Dashboard {
    Dashboard {
        name: "access-removal",
        title: "Access removal",
        description: "How soon somebody whom Entra disables or deletes loses access: from the acceptance of the request to its commit, on to the fact that others follow, and to the end of the sessions in the console.",
        choices: Vec::new(),
        rows: vec![objective(), what_waits(), sessions(), mass_removals(), credentials()],
    }
}

fn objective() -> Row {
    let within = format!("sum(increase({REMOVAL}_bucket{{le=~\"60|60[.]0\"}}[$__range]))");
    let all = format!("sum(increase({REMOVAL}_count[$__range]))");
    let verbs = r#"resource="user",verb=~"deactivate|delete""#;
    let panels = vec![
        Panel::new(
            Visual::Number,
            "Within a minute",
            Unit::Share,
            "The share of users deactivated or deleted, over the time shown. The objective is 99.9 %.",
        )
        .ask("", format!("{within} / {all}"))
        .below(Bad)
        .from(0.999, Good)
        .runbook("AccessRemovalSlow"),
        Panel::new(
            Visual::Number,
            "Removals",
            Unit::Count,
            "Users deactivated or deleted, over the time shown.",
        )
        .ask("", all),
        Panel::new(
            Visual::HeatMap,
            "From acceptance to commit",
            Unit::Count,
            "How long removals took. What is far up had to wait for a directory, or for Postgres.",
        )
        .ask("{{le}}", buckets(REMOVAL, ""))
        .runbook("AccessRemovalSlow"),
        Panel::new(Visual::Lines, "From acceptance to commit", Unit::Seconds, "The same as quantiles.")
            .ask("p50", quantile(0.5, REMOVAL, "", ""))
            .ask("p99", quantile(0.99, REMOVAL, "", ""))
            .from(60.0, Bad)
            .runbook("AccessRemovalSlow"),
        Panel::new(
            Visual::Stack,
            "Removals that Entra asks for",
            Unit::PerSecond,
            "By what the gateways answered. A `timeout` is a 503, and the removal is still applied.",
        )
        .ask("{{verb}} {{result}}", rate("timeclock_gateway_outcomes_total", verbs, "verb, result")),
        Panel::new(
            Visual::Lines,
            "What Entra waits for a removal, p99",
            Unit::Seconds,
            "From the publication of the request to its outcome. Gateways answer 503 after 10 s.",
        )
        .ask(
            "{{verb}}",
            quantile(0.99, "timeclock_gateway_outcome_wait_seconds", r#"verb=~"deactivate|delete""#, "verb"),
        )
        .from(10.0, Bad)
        .runbook("RequestsWaitLong"),
    ];
    Row { title: "From the request to the commit", panels }
}

fn what_waits() -> Row {
    let panels = vec![
        Panel::new(
            Visual::Lines,
            "Requests that wait",
            Unit::Count,
            "In the stream, over all partitions. What waits has no time to commit yet, so the panels above do not show it.",
        )
        .ask("waiting", "sum(max by (partition) (timeclock_directory_pending_requests))")
        .runbook("PartitionLag"),
        Panel::new(
            Visual::Lines,
            "Partitions that nobody holds",
            Unit::Count,
            "Nobody of their companies loses access meanwhile.",
        )
        .ask("not held", "max(timeclock_directory_partitions) - sum(timeclock_directory_partitions_held)")
        .from(1.0, Bad)
        .runbook("PartitionsNotHeld"),
        Panel::new(
            Visual::Lines,
            "From the request to the fact",
            Unit::Seconds,
            "From acceptance to the acknowledgement of the fact: when those who end sessions could know.",
        )
        .ask("p50", quantile(0.5, "timeclock_directory_fact_delay_seconds", "", ""))
        .ask("p99", quantile(0.99, "timeclock_directory_fact_delay_seconds", "", ""))
        .ask("oldest that waits", "max(timeclock_directory_outbox_age_seconds)")
        .from(60.0, Bad)
        .runbook("OutboxOld"),
    ];
    Row { title: "What waits, and who follows", panels }
}

fn sessions() -> Row {
    let within = format!("sum(increase({SESSIONS}_bucket{{le=~\"2|2[.]0\"}}[$__range]))");
    let all = format!("sum(increase({SESSIONS}_count[$__range]))");
    let panels = vec![
        Panel::new(
            Visual::Number,
            "Within 2 seconds",
            Unit::Share,
            "The share of users deactivated or deleted whose sessions in the console had ended so soon, over the time shown. The objective is 99 %.",
        )
        .ask("", format!("{within} / {all}"))
        .below(Bad)
        .from(0.99, Good)
        .runbook("SessionsOutliveAccess"),
        Panel::new(
            Visual::Lines,
            "From the request to the end of the sessions",
            Unit::Seconds,
            "From its arrival at the gateway until no session of the person was left, also of those who had none.",
        )
        .ask("p50", quantile(0.5, SESSIONS, "", ""))
        .ask("p99", quantile(0.99, SESSIONS, "", ""))
        .from(2.0, Bad)
        .runbook("SessionsOutliveAccess"),
        Panel::new(
            Visual::Stack,
            "Sessions that ended",
            Unit::PerSecond,
            "By what happened in the directory. Whose roles changed may sign in again.",
        )
        .ask("{{cause}}", rate("timeclock_console_access_sessions_ended_total", "", "cause")),
        Panel::new(
            Visual::Lines,
            "Facts that wait for the console",
            Unit::Count,
            "For all instances together, and of every kind: those that take nothing away are passed over.",
        )
        .ask("waiting", "max(timeclock_console_access_facts_waiting)")
        .runbook("AccessFactsWait"),
        Panel::new(
            Visual::Lines,
            "Companies whose sessions could not be ended yet",
            Unit::Count,
            "Of the instance that has most. Each is tried again, after 5 seconds at most.",
        )
        .ask("companies", "max(timeclock_console_access_companies_waiting)")
        .from(1.0, Bad)
        .runbook("AccessFactsWait"),
        Panel::new(
            Visual::Number,
            "Facts that could not be read",
            Unit::Count,
            "Over the time shown. They were passed over: somebody may have a session who should not.",
        )
        .ask("", "sum(increase(timeclock_console_access_facts_total{effect=\"unreadable\"}[$__range]))")
        .from(1.0, Bad)
        .runbook("AccessFactsUnreadable"),
        Panel::new(Visual::Stack, "Facts that the console has finished with", Unit::PerSecond, "By what it did.")
            .ask("{{effect}}", rate("timeclock_console_access_facts_total", "", "effect"))
            .runbook("AccessFactsWait"),
    ];
    Row { title: "On to the end of the sessions in the console", panels }
}

fn mass_removals() -> Row {
    let panels = vec![
        Panel::new(
            Visual::Lines,
            "Mass removals",
            Unit::Count,
            "Within a day: companies of which many people were disabled or deleted at once. Their access has ended; somebody should say whether that was right.",
        )
        .ask("mass removals", "sum(increase(timeclock_directory_brakes_total[1d]))")
        .runbook("MassRemovalUndecided"),
        Panel::new(
            Visual::Lines,
            "Mass removals that wait for a decision",
            Unit::Count,
            "What was kept of deleted people is destroyed when the time to decide is over.",
        )
        .ask("undecided", "sum(timeclock_directory_brakes_on)")
        .from(1.0, Doubtful)
        .runbook("MassRemovalUndecided"),
        Panel::new(
            Visual::Lines,
            "For how long nobody has decided",
            Unit::Seconds,
            "About the oldest mass removal that waits. Within a day somebody should have.",
        )
        .ask("undecided", "max(timeclock_directory_brake_undecided_age_seconds)")
        .from(86_400.0, Doubtful)
        .runbook("MassRemovalUndecided"),
        Panel::new(
            Visual::Lines,
            "For how long people are on their way back",
            Unit::Seconds,
            "Of the oldest undo that is not done. It takes minutes, also for thousands.",
        )
        .ask("undoing", "max(timeclock_directory_brake_undoing_age_seconds)")
        .from(3_600.0, Bad)
        .runbook("MassRemovalUndoStuck"),
        Panel::new(
            Visual::Lines,
            "Deleted people who could come back",
            Unit::Count,
            "Kept for an hour, and as long as a mass removal waits; those beyond what a company may have kept are not.",
        )
        .ask("held", "sum(timeclock_directory_held_users)")
        .ask("not held, within a day", "sum(increase(timeclock_directory_users_not_held_total[1d]))"),
    ];
    Row { title: "Mass removals", panels }
}

fn credentials() -> Row {
    let panels = vec![
        Panel::new(
            Visual::Lines,
            "Revocations that gateways know",
            Unit::Count,
            "Each gateway should know as many as any other: the lines lie upon each other.",
        )
        .ask("{{instance}}", "timeclock_gateway_revocations")
        .runbook("RevocationsNotPublished"),
        tokens::unpublished_revocations(),
    ];
    Row { title: "Credentials of companies", panels }
}
