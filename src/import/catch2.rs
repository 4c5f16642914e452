//! What Catch2 prints of its benchmarks, versions 2 and 3.
//!
//! Test case and sections are part of the name, before it. The value is the mean, since no median is printed; what bounds it does so at
//! a level that is not printed. A benchmark outside of the sections of its test case runs again for each of them: the first counts.

use std::collections::HashSet;

use super::collect::{Collector, Reading, entry};
use super::json::short;
use super::source::{Importer, Source};
use super::text::{duration, without_colours};
use super::{Format, ImportError, ImportWarning};
use crate::model::{Metric, Summary};

pub(super) struct Catch2;

impl Importer for Catch2 {
    fn format(&self) -> Format {
        Format::Catch2
    }

    fn recognizes(&self, source: &Source<'_>) -> bool {
        source.lines().any(|(_, line)| Columns::of(&without_colours(line)).is_some())
    }

    fn read(&self, source: &Source<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
        into.tool = Some("Catch2".to_owned());
        let mut reader = Reader::default();
        for (number, line) in source.lines() {
            reader.take(number, without_colours(line).trim_end(), into)?;
        }
        reader.finish(into)
    }
}

/// Where the columns of a table begin, counted in characters, and whether it has the mean only.
struct Columns {
    numbers: usize,
    only_mean: bool,
}

impl Columns {
    /// `benchmark name    samples    iterations    est run time`, or `… mean` where nothing is analysed.
    fn of(line: &str) -> Option<Self> {
        let rest = line.strip_prefix("benchmark name ")?;
        let words: Vec<&str> = rest.split_whitespace().collect();
        let numbers = line.find("samples").filter(|_| words.get(1) == Some(&"iterations"))?;
        Some(Self { numbers, only_mean: words.get(2) == Some(&"mean") })
    }
}

/// A line of dashes parts a title from a table and a table from the next title.
#[derive(Default)]
enum Place {
    #[default]
    Between,
    Title,
    Header(Columns),
    Table(Columns),
}

#[derive(Default)]
struct Reader {
    place: Place,
    title: Vec<String>,
    /// The name so far: a long one is broken into several lines.
    name: String,
    /// Number of samples of the benchmark whose times are awaited, and its line.
    samples: Option<(u64, usize)>,
    mean: Option<f64>,
    seen: HashSet<String>,
}

impl Reader {
    fn take(&mut self, number: usize, line: &str, into: &mut Collector<'_>) -> Result<(), ImportError> {
        if line.len() > 20 && line.bytes().all(|byte| byte == b'-') {
            self.place = match std::mem::take(&mut self.place) {
                Place::Header(columns) => Place::Table(columns),
                Place::Title => Place::Between,
                Place::Between | Place::Table(_) => {
                    self.finish(into)?;
                    self.title.clear();
                    Place::Title
                }
            };
        } else if line.len() > 20 && line.bytes().all(|byte| byte == b'=') {
            self.finish(into)?;
            self.place = Place::Between;
        } else if let Some(columns) = Columns::of(line) {
            self.place = Place::Header(columns);
        } else if matches!(self.place, Place::Title) {
            self.title.push(line.trim().to_owned());
        } else if let Place::Table(Columns { numbers, only_mean }) = self.place {
            let split = line.char_indices().nth(numbers).map_or(line.len(), |(start, _)| start);
            self.row(number, line[..split].trim(), line[split..].trim(), only_mean, into)?;
        }
        Ok(())
    }

    fn row(
        &mut self,
        number: usize,
        name: &str,
        cells: &str,
        only_mean: bool,
        into: &mut Collector<'_>,
    ) -> Result<(), ImportError> {
        if !name.is_empty() {
            if self.samples.is_some() {
                self.finish(into)?;
            }
            let space = if self.name.is_empty() { "" } else { " " };
            self.name = format!("{}{space}{name}", self.name);
        }
        let words: Vec<&str> = cells.split_whitespace().collect();
        if let Some(reason) = cells.strip_prefix("Benchmark failed") {
            let at = entry(&format!("line {number}"), &self.full_name());
            let reason = short(reason.trim().trim_start_matches('(').trim_end_matches(')'));
            into.warnings.push(ImportWarning::Failed { at, reason });
            self.name.clear();
        } else if let ([samples, _, value, unit], None) = (words.as_slice(), self.samples) {
            self.samples = samples.parse().ok().map(|samples| (samples, number));
            if only_mean {
                self.mean = duration(&format!("{value} {unit}"));
                self.finish(into)?;
            }
        } else if let ([value, unit, ..], Some(_)) = (words.as_slice(), self.samples) {
            let time = duration(&format!("{value} {unit}"));
            match self.mean {
                None => self.mean = time,
                Some(_) => self.add(time, into)?,
            }
        }
        Ok(())
    }

    /// Takes the benchmark that is being read, if there is one with a mean.
    fn finish(&mut self, into: &mut Collector<'_>) -> Result<(), ImportError> {
        self.add(None, into)
    }

    fn add(&mut self, stddev: Option<f64>, into: &mut Collector<'_>) -> Result<(), ImportError> {
        let (name, samples, mean) = (self.full_name(), self.samples.take(), self.mean.take());
        self.name.clear();
        let Some(((n, number), mean)) = samples.zip(mean) else { return Ok(()) };
        let at = format!("line {number}");
        if !self.seen.insert(name.clone()) {
            into.left_out(&entry(&at, &name), "the benchmark", "it was measured before");
            return Ok(());
        }
        let point = into.point(&at, &name, Vec::new())?;
        let summary = Summary { n, mean: Some(mean), stddev, ..Summary::single(mean) };
        into.add_possible(&entry(&at, &name), &point, Metric::time(), Reading::Statistics(summary))
    }

    fn full_name(&self) -> String {
        let parts = self.title.iter().chain([&self.name]).filter(|part| !part.is_empty());
        parts.map(String::as_str).collect::<Vec<_>>().join("/")
    }
}
