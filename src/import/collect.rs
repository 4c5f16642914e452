//! The gate between a format and the model: every name, unit and number passes here and is checked.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use chrono::{DateTime, Utc};

use super::json::short;
use super::{Format, ImportError, ImportOptions, ImportWarning, Imported};
use crate::model::{
    BenchmarkName, Config, Direction, InvalidValue, MAX_NAME_BYTES, Measurement, Metric, MetricName, Quantity, Summary, Unit,
    is_unshowable,
};
use crate::stats;

/// A point of a benchmark, checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Point {
    benchmark: BenchmarkName,
    config: Config,
}

/// What a file says about one metric of one point, in base units.
#[derive(Debug, Clone)]
pub(super) enum Reading {
    /// Every value, in the order measured.
    Values(Vec<f64>),
    /// One repetition of several that stand in the file one by one.
    Repetition(f64),
    /// Statistics without the values.
    Statistics(Summary),
}

/// Builds an [`Imported`] entry by entry.
pub(super) struct Collector<'o> {
    options: &'o ImportOptions,
    /// The measuring program.
    pub tool: Option<String>,
    /// The testbed that the file names.
    pub testbed: Option<String>,
    /// When it was measured.
    pub time: Option<DateTime<Utc>>,
    /// Facts about the testbed.
    pub facts: BTreeMap<String, String>,
    /// What was left out.
    pub warnings: Vec<ImportWarning>,
    measurements: Vec<Measurement>,
    places: HashMap<(Point, MetricName), Place>,
    /// Points whose results may never be a baseline, and why.
    barred: HashMap<Point, String>,
}

struct Place {
    index: usize,
    repeated: bool,
}

impl<'o> Collector<'o> {
    /// An empty collector.
    pub fn new(options: &'o ImportOptions) -> Self {
        Self {
            options,
            tool: None,
            testbed: None,
            time: None,
            facts: BTreeMap::new(),
            warnings: Vec::new(),
            measurements: Vec::new(),
            places: HashMap::new(),
            barred: HashMap::new(),
        }
    }

    /// How the file is to be read.
    pub fn options(&self) -> &ImportOptions {
        self.options
    }

    /// Checks a benchmark's name and its parameters.
    pub fn point(&self, at: &str, name: &str, parameters: Vec<(String, String)>) -> Result<Point, ImportError> {
        let invalid = |source| ImportError::Invalid { at: at.to_owned(), source };
        let benchmark = match &self.options.benchmark {
            Some(name) => name.clone(),
            None => BenchmarkName::new(name).map_err(invalid)?,
        };
        Ok(Point { benchmark, config: Config::new(parameters).map_err(invalid)? })
    }

    /// As [`Self::point`], of a file that does not name what was measured.
    pub fn unnamed_point(&self, format: Format, at: &str, parameters: Vec<(String, String)>) -> Result<Point, ImportError> {
        let name = self.options.benchmark.as_ref().or(self.options.unnamed.as_ref()).ok_or(ImportError::NoName { format })?;
        self.point(at, name.as_str(), parameters)
    }

    /// A metric whose direction follows from its name or unit, else from the options.
    pub fn metric(&self, at: &str, name: &str, unit: Unit) -> Result<Metric, ImportError> {
        let name = metric_name(at, name)?;
        let asked = self.options.better.map(|better| Metric {
            name: name.clone(),
            unit: unit.clone(),
            better,
            exact: false,
            follows: None,
        });
        let no_direction = || ImportError::NoDirection { at: at.to_owned(), metric: name.to_string() };
        Metric::infer(name.clone(), unit).or(asked).ok_or_else(no_direction)
    }

    /// As [`Self::metric`], but the options win: for formats in which the user is the one who knows the direction.
    pub fn metric_as_asked(&self, at: &str, name: &str, unit: Unit) -> Result<Metric, ImportError> {
        match self.options.better {
            Some(better) => Ok(Metric { name: metric_name(at, name)?, unit, better, exact: false, follows: None }),
            None => self.metric(at, name, unit),
        }
    }

