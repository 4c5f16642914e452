//! The text that `go test -bench` prints, the Go benchmark data format.
//!
//! Lines of one name are samples of one benchmark. As Go's own tools do, `Benchmark` is cut from the name; the package
//! goes before it, since two packages may have the same names. Parts of the form `/key=value` are parameters, and so is
//! the `-8` at the end, `gomaxprocs`. A `key: value` header that stays the same is a fact of the testbed; one that
//! changes within the file tells two configurations apart and becomes a parameter.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::collect::{Collector, Point, Reading, entry};
use super::json::short;
use super::source::{Importer, Source};
use super::{Format, ImportError, ImportWarning};
use crate::model::{Direction, Metric, Quantity, Unit};

pub(super) struct GoBench;

impl Importer for GoBench {
    fn format(&self) -> Format {
        Format::GoBench
    }

    fn recognizes(&self, source: &Source<'_>) -> bool {
        source.lines().any(|(_, line)| matches!(parse_result(line), Some(Ok(_))))
    }

    fn read(&self, source: &Source<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
        into.tool = Some("go test".to_owned());
        let report = Report::read(source, into);
        let mut varying = report.varying_headers();
        let constant = report.header.iter().filter(|(key, _)| !varying.contains(*key) && *key != "pkg");
        into.facts.extend(constant.map(|(key, value)| (key.clone(), value.clone())));
        if varying.len() > MOST_VARYING {
            let reason = "so many change within the file that they are no configuration";
            into.left_out("the lines `key: value`", format!("{} keys", varying.len()), reason);
            varying.clear();
        }
        report.add_results(&varying, into)
    }
}

/// More headers than this that change are no configuration, but lines of a log that look like some.
const MOST_VARYING: usize = 64;

type Header = BTreeMap<String, String>;

/// One result line: a name and values with their units.
struct ResultLine<'a> {
    number: usize,
    name: &'a str,
    values: Vec<(f64, &'a str)>,
}

/// A header line that says something new.
struct Change {
    /// How many results stand before it.
    before: usize,
    key: String,
    value: String,
}

/// What a `Unit` line declares.
#[derive(Default)]
struct UnitFacts {
    better: Option<Direction>,
    exact: bool,
}

#[derive(Default)]
struct Report<'a> {
    results: Vec<ResultLine<'a>>,
    changes: Vec<Change>,
    /// What is in force at the end.
    header: Header,
    units: BTreeMap<&'a str, UnitFacts>,
}

impl<'a> Report<'a> {
    fn read(source: &Source<'a>, into: &mut Collector<'_>) -> Self {
        let mut report = Self::default();
        for (number, line) in source.lines() {
            match parse_result(line) {
                Some(Ok((name, values))) => {
                    report.results.push(ResultLine { number, name, values });
                }
                Some(Err(reason)) => into.left_out(&format!("line {number}"), format!("`{}`", short(line)), reason),
                None => report.read_other(number, line, into),
            }
        }
        report
    }

    fn read_other(&mut self, number: usize, line: &'a str, into: &mut Collector<'_>) {
        let at = format!("line {number}");
        let trimmed = line.trim_start();
        if let Some(declaration) = line.strip_prefix("Unit ") {
            self.declare_unit(declaration);
        } else if trimmed.starts_with("--- SKIP:") {
            into.warnings.push(ImportWarning::Skipped { at, reason: short(trimmed) });
        } else if ["--- FAIL:", "FAIL", "panic:"].iter().any(|word| trimmed.starts_with(word)) {
            into.warnings.push(ImportWarning::Failed { at, reason: short(trimmed) });
        } else if let Some((key, value)) = header_line(line) {
            self.set_header(key, value);
        }
    }

    /// `Unit text-bytes better=lower assume=exact`
    fn declare_unit(&mut self, declaration: &'a str) {
        let mut words = declaration.split_whitespace();
        let Some(unit) = words.next() else { return };
        let facts = self.units.entry(unit).or_default();
        for word in words {
            match word {
                "better=lower" => facts.better = Some(Direction::Lower),
                "better=higher" => facts.better = Some(Direction::Higher),
                "assume=exact" => facts.exact = true,
                _ => {}
            }
        }
    }

    /// A header holds for the results after it. Those before it keep the one that was in force.
    fn set_header(&mut self, key: &str, value: &str) {
        if self.header.get(key).is_none_or(|known| known != value) {
            self.header.insert(key.to_owned(), value.to_owned());
            self.changes.push(Change { before: self.results.len(), key: key.to_owned(), value: value.to_owned() });
        }
    }

    /// Headers with two values, or with a value for some results only.
    fn varying_headers(&self) -> BTreeSet<String> {
        let mut header = HashMap::new();
        let mut varying = BTreeSet::new();
        for between in self.changes.chunk_by(|one, other| one.before == other.before) {
            let was: HashMap<&str, Option<&str>> =
                between.iter().map(|change| (change.key.as_str(), header.get(change.key.as_str()).copied())).collect();
            header.extend(between.iter().map(|change| (change.key.as_str(), change.value.as_str())));
            let is_between = (1..self.results.len()).contains(&between[0].before);
            let moved = was.into_iter().filter(|(key, value)| is_between && header.get(key) != value.as_ref());
            varying.extend(moved.map(|(key, _)| key.to_owned()));
        }
        varying.remove("pkg");
        varying
    }

    fn add_results(&self, varying: &BTreeSet<String>, into: &mut Collector<'_>) -> Result<(), ImportError> {
        let mut header = Header::new();
        let mut changes = self.changes.iter().peekable();
        for (at, result) in self.results.iter().enumerate() {
            while let Some(change) = changes.next_if(|change| change.before <= at) {
                header.insert(change.key.clone(), change.value.clone());
            }
            self.add(result, &header, varying, into)?;
        }
        Ok(())
    }

