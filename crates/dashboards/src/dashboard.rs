//! A dashboard: rows of panels, the variables that choose what they show, and where one goes from here.

use serde_json::{Value, json};

use crate::{
    RUNBOOKS,
    panel::{Panel, datasource},
};

/// By Grafana 11.
const SCHEMA_VERSION: u32 = 39;
/// The columns of a line.
const COLUMNS: u32 = 24;
const TAG: &str = "timeclock";

/// Panels under one heading.
pub(crate) struct Row {
    pub(crate) title: &'static str,
    pub(crate) panels: Vec<Panel>,
}

/// What a reader may choose: the values of a label.
pub(crate) struct Choice {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    /// What the values are taken from, such as `timeclock_ready{job=~"$job"}`.
    pub(crate) series: &'static str,
}

/// One dashboard.
pub struct Dashboard {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) description: &'static str,
    pub(crate) choices: Vec<Choice>,
    pub(crate) rows: Vec<Row>,
}

impl Dashboard {
    /// The file's name, and behind `timeclock-` the id by which links find it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The file that Grafana reads.
    #[must_use]
    pub fn file(&self) -> String {
        format!("{:#}\n", self.json())
    }

    fn json(&self) -> Value {
        let variables: Vec<_> = std::iter::once(datasource_variable())
            .chain(self.choices.iter().map(|choice| choice.variable()))
            .collect();
        json!({
            "uid": format!("{TAG}-{}", self.name),
            "title": format!("TimeClock / {}", self.title),
            "description": self.description,
            "tags": [TAG],
            "schemaVersion": SCHEMA_VERSION,
            "version": 1,
            "editable": true,
            "graphTooltip": 1,
            "refresh": "30s",
            "time": { "from": "now-3h", "to": "now" },
            "timezone": "browser",
            "timepicker": {},
            "links": links(),
            "annotations": { "list": annotations() },
            "templating": { "list": variables },
            "panels": self.panels(),
        })
    }

    /// The panels, from left to right and top to bottom.
    fn panels(&self) -> Vec<Value> {
        let (mut shown, mut y) = (Vec::new(), 0);
        let mut numbers = 1..;
        let mut number = || numbers.next().unwrap_or_default();
        for row in &self.rows {
            let place = json!({ "h": 1, "w": COLUMNS, "x": 0, "y": y });
            shown.push(json!({
                "id": number(),
                "type": "row",
                "title": row.title,
                "collapsed": false,
                "gridPos": place,
                "panels": [],
            }));
            y += 1;
            let (mut x, mut tallest) = (0, 0);
            for panel in &row.panels {
                let (width, height) = panel.size();
                if x + width > COLUMNS {
                    y += tallest;
                    (x, tallest) = (0, 0);
                }
                shown.push(panel.shown(number(), (x, y)));
                x += width;
                tallest = tallest.max(height);
            }
            y += tallest;
        }
        shown
    }
}

impl Choice {
    fn variable(&self) -> Value {
        let query = format!("label_values({}, {})", self.series, self.name);
        json!({
            "name": self.name,
            "label": self.label,
            "type": "query",
            "datasource": datasource(),
            "definition": query,
            "query": { "qryType": 1, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery" },
            "refresh": 2,
            "sort": 1,
            "multi": true,
            "includeAll": true,
            "allValue": ".*",
            "current": { "selected": true, "text": ["All"], "value": ["$__all"] },
            "hide": 0,
            "options": [],
            "regex": "",
        })
    }
}

fn datasource_variable() -> Value {
    json!({
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "multi": false,
        "includeAll": false,
        "current": {},
        "hide": 0,
        "options": [],
        "regex": "",
    })
}

fn links() -> Value {
    json!([
        {
            "title": "TimeClock",
            "type": "dashboards",
            "tags": [TAG],
            "asDropdown": true,
            "includeVars": false,
            "keepTime": true,
            "targetBlank": false,
        },
        {
            "title": "Runbooks",
            "type": "link",
            "icon": "doc",
            "url": format!("{RUNBOOKS}/README.md"),
            "asDropdown": false,
            "includeVars": false,
            "keepTime": false,
            "tags": [],
            "targetBlank": true,
        },
    ])
}

/// What else happened: alerts that somebody was called for, and processes that started.
fn annotations() -> Value {
    json!([
        {
            "name": "Alerts",
            "datasource": datasource(),
            "enable": true,
            "iconColor": "red",
            "expr": "ALERTS{alertstate=\"firing\",severity=\"page\"}",
            "titleFormat": "{{alertname}}",
            "textFormat": "{{job}} {{instance}}",
            "step": "60s",
        },
        {
            "name": "Starts",
            "datasource": datasource(),
            "enable": true,
            "iconColor": "blue",
            "expr": "process_start_time_seconds{job=~\"scim-gateway|directory-service|token-service|admin-console\"} * 1000",
            "useValueForTime": "on",
            "titleFormat": "{{job}} started",
            "textFormat": "{{instance}}",
            "step": "60s",
        },
    ])
}
