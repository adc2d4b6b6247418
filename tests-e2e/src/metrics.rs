//! What services tell in the Prometheus text format, and what the reference says that they tell.

use std::collections::{BTreeMap, BTreeSet};

/// One sample: its name as it stands in the text, its labels, and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The name, of a histogram with `_bucket`, `_sum` or `_count`.
    pub name: String,
    /// Values by labels.
    pub labels: BTreeMap<String, String>,
    /// What was counted or measured.
    pub value: f64,
}

/// What one process tells.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// Types by the names of series.
    pub types: BTreeMap<String, String>,
    /// Every sample.
    pub samples: Vec<Sample>,
}

impl Told {
    /// Reads the text format.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut told = Self::default();
        for line in text.lines() {
            if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
                told.types.insert(name.to_owned(), kind.to_owned());
            } else if !line.starts_with('#') {
                told.samples.extend(Sample::read(line));
            }
        }
        told
    }

    /// The values of the samples of this name that have these labels, together; `None` when there are none.
    #[must_use]
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let has = |sample: &Sample, (label, value): &(&str, &str)| {
            sample.labels.get(*label).is_some_and(|found| found == value)
        };
        let samples = self.samples.iter().filter(|sample| sample.name == name);
        let samples = samples.filter(|sample| labels.iter().all(|label| has(sample, label)));
        samples.map(|sample| sample.value).reduce(|sum, next| sum + next)
    }

    /// The series of a sample: its name, of a histogram without the ending.
    #[must_use]
    pub fn series<'s>(&self, sample: &'s Sample) -> &'s str {
        let endings = ["_bucket", "_sum", "_count"];
        let base = endings.into_iter().find_map(|ending| sample.name.strip_suffix(ending));
        base.filter(|base| self.types.get(*base).is_some_and(|kind| kind == "histogram"))
            .unwrap_or(&sample.name)
    }
}

impl Sample {
    fn read(line: &str) -> Option<Self> {
        let (sample, value) = line.rsplit_once(' ')?;
        let (name, labels) = sample.split_once('{').unwrap_or((sample, "}"));
        let mut rest = labels.strip_suffix('}')?;
        let mut labels = BTreeMap::new();
        while let Some((label, after)) = rest.split_once("=\"") {
            // No value of ours holds a quotation mark.
            let (value, after) = after.split_once('"')?;
            labels.insert(label.to_owned(), value.to_owned());
            rest = after.trim_start_matches(',');
        }
        Some(Self { name: name.to_owned(), labels, value: value.parse().ok()? })
    }
}

/// A series, as the reference describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documented {
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    /// Its labels.
    pub labels: BTreeSet<String>,
}

/// Which values a label may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values {
    /// These and no others.
    Closed(BTreeSet<String>),
    /// At most so many different ones in a process.
    AtMost(usize),
}

/// The reference, read from its tables.
#[derive(Debug, Clone, Default)]
pub struct Reference {
    /// By name.
    pub series: BTreeMap<String, Documented>,
    /// By label, and by series where it matters.
    values: BTreeMap<(String, Option<String>), Values>,
}

impl Reference {
    /// Reads the page.
    ///
    /// # Panics
    /// When the same thing stands there twice.
    #[must_use]
    pub fn read(page: &str) -> Self {
        let mut reference = Self::default();
        for row in page.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            match cells.as_slice() {
                [name, kind @ ("counter" | "gauge" | "histogram"), labels, _what] => {
                    let labels = code(labels).collect();
                    let documented = Documented { kind: (*kind).to_owned(), labels };
                    let name = code(name).next().expect("a name");
                    let before = reference.series.insert(name, documented);
                    assert!(before.is_none(), "twice: {row}");
                }
                [label, series, values] => reference.add_values(label, series, values),
                _ => panic!("a row that is none: {row}"),
            }
        }
        reference
    }

    fn add_values(&mut self, label: &str, series: &str, values: &str) {
        let label = code(label).next().expect("a label");
        let most = values.strip_prefix("at most ").and_then(|rest| rest.split(':').next());
        let values = most.map_or_else(
            || Values::Closed(code(values).collect()),
            |most| Values::AtMost(most.parse().expect("a number")),
        );
        let series: Vec<Option<String>> = code(series).map(Some).collect();
        let series = if series.is_empty() { vec![None] } else { series };
        for series in series {
            let before = self.values.insert((label.clone(), series), values.clone());
            assert!(before.is_none(), "twice: {label}");
        }
    }

    /// The values of a label of a series.
    #[must_use]
    pub fn values(&self, label: &str, series: &str) -> Option<&Values> {
        let of = |series| self.values.get(&(label.to_owned(), series));
        of(Some(series.to_owned())).or_else(|| of(None))
    }
}

/// The pieces of code in a cell.
fn code(cell: &str) -> impl Iterator<Item = String> + '_ {
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}
