//! Reading many notes for their numbers: as strict as [`Note::decode`](super::Note::decode), and several times as fast.
//!
//! A history has millions of records and few series. So what names a series is taken as the bytes that the line has,
//! looked up, and understood once; samples and warnings are checked and thrown away, once statistics that follow from a
//! sample are computed. Which lines count as readable is the same as there, line by line: a property test holds the two
//! against each other.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::note::{decode_line, sorted_lines};
use super::v1::{self, Number, StoredSample};
use super::{Entry, MAX_LINE_BYTES, thin};
use crate::model::{BenchmarkName, Config, Direction, Excuse, LineId, Metric, MetricName, Run, Sample, Summary, Unit};

/// What a record is about, without its testbed, which its run names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Point {
    /// The benchmark.
    pub benchmark: BenchmarkName,
    /// The point of it.
    pub config: Config,
    /// The metric, with unit and direction; what it follows from is left out, since that is asked of candidates only.
    pub metric: Metric,
}

/// What was kept of one record.
#[derive(Debug, Clone, PartialEq)]
pub struct Skimmed {
    /// Its id.
    pub id: LineId,
    /// Its run.
    pub run: LineId,
    /// The number of its point in [`Skimmer::points`].
    pub point: usize,
    /// Its statistics.
    pub summary: Summary,
    /// Whether it may never be a baseline.
    pub barred: bool,
    /// The hash of the machine code that ran.
    pub machine_code: Option<String>,
}

/// What was kept of one note.
#[derive(Debug, Default)]
pub struct SkimmedNote {
    /// The runs.
    pub runs: Vec<Run>,
    /// The records.
    pub records: Vec<Skimmed>,
    /// The runs that profiles name.
    pub profiled: Vec<LineId>,
    /// The excuses.
    pub excuses: Vec<Excuse>,
    /// How many lines could not be read.
    pub unreadable: usize,
}

/// Skims notes and remembers the points that it met.
#[derive(Debug, Default)]
pub struct Skimmer {
    points: Vec<Point>,
    /// The place of each among them.
    numbers: HashMap<Point, usize>,
    /// By the bytes that name a point; `None` where they name none.
    known: HashMap<Vec<u8>, Option<usize>>,
    name: Vec<u8>,
}

/// A record line, as far as it is looked at. Every field of the stored form is here, since a fault in any of them makes
/// the line unreadable.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    run: Cow<'a, str>,
    #[serde(borrow)]
    benchmark: Cow<'a, str>,
    #[serde(borrow, default = "no_parameters")]
    config: &'a RawValue,
    #[serde(borrow)]
    metric: Cow<'a, str>,
    #[serde(borrow)]
    unit: Cow<'a, str>,
    #[serde(borrow)]
    better: Cow<'a, str>,
    #[serde(default)]
    exact: bool,
    #[serde(borrow, default, rename = "follows")]
    _follows: Option<Cow<'a, str>>,
    n: u64,
    median: Number,
    #[serde(default)]
    low: Option<Number>,
    #[serde(default)]
    high: Option<Number>,
    #[serde(default)]
    mean: Option<Number>,
    #[serde(default)]
    stddev: Option<Number>,
    #[serde(default)]
    min: Option<Number>,
    #[serde(default)]
    max: Option<Number>,
    #[serde(default)]
    sample: Option<StoredSample>,
    #[serde(default, rename = "warnings")]
    _warnings: Vec<Value>,
    #[serde(borrow, default)]
    barred: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    machine_code: Option<Cow<'a, str>>,
    #[serde(rename = "v")]
    _v: u64,
    #[serde(borrow, rename = "type")]
    _kind: Cow<'a, str>,
}

/// The lines of a note by their ids.
#[derive(Default)]
struct Seen<'a>(HashMap<LineId, &'a [u8]>);

impl<'a> Seen<'a> {
    /// Whether the id is new.
    fn insert(&mut self, id: LineId, line: &'a [u8]) -> bool {
        let known = self.0.entry(id);
        let is_new = matches!(known, std::collections::hash_map::Entry::Vacant(_));
        known.or_insert(line);
        is_new
    }

    /// Whether it is the same record as the line with this id, but for the sample.
    fn is_twin(&mut self, id: LineId, line: &'a [u8]) -> bool {
        let twins = self.0.get(&id).and_then(|first| thin::twins(first, line));
        if twins == Some(Ordering::Less) {
            self.0.insert(id, line);
        }
        twins.is_some()
    }
}

/// Stands for a config that is left out; no line can hold it, since there a null is not left out but wrong.
fn no_parameters() -> &'static RawValue {
    RawValue::TRUE
}

