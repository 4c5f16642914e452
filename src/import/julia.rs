//! What `BenchmarkTools.save` writes: groups of trials, or of one estimate of each.
//!
//! The keys of the groups are the name, parted by `/`. A trial has every time in nanoseconds of an evaluation; an estimate has one, and
//! does not tell whether it is a median or a minimum. Memory and allocations are those of one evaluation.

use super::collect::{Collector, Point, Reading, entry, known_metric, quantity};
use super::json::{Node, short};
use super::source::{Importer, Source};
use super::{Format, ImportError};
use crate::model::{Direction, Metric, Summary};

pub(super) struct Julia;

impl Importer for Julia {
    fn format(&self) -> Format {
        Format::Julia
    }

    fn recognizes(&self, source: &Source<'_>) -> bool {
        let versions = source.value().and_then(|root| root.get(0));
        versions.is_some_and(|versions| versions.get("Julia").is_some() && versions.get("BenchmarkTools").is_some())
    }

    fn read(&self, source: &Source<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
        let root = source.root()?;
        let parts: Vec<Node<'_>> = root.items()?.collect();
        let [versions, saved] = parts.as_slice() else {
            return Err(root.unexpected("the versions and a list of what was saved"));
        };
        into.tool = versions.text_at("BenchmarkTools").map(|version| format!("BenchmarkTools {}", short(version)));
        into.facts.extend(versions.text_at("Julia").map(|version| ("julia".to_owned(), version.to_owned())));
        saved.items()?.try_for_each(|object| read_object(&object, "", into))
    }
}

/// `["BenchmarkGroup", {…}]`, of older versions `["BenchmarkTools.BenchmarkGroup", {…}]`. The parser bounds how deep groups can be.
fn read_object(object: &Node<'_>, name: &str, into: &mut Collector<'_>) -> Result<(), ImportError> {
    let parts: Vec<Node<'_>> = object.items()?.collect();
    let [kind, fields] = parts.as_slice() else { return Err(object.unexpected("a type and its fields")) };
    let kind = kind.text()?;
    match kind.strip_prefix("BenchmarkTools.").unwrap_or(kind) {
        "BenchmarkGroup" => {
            for (key, member) in fields.need("data")?.fields()? {
                let slash = if name.is_empty() { "" } else { "/" };
                read_object(&member, &format!("{name}{slash}{key}"), into)?;
            }
            Ok(())
        }
        "Trial" => {
            let times = fields.need("times")?;
            let seconds = times.numbers()?.into_iter().map(|time| Ok(quantity(&times.at, time, "ns")?.value));
            add(fields, name, Reading::Values(seconds.collect::<Result<_, ImportError>>()?), into)
        }
        "TrialEstimate" => {
            let time = fields.need("time")?;
            let seconds = quantity(&time.at, time.number()?, "ns")?.value;
            add(fields, name, Reading::Statistics(Summary::single(seconds)), into)
        }
        other => {
            into.left_out(&entry(&object.at, name), format!("`{}`", short(other)), "it is neither a trial nor an estimate");
            Ok(())
        }
    }
}

fn add(fields: &Node<'_>, name: &str, time: Reading, into: &mut Collector<'_>) -> Result<(), ImportError> {
    let point: Point = match name {
        "" => into.unnamed_point(Format::Julia, &fields.at, Vec::new())?,
        name => into.point(&fields.at, name, Vec::new())?,
    };
    let at = entry(&fields.at, name);
    into.add_possible(&at, &point, Metric::time(), time)?;
    for (key, unit) in [("memory", "B"), ("allocs", "{allocs}")] {
        if let Some(value) = fields.number_at(key)? {
            let known = quantity(&at, value, unit)?;
            let metric = known_metric(&at, key, known.unit, Direction::Lower)?;
            into.add_possible(&at, &point, metric, Reading::Statistics(Summary::single(known.value)))?;
        }
    }
    Ok(())
}
