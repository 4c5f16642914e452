//! JMH's `-rf json`.
//!
//! Every iteration of every fork is a value of the sample. The mode says what it is: `throughput` in operations per second, else a
//! time of one operation (`time`, `sample_time`, `single_shot_time`). Of `SampleTime` the file has a histogram and statistics, of which
//! the latter are taken. Secondary metrics are read where their unit tells what they are, and of the GC profiler's what an operation
//! allocates. The intervals are those of the mean at 99.9 %, which is not what a record keeps.

use super::collect::{Collector, Point, Reading, entry, known_metric};
use super::json::{Node, short};
use super::source::{Importer, Source};
use super::text::of_times;
use super::{Format, ImportError};
use crate::model::{Direction, Metric, Quantity, Summary, Unit};

pub(super) struct Jmh;

impl Importer for Jmh {
    fn format(&self) -> Format {
        Format::Jmh
    }

    fn recognizes(&self, source: &Source<'_>) -> bool {
        let first = source.value().and_then(|root| root.get(0));
        first.is_some_and(|first| ["benchmark", "mode", "primaryMetric"].iter().all(|key| first.get(key).is_some()))
    }

    fn read(&self, source: &Source<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
        into.tool = Some("JMH".to_owned());
        source.root()?.items()?.try_for_each(|result| read_result(&result, into))
    }
}

fn read_result(result: &Node<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
    if let Some(version) = result.text_at("jmhVersion") {
        into.tool = Some(format!("JMH {}", short(version)));
    }
    if let (Some(machine), Some(version)) = (result.text_at("vmName"), result.text_at("vmVersion")) {
        into.facts.insert("jvm".to_owned(), format!("{machine} {version}"));
    }
    let mut parameters = result.get("params").map(|params| params.parameters()).transpose()?.unwrap_or_default();
    let threads = result.get("threads").and_then(|threads| threads.value.as_u64()).filter(|threads| *threads != 1);
    if parameters.iter().all(|(key, _)| key != "threads") {
        parameters.extend(threads.map(|threads| ("threads".to_owned(), threads.to_string())));
    }
    let name = result.need("benchmark")?.text()?;
    let point = into.point(&result.at, name, parameters)?;
    let at = entry(&result.at, name);
    let primary = result.need("primaryMetric")?;
    let unit = primary.need("scoreUnit")?;
    let score = Score::of(unit.text()?).ok_or_else(|| unit.unexpected("a unit such as ns/op or ops/s"))?;
    let metric = match (&score, result.text_at("mode")) {
        (Score::Rate(_), _) => "throughput",
        (_, Some("sample")) => "sample_time",
        (_, Some("ss")) => "single_shot_time",
        _ => "time",
    };
    let metric = score.metric(&at, metric)?;
    match reading(&primary, &score)? {
        Some(reading) => into.add_possible(&at, &point, metric, reading)?,
        None => into.left_out(&at, "the result", "its score is not a number"),
    }
    for (name, secondary) in result.get("secondaryMetrics").map(|all| all.fields()).transpose()?.into_iter().flatten() {
        read_secondary(name.trim_start_matches('·'), &secondary, &point, into)?;
    }
    Ok(())
}

/// What the unit of a score says: `ops/ms` and `us/op`, in any unit of time. Bytes are left as they are.
enum Score<'a> {
    Rate(&'a str),
    Time(&'a str),
    Bytes,
}

impl<'a> Score<'a> {
    fn of(unit: &'a str) -> Option<Self> {
        let rate = unit.strip_prefix("ops/").map(Self::Rate);
        rate.or_else(|| unit.strip_suffix("/op").map(Self::Time)).filter(|score| score.base(1.0).is_some())
    }

    /// Operations in a second, else seconds.
    fn base(&self, value: f64) -> Option<f64> {
        match self {
            Self::Rate(time) => seconds(1.0, time).map(|seconds| value / seconds),
            Self::Time(time) => seconds(value, time),
            Self::Bytes => Some(value),
        }
    }

    fn metric(&self, at: &str, name: &str) -> Result<Metric, ImportError> {
        match self {
            Self::Rate(_) => known_metric(at, name, Unit::PER_SECOND, Direction::Higher),
            Self::Time(_) => known_metric(at, name, Unit::SECOND, Direction::Lower),
            Self::Bytes => known_metric(at, name, Unit::BYTE, Direction::Lower),
        }
    }
}

fn seconds(value: f64, unit: &str) -> Option<f64> {
    match unit {
        "hr" => Some(value * 3600.0),
        "day" => Some(value * 86_400.0),
        _ => Quantity::new(value, unit).ok().filter(|quantity| quantity.unit == Unit::SECOND).map(|quantity| quantity.value),
    }
}

/// The raw data, else the statistics; nothing where JMH wrote "NaN".
fn reading(metric: &Node<'_>, score: &Score<'_>) -> Result<Option<Reading>, ImportError> {
    let raw: Vec<Node<'_>> = match metric.get("rawData") {
        Some(forks) => forks.items()?.map(|fork| fork.items()).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect(),
        None => Vec::new(),
    };
    let values: Option<Vec<f64>> = raw.iter().map(|value| score.base(value.value.as_f64()?)).collect();
    if let Some(values) = values.filter(|values| !values.is_empty()) {
        return Ok(Some(Reading::Values(values)));
    }
    let of = |node: Option<Node<'_>>| score.base(node?.value.as_f64()?);
    let Some(mean) = of(metric.get("score")) else { return Ok(None) };
    let percentile = |rank: &str| of(metric.get("scorePercentiles").and_then(|all| all.get(rank)));
    let summary = Summary {
        n: metric.get("rawDataHistogram").map_or(Ok(1), |forks| histogram_size(&forks))?,
        mean: Some(mean),
        min: percentile("0.0"),
        max: percentile("100.0"),
        ..Summary::single(percentile("50.0").unwrap_or(mean))
    };
    Ok(Some(Reading::Statistics(match score {
        Score::Time(_) => of_times(summary),
        Score::Rate(_) | Score::Bytes => summary,
    })))
}

/// How many times there are in `[fork][iteration][[value, count]]`.
fn histogram_size(forks: &Node<'_>) -> Result<u64, ImportError> {
    let mut size = 0_u64;
    for fork in forks.items()? {
        for iteration in fork.items()? {
            for bucket in iteration.items()? {
                let count = bucket.items()?.nth(1).ok_or_else(|| bucket.unexpected("a value and its count"))?;
                size = size.saturating_add(count.count()?);
            }
        }
    }
    Ok(size.max(1))
}

fn read_secondary(name: &str, secondary: &Node<'_>, point: &Point, into: &mut Collector<'_>) -> Result<(), ImportError> {
    let unit = secondary.text_at("scoreUnit").unwrap_or_default();
    let at = &secondary.at;
    let Some(score) = Score::of(unit).or((unit == "B/op").then_some(Score::Bytes)) else {
        into.left_out(at, format!("`{}`", short(name)), format!("its unit is `{}`", short(unit)));
        return Ok(());
    };
    let metric = score.metric(at, name)?;
    match reading(secondary, &score)? {
        Some(reading) => into.add_possible(at, point, metric, reading),
        None => {
            into.left_out(at, format!("`{}`", short(name)), "its score is not a number");
            Ok(())
        }
    }
}