impl Skimmer {
    /// The points of all records so far.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// Reads a note. Never fails, as [`Note::decode`](super::Note::decode) does not.
    pub fn skim(&mut self, note: &[u8]) -> SkimmedNote {
        let mut skimmed = SkimmedNote::default();
        let mut seen = Seen::default();
        for line in sorted_lines([note]) {
            let is_record = line.len() <= MAX_LINE_BYTES && v1::own_kind(line) == Some("record");
            if is_record {
                match self.record(line) {
                    Some(record) if seen.insert(record.id, line) => skimmed.records.push(record),
                    // With and without its sample, it has the same numbers.
                    Some(record) if seen.is_twin(record.id, line) => {}
                    _ => skimmed.unreadable += 1,
                }
                continue;
            }
            match decode_line(line) {
                Ok(Entry::Run(run)) if seen.insert(run.id, line) => skimmed.runs.push(run),
                Ok(Entry::Excuse(excuse)) if seen.insert(excuse.id, line) => skimmed.excuses.push(excuse),
                Ok(Entry::Profile(profile)) if seen.insert(profile.id, line) => skimmed.profiled.push(profile.run),
                // Written by another program, with its fields in another order.
                Ok(Entry::Record(record)) if seen.insert(record.id, line) => {
                    let metric = Metric { follows: None, ..record.metric };
                    let point = Point { benchmark: record.benchmark, config: record.config, metric };
                    skimmed.records.push(Skimmed {
                        id: record.id,
                        run: record.run,
                        point: self.point(point),
                        summary: record.summary,
                        barred: record.barred.is_some(),
                        machine_code: record.machine_code,
                    });
                }
                _ => skimmed.unreadable += 1,
            }
        }
        skimmed
    }

    fn record(&mut self, line: &[u8]) -> Option<Skimmed> {
        let line: Line<'_> = serde_json::from_slice(line).ok()?;
        let point = self.point_of(&line)?;
        let number = |number: Option<Number>| number.map(|number| number.0);
        let summary = Summary {
            n: line.n,
            median: line.median.0,
            low: number(line.low),
            high: number(line.high),
            mean: number(line.mean),
            stddev: number(line.stddev),
            min: number(line.min),
            max: number(line.max),
        };
        let sample: Option<Sample> = match &line.sample {
            Some(sample) => Some(v1::load_sample(sample)?),
            None => None,
        };
        let summary = v1::with_what_follows(summary, sample.as_ref());
        summary.check(&self.points.get(point)?.metric.unit).ok()?;
        let (id, run) = (line.id.parse().ok()?, line.run.parse().ok()?);
        let machine_code = v1::load_machine_code(line.machine_code.map(Cow::into_owned));
        Some(Skimmed { id, run, point, summary, barred: line.barred.is_some(), machine_code })
    }

    /// The number of the point that a line names; `None` where it names none.
    fn point_of(&mut self, line: &Line<'_>) -> Option<usize> {
        self.name.clear();
        for part in [&line.benchmark, line.config.get(), &line.metric, &line.unit, &line.better] {
            self.name.extend_from_slice(&(part.len() as u64).to_le_bytes());
            self.name.extend_from_slice(part.as_bytes());
        }
        self.name.push(u8::from(line.exact));
        if let Some(known) = self.known.get(&self.name) {
            return *known;
        }
        let number = understand(line).map(|point| self.point(point));
        self.known.insert(self.name.clone(), number);
        number
    }

    fn point(&mut self, point: Point) -> usize {
        let next = self.points.len();
        let number = *self.numbers.entry(point.clone()).or_insert(next);
        if number == next {
            self.points.push(point);
        }
        number
    }
}