    /// As [`Self::metric`], for a metric beside others: an unknown direction is a warning.
    pub fn side_metric(&mut self, at: &str, name: &str, unit: Unit) -> Result<Option<Metric>, ImportError> {
        match self.metric(at, name, unit) {
            Err(ImportError::NoDirection { at, metric }) => {
                self.warnings.push(ImportWarning::NoDirection { at, metric });
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    /// Takes one metric of one point.
    pub fn add(&mut self, at: &str, point: &Point, metric: Metric, reading: Reading) -> Result<(), ImportError> {
        let key = (point.clone(), metric.name.clone());
        if let Some(place) = self.places.get(&key) {
            return match reading {
                Reading::Repetition(value) if place.repeated => self.repeat(place.index, at, &metric, value),
                _ => Err(ImportError::Duplicate { at: at.to_owned(), point: shown(point, &metric) }),
            };
        }
        let repeated = matches!(reading, Reading::Repetition(_));
        let (summary, values) = checked(at, &metric.unit, reading)?;
        self.places.insert(key, Place { index: self.measurements.len(), repeated });
        let Point { benchmark, config } = point.clone();
        self.measurements.push(Measurement {
            benchmark,
            config,
            metric,
            summary,
            values,
            warnings: Vec::new(),
            barred: None,
            machine_code: None,
        });
        Ok(())
    }

    /// As [`Self::add`], for what was counted in machine code rather than measured.
    pub fn add_exact(
        &mut self,
        at: &str,
        point: &Point,
        metric: Metric,
        value: f64,
        machine_code: &str,
    ) -> Result<(), ImportError> {
        self.add(at, point, Metric { exact: true, ..metric }, Reading::Values(vec![value]))?;
        if let Some(added) = self.measurements.last_mut() {
            added.machine_code = Some(machine_code.to_owned());
        }
        Ok(())
    }

    /// As [`Self::add`], for a metric that may have been too small for the tool's clock: what cannot have been measured is left out.
    pub fn add_possible(&mut self, at: &str, point: &Point, metric: Metric, reading: Reading) -> Result<(), ImportError> {
        let name = metric.name.to_string();
        match self.add(at, point, metric, reading) {
            Err(ImportError::Invalid { at, source }) => {
                self.left_out(&entry(&at, &point.to_string()), name, source.to_string());
                Ok(())
            }
            other => other,
        }
    }

    fn repeat(&mut self, index: usize, at: &str, metric: &Metric, value: f64) -> Result<(), ImportError> {
        check(at, &metric.unit, &Summary::single(value))?;
        let earlier = &mut self.measurements[index];
        if earlier.metric.unit != metric.unit {
            return Err(ImportError::MixedUnits {
                at: at.to_owned(),
                point: format!("`{}` {}", earlier.benchmark, earlier.metric.name),
                unit: metric.unit.to_string(),
                earlier: earlier.metric.unit.to_string(),
            });
        }
        earlier.values.push(value);
        Ok(())
    }

    /// Declares that a point's results may never be a baseline.
    pub fn bar(&mut self, point: &Point, reason: &str) {
        self.barred.insert(point.clone(), reason.to_owned());
    }

    /// Notes that something was left out.
    pub fn left_out(&mut self, at: &str, what: impl Into<String>, reason: impl Into<String>) {
        self.warnings.push(ImportWarning::LeftOut { at: at.to_owned(), what: what.into(), reason: reason.into() });
    }

    /// The result.
    pub fn finish(mut self, format: Format) -> Result<Imported, ImportError> {
        if self.measurements.is_empty() {
            return Err(ImportError::NoResults { format, warnings: self.warnings });
        }
        for place in self.places.values().filter(|place| place.repeated) {
            let measured = &mut self.measurements[place.index];
            if let Some(summary) = stats::summarize_measured(&measured.values) {
                // Each of them was small enough; together they may not be.
                let at = format!("`{}` {}", measured.benchmark, measured.metric.name);
                check(&at, &measured.metric.unit, &summary)?;
                measured.summary = summary;
            }
        }
        for ((point, _), place) in &self.places {
            self.measurements[place.index].barred = self.barred.get(point).cloned();
        }
        let Self { tool, testbed, time, facts, warnings, measurements, .. } = self;
        let tool = tool.map(|tool| one_line(&tool));
        let facts = facts.into_iter().map(|(key, value)| (one_line(&key), one_line(&value))).collect();
        Ok(Imported { format, measurements, warnings, tool, testbed, time, facts })
    }
}

/// Text that is stored as it is but is no name of the model: at most as long as a name, nothing that cannot be shown.
fn one_line(text: &str) -> String {
    text.chars().filter(|c| !is_unshowable(*c)).take(MAX_NAME_BYTES).collect()
}

fn checked(at: &str, unit: &Unit, reading: Reading) -> Result<(Summary, Vec<f64>), ImportError> {
    let values = match reading {
        Reading::Statistics(summary) => return check(at, unit, &summary).map(|()| (summary, Vec::new())),
        Reading::Repetition(value) => {
            return check(at, unit, &Summary::single(value)).map(|()| (Summary::single(value), vec![value]));
        }
        Reading::Values(values) => values,
    };
    for (i, value) in values.iter().enumerate() {
        let source = Summary::single(*value).check(unit);
        source.map_err(|source| ImportError::Invalid { at: format!("{at}, value {} of {}", i + 1, values.len()), source })?;
    }
    match stats::summarize_measured(&values) {
        Some(summary) => Ok((summary, values)),
        None => Err(ImportError::Invalid { at: at.to_owned(), source: InvalidValue::NoValues }),
    }
}

fn check(at: &str, unit: &Unit, summary: &Summary) -> Result<(), ImportError> {
    summary.check(unit).map_err(|source| ImportError::Invalid { at: at.to_owned(), source })
}

fn shown(point: &Point, metric: &Metric) -> String {
    format!("`{point}` {}", metric.name)
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.config.is_empty() {
            true => write!(f, "{}", self.benchmark),
            false => write!(f, "{} {}", self.benchmark, self.config),
        }
    }
}

fn metric_name(at: &str, name: &str) -> Result<MetricName, ImportError> {
    MetricName::new(name).map_err(|source| ImportError::Invalid { at: at.to_owned(), source })
}

/// A metric of which everything is known.
pub(super) fn known_metric(at: &str, name: &str, unit: Unit, better: Direction) -> Result<Metric, ImportError> {
    Ok(Metric { name: metric_name(at, name)?, unit, better, exact: false, follows: None })
}

/// A value in the unit that the file spells, in base units.
pub(super) fn quantity(at: &str, value: f64, unit: &str) -> Result<Quantity, ImportError> {
    Quantity::new(value, unit).map_err(|source| ImportError::Quantity { at: at.to_owned(), source })
}

/// The name of an entry for messages: its place and the benchmark that it is about.
pub(super) fn entry(at: &str, benchmark: &str) -> String {
    format!("{at} `{}`", short(benchmark))
}
