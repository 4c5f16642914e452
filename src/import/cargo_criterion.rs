//! The messages of `cargo criterion --message-format json`, one JSON object per line.
//!
//! Totals are divided by iteration counts, as in criterion's own folder; here the unit of a custom measurement is named.

use super::collect::{Collector, Reading, quantity};
use super::criterion::per_iteration;
use super::json::{Node, parse};
use super::source::{Importer, Source};
use super::text::metric_for;
use super::{Format, ImportError};

pub(super) struct CargoCriterion;

impl Importer for CargoCriterion {
    fn format(&self) -> Format {
        Format::CargoCriterion
    }

    fn recognizes(&self, source: &Source<'_>) -> bool {
        let reason = source.first_line().and_then(|line| line.get("reason")?.as_str());
        reason.is_some_and(|reason| matches!(reason, "benchmark-complete" | "group-complete"))
    }

    fn read(&self, source: &Source<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
        into.tool = Some("cargo-criterion".to_owned());
        for (number, line) in source.lines() {
            let at = format!("line {number}");
            let value = parse(line.trim()).map_err(|error| error.in_line(number))?;
            let message = Node::root(&value, at.as_str());
            if message.text_at("reason") == Some("benchmark-complete") {
                read_benchmark(&message, into)?;
            }
        }
        Ok(())
    }
}

fn read_benchmark(message: &Node<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
    let unit = message.need("unit")?;
    let spelled = unit.text()?;
    let base = quantity(&unit.at, 1.0, spelled)?.unit;
    let to_base = |value| quantity(&unit.at, value, spelled).map(|quantity| quantity.value);
    let values = per_iteration(&message.need("iteration_count")?, &message.need("measured_values")?, to_base)?;
    let point = into.point(&message.at, message.need("id")?.text()?, Vec::new())?;
    let metric = into.metric(&message.at, metric_for(&base), base)?;
    into.add(&message.at, &point, metric, Reading::Values(values))
}
