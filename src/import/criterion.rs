//! A folder that criterion wrote: `target/criterion/<benchmark>/new/{benchmark,sample,estimates}.json`.
//!
//! `sample.json` holds total times and iteration counts; their quotients are the sample. Until 0.3 it was a pair of
//! arrays and the keys of `estimates.json` were in CamelCase. Times are nanoseconds: a custom measurement (cycles, say)
//! does not name its unit in these files, only in the messages of cargo-criterion. The full id is the benchmark's name,
//! parameter included, since criterion's parameters have no names.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::collect::{Collector, Reading};
use super::json::{Node, parse};
use super::{ImportError, ImportOptions, is_older, read_capped};
use crate::model::{Metric, Summary};

/// Folders below `target/criterion` are at most group, function, parameter and `new` deep, but groups may hold slashes.
const MAX_DEPTH: usize = 12;
/// More benchmarks than any project has; a guard against a wrong folder.
const MAX_FOLDERS: usize = 100_000;
const NANOSECONDS: f64 = 1e9;

/// Reads every benchmark below `folder`, in the order of their paths.
pub(super) fn read_folder(folder: &Path, into: &mut Collector<'_>) -> Result<(), ImportError> {
    let inner = folder.join("criterion");
    let top = if inner.is_dir() { inner.as_path() } else { folder };
    let mut found = Vec::new();
    let mut left = MAX_FOLDERS;
    find_results(top, MAX_DEPTH, &mut left, &mut found)?;
    if found.is_empty() {
        return Err(ImportError::NoCriterionResults { path: folder.to_owned() });
    }
    found.sort();
    let found = of_this_run(found, into.options())?;
    if found.is_empty() {
        return Err(ImportError::NotWritten { path: folder.to_owned() });
    }
    into.tool = Some("criterion".to_owned());
    found.iter().try_for_each(|results| read_benchmark(results, results.strip_prefix(top).unwrap_or(results), into))
}

/// Without what earlier runs left, where that is asked for.
fn of_this_run(found: Vec<PathBuf>, options: &ImportOptions) -> Result<Vec<PathBuf>, ImportError> {
    let mut own = Vec::new();
    for results in found {
        if !is_older(&results.join("estimates.json"), options)? {
            own.push(results);
        }
    }
    Ok(own)
}

/// Folders that hold a `benchmark.json` and are the newest results: `new`, or the given folder itself.
fn find_results(folder: &Path, depth: usize, left: &mut usize, found: &mut Vec<PathBuf>) -> Result<(), ImportError> {
    if folder.join("benchmark.json").is_file() {
        found.push(folder.to_owned());
        return Ok(());
    }
    let unreadable = |source| ImportError::Read { path: folder.to_owned(), source };
    for child in fs::read_dir(folder).map_err(unreadable)? {
        let child = child.map_err(unreadable)?;
        // A link may lead anywhere, also back here; criterion makes none.
        let is_folder = child.file_type().map_err(unreadable)?.is_dir();
        let is_older = ["base", "change", "report"].iter().any(|name| child.file_name() == *name);
        if is_folder && depth > 0 && *left > 0 && !(is_older && child.path().join("estimates.json").is_file()) {
            *left -= 1;
            find_results(&child.path(), depth - 1, left, found)?;
        }
    }
    Ok(())
}

fn read_benchmark(results: &Path, place: &Path, into: &mut Collector<'_>) -> Result<(), ImportError> {
    let identity = read_json(&results.join("benchmark.json"))?;
    let id_at = place.join("benchmark.json").display().to_string();
    let root = Node::root(&identity, id_at);
    let point = into.point(&root.at, root.need("full_id")?.text()?, Vec::new())?;
    let sample = results.join("sample.json");
    let (name, reading) = if sample.is_file() {
        let name = place.join("sample.json").display().to_string();
        let values = times_per_iteration(&Node::root(&read_json(&sample)?, name.as_str()))?;
        (name, Reading::Values(values))
    } else {
        let name = place.join("estimates.json").display().to_string();
        let summary = estimates(&Node::root(&read_json(&results.join("estimates.json"))?, name.as_str()))?;
        (name, Reading::Statistics(summary))
    };
    into.add(&name, &point, Metric::time(), reading)
}

fn read_json(path: &Path) -> Result<Value, ImportError> {
    let bytes = fs::File::open(path)
        .map_err(|source| ImportError::Read { path: path.to_owned(), source })
        .and_then(|mut file| read_capped(&mut file, path))?;
    let text = std::str::from_utf8(&bytes).map_err(|error| ImportError::NotText { offset: error.valid_up_to() })?;
    parse(text).map_err(|error| ImportError::InFile { path: path.to_owned(), source: Box::new(error) })
}

/// `{"iters": […], "times": […]}`, before 0.4 `[[iters…], [times…]]`.
fn times_per_iteration(sample: &Node<'_>) -> Result<Vec<f64>, ImportError> {
    let (iterations, times) = match sample.value {
        Value::Array(_) => {
            let both: Vec<Node<'_>> = sample.items()?.collect();
            let [iterations, times] = both.as_slice() else {
                return Err(sample.unexpected("an array of iteration counts and an array of times"));
            };
            (iterations.clone(), times.clone())
        }
        _ => (sample.need("iters")?, sample.need("times")?),
    };
    per_iteration(&iterations, &times, |nanoseconds| Ok(nanoseconds / NANOSECONDS))
}

/// The quotients of totals and counts, in base units by `to_base`.
pub(super) fn per_iteration(
    iterations: &Node<'_>,
    totals: &Node<'_>,
    to_base: impl Fn(f64) -> Result<f64, ImportError>,
) -> Result<Vec<f64>, ImportError> {
    let (counts, totals_) = (iterations.numbers()?, totals.numbers()?);
    if counts.len() != totals_.len() {
        return Err(totals.unexpected("as many values as there are iteration counts"));
    }
    if counts.iter().any(|count| *count < 1.0) {
        return Err(iterations.unexpected("counts of at least one iteration"));
    }
    counts.iter().zip(&totals_).map(|(count, total)| to_base(total / count)).collect()
}

/// The statistics alone, for folders whose samples were deleted.
fn estimates(root: &Node<'_>) -> Result<Summary, ImportError> {
    let estimate = |keys: [&'static str; 2]| root.first_of(&keys);
    let point = |node: &Node<'_>| node.need("point_estimate").and_then(|value| value.number()).map(seconds);
    let median = estimate(["median", "Median"]).ok_or_else(|| root.unexpected("estimates with a median"))?;
    let interval = median.get("confidence_interval").filter(|node| node.number_at("confidence_level").ok() == Some(Some(0.95)));
    let bound = |key| interval.as_ref().and_then(|node| node.number_at(key).transpose()).transpose().map(|v| v.map(seconds));
    Ok(Summary {
        low: bound("lower_bound")?,
        high: bound("upper_bound")?,
        mean: estimate(["mean", "Mean"]).map(|node| point(&node)).transpose()?,
        stddev: estimate(["std_dev", "StdDev"]).map(|node| point(&node)).transpose()?,
        ..Summary::single(point(&median)?)
    })
}

fn seconds(nanoseconds: f64) -> f64 {
    nanoseconds / NANOSECONDS
}
