//! The text of Rust's own `#[bench]`: `test sum ... bench:  415.90 ns/iter (+/- 307.12) = 47627 MB/s`.
//!
//! The first number is a median; the one in brackets is the distance of the largest value from the smallest, which is nothing that a
//! record keeps. The rate follows from the time.

use super::collect::{Collector, Reading, entry, known_metric};
use super::json::short;
use super::source::{Importer, Source};
use super::text::{duration, number, without_colours};
use super::{Format, ImportError, ImportWarning};
use crate::model::{Direction, Metric, Quantity, Summary, Unit};

pub(super) struct Libtest;

impl Importer for Libtest {
    fn format(&self) -> Format {
        Format::Libtest
    }

    fn recognizes(&self, source: &Source<'_>) -> bool {
        source.lines().any(|(_, line)| line.contains("bench:") && parse(&without_colours(line)).is_some())
    }

    fn read(&self, source: &Source<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
        into.tool = Some("libtest".to_owned());
        for (number, line) in source.lines() {
            let line = without_colours(line);
            let at = format!("line {number}");
            if let Some(result) = parse(&line) {
                add(&at, &result, into)?;
            } else if line.starts_with("test ") && line.trim_end().ends_with("... FAILED") {
                into.warnings.push(ImportWarning::Failed { at, reason: short(line.trim_end()) });
            }
        }
        Ok(())
    }
}

struct Bench<'a> {
    name: &'a str,
    seconds: f64,
    bytes_per_second: Option<f64>,
}

fn parse(line: &str) -> Option<Bench<'_>> {
    let (name, result) = line.strip_prefix("test ")?.split_once(" ... bench:")?;
    let (time, rest) = result.split_once("/iter")?;
    let rate = rest.rsplit_once("= ").and_then(|(_, rate)| rate.trim().strip_suffix(" MB/s"));
    let bytes_per_second = rate.and_then(number).and_then(|rate| Quantity::new(rate, "MB/s").ok()).map(|rate| rate.value);
    Some(Bench { name: name.trim_end(), seconds: duration(time)?, bytes_per_second })
}

fn add(at: &str, bench: &Bench<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
    let point = into.point(at, bench.name, Vec::new())?;
    let at = entry(at, bench.name);
    into.add_possible(&at, &point, Metric::time(), Reading::Statistics(Summary::single(bench.seconds)))?;
    if let Some(rate) = bench.bytes_per_second {
        let metric = known_metric(&at, "throughput", Unit::BYTE_PER_SECOND, Direction::Higher)?;
        let metric = metric.following(&Metric::time().name);
        into.add_possible(&at, &point, metric, Reading::Statistics(Summary::single(rate)))?;
    }
    Ok(())
}
