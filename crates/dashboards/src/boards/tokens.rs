//! The life of credentials: issued, published, used, refused, near their end.

use crate::{
    Dashboard,
    dashboard::Row,
    expression::{quantile, rate},
    panel::{
        Judgement::{Bad, Doubtful, Good},
        Panel, Unit,
    },
    visual::Visual,
};

pub(super) fn board() -> Dashboard {
    Dashboard {
        name: "tokens",
        title: "Token life cycle",
        description: "Companies' credentials: how many end soon, whether gateways know them, what clients get at the token endpoint.",
        choices: Vec::new(),
        rows: vec![expiry(), use_of_tokens(), endpoint(), acts()],
    }
}

fn expiry() -> Row {
    let panels = vec![
        Panel::new(
            Visual::Number,
            "Next to expire",
            Unit::Days,
            "Days until the next credential expires that nobody is replacing. Empty when there is none.",
        )
        .ask("", "min(timeclock_tokens_next_expiry_days)")
        .below(Bad)
        .from(7.0, Doubtful)
        .from(30.0, Good)
        .runbook("TokensNearExpiry"),
        Panel::new(
            Visual::Number,
            "Certificates",
            Unit::Days,
            "Days until a certificate expires: of a service that speaks TLS itself, and of the origin as callers see it.",
        )
        .ask("{{job}}", "(min by (job) (timeclock_certificate_expiry_timestamp_seconds) - time()) / 86400")
        .ask("{{job}}, as callers see it", "(min by (job) (probe_ssl_earliest_cert_expiry{job=\"origin\"}) - time()) / 86400")
        .below(Bad)
        .from(3.0, Doubtful)
        .from(14.0, Good)
        .runbook("CertificateNearExpiry"),
        Panel::new(
            Visual::Bars,
            "Credentials that expire soon",
            Unit::Count,
            "Within so many days, and are not being replaced.",
        )
        .ask("{{kind}}, {{days}} days", "max by (kind, days) (timeclock_tokens_expiring_credentials)")
        .from(1.0, Doubtful)
        .runbook("TokensNearExpiry"),
        Panel::new(
            Visual::Lines,
            "Credentials that expire within a week",
            Unit::Count,
            "And are not being replaced.",
        )
        .ask("{{kind}}", r#"max by (kind) (timeclock_tokens_expiring_credentials{days="7"})"#)
        .runbook("TokensNearExpiry"),
        Panel::new(
            Visual::Lines,
            "Changed certificates",
            Unit::PerSecond,
            "Taken into use without a restart, or `refused`: then the old one stays.",
        )
        .ask("{{job}} {{result}}", rate("timeclock_certificate_reloads_total", "", "job, result"))
        .runbook("CertificateNearExpiry"),
        Panel::new(
            Visual::Lines,
            "TLS handshakes",
            Unit::PerSecond,
            "Of callers that speak TLS with the services themselves. Failed ones are whoever finds the address, or a certificate that callers do not accept.",
        )
        .ask("{{job}} {{result}}", rate("timeclock_tls_handshakes_total", "", "job, result"))
        .runbook("CertificateNearExpiry"),
    ];
    Row { title: "What ends soon", panels }
}

fn use_of_tokens() -> Row {
    let panels = vec![
        Panel::new(
            Visual::Lines,
            "Refused tokens",
            Unit::PerSecond,
            "By why. `missing` and `garbled` are whoever finds the address; the others were customers' tokens once.",
        )
        .ask("{{result}}", rate("timeclock_gateway_auth_total", r#"result!="accepted""#, "result"))
        .runbook("AuthenticationFailures"),
        Panel::new(
            Visual::Lines,
            "Keys that gateways verify with",
            Unit::Count,
            "Each gateway should know as many as any other, and one at least.",
        )
        .ask("{{instance}}", "timeclock_gateway_verification_keys")
        .runbook("AuthenticationFailures"),
        Panel::new(
            Visual::Lines,
            "Keys and revocations",
            Unit::Count,
            "What the token service has published, and the revocations that each gateway knows.",
        )
        .ask("published", "max(timeclock_tokens_published_entries)")
        .ask("revocations of {{instance}}", "timeclock_gateway_revocations")
        .runbook("RevocationsNotPublished"),
    ];
    Row { title: "What gateways make of tokens", panels }
}

fn endpoint() -> Row {
    let token_service = r#"job="token-service""#;
    let duration = "timeclock_http_request_duration_seconds";
    let panels = vec![
        Panel::new(
            Visual::Stack,
            "Access tokens",
            Unit::PerSecond,
            "Requests of OAuth clients at the token endpoint: `ok`, `limited`, or the code of the error.",
        )
        .ask("{{result}}", rate("timeclock_tokens_grants_total", "", "result"))
        .runbook("ServiceFailures"),
        Panel::new(Visual::Lines, "Time to an answer", Unit::Seconds, "Of the token service over HTTP.")
            .ask("{{route}} p50", quantile(0.5, duration, token_service, "route"))
            .ask("{{route}} p99", quantile(0.99, duration, token_service, "route")),
        Panel::new(
            Visual::Lines,
            "Keys of Entra's tenants",
            Unit::PerSecond,
            "Fetched to verify the assertions of federated clients.",
        )
        .ask("{{result}}", rate("timeclock_tokens_key_fetches_total", "", "result"))
        .runbook("ServiceFailures"),
        Panel::new(
            Visual::Lines,
            "Access tokens ended by their clients",
            Unit::PerSecond,
            "Requests at the revocation endpoint.",
        )
        .ask("{{result}}", rate("timeclock_tokens_revocations_total", "", "result")),
        Panel::new(Visual::Lines, "Clients", Unit::Count, "OAuth clients that are not revoked.")
            .ask("clients", "max(timeclock_tokens_clients)"),
    ];
    Row { title: "OAuth clients", panels }
}

fn acts() -> Row {
    let panels = vec![
        Panel::new(
            Visual::Stack,
            "What administrators and operators do",
            Unit::PerSecond,
            "Requests to the token service over the bus.",
        )
        .ask("{{operation}} {{result}}", rate("timeclock_tokens_requests_total", "", "operation, result")),
        unpublished_revocations(),
    ];
    Row { title: "What is done to credentials", panels }
}

/// Asked by whoever looks at credentials, and by whoever looks at how access ends.
pub(super) fn unpublished_revocations() -> Panel {
    Panel::new(
        Visual::Lines,
        "Revocations that could not be published",
        Unit::PerSecond,
        "A revoked credential is accepted meanwhile.",
    )
    .ask("failures", rate("timeclock_tokens_publish_failures_total", "", ""))
    .from(0.001, Bad)
    .runbook("RevocationsNotPublished")
}
