//! Kernel Tuner's cache file and its results in the T4 format.
//!
//! A configuration is a point, its `times` in milliseconds are the sample. The cache names the kernel, the device and the problem
//! size; T4 names none of them, so that `--benchmark` has to. Metrics that are called like a unit (`GFLOP/s`) are rates that follow
//! the time, others have neither unit nor direction. While a kernel is tuned the cache lacks its last brackets, as it does after a
//! crash: they are put there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::collect::{Collector, Point, Reading, known_metric, quantity};
use super::json::{Node, parse, short};
use super::source::{Importer, Source};
use super::text::metric_for;
use super::{Format, ImportError, ImportWarning};
use crate::model::{Direction, Metric, Quantity, Summary};

pub(super) struct KernelTuner;

/// What Kernel Tuner itself took, and other fields that are no measurement of the kernel.
const ABOUT_THE_TUNER: [&str; 9] = [
    "times",
    "timestamp",
    "compile_time",
    "verification_time",
    "benchmark_time",
    "strategy_time",
    "framework_time",
    "time",
    "__error__",
];
/// Older versions wrote this time, or a larger one, for a configuration that failed.
const FAILED_TIME: f64 = 1e20;

impl Importer for KernelTuner {
    fn format(&self) -> Format {
        Format::KernelTuner
    }

    fn recognizes(&self, source: &Source<'_>) -> bool {
        match source.value() {
            Some(root) => is_cache(root) || is_t4(root),
            None => source.text.contains("\"tune_params_keys\"") && closed(source).is_ok_and(|root| is_cache(&root)),
        }
    }

    fn read(&self, source: &Source<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
        into.tool = Some("Kernel Tuner".to_owned());
        let mut left_out = LeftOut::default();
        match source.value() {
            Some(root) if is_t4(root) => read_t4(&Node::root(root, ""), into, &mut left_out)?,
            Some(root) => read_cache(&Node::root(root, ""), into, &mut left_out)?,
            None => read_cache(&Node::root(&closed(source)?, ""), into, &mut left_out)?,
        }
        left_out.warn(into);
        Ok(())
    }
}

fn is_cache(root: &Value) -> bool {
    root.get("tune_params_keys").is_some() && root.get("cache").is_some()
}

fn is_t4(root: &Value) -> bool {
    let first = root.get("results").and_then(|results| results.get(0));
    first.is_some_and(|result| result.get("configuration").is_some() && result.get("invalidity").is_some())
}

/// The cache with the brackets that are written last.
fn closed(source: &Source<'_>) -> Result<Value, ImportError> {
    let open = source.text.trim_end();
    let text = format!("{}}}\n}}", open.strip_suffix(',').unwrap_or(open));
    parse(&text).map_err(|error| source.syntax_error().unwrap_or(error))
}

/// What was not taken, counted: a tuning may have a hundred thousand points.
#[derive(Default)]
struct LeftOut {
    failed: BTreeMap<String, usize>,
    metrics: BTreeSet<String>,
}

impl LeftOut {
    fn failed(&mut self, reason: &str) {
        *self.failed.entry(short(reason)).or_default() += 1;
    }

    fn warn(self, into: &mut Collector<'_>) {
        for (reason, count) in self.failed {
            let at = format!("{count} configuration{}", if count == 1 { "" } else { "s" });
            into.warnings.push(ImportWarning::Failed { at, reason });
        }
        for name in self.metrics {
            into.left_out("every configuration", format!("`{name}`"), "it has neither a unit nor a direction");
        }
    }
}

