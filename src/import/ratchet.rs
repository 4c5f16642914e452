//! git-ratchet's own JSON, for programs that have no format: `docs/results.schema.json` describes it.
//!
//! ```json
//! {"version": 1, "results": [
//!   {"benchmark": "attention", "config": {"B": 32, "H": 8}, "unit": "ms", "values": [1.31, 1.29, 1.30]},
//!   {"benchmark": "attention", "config": {"B": 32, "H": 8}, "metric": "registers", "unit": "1", "value": 64, "exact": true}
//! ]}
//! ```
//!
//! A field that is not in the schema is an error: a misspelled `better` must not go unnoticed.

use super::collect::{Collector, Reading, entry, quantity};
use super::json::{Node, short};
use super::source::{Importer, Source};
use super::{Format, ImportError};
use crate::model::{Direction, Metric, MetricName, Quantity, Summary, Unit};

pub(super) struct Ratchet;

const FILE_FIELDS: &[&str] = &["$schema", "version", "testbed", "tool", "time", "results"];
const POINT_FIELDS: &[&str] = &["benchmark", "config", "metric", "unit", "better", "exact"];
const VALUE_FIELDS: &[&str] = &["value", "values", "n", "median", "mean", "low", "high", "stddev", "min", "max"];

impl Importer for Ratchet {
    fn format(&self) -> Format {
        Format::Ratchet
    }

    fn recognizes(&self, source: &Source<'_>) -> bool {
        let Some(root) = source.value() else { return false };
        let first = root.get("results").and_then(|results| results.get(0));
        root.get("version").is_some() && first.is_some_and(|first| first.get("benchmark").is_some())
    }

    fn read(&self, source: &Source<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
        let root = source.root()?;
        let version = root.need("version")?;
        if version.value.as_u64() != Some(1) {
            return Err(ImportError::UnknownVersion { format: Format::Ratchet, found: short(&version.value.to_string()) });
        }
        refuse_unknown_fields(&root, &[FILE_FIELDS])?;
        into.testbed = root.get("testbed").map(|node| node.text()).transpose()?.map(str::to_owned);
        into.tool = root.get("tool").map(|node| node.text()).transpose()?.map(str::to_owned);
        if let Some(time) = root.get("time") {
            let parsed = super::text::time(time.text()?);
            into.time = Some(parsed.ok_or_else(|| time.unexpected("a time such as 2026-11-20T21:15:16Z"))?);
        }
        root.need("results")?.items()?.try_for_each(|result| read_result(&result, into))
    }
}

fn refuse_unknown_fields(node: &Node<'_>, known: &[&[&str]]) -> Result<(), ImportError> {
    match node.fields()?.find(|(key, _)| !known.iter().any(|group| group.contains(key))) {
        Some((_, field)) => Err(ImportError::UnknownField { at: field.at }),
        None => Ok(()),
    }
}

fn read_result(result: &Node<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
    refuse_unknown_fields(result, &[POINT_FIELDS, VALUE_FIELDS])?;
    let name = result.need("benchmark")?.text()?;
    let parameters = result.get("config").map_or_else(|| Ok(Vec::new()), |config| config.parameters())?;
    let point = into.point(&result.at, name, parameters)?;
    let at = entry(&result.at, name);
    let spelled = result.need("unit")?;
    let base = Base { at: &at, spelled: spelled.text()?, unit: quantity(&spelled.at, 1.0, spelled.text()?)?.unit };
    let reading = read_reading(result, &base)?;
    let metric = read_metric(result, &at, base.unit, into)?;
    into.add(&at, &point, metric, reading)
}

/// The unit of one result.
struct Base<'a> {
    at: &'a str,
    spelled: &'a str,
    unit: Unit,
}

impl Base<'_> {
    fn value(&self, value: f64) -> Result<f64, ImportError> {
        quantity(self.at, value, self.spelled).map(|Quantity { value, .. }| value)
    }
}

fn read_metric(result: &Node<'_>, at: &str, unit: Unit, into: &Collector<'_>) -> Result<Metric, ImportError> {
    let name = result.get("metric").map_or(Ok(MetricName::TIME), |node| node.text())?;
    let mut metric = match result.get("better") {
        None => into.metric(at, name, unit)?,
        Some(word) => {
            let better = match word.text()? {
                "lower" => Direction::Lower,
                "higher" => Direction::Higher,
                _ => return Err(word.unexpected("\"lower\" or \"higher\"")),
            };
            super::collect::known_metric(at, name, unit, better)?
        }
    };
    if let Some(exact) = result.get("exact") {
        metric.exact = exact.value.as_bool().ok_or_else(|| exact.unexpected("true or false"))?;
    }
    Ok(metric)
}

/// Exactly one of `value`, `values` and statistics.
fn read_reading(result: &Node<'_>, base: &Base<'_>) -> Result<Reading, ImportError> {
    let given = |key: &str| result.value.get(key).is_some();
    let forms = [given("value"), given("values"), VALUE_FIELDS[2..].iter().any(|key| given(key))];
    if forms.iter().filter(|form| **form).count() != 1 {
        return Err(result.unexpected("exactly one of `value`, `values`, or statistics with a `median` or `mean`"));
    }
    if forms[0] {
        let value = base.value(result.need("value")?.number()?)?;
        return Ok(Reading::Statistics(Summary::single(value)));
    }
    if forms[1] {
        let values = result.need("values")?.numbers()?;
        return values.into_iter().map(|value| base.value(value)).collect::<Result<_, _>>().map(Reading::Values);
    }
    read_statistics(result, base).map(Reading::Statistics)
}

fn read_statistics(result: &Node<'_>, base: &Base<'_>) -> Result<Summary, ImportError> {
    let field = |key: &str| result.number_at(key)?.map(|value| base.value(value)).transpose();
    let mean = field("mean")?;
    let median = field("median")?.or(mean).ok_or_else(|| result.unexpected("a `median` or a `mean`"))?;
    let summary = Summary {
        n: result.get("n").map_or(Ok(1), |n| n.count())?,
        median,
        low: field("low")?,
        high: field("high")?,
        mean,
        stddev: field("stddev")?,
        min: field("min")?,
        max: field("max")?,
    };
    let above = [summary.low, summary.min].into_iter().flatten().any(|bound| bound > median);
    let below = [summary.high, summary.max].into_iter().flatten().any(|bound| bound < median);
    if above || below || summary.n == 0 {
        return Err(result.unexpected("statistics with low ≤ median ≤ high, min ≤ median ≤ max and n ≥ 1"));
    }
    Ok(summary)
}