fn understand(line: &Line<'_>) -> Option<Point> {
    let is_left_out = std::ptr::eq(line.config, no_parameters());
    let config: Map<String, Value> = if is_left_out { Map::new() } else { serde_json::from_str(line.config.get()).ok()? };
    Some(Point {
        benchmark: BenchmarkName::new(&*line.benchmark).ok()?,
        config: v1::load_config(config).ok()?,
        metric: Metric {
            name: MetricName::new(&*line.metric).ok()?,
            unit: Unit::from_symbol(&line.unit).ok()?,
            better: line.better.parse::<Direction>().ok()?,
            exact: line.exact,
            follows: None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Note;

    /// Both ways of reading agree on every line.
    #[track_caller]
    fn check(note: &[u8]) {
        let whole = Note::decode(note);
        let mut skimmer = Skimmer::default();
        let skimmed = skimmer.skim(note);
        assert_eq!(skimmed.profiled, whole.profiles.iter().map(|profile| profile.run).collect::<Vec<_>>());
        assert_eq!((skimmed.runs, skimmed.excuses, skimmed.unreadable), (whole.runs, whole.excuses, whole.unreadable.len()));
        assert_eq!(skimmed.records.len(), whole.records.len());
        for (skimmed, whole) in skimmed.records.iter().zip(&whole.records) {
            assert_eq!((skimmed.id, skimmed.run, &skimmed.summary), (whole.id, whole.run, &whole.summary));
            assert_eq!((skimmed.barred, &skimmed.machine_code), (whole.barred.is_some(), &whole.machine_code));
            let Point { benchmark, config, metric } = &skimmer.points()[skimmed.point];
            let expected = Metric { follows: None, ..whole.metric.clone() };
            assert_eq!((benchmark, config, metric), (&whole.benchmark, &whole.config, &expected));
        }
    }

    const FROZEN: &str = concat!(
        include_str!("../../tests/data/notes/v1.jsonl"),
        include_str!("../../tests/data/notes/v1-whole-samples.jsonl"),
        include_str!("../../tests/data/notes/v1-follows.jsonl"),
    );

    #[test]
    fn frozen_notes_are_read_alike() {
        check(FROZEN.as_bytes());
    }

    #[test]
    fn configs_that_are_left_out_or_wrong_are_told_apart() {
        let line = |config: &str| {
            format!(
                r#"{{"v":1,"type":"record","id":"01KJ9KEJC00000000000000001","run":"01KJ9KEJC00000000000000000","benchmark":"b",{config}"metric":"time","unit":"s","better":"lower","n":1,"median":1}}"#
            )
        };
        for config in ["", r#""config":{},"#, r#""config":null,"#, r#""config":true,"#, r#""config":{"a":1,"b":"x"},"#] {
            check(line(config).as_bytes());
        }
    }

    const RECORD: &str = r#"{"v":1,"type":"record","id":"01KJ9KEJC00000000000000001","run":"01KJ9KEJC00000000000000000","benchmark":"b","metric":"time","unit":"s","better":"lower","n":1,"median":1}"#;

    /// As another program may write it: read in full, since a skim knows one order only.
    #[test]
    fn fields_in_another_order_are_read_alike() {
        let foreign =
            RECORD.replacen(r#""v":1,"type":"record","#, "", 1).replacen("}", r#","type":"record","v":1,"follows":"cycles"}"#, 1);
        check(foreign.as_bytes());
        assert_eq!(Skimmer::default().skim(foreign.as_bytes()).records.len(), 1);
        check(format!("{RECORD}\n{foreign}").as_bytes());
    }

    #[test]
    fn ids_that_are_used_twice_are_told_alike() {
        let foreign = RECORD.replacen(r#""v":1,"type":"record","#, r#""type":"record","v":1,"#, 1);
        let of_kind = |kind: &str| FROZEN.lines().find(|line| line.contains(&format!(r#""type":"{kind}""#))).unwrap().to_owned();
        for line in [RECORD.to_owned(), foreign, of_kind("run"), of_kind("excuse"), of_kind("profile")] {
            let other = format!(r#"{},"later":1}}"#, line.strip_suffix('}').unwrap());
            let note = format!("{line}\n{other}");
            check(note.as_bytes());
            assert_eq!(Skimmer::default().skim(note.as_bytes()).unreadable, 1, "{line}");
        }
    }

    #[test]
    fn a_line_may_have_so_many_bytes_and_no_more() {
        for (length, unreadable) in [(MAX_LINE_BYTES, 0), (MAX_LINE_BYTES + 1, 1)] {
            for line in [RECORD, FROZEN.lines().find(|line| line.contains(r#""type":"excuse""#)).unwrap()] {
                let start = line.strip_suffix('}').unwrap();
                let padding = length - start.len() - r#","later":""}"#.len();
                let line = format!(r#"{start},"later":"{}"}}"#, "x".repeat(padding));
                assert_eq!(line.len(), length);
                check(line.as_bytes());
                assert_eq!(Skimmer::default().skim(line.as_bytes()).unreadable, unreadable);
            }
        }
    }

    proptest::proptest! {
        /// Any bytes put anywhere into real lines.
        #[test]
        fn damaged_notes_are_read_alike(at in 0_usize..FROZEN.len(), cut in 0_usize..6, put in "[ -~]{0,6}") {
            let mut note = FROZEN.as_bytes().to_vec();
            let end = (at + cut).min(note.len());
            note.splice(at..end, put.into_bytes());
            check(&note);
        }
    }
}