fn read_cache(root: &Node<'_>, into: &mut Collector<'_>, left_out: &mut LeftOut) -> Result<(), ImportError> {
    into.testbed = root.text_at("device_name").filter(|name| !name.is_empty()).map(str::to_owned);
    let kernel = root.need("kernel_name")?.text()?;
    let keys: Vec<&str> = root.need("tune_params_keys")?.items()?.filter_map(|key| key.value.as_str()).collect();
    let size = root.get("problem_size").and_then(|size| problem_size(&size));
    for (_, result) in root.need("cache")?.fields()? {
        let is_error = |node: &Node<'_>| node.value.as_str().is_some_and(|text| text.ends_with("Config"));
        let error = result.get("__error__").or_else(|| result.get("time")).filter(is_error);
        if let Some(error) = error.as_ref().and_then(|node| node.value.as_str()) {
            left_out.failed(error);
            continue;
        }
        let problem = size.iter().map(|size| ("problem_size".to_owned(), size.clone()));
        let point = into.point(&result.at, kernel, problem.chain(result.parameters_of(&keys)).collect())?;
        if add_time(&result.at, &point, result.get("times"), result.number_at("time")?, into, left_out)? {
            let others = result.fields()?.filter(|(key, _)| !keys.contains(key) && !ABOUT_THE_TUNER.contains(key));
            others.into_iter().try_for_each(|(key, value)| add_rate(&point, key, &value, into, left_out))?;
        }
    }
    Ok(())
}

/// `100`, or `1024x1024` for several dimensions; one that a function computes is not in the file.
fn problem_size(size: &Node<'_>) -> Option<String> {
    match size.value {
        Value::Number(number) => Some(number.to_string()),
        Value::Array(sides) => {
            let sides: Option<Vec<String>> = sides.iter().map(|side| Node::root(side, "").scalar()).collect();
            sides.map(|sides| sides.join("x"))
        }
        _ => None,
    }
}

fn read_t4(root: &Node<'_>, into: &mut Collector<'_>, left_out: &mut LeftOut) -> Result<(), ImportError> {
    for result in root.need("results")?.items()? {
        match result.need("invalidity")?.text()? {
            "correct" => {}
            reason => {
                left_out.failed(reason);
                continue;
            }
        }
        let point = into.unnamed_point(Format::KernelTuner, &result.at, result.need("configuration")?.parameters()?)?;
        let measured: Vec<Node<'_>> =
            result.get("measurements").map(|list| list.items()).transpose()?.into_iter().flatten().collect();
        let named = |name: &str| measured.iter().find(|one| one.text_at("name") == Some(name)).and_then(|one| one.get("value"));
        let time = named("time").map(|time| time.number()).transpose()?;
        let runtimes = result.get("times").and_then(|times| times.get("runtimes"));
        if add_time(&result.at, &point, runtimes, time, into, left_out)? {
            for one in &measured {
                let name = one.need("name")?.text()?;
                if let Some(value) = one.get("value").filter(|_| !ABOUT_THE_TUNER.contains(&name)) {
                    add_rate(&point, name, &value, into, left_out)?;
                }
            }
        }
    }
    Ok(())
}

/// The sample in milliseconds, else the time alone. Whether there was one.
fn add_time(
    at: &str,
    point: &Point,
    sample: Option<Node<'_>>,
    time: Option<f64>,
    into: &mut Collector<'_>,
    left_out: &mut LeftOut,
) -> Result<bool, ImportError> {
    let seconds = |milliseconds: f64| quantity(at, milliseconds, "ms").map(|time| time.value);
    let sample = sample.map(|sample| sample.numbers()).transpose()?.filter(|sample| !sample.is_empty());
    let reading = match (sample, time) {
        (_, Some(time)) if time >= FAILED_TIME => None,
        (Some(sample), _) => Some(Reading::Values(sample.into_iter().map(seconds).collect::<Result<_, _>>()?)),
        (None, Some(time)) => Some(Reading::Statistics(Summary::single(seconds(time)?))),
        (None, None) => None,
    };
    let Some(reading) = reading else {
        left_out.failed("no time");
        return Ok(false);
    };
    into.add(at, point, Metric::time(), reading)?;
    Ok(true)
}

/// A metric of the user's, `{"GFLOP/s": 910.5}`.
fn add_rate(
    point: &Point,
    name: &str,
    value: &Node<'_>,
    into: &mut Collector<'_>,
    left_out: &mut LeftOut,
) -> Result<(), ImportError> {
    let rate = value.value.as_f64().filter(|_| name.ends_with("/s")).and_then(|raw| Quantity::new(raw, name).ok());
    let Some(Quantity { value: rate, unit }) = rate else {
        left_out.metrics.insert(short(name));
        return Ok(());
    };
    let metric = known_metric(&value.at, metric_for(&unit), unit, Direction::Higher)?.following(&Metric::time().name);
    into.add(&value.at, point, metric, Reading::Statistics(Summary::single(rate)))
}
