//! What a benchmark measures: built-in metrics, and numbers that the program prints.

use std::ops::Range;

use toml::Spanned;

use super::error::Problem;
use super::raw::{RawBenchmark, RawMetric};
use super::thresholds::PartialThresholds;
use super::{Extract, MetricSettings, MetricSource, Stream};
use crate::model::{Metric, MetricName, Quantity};

/// The metrics of a benchmark; the built-in ones where it names none.
pub(super) fn of(benchmark: &RawBenchmark) -> Result<Vec<MetricSettings>, Problem> {
    let Some(raw) = &benchmark.metrics else { return Ok(defaults()) };
    if raw.as_ref().is_empty() {
        return Err(Problem::at(raw.span(), "`metrics` is empty").hint("leave it out to measure time, cpu_time and peak_memory"));
    }
    let mut metrics: Vec<MetricSettings> = Vec::new();
    for raw in raw.as_ref() {
        let metric = metric(raw.as_ref())?;
        if metrics.iter().any(|other| other.name == metric.name) {
            let message = format!("this benchmark has the metric `{}` twice", metric.name);
            return Err(Problem::at(raw.as_ref().name.span(), message).hint("rename one of them"));
        }
        metrics.push(metric);
    }
    Ok(metrics)
}

/// Thresholds of metrics that the kernel harness measures: it knows their units, so only the name is given.
pub(super) fn of_kernel(benchmark: &RawBenchmark) -> Result<Vec<MetricSettings>, Problem> {
    let Some(raw) = &benchmark.metrics else { return Ok(Vec::new()) };
    let mut metrics: Vec<MetricSettings> = Vec::new();
    for raw in raw.as_ref().iter().map(Spanned::as_ref) {
        if let Some(given) = raw.regex.as_ref().or(raw.json.as_ref()) {
            return Err(
                Problem::at(given.span(), "a kernel prints nothing").hint("name a metric of the harness and its thresholds")
            );
        }
        refuse_output_keys(raw)?;
        let name = metric_name(raw)?;
        if metrics.iter().any(|other| other.name == name) {
            let message = format!("this benchmark has the metric `{name}` twice");
            return Err(Problem::at(raw.name.span(), message).hint("remove one of them"));
        }
        metrics.push(MetricSettings { name, source: MetricSource::Kernel, thresholds: own_thresholds(raw) });
    }
    Ok(metrics)
}

fn metric_name(raw: &RawMetric) -> Result<MetricName, Problem> {
    MetricName::new(raw.name.as_ref().0.clone()).map_err(|error| Problem::at(raw.name.span(), error.to_string()))
}

fn own_thresholds(raw: &RawMetric) -> PartialThresholds {
    PartialThresholds {
        regression_percent: raw.regression.map(|percent| percent.0),
        improvement_percent: raw.improvement.map(|percent| percent.0),
    }
}

fn defaults() -> Vec<MetricSettings> {
    let built_in = |(metric, source): (Metric, MetricSource)| MetricSettings {
        name: metric.name,
        source,
        thresholds: PartialThresholds::default(),
    };
    built_ins().into_iter().map(built_in).collect()
}

fn built_ins() -> [(Metric, MetricSource); 3] {
    [
        (Metric::time(), MetricSource::Time),
        (Metric::cpu_time(), MetricSource::CpuTime),
        (Metric::peak_memory(), MetricSource::PeakMemory),
    ]
}

fn metric(raw: &RawMetric) -> Result<MetricSettings, Problem> {
    let name = metric_name(raw)?;
    let built_in = built_ins().into_iter().find(|(metric, _)| metric.name == name);
    let source = match (extract(raw)?, built_in) {
        (Some(extract), built_in) => printed(raw, &name, extract, built_in.map(|(metric, _)| metric))?,
        (None, Some((_, source))) => {
            refuse_output_keys(raw)?;
            source
        }
        (None, None) => {
            let message = format!("the metric `{name}` is not built in (time, cpu_time, peak_memory)");
            return Err(Problem::at(raw.name.span(), message).hint("say where the program prints it, with `regex` or `json`"));
        }
    };
    Ok(MetricSettings { name, source, thresholds: own_thresholds(raw) })
}

