//! How many requests a listener answers, how, and how fast: the same three series in every service.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::http::Method;
use prometheus::{HistogramVec, IntCounterVec, IntGauge, Registry};

use crate::metrics::{ANSWER_SECONDS, Collectors};

/// The label of what no list knows: a path that nothing is at, a method that nobody uses.
pub const OTHER: &str = "other";
/// The label of a request that was abandoned with its connection before it was answered.
const GONE: &str = "gone";
/// The failures of ours that are counted from the start: what an alert divides must not be nothing.
const FAILURES: [&str; 2] = ["500", "503"];

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// One of a closed list, so that a caller cannot invent labels.
#[must_use]
pub fn method_label(method: &Method) -> &'static str {
    METHODS.into_iter().find(|known| *known == method.as_str()).unwrap_or(OTHER)
}

/// What a listener counts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Requests {
    routes: Arc<[&'static str]>,
    total: IntCounterVec,
    duration: HistogramVec,
    in_flight: IntGauge,
}

/// A request on its way to its answer; dropped before, it counts as abandoned.
#[derive(Debug)]
pub struct Underway {
    requests: Requests,
    route: &'static str,
    method: &'static str,
    begun: Instant,
    is_ended: bool,
}

impl Requests {
    /// Registers the series of a listener that has these routes, each a template and a method.
    ///
    /// # Errors
    ///
    /// When they are registered already.
    pub fn register(
        registry: &Registry,
        routes: impl IntoIterator<Item = (&'static str, &'static str)>,
    ) -> prometheus::Result<Self> {
        let collectors = Collectors::of(registry);
        let total = collectors.counters(
            "timeclock_http_requests_total",
            "Requests answered; status is `gone` for those abandoned with their connection",
            &["route", "method", "status"],
        )?;
        let duration = collectors.histograms(
            "timeclock_http_request_duration_seconds",
            "From a request's head to its answer's",
            &ANSWER_SECONDS,
            &["route", "method"],
        )?;
        let in_flight = collectors.gauge("timeclock_http_requests_in_flight", "Requests being answered")?;
        let mut templates = Vec::new();
        for (route, method) in routes {
            templates.push(route);
            for status in FAILURES {
                total.with_label_values(&[route, method, status]);
            }
            duration.with_label_values(&[route, method]);
        }
        templates.dedup();
        Ok(Self { routes: templates.into(), total, duration, in_flight })
    }

    /// Begins to count a request. `route` is the template that its path matches, if any; one that was not registered
    /// counts as [`OTHER`].
    #[must_use]
    pub fn begin(&self, route: Option<&str>, method: &Method) -> Underway {
        let known = route.and_then(|route| self.routes.iter().copied().find(|known| *known == route));
        self.in_flight.inc();
        Underway {
            requests: self.clone(),
            route: known.unwrap_or(OTHER),
            method: method_label(method),
            begun: Instant::now(),
            is_ended: false,
        }
    }
}

impl Underway {
    /// The template that its path matches.
    #[must_use]
    pub const fn route(&self) -> &'static str {
        self.route
    }

    /// Its method, of a closed list.
    #[must_use]
    pub const fn method(&self) -> &'static str {
        self.method
    }

    /// The time since its head.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Counts the answer; returns how long it took.
    pub fn end(mut self, status: u16) -> Duration {
        self.is_ended = true;
        self.count(&status.to_string())
    }

    fn count(&self, status: &str) -> Duration {
        let elapsed = self.begun.elapsed();
        let Requests { total, duration, in_flight, routes: _ } = &self.requests;
        total.with_label_values(&[self.route, self.method, status]).inc();
        duration.with_label_values(&[self.route, self.method]).observe(elapsed.as_secs_f64());
        in_flight.dec();
        elapsed
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        if !self.is_ended {
            self.count(GONE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::text;

    fn told(registry: &Registry, sample: &str) -> bool {
        text(registry).unwrap().lines().any(|line| line == sample)
    }

    #[test]
    fn a_caller_cannot_invent_labels() {
        let registry = Registry::new();
        let requests = Requests::register(&registry, [("/a/{id}", "GET")]).unwrap();
        requests.begin(Some("/etc/passwd"), &Method::from_bytes(b"BREW").unwrap()).end(404);
        requests.begin(None, &Method::TRACE).end(404);
        assert!(told(
            &registry,
            r#"timeclock_http_requests_total{method="other",route="other",status="404"} 2"#
        ));
    }

    #[test]
    fn failures_of_every_route_are_there_before_the_first() {
        let registry = Registry::new();
        drop(Requests::register(&registry, [("/a", "GET"), ("/a", "PUT")]).unwrap());
        assert!(told(&registry, r#"timeclock_http_requests_total{method="PUT",route="/a",status="503"} 0"#));
        assert!(told(
            &registry,
            r#"timeclock_http_request_duration_seconds_count{method="GET",route="/a"} 0"#
        ));
    }

    #[test]
    fn what_is_dropped_before_its_answer_is_gone_and_no_longer_in_flight() {
        let registry = Registry::new();
        let requests = Requests::register(&registry, [("/a", "GET")]).unwrap();
        let underway = requests.begin(Some("/a"), &Method::GET);
        assert!(told(&registry, "timeclock_http_requests_in_flight 1"));
        drop(underway);
        assert!(told(&registry, "timeclock_http_requests_in_flight 0"));
        assert!(told(&registry, r#"timeclock_http_requests_total{method="GET",route="/a",status="gone"} 1"#));
    }
}
