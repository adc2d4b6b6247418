//! The kinds of panel that we use, each in the one way in which we use it.

use serde_json::{Value, json};

use crate::panel::Judgement;

/// How numbers are drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Visual {
    /// A line for each series.
    Lines,
    /// The same, one upon the other: the sum means something.
    Stack,
    /// One number, now.
    Number,
    /// A histogram over time.
    HeatMap,
    /// 0 or 1 over time.
    States,
    /// A bar for each series, now.
    Bars,
    /// A row for each value of a label, a column for each query.
    Table {
        /// The label.
        row: &'static str,
        /// The columns' names, in the order of the queries, each with its unit.
        columns: &'static [(&'static str, &'static str)],
    },
    /// A row for each series, with its labels.
    Labels(&'static [&'static str]),
}

impl Visual {
    pub(crate) const fn plugin(self) -> &'static str {
        match self {
            Self::Lines | Self::Stack => "timeseries",
            Self::Number => "stat",
            Self::HeatMap => "heatmap",
            Self::States => "state-timeline",
            Self::Bars => "bargauge",
            Self::Table { .. } | Self::Labels(_) => "table",
        }
    }

    /// Width and height unless the panel says otherwise.
    pub(crate) const fn size(self) -> (u32, u32) {
        match self {
            Self::Number => (4, 4),
            Self::Table { .. } => (24, 10),
            _ => (8, 8),
        }
    }

    pub(crate) const fn is_instant(self) -> bool {
        matches!(self, Self::Number | Self::Bars | Self::Table { .. } | Self::Labels(_))
    }

    pub(crate) const fn format(self) -> &'static str {
        match self {
            Self::HeatMap => "heatmap",
            Self::Table { .. } | Self::Labels(_) => "table",
            _ => "time_series",
        }
    }

    pub(crate) const fn color_mode(self) -> &'static str {
        match self {
            Self::Lines | Self::Stack | Self::HeatMap => "palette-classic",
            _ => "thresholds",
        }
    }

    /// What Grafana calls the custom part of a field's configuration.
    pub(crate) fn custom(self, has_limits: bool) -> Value {
        match self {
            Self::Lines | Self::Stack => json!({
                "drawStyle": "line",
                "lineWidth": 1,
                "fillOpacity": if matches!(self, Self::Stack) { 30 } else { 5 },
                "showPoints": "never",
                "stacking": { "mode": if matches!(self, Self::Stack) { "normal" } else { "none" }, "group": "A" },
                "thresholdsStyle": { "mode": if has_limits { "dashed" } else { "off" } },
            }),
            Self::States => json!({ "fillOpacity": 70, "lineWidth": 0 }),
            Self::Table { .. } | Self::Labels(_) => {
                json!({ "align": "auto", "cellOptions": { "type": "auto" }, "filterable": true })
            }
            _ => json!({}),
        }
    }

    pub(crate) fn mappings(self) -> Value {
        let Self::States = self else { return json!([]) };
        let word = |text, judged: Judgement| json!({ "text": text, "color": judged.color() });
        let options = json!({ "0": word("no", Judgement::Bad), "1": word("yes", Judgement::Good) });
        json!([{ "type": "value", "options": options }])
    }

    pub(crate) fn options(self) -> Value {
        let last = json!({ "calcs": ["lastNotNull"], "fields": "", "values": false });
        match self {
            Self::Lines | Self::Stack => json!({
                "legend": { "calcs": ["mean", "max", "lastNotNull"], "displayMode": "table", "placement": "bottom", "showLegend": true },
                "tooltip": { "mode": "multi", "sort": "desc" },
            }),
            Self::Number => json!({
                "colorMode": "value",
                "graphMode": "none",
                "justifyMode": "auto",
                "orientation": "auto",
                "reduceOptions": last,
                "textMode": "auto",
                "wideLayout": true,
            }),
            Self::HeatMap => json!({
                "calculate": false,
                "cellGap": 1,
                "color": { "mode": "scheme", "scheme": "Oranges", "steps": 64, "exponent": 0.5, "fill": "dark-orange", "reverse": false, "scale": "exponential" },
                "filterValues": { "le": 1e-9 },
                "legend": { "show": true },
                "rowsFrame": { "layout": "auto" },
                "tooltip": { "mode": "single", "yHistogram": true },
                "yAxis": { "axisPlacement": "left", "unit": "s" },
            }),
            Self::States => json!({
                "alignValue": "left",
                "legend": { "displayMode": "list", "placement": "bottom", "showLegend": false },
                "mergeValues": true,
                "rowHeight": 0.9,
                "showValue": "never",
                "tooltip": { "mode": "single", "sort": "none" },
            }),
            Self::Bars => json!({
                "displayMode": "basic",
                "minVizHeight": 8,
                "minVizWidth": 8,
                "namePlacement": "auto",
                "orientation": "horizontal",
                "reduceOptions": last,
                "showUnfilled": true,
                "sizing": "auto",
                "valueMode": "color",
            }),
            Self::Table { .. } | Self::Labels(_) => json!({
                "cellHeight": "sm",
                "footer": { "show": false, "reducer": ["sum"], "countRows": false, "fields": "" },
                "showHeader": true,
            }),
        }
    }

    pub(crate) fn overrides(self) -> Value {
        let Self::Table { columns, .. } = self else { return json!([]) };
        let unit = |(name, unit): &(&str, &str)| {
            json!({
                "matcher": { "id": "byName", "options": name },
                "properties": [{ "id": "unit", "value": unit }],
            })
        };
        columns.iter().map(unit).collect()
    }

    pub(crate) fn transformations(self) -> Vec<Value> {
        match self {
            Self::Table { row, columns } => {
                let join = json!({ "id": "joinByField", "options": { "byField": row, "mode": "outer" } });
                let keep = columns.iter().zip('A'..='Z').map(|(_, id)| format!("Value #{id}"));
                let keep: Vec<_> = std::iter::once(row.to_owned()).chain(keep).collect();
                let filter =
                    json!({ "id": "filterFieldsByName", "options": { "include": { "names": keep } } });
                let names: serde_json::Map<_, _> = columns
                    .iter()
                    .zip('A'..='Z')
                    .map(|((name, _), id)| (format!("Value #{id}"), (*name).into()))
                    .collect();
                let rename = json!({ "id": "organize", "options": { "renameByName": names } });
                vec![join, filter, rename]
            }
            Self::Labels(labels) => {
                vec![json!({ "id": "filterFieldsByName", "options": { "include": { "names": labels } } })]
            }
            _ => Vec::new(),
        }
    }
}
