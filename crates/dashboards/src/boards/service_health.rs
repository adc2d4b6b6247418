//! Do the services answer, fast enough, with what they have? Rate, errors, duration; utilisation and saturation.

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

const CHOSEN: &str = r#"job=~"$job",instance=~"$instance""#;
const FAILED: &str = r#"job=~"$job",instance=~"$instance",status=~"5..",status!="501""#;
const REQUESTS: &str = "timeclock_http_requests_total";
const DURATION: &str = "timeclock_http_request_duration_seconds";

pub(super) fn board() -> Dashboard {
    Dashboard {
        name: "service-health",
        title: "Service health",
        description: "Whether the services answer, fast enough, and what they use. Begin here.",
        choices: vec![
            Choice { name: "job", label: "Service", series: "timeclock_build_info" },
            Choice { name: "instance", label: "Instance", series: r#"timeclock_build_info{job=~"$job"}"# },
        ],
        rows: vec![objectives(), requests(), readiness(), resources()],
    }
}

fn objectives() -> Row {
    let scim = r#"job="scim-gateway""#;
    let failed = format!("sum(increase({REQUESTS}{{{scim},status=~\"5..\",status!=\"501\"}}[$__range]))");
    let all = format!("sum(increase({REQUESTS}{{{scim}}}[$__range]))");
    let timed = r#"job="scim-gateway",route!="/Bulk""#;
    let fast = format!("sum(increase({DURATION}_bucket{{{timed},le=~\"1|1[.]0\"}}[$__range]))");
    let counted = format!("sum(increase({DURATION}_count{{{timed}}}[$__range]))");
    let panels = vec![
        Panel::new(
            Visual::Number,
            "Answered without a failure of ours",
            Unit::Share,
            "The share of SCIM requests, over the time shown, that were not answered with 5xx. The objective is 99.9 %.",
        )
        .ask("", format!("1 - ({failed} or vector(0)) / {all}"))
        .below(Bad)
        .from(0.999, Good)
        .runbook("ScimErrorBudgetBurn"),
        Panel::new(
            Visual::Number,
            "Answered within a second",
            Unit::Share,
            "The share of SCIM requests, over the time shown, bulk requests left out. The objective is 99 %.",
        )
        .ask("", format!("{fast} / {counted}"))
        .below(Bad)
        .from(0.99, Good)
        .runbook("ScimLatencyBudgetBurn"),
        Panel::new(
            Visual::Number,
            "Alerts",
            Unit::Count,
            "How many alerts fire now. Which ones, and what to do, is in Prometheus and in the runbooks.",
        )
        .ask("page", r#"count(ALERTS{alertstate="firing",severity="page"}) or vector(0)"#)
        .ask("ticket", r#"count(ALERTS{alertstate="firing",severity="ticket"}) or vector(0)"#)
        .from(1.0, Doubtful),
        burn(
            "How fast the budget of failures burns",
            "failures",
            0.001,
            "1 uses it up in exactly the time that it is for. Beyond 14.4 for 5 minutes and for an hour somebody is called; beyond 6 for half an hour and six hours there is a ticket.",
        )
        .runbook("ScimErrorBudgetBurn"),
        burn(
            "How fast the budget of slow answers burns",
            "slow",
            0.01,
            "The same, of answers that took more than a second.",
        )
        .runbook("ScimLatencyBudgetBurn"),
    ];
    Row { title: "What we promise Entra", panels }
}

fn burn(title: &'static str, what: &str, budget: f64, description: &'static str) -> Panel {
    let panel = Panel::new(Visual::Lines, title, Unit::Count, description).wide(6);
    let windows = ["5m", "30m", "1h", "6h"];
    let asked = windows.iter().fold(panel, |panel, window| {
        panel.ask(window, format!("job:timeclock_scim_{what}:ratio_rate{window} / {budget}"))
    });
    asked.from(6.0, Doubtful).from(14.4, Bad)
}

fn requests() -> Row {
    let panels = vec![
        Panel::new(
            Visual::Stack,
            "Requests",
            Unit::PerSecond,
            "HTTP requests of the chosen services, by their route.",
        )
        .ask("{{job}} {{route}}", rate(REQUESTS, CHOSEN, "job, route")),
        Panel::new(
            Visual::Stack,
            "Answers",
            Unit::PerSecond,
            "The same requests by the status of their answer; `gone` are those whose caller left first.",
        )
        .ask("{{status}}", rate(REQUESTS, CHOSEN, "status")),
        Panel::new(Visual::Lines, "Failures", Unit::Share, "The share of requests answered with 5xx.")
            .ask("{{job}}", share(REQUESTS, FAILED, CHOSEN, "job"))
            .from(0.001, Doubtful)
            .runbook("ScimErrorBudgetBurn")
            .runbook("ServiceFailures"),
        Panel::new(
            Visual::Lines,
            "Time to an answer",
            Unit::Seconds,
            "From a request's head to its answer's. One request in two, in ten, in a hundred takes longer.",
        )
        .ask("{{job}} p50", quantile(0.5, DURATION, CHOSEN, "job"))
        .ask("{{job}} p90", quantile(0.9, DURATION, CHOSEN, "job"))
        .ask("{{job}} p99", quantile(0.99, DURATION, CHOSEN, "job"))
        .runbook("ScimLatencyBudgetBurn"),
        Panel::new(
            Visual::Lines,
            "Time to an answer by route, p99",
            Unit::Seconds,
            "Which route the slow requests take. Bulk requests hold up to a thousand others and take as long.",
        )
        .ask("{{method}} {{route}}", quantile(0.99, DURATION, CHOSEN, "method, route"))
        .runbook("ScimLatencyBudgetBurn"),
        Panel::new(
            Visual::Lines,
            "Being answered",
            Unit::Count,
            "Requests in flight. A gateway takes TIMECLOCK_MAX_IN_FLIGHT of them (2,048 unless set), and a quarter of that of one company.",
        )
        .ask("{{job}} {{instance}}", format!("timeclock_http_requests_in_flight{{{CHOSEN}}}"))
        .runbook("RateLimited"),
    ];
    Row { title: "Requests: rate, errors, duration", panels }
}

fn readiness() -> Row {
    let panels = vec![
        Panel::new(
            Visual::States,
            "Answers Prometheus",
            Unit::Count,
            "Whether each instance could be scraped.",
        )
        .ask("{{job}} {{instance}}", format!("up{{{CHOSEN}}}"))
        .runbook("ServiceDown"),
        Panel::new(
            Visual::States,
            "Ready",
            Unit::Count,
            "Whether each instance says that work should be sent to it.",
        )
        .ask("{{job}} {{instance}}", format!("timeclock_ready{{{CHOSEN}}}"))
        .runbook("ServiceNotReady"),
        Panel::new(
            Visual::States,
            "Can use",
            Unit::Count,
            "What each instance depends on, and whether it could use it.",
        )
        .ask("{{job}} {{dependency}} {{instance}}", format!("timeclock_dependency_up{{{CHOSEN}}}"))
        .runbook("ServiceNotReady"),
    ];
    Row { title: "Readiness", panels }
}

fn resources() -> Row {
    let gauge = |name: &str| format!("{name}{{{CHOSEN}}}");
    let instances = "{{job}} {{instance}}";
    let panels = vec![
        Panel::new(Visual::Lines, "CPU", Unit::Count, "Cores that each instance keeps busy.")
            .ask(instances, rate("process_cpu_seconds_total", CHOSEN, "job, instance")),
        Panel::new(Visual::Lines, "Memory", Unit::Bytes, "Resident memory of each instance.")
            .ask(instances, gauge("process_resident_memory_bytes")),
        Panel::new(
            Visual::Lines,
            "File descriptors",
            Unit::Share,
            "Those in use, of those that each instance may use. Every connection takes one.",
        )
        .ask(instances, format!("{} / {}", gauge("process_open_fds"), gauge("process_max_fds")))
        .from(0.8, Bad)
        .runbook("FileDescriptorsRunOut"),
        Panel::new(
            Visual::Stack,
            "Lines of the log that tell of something wrong",
            Unit::PerSecond,
            "A line of level `error` is a bug of ours or a broken installation; `warn` is what the service lives with.",
        )
        .ask("{{job}} {{level}}", rate("timeclock_log_lines_total", CHOSEN, "job, level"))
        .runbook("LogErrors"),
        Panel::new(Visual::Lines, "Up for", Unit::Seconds, "How long each instance has been running.")
            .ask(instances, format!("time() - {}", gauge("process_start_time_seconds")))
            .runbook("ServiceRestarts"),
        Panel::new(
            Visual::Labels(&["job", "instance", "version", "commit"]),
            "What runs",
            Unit::Count,
            "Version and commit of each instance.",
        )
        .ask("", gauge("timeclock_build_info")),
    ];
    Row { title: "Resources: utilisation and saturation", panels }
}
