//! BenchmarkDotNet's JSON, full or brief.
//!
//! `OriginalValues` are the nanoseconds of an operation in each iteration, overhead already taken off, and the sample. Parameters are the
//! config; where a benchmark ran under several jobs (runtimes, say), the job is a parameter, too. What an operation allocates is there
//! where the memory diagnoser ran.

use std::collections::HashSet;

use super::collect::{Collector, Point, Reading, entry, known_metric, quantity};
use super::json::{Node, short};
use super::source::{Importer, Source};
use super::text::of_times;
use super::{Format, ImportError, ImportWarning};
use crate::model::{Direction, Metric, Summary, Unit};

pub(super) struct BenchmarkDotNet;

impl Importer for BenchmarkDotNet {
    fn format(&self) -> Format {
        Format::BenchmarkDotNet
    }

    fn recognizes(&self, source: &Source<'_>) -> bool {
        let Some(root) = source.value() else { return false };
        root.get("HostEnvironmentInfo").is_some() && root.get("Benchmarks").is_some()
    }

    fn read(&self, source: &Source<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
        let root = source.root()?;
        into.tool = Some("BenchmarkDotNet".to_owned());
        if let Some(host) = root.get("HostEnvironmentInfo") {
            if let Some(version) = host.text_at("BenchmarkDotNetVersion") {
                into.tool = Some(format!("BenchmarkDotNet {}", short(version)));
            }
            for (key, field) in [("cpu", "ProcessorName"), ("runtime", "RuntimeVersion")] {
                into.facts.extend(host.text_at(field).map(|text| (key.to_owned(), text.to_owned())));
            }
        }
        let benchmarks: Vec<Node<'_>> = root.need("Benchmarks")?.items()?.collect();
        let jobs: HashSet<&str> = benchmarks.iter().filter_map(|benchmark| job(benchmark)).collect();
        benchmarks.iter().try_for_each(|benchmark| read_benchmark(benchmark, jobs.len() > 1, into))
    }
}

fn read_benchmark(benchmark: &Node<'_>, several_jobs: bool, into: &mut Collector<'_>) -> Result<(), ImportError> {
    let point = read_point(benchmark, several_jobs, into)?;
    let at = entry(&benchmark.at, &point.to_string());
    let Some(statistics) = benchmark.get("Statistics") else {
        into.warnings.push(ImportWarning::Failed { at, reason: "it has no statistics".to_owned() });
        return Ok(());
    };
    into.add_possible(&at, &point, Metric::time(), read_times(&statistics)?)?;
    let allocated = benchmark.get("Memory").map(|memory| memory.number_at("BytesAllocatedPerOperation")).transpose()?.flatten();
    if let Some(bytes) = allocated {
        let metric = known_metric(&at, "bytes_per_op", Unit::BYTE, Direction::Lower)?;
        into.add_possible(&at, &point, metric, Reading::Statistics(Summary::single(bytes)))?;
    }
    Ok(())
}

/// `Namespace.Type.Method`, and `N=10&Kind=list` as the config. Texts that are no pairs leave the parameters in the full name.
fn read_point(benchmark: &Node<'_>, several_jobs: bool, into: &Collector<'_>) -> Result<Point, ImportError> {
    let parts: Vec<&str> = ["Namespace", "Type", "Method"].iter().filter_map(|key| benchmark.text_at(key)).collect();
    let spelled = benchmark.text_at("Parameters").unwrap_or_default();
    let pairs: Option<Vec<(String, String)>> = spelled.split('&').filter(|pair| !pair.is_empty()).map(pair).collect();
    let (name, mut parameters) = match pairs {
        Some(pairs) if parts.len() == 3 => (parts.join("."), pairs),
        _ => (benchmark.need("FullName")?.text()?.to_owned(), Vec::new()),
    };
    if let Some(job) = job(benchmark).filter(|_| several_jobs) {
        parameters.push(("job".to_owned(), job.to_owned()));
    }
    into.point(&benchmark.at, name.trim_start_matches('.'), parameters)
}

fn pair(text: &str) -> Option<(String, String)> {
    let (key, value) = text.split_once('=')?;
    Some((key.trim().to_owned(), value.trim().to_owned()))
}

/// `Runtime=.NET 8.0` of `Type.Method: Job-ABCDEF(Runtime=.NET 8.0) [N=10]`; what is before the bracket is made up anew by some versions.
fn job<'a>(benchmark: &Node<'a>) -> Option<&'a str> {
    let (_, shown) = benchmark.text_at("DisplayInfo")?.split_once(": ")?;
    let job = shown.rsplit_once(" [").map_or(shown, |(job, _)| job);
    let inner = job.split_once('(').and_then(|(_, inner)| inner.strip_suffix(')'));
    inner.or(Some(job)).filter(|job| !job.is_empty())
}

fn read_times(statistics: &Node<'_>) -> Result<Reading, ImportError> {
    let seconds = |node: &Node<'_>, value: f64| quantity(&node.at, value, "ns").map(|time| time.value);
    if let Some(sample) = statistics.get("OriginalValues").filter(|sample| sample.value.is_array()) {
        let values: Vec<f64> = sample.numbers()?.into_iter().map(|value| seconds(&sample, value)).collect::<Result<_, _>>()?;
        // The overhead that is taken off may be all there was.
        if !values.is_empty() && values.iter().all(|value| *value > 0.0) {
            return Ok(Reading::Values(values));
        }
    }
    let field = |key: &str| statistics.get(key).map(|node| seconds(&node, node.number()?)).transpose();
    let mean = field("Mean")?;
    let median = field("Median")?.or(mean).ok_or_else(|| statistics.unexpected("statistics with a `Median` or a `Mean`"))?;
    Ok(Reading::Statistics(of_times(Summary {
        n: statistics.get("N").map_or(Ok(1), |n| n.count())?,
        mean,
        stddev: field("StandardDeviation")?,
        min: field("Min")?,
        max: field("Max")?,
        ..Summary::single(median)
    })))
}
