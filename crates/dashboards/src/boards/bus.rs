//! What flows through NATS, and what of it waits.

use crate::{
    Dashboard,
    dashboard::Row,
    expression::{buckets, mean, quantile, rate},
    panel::{
        Judgement::{Bad, Doubtful},
        Panel, Unit,
    },
    visual::Visual,
};

pub(super) fn board() -> Dashboard {
    Dashboard {
        name: "bus",
        title: "Bus and outbox",
        description: "Requests in the stream PROVISIONING, the batches that apply them, the facts in DIRECTORY, and questions between services.",
        choices: Vec::new(),
        rows: vec![partitions(), batches(), outbox(), questions(), connections()],
    }
}

fn partitions() -> Row {
    let pending = "max by (partition) (timeclock_directory_pending_requests)";
    let panels = vec![
        Panel::new(
            Visual::Number,
            "Partitions held",
            Unit::Count,
            "By all directories together. All of them should be.",
        )
        .ask("held", "sum(timeclock_directory_partitions_held)")
        .ask("there are", "max(timeclock_directory_partitions)")
        .runbook("PartitionsNotHeld"),
        Panel::new(Visual::Number, "Requests that wait", Unit::Count, "In the stream, over all partitions.")
            .ask("", format!("sum({pending})"))
            .runbook("PartitionLag"),
        Panel::new(
            Visual::Lines,
            "Partitions held",
            Unit::Count,
            "By each directory. They share them evenly, and take over those of one that has gone.",
        )
        .ask("{{instance}}", "timeclock_directory_partitions_held")
        .runbook("PartitionsNotHeld"),
        Panel::new(
            Visual::Lines,
            "Requests that wait, by partition",
            Unit::Count,
            "The ten partitions with most. One far above the others is one company's bulk load.",
        )
        .ask("{{partition}}", format!("topk(10, {pending})"))
        .from(1_000.0, Bad)
        .runbook("PartitionLag"),
    ];
    Row { title: "Requests that wait", panels }
}

fn batches() -> Row {
    let age = "timeclock_directory_request_age_seconds";
    let panels = vec![
        Panel::new(
            Visual::HeatMap,
            "From acceptance to commit",
            Unit::Count,
            "How long requests took: waiting in the stream, and the work itself.",
        )
        .ask("{{le}}", buckets(age, ""))
        .runbook("RequestsWaitLong"),
        Panel::new(Visual::Lines, "From acceptance to commit", Unit::Seconds, "The same as quantiles.")
            .ask("p50", quantile(0.5, age, "", ""))
            .ask("p99", quantile(0.99, age, "", ""))
            .from(5.0, Bad)
            .runbook("RequestsWaitLong"),
        Panel::new(
            Visual::Stack,
            "What becomes of requests",
            Unit::PerSecond,
            "`repeated` were applied before and came again; nothing is applied twice.",
        )
        .ask("{{outcome}}", rate("timeclock_directory_outcomes_total", "", "outcome")),
        Panel::new(
            Visual::Lines,
            "Requests of a batch",
            Unit::Count,
            "One transaction applies them. Large batches are good: that is how load is borne.",
        )
        .ask("mean", mean("timeclock_directory_batch_requests", "", ""))
        .ask("p99", quantile(0.99, "timeclock_directory_batch_requests", "", "")),
        Panel::new(Visual::Lines, "Time of a batch", Unit::Seconds, "From a batch in hand to its commit.")
            .ask("p50", quantile(0.5, "timeclock_directory_batch_seconds", "", ""))
            .ask("p99", quantile(0.99, "timeclock_directory_batch_seconds", "", ""))
            .runbook("RequestsWaitLong"),
        Panel::new(
            Visual::Lines,
            "Come again, and put aside",
            Unit::PerSecond,
            "Redeliveries are normal when an instance ends. A dead letter is a bug.",
        )
        .ask("redeliveries", rate("timeclock_directory_redeliveries_total", "", ""))
        .ask("dead letters", rate("timeclock_directory_dead_letters_total", "", ""))
        .runbook("DeadLetters"),
    ];
    Row { title: "Batches", panels }
}