    fn add(
        &self,
        result: &ResultLine<'_>,
        header: &Header,
        varying: &BTreeSet<String>,
        into: &mut Collector<'_>,
    ) -> Result<(), ImportError> {
        let at = entry(&format!("line {}", result.number), result.name);
        let point = read_point(&at, result.name, header, varying, into)?;
        for (value, unit) in &result.values {
            let default = UnitFacts::default();
            let facts = self.units.get(unit).unwrap_or(&default);
            if let Some((metric, value)) = read_metric(&at, *value, unit, facts, into)? {
                into.add(&at, &point, metric, Reading::Repetition(value))?;
            }
        }
        Ok(())
    }
}

type Values<'a> = (&'a str, Vec<(f64, &'a str)>);

/// `BenchmarkName-8  1000  12.3 ns/op  4 B/op`; `None` for other lines, `Err` for one that only begins so.
fn parse_result(line: &str) -> Option<Result<Values<'_>, String>> {
    let mut words = line.split_whitespace();
    let name = words.next()?.strip_prefix("Benchmark")?;
    if name.starts_with(char::is_lowercase) || words.next()?.parse::<u64>().is_err() {
        return None;
    }
    let rest: Vec<&str> = words.collect();
    let (pairs, odd) = rest.as_chunks::<2>();
    if pairs.is_empty() || !odd.is_empty() {
        return Some(Err("a result is a name, a count, and pairs of value and unit".to_owned()));
    }
    let values: Result<Vec<_>, String> = pairs.iter().map(parse_pair).collect();
    Some(values.map(|values| (name, values)))
}

fn parse_pair<'a>(pair: &[&'a str; 2]) -> Result<(f64, &'a str), String> {
    let [number, unit] = *pair;
    let value = number.parse().map_err(|_| format!("`{}` is not a number", short(number)))?;
    Ok((value, unit))
}

/// `goos: linux`: the key starts with a lower-case letter and has neither capitals nor spaces.
fn header_line(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(':')?;
    let well_formed = key.starts_with(char::is_lowercase) && !key.contains(|c: char| c.is_whitespace() || c.is_uppercase());
    well_formed.then_some((key, value.trim()))
}

fn read_point(
    at: &str,
    raw: &str,
    header: &Header,
    varying: &BTreeSet<String>,
    into: &Collector<'_>,
) -> Result<Point, ImportError> {
    let (path, processors) = match raw.rsplit_once('-') {
        Some((path, digits)) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => (path, Some(digits)),
        _ => (raw, None),
    };
    let mut parameters: Vec<(String, String)> = Vec::new();
    let mut name = header.get("pkg").map_or_else(String::new, |package| format!("{package}."));
    for (i, part) in path.split('/').enumerate() {
        match part.split_once('=') {
            Some((key, value)) if i > 0 && !key.is_empty() && parameters.iter().all(|(known, _)| known != key) => {
                parameters.push((key.to_owned(), value.to_owned()));
            }
            _ => {
                let slash = if i > 0 { "/" } else { "" };
                name.push_str(slash);
                name.push_str(part);
            }
        }
    }
    let names: BTreeSet<String> = parameters.iter().map(|(key, _)| key.clone()).collect();
    let from_header = varying.iter().filter_map(|key| Some((key.clone(), header.get(key)?.clone())));
    let extra = processors.map(|count| ("gomaxprocs".to_owned(), count.to_owned())).into_iter().chain(from_header);
    parameters.extend(extra.filter(|(key, _)| !names.contains(key)));
    into.point(at, if name.is_empty() { "Benchmark" } else { &name }, parameters)
}

/// The metric of a unit and the value in base units.
fn read_metric(
    at: &str,
    value: f64,
    unit: &str,
    facts: &UnitFacts,
    into: &mut Collector<'_>,
) -> Result<Option<(Metric, f64)>, ImportError> {
    let (name, quantity) = match unit {
        "ns/op" => ("time", super::collect::quantity(at, value, "ns")?),
        "B/op" => ("bytes_per_op", super::collect::quantity(at, value, "B")?),
        "allocs/op" => ("allocs_per_op", super::collect::quantity(at, value, "{allocs}")?),
        "MB/s" => ("throughput", super::collect::quantity(at, value, "MB/s")?),
        custom => (custom, custom_quantity(value, custom)),
    };
    let better = facts.better.or((unit == "allocs/op").then_some(Direction::Lower));
    let metric = match better {
        Some(better) => Some(super::collect::known_metric(at, name, quantity.unit, better)?),
        None => into.side_metric(at, name, quantity.unit)?,
    };
    Ok(metric.map(|metric| (Metric { exact: facts.exact, ..metric }, quantity.value)))
}

/// `p99-ns`, `text-bytes` and `wait-ms/op` end in a unit; `frames` and `frames/s` are counts of their own.
fn custom_quantity(value: f64, unit: &str) -> Quantity {
    const SUFFIXES: [&str; 13] = ["ns", "us", "µs", "ms", "s", "sec", "B", "bytes", "kB", "MB", "GB", "B/s", "MB/s"];
    let per_op = unit.strip_suffix("/op").unwrap_or(unit);
    let last = per_op.rsplit('-').next().unwrap_or(per_op);
    let known = SUFFIXES.contains(&last).then(|| Quantity::new(value, last).ok()).flatten();
    let counted = || {
        let (word, rate) = per_op.strip_suffix("/s").map_or((per_op, ""), |word| (word, "/s"));
        Quantity::new(value, &format!("{{{word}}}{rate}")).ok()
    };
    known.or_else(counted).unwrap_or(Quantity { value, unit: Unit::ONE })
}
