//! Bencher Metric Format: `{"benchmark": {"measure": {"value": 1.0, "lower_value"?, "upper_value"?}}}`.
//!
//! The format names neither units nor directions; Bencher's built-in measures have them by definition, any other is a
//! plain number whose direction comes from the options or from its name. The boundary values are not imported: what
//! they bound differs from adapter to adapter (a range, an interval, a deviation), and the statistics must not guess.

use serde_json::Value;

use super::collect::{Collector, Reading, entry, known_metric};
use super::source::{Importer, Source};
use super::{Format, ImportError};
use crate::model::{Direction, Metric, Quantity, Summary, Unit};

pub(super) struct Bmf;

/// The measures that Bencher defines: name, spelled unit, direction.
const BUILT_IN: [(&str, &str, Direction); 4] = [
    ("latency", "ns", Direction::Lower),
    ("throughput", "ops/s", Direction::Higher),
    ("build-time", "s", Direction::Lower),
    ("file-size", "B", Direction::Lower),
];

impl Importer for Bmf {
    fn format(&self) -> Format {
        Format::Bmf
    }

    fn recognizes(&self, source: &Source<'_>) -> bool {
        let benchmarks = source.value().and_then(Value::as_object);
        benchmarks.is_some_and(|benchmarks| !benchmarks.is_empty() && benchmarks.values().all(is_benchmark))
    }

    fn read(&self, source: &Source<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
        for (name, benchmark) in source.root()?.fields()? {
            let point = into.point(&entry("benchmark", name), name, Vec::new())?;
            for (measure, node) in benchmark.fields()? {
                let value = node.need("value")?;
                let (metric, value) = read_measure(&node.at, measure, value.number()?, into)?;
                into.add(&node.at, &point, metric, Reading::Statistics(Summary::single(value)))?;
            }
        }
        Ok(())
    }
}

fn is_benchmark(measures: &Value) -> bool {
    let measures = measures.as_object().filter(|measures| !measures.is_empty());
    measures.is_some_and(|measures| measures.values().all(|measure| measure.get("value").is_some_and(Value::is_number)))
}

fn read_measure(at: &str, measure: &str, value: f64, into: &Collector<'_>) -> Result<(Metric, f64), ImportError> {
    let built_in = BUILT_IN.iter().find(|(name, _, _)| *name == measure);
    let Some((name, unit, better)) = built_in else {
        return Ok((into.metric_as_asked(at, measure, Unit::ONE)?, value));
    };
    let Quantity { value, unit } = super::collect::quantity(at, value, unit)?;
    Ok((known_metric(at, name, unit, *better)?, value))
}