fn outbox() -> Row {
    let delay = "timeclock_directory_fact_delay_seconds";
    let panels = vec![
        Panel::new(Visual::Lines, "Commits in the outbox", Unit::Count, "Whose facts are not announced yet.")
            .ask("commits", "max(timeclock_directory_outbox_rows)")
            .runbook("OutboxOld"),
        Panel::new(Visual::Lines, "The oldest in the outbox", Unit::Seconds, "How long it has been waiting.")
            .ask("oldest", "max(timeclock_directory_outbox_age_seconds)")
            .from(60.0, Bad)
            .runbook("OutboxOld"),
        Panel::new(Visual::Lines, "Facts", Unit::PerSecond, "Acknowledged by the stream DIRECTORY.")
            .ask("{{instance}}", rate("timeclock_directory_facts_total", "", "instance")),
        Panel::new(
            Visual::Lines,
            "Histories of facts begun",
            Unit::Count,
            "Within a day. More than none means that the stream or the database was lost or restored: followers begin anew with a snapshot.",
        )
        .ask("histories", "sum(increase(timeclock_directory_histories_begun_total[1d]))")
        .from(1.0, Doubtful),
        Panel::new(
            Visual::Lines,
            "From the request to the fact",
            Unit::Seconds,
            "From a request's acceptance to the acknowledgement of its fact.",
        )
        .ask("p50", quantile(0.5, delay, "", ""))
        .ask("p99", quantile(0.99, delay, "", ""))
        .runbook("OutboxOld"),
    ];
    Row { title: "Outbox and facts", panels }
}

fn questions() -> Row {
    let panels = vec![
        Panel::new(
            Visual::Stack,
            "Requests over the bus",
            Unit::PerSecond,
            "Questions and orders between services, by what is asked.",
        )
        .ask("{{job}} {{kind}}", rate("timeclock_bus_requests_total", "", "job, kind")),
        Panel::new(
            Visual::Lines,
            "Not answered well",
            Unit::PerSecond,
            "`refused` is what cannot be; `failed` is ours.",
        )
        .ask(
            "{{job}} {{kind}} {{result}}",
            rate("timeclock_bus_requests_total", r#"result!="ok""#, "job, kind, result"),
        )
        .runbook("PostgresFails"),
        Panel::new(
            Visual::Lines,
            "Time to an answer, p99",
            Unit::Seconds,
            "From the request in hand to its answer. Gateways wait 5 s.",
        )
        .ask("{{kind}}", quantile(0.99, "timeclock_bus_request_duration_seconds", "", "kind"))
        .from(5.0, Bad)
        .runbook("ScimLatencyBudgetBurn"),
        Panel::new(
            Visual::Lines,
            "Look-ups of a batch",
            Unit::Count,
            "Look-ups that arrive together are answered by one transaction.",
        )
        .ask("mean", mean("timeclock_directory_look_up_batch_questions", "", ""))
        .ask("p99", quantile(0.99, "timeclock_directory_look_up_batch_questions", "", "")),
    ];
    Row { title: "Questions", panels }
}

fn connections() -> Row {
    let panels = vec![
        Panel::new(
            Visual::States,
            "Connected to NATS",
            Unit::Count,
            "Whether each instance has a connection.",
        )
        .ask("{{job}} {{instance}}", "timeclock_bus_connected")
        .runbook("ServiceNotReady"),
        Panel::new(Visual::Lines, "Connections made again", Unit::PerSecond, "After the first one.")
            .ask("{{job}} {{instance}}", rate("timeclock_bus_reconnects_total", "", "job, instance")),
        Panel::new(
            Visual::Lines,
            "Time to store a message, p99",
            Unit::Seconds,
            "From a message's way to the server to the word that the stream has it.",
        )
        .ask(
            "{{job}} {{stream}}",
            quantile(0.99, "timeclock_bus_publish_duration_seconds", "", "job, stream"),
        ),
        Panel::new(
            Visual::Lines,
            "Messages not stored",
            Unit::PerSecond,
            "Of which that word did not come. Some may be stored all the same.",
        )
        .ask("{{job}} {{stream}}", rate("timeclock_bus_publish_failures_total", "", "job, stream"))
        .from(0.001, Doubtful),
        Panel::new(Visual::Lines, "Changes whose outcome is awaited", Unit::Count, "By each gateway.")
            .ask("{{instance}}", "timeclock_gateway_outcomes_waiting")
            .runbook("RequestsWaitLong"),
    ];
    Row { title: "NATS as the services see it", panels }
}
