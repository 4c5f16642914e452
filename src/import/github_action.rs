//! The custom format of github-action-benchmark: an array of `{"name", "unit", "value", "range"?, "extra"?}`.
//!
//! Whether smaller or bigger is better stands in the workflow, not in the file, so `--better` wins here over what the
//! unit suggests. The unit is free text; the metric is named after the kind of unit. `range` is, in the words of the
//! action, the variance of the value: it is read as a standard deviation, absolute or in percent of the value.

use serde_json::Value;

use super::collect::{Collector, Reading, entry, quantity};
use super::json::{Node, short};
use super::source::{Importer, Source};
use super::text::{loose_quantity, metric_for};
use super::{Format, ImportError};
use crate::model::{Quantity, Summary};

pub(super) struct GithubActionBenchmark;

impl Importer for GithubActionBenchmark {
    fn format(&self) -> Format {
        Format::GithubActionBenchmark
    }

    fn recognizes(&self, source: &Source<'_>) -> bool {
        let fields = ["name", "unit", "value"];
        let is_entry = |entry: &Value| fields.iter().all(|field| entry.get(field).is_some());
        source.value().and_then(Value::as_array).is_some_and(|list| !list.is_empty() && list.iter().all(is_entry))
    }

    fn read(&self, source: &Source<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
        source.root()?.items()?.try_for_each(|node| read_entry(&node, into))
    }
}

fn read_entry(node: &Node<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
    let name = node.need("name")?.text()?;
    let at = entry(&node.at, name);
    let point = into.point(&node.at, name, Vec::new())?;
    let spelled = node.need("unit")?.text()?;
    let raw = node.need("value")?.number()?;
    let Quantity { value, unit } = match loose_quantity(raw, spelled) {
        Some(known) => known,
        None => quantity(&at, raw, spelled)?,
    };
    let metric = into.metric_as_asked(&at, metric_for(&unit), unit)?;
    let stddev = node.get("range").and_then(|range| read_range(&range, raw, &at, into)).map(|spread| spread * scale(raw, value));
    into.add(&at, &point, metric, Reading::Statistics(Summary { stddev, ..Summary::single(value) }))
}

/// What one unit of the file is in base units.
fn scale(raw: f64, base: f64) -> f64 {
    if raw == 0.0 { 1.0 } else { base / raw }
}

/// `± 3%`, `+/- 975`, `stddev: 0.1` or a bare number, in the unit of the file.
fn read_range(range: &Node<'_>, value: f64, at: &str, into: &mut Collector<'_>) -> Option<f64> {
    let text = range.scalar()?;
    let bare = text.trim_start_matches("stddev:").trim_start_matches(|c: char| c.is_whitespace() || "±+-/".contains(c)).trim();
    let (number, percent) = bare.strip_suffix('%').map_or((bare, false), |number| (number.trim(), true));
    let spread = number.replace(',', "").parse::<f64>().ok().filter(|spread| spread.is_finite());
    if spread.is_none() {
        into.left_out(at, "the range", format!("`{}` is neither a number nor a percentage", short(&text)));
    }
    spread.map(|spread| if percent { spread / 100.0 * value.abs() } else { spread })
}
