//! The few forms that almost every PromQL expression on a dashboard has.
//!
//! Selectors are what stands between the braces, or nothing.

/// The rate per second of a counter, summed by these labels.
pub(crate) fn rate(counter: &str, selector: &str, by: &str) -> String {
    format!("{} (rate({counter}{}[$__rate_interval]))", sum_by(by), braces(selector))
}

/// A quantile of a histogram, by these labels beside `le`.
pub(crate) fn quantile(quantile: f64, histogram: &str, selector: &str, by: &str) -> String {
    let by = if by.is_empty() { "le".to_owned() } else { format!("le, {by}") };
    format!("histogram_quantile({quantile}, {})", rate(&format!("{histogram}_bucket"), selector, &by))
}

/// How much of a counter's rate has these labels, among what the wider selector selects; 0 while none has.
pub(crate) fn share(counter: &str, part: &str, whole: &str, by: &str) -> String {
    let whole = rate(counter, whole, by);
    format!("({} or 0 * {whole}) / {whole}", rate(counter, part, by))
}

/// How many observations a histogram has per interval and bucket, for a heat map.
pub(crate) fn buckets(histogram: &str, selector: &str) -> String {
    format!("sum by (le) (increase({histogram}_bucket{}[$__rate_interval]))", braces(selector))
}

/// The mean of a histogram's observations, by these labels.
pub(crate) fn mean(histogram: &str, selector: &str, by: &str) -> String {
    let part = |suffix: &str| rate(&format!("{histogram}_{suffix}"), selector, by);
    format!("{} / {}", part("sum"), part("count"))
}

fn sum_by(labels: &str) -> String {
    if labels.is_empty() { "sum".to_owned() } else { format!("sum by ({labels})") }
}

fn braces(selector: &str) -> String {
    if selector.is_empty() { String::new() } else { format!("{{{selector}}}") }
}