/// Keys that only mean something for printed numbers.
fn refuse_output_keys(raw: &RawMetric) -> Result<(), Problem> {
    let given = [
        ("unit", raw.unit.is_some()),
        ("better", raw.better.is_some()),
        ("exact", raw.exact.is_some()),
        ("source", raw.source.is_some()),
    ];
    match given.iter().find(|(_, is_given)| *is_given) {
        Some((key, _)) => Err(Problem::at(raw.name.span(), format!("`{key}` has no meaning for a built-in metric"))
            .hint("remove it, or say where the program prints the value, with `regex` or `json`")),
        None => Ok(()),
    }
}

fn extract(raw: &RawMetric) -> Result<Option<Extract>, Problem> {
    match (&raw.regex, &raw.json) {
        (Some(regex), Some(_)) => Err(Problem::at(regex.span(), "a metric has either `regex` or `json`, not both")),
        (Some(regex), None) => checked_regex(regex).map(Some),
        (None, Some(pointer)) => checked_pointer(pointer).map(Some),
        (None, None) => Ok(None),
    }
}

fn checked_regex(raw: &Spanned<String>) -> Result<Extract, Problem> {
    match regex::Regex::new(raw.as_ref()) {
        Ok(_) => Ok(Extract::Regex(raw.as_ref().clone())),
        Err(error) => {
            // The last line of the error names the fault, those before it draw the pattern.
            let text = error.to_string();
            let fault = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Err(Problem::at(raw.span(), format!("this regular expression cannot be read: {fault}"))
                .hint("TOML's single quotes leave backslashes alone: regex = '\\d+'"))
        }
    }
}

fn checked_pointer(raw: &Spanned<String>) -> Result<Extract, Problem> {
    let pointer = raw.as_ref();
    if pointer.is_empty() || pointer.starts_with('/') {
        return Ok(Extract::Json(pointer.clone()));
    }
    let guess = format!("/{}", pointer.trim_start_matches("$.").replace('.', "/"));
    Err(Problem::at(raw.span(), format!("`{pointer}` is not a JSON pointer")).hint(format!("write {guess:?}")))
}

/// A number that the program prints. Where it takes the place of a built-in metric, it keeps that metric's unit.
fn printed(raw: &RawMetric, name: &MetricName, extract: Extract, built_in: Option<Metric>) -> Result<MetricSource, Problem> {
    let (unit, unit_span) = unit(raw);
    let quantity = Quantity::new(1.0, unit).map_err(|error| Problem::at(unit_span.clone(), error.to_string()))?;
    if let Some(other) = built_in.filter(|metric| metric.unit != quantity.unit) {
        let message = format!("`{name}` is always in {}, not in `{unit}`", other.unit);
        return Err(Problem::at(unit_span, message).hint("give its `unit`, or choose another name"));
    }
    let inferred = Metric::infer(name.clone(), quantity.unit.clone()).map(|metric| metric.better);
    let better = raw.better.map(|better| better.0).or(inferred).ok_or_else(|| {
        Problem::at(raw.name.span(), format!("it is not known which way `{name}` gets better"))
            .hint("add better = \"lower\" or better = \"higher\"")
    })?;
    let metric = Metric { name: name.clone(), unit: quantity.unit, better, exact: raw.exact.unwrap_or(false), follows: None };
    let stream = raw.source.map_or(Stream::Stdout, |stream| stream.0);
    Ok(MetricSource::Output { metric, unit: unit.to_owned(), extract, stream })
}

/// The unit as printed and its place; without one the number is a plain one.
fn unit(raw: &RawMetric) -> (&str, Range<usize>) {
    match &raw.unit {
        Some(unit) => (unit.as_ref(), unit.span()),
        None => ("1", raw.name.span()),
    }
}
