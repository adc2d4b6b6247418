//! One panel: what it asks, what it means, how it is to be read.

use serde_json::{Value, json};

use crate::{RUNBOOKS, visual::Visual};

/// What a number counts, by Grafana's names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    PerSecond,
    Seconds,
    Days,
    Bytes,
    Share,
    Count,
}

impl Unit {
    const fn name(self) -> &'static str {
        match self {
            Self::PerSecond => "cps",
            Self::Seconds => "s",
            Self::Days => "d",
            Self::Bytes => "bytes",
            Self::Share => "percentunit",
            Self::Count => "short",
        }
    }
}

/// How good a value is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Judgement {
    Good,
    Doubtful,
    Bad,
}

impl Judgement {
    pub(crate) const fn color(self) -> &'static str {
        match self {
            Self::Good => "green",
            Self::Doubtful => "orange",
            Self::Bad => "red",
        }
    }
}

struct Query {
    expression: String,
    legend: String,
}

/// A panel; `shown` turns it into what Grafana reads.
pub(crate) struct Panel {
    title: &'static str,
    description: &'static str,
    unit: Unit,
    visual: Visual,
    queries: Vec<Query>,
    /// The judgement of small values, and from which value on it changes.
    lowest: Judgement,
    limits: Vec<(f64, Judgement)>,
    runbooks: Vec<&'static str>,
    width: u32,
    height: u32,
}

impl Panel {
    pub(crate) fn new(visual: Visual, title: &'static str, unit: Unit, description: &'static str) -> Self {
        let (width, height) = visual.size();
        Self {
            title,
            description,
            unit,
            visual,
            queries: Vec::new(),
            lowest: Judgement::Good,
            limits: Vec::new(),
            runbooks: Vec::new(),
            width,
            height,
        }
    }

    /// Asks this too; the legend may name labels as `{{label}}`.
    pub(crate) fn ask(mut self, legend: &str, expression: impl Into<String>) -> Self {
        self.queries.push(Query { expression: expression.into(), legend: legend.to_owned() });
        self
    }

    /// Values from here on are judged so.
    pub(crate) fn from(mut self, value: f64, judgement: Judgement) -> Self {
        self.limits.push((value, judgement));
        self
    }

    /// Values below the first limit are judged so, instead of as good.
    pub(crate) const fn below(mut self, judgement: Judgement) -> Self {
        self.lowest = judgement;
        self
    }

    /// The page of this alert says what to do.
    pub(crate) fn runbook(mut self, alert: &'static str) -> Self {
        self.runbooks.push(alert);
        self
    }

    /// Columns of the 24 that a line has.
    pub(crate) const fn wide(mut self, width: u32) -> Self {
        self.width = width;
        self
    }

    pub(crate) const fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// What Grafana reads, of the panel with this number at this place.
    pub(crate) fn shown(&self, number: u32, (x, y): (u32, u32)) -> Value {
        let queries = self.queries.iter().zip('A'..='Z');
        let targets: Vec<_> = queries.map(|(query, id)| self.target(query, id)).collect();
        let mut panel = json!({
            "id": number,
            "type": self.visual.plugin(),
            "title": self.title,
            "description": self.description,
            "datasource": datasource(),
            "gridPos": { "h": self.height, "w": self.width, "x": x, "y": y },
            "fieldConfig": {
                "defaults": self.defaults(),
                "overrides": self.visual.overrides(),
            },
            "options": self.visual.options(),
            "targets": targets,
        });
        if !self.runbooks.is_empty() {
            panel["links"] = self.runbooks.iter().map(|alert| runbook(alert)).collect();
        }
        let transformations = self.visual.transformations();
        if !transformations.is_empty() {
            panel["transformations"] = transformations.into();
        }
        panel
    }

    fn target(&self, query: &Query, id: char) -> Value {
        let instant = self.visual.is_instant();
        json!({
            "refId": id.to_string(),
            "datasource": datasource(),
            "editorMode": "code",
            "expr": query.expression,
            "legendFormat": query.legend,
            "instant": instant,
            "range": !instant,
            "format": self.visual.format(),
        })
    }

    fn defaults(&self) -> Value {
        let lowest = json!({ "color": self.lowest.color(), "value": null });
        let limits = self.limits.iter();
        let limits = limits.map(|(value, judged)| json!({ "color": judged.color(), "value": value }));
        let steps: Vec<_> = std::iter::once(lowest).chain(limits).collect();
        let mut defaults = json!({
            "unit": self.unit.name(),
            "color": { "mode": self.visual.color_mode() },
            "custom": self.visual.custom(!self.limits.is_empty()),
            "mappings": self.visual.mappings(),
            "thresholds": { "mode": "absolute", "steps": steps },
        });
        if !matches!(self.unit, Unit::Days) {
            defaults["min"] = 0.into();
        }
        defaults
    }
}

/// The data source that the dashboard's variable chooses.
pub(crate) fn datasource() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

fn runbook(alert: &str) -> Value {
    json!({ "title": format!("Runbook {alert}"), "url": format!("{RUNBOOKS}/{alert}.md"), "targetBlank": true })
}
