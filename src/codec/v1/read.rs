//! From lines as they are stored to runs, records, profiles and excuses; whatever does not hold is refused in words.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::stored::{
    Number, StoredAuthor, StoredCounter, StoredExcuse, StoredProfile, StoredRecord, StoredReport, StoredRun, StoredSample,
    StoredWarning,
};
use crate::model::{
    Author, BenchmarkName, Config, Counter, Direction, Excuse, ExcuseScope, KernelProfile, Metric, MetricName, Profile, Record,
    ReportFile, Run, Sample, SampleWarning, Summary, Testbed, Unit,
};
use crate::stats;

pub(super) fn load_run(stored: StoredRun) -> Result<Run, String> {
    Ok(Run {
        id: parse(&stored.id)?,
        time: load_time(&stored.time)?,
        author: load_author(stored.author),
        tool: stored.tool,
        commit: parse(&stored.commit)?,
        tree: parse(&stored.tree)?,
        dirty: stored.dirty,
        session: stored.session.as_deref().map(parse).transpose()?,
        testbed: Testbed::new(stored.testbed, stored.facts).map_err(text)?,
    })
}

pub(super) fn load_record(stored: StoredRecord) -> Result<Record, String> {
    let unit = Unit::from_symbol(&stored.unit).map_err(text)?;
    let summary = load_summary(&stored);
    let sample = stored.sample.map(|sample| load_sample(&sample).ok_or("the sample is empty, not ascending, or out of range"));
    let sample = sample.transpose()?;
    let summary = with_what_follows(summary, sample.as_ref());
    summary.check(&unit).map_err(text)?;
    let sample = sample.or_else(|| Sample::new(&[summary.median]).ok().filter(|_| summary.n == 1));
    Ok(Record {
        id: parse(&stored.id)?,
        run: parse(&stored.run)?,
        benchmark: BenchmarkName::new(stored.benchmark).map_err(text)?,
        config: load_config(stored.config)?,
        metric: Metric {
            name: MetricName::new(stored.metric).map_err(text)?,
            unit,
            better: stored.better.parse::<Direction>()?,
            exact: stored.exact,
            // What it follows from is asked for by name; what is no name is the name of nothing.
            follows: stored.follows.and_then(|name| MetricName::new(name).ok()),
        },
        summary,
        sample,
        warnings: stored.warnings.into_iter().filter_map(load_warning).collect(),
        barred: stored.barred,
        machine_code: load_machine_code(stored.machine_code),
    })
}

/// The statistics that stand in a line.
fn load_summary(stored: &StoredRecord) -> Summary {
    let number = |number: Option<Number>| number.map(|number| number.0);
    Summary {
        n: stored.n,
        median: stored.median.0,
        low: number(stored.low),
        high: number(stored.high),
        mean: number(stored.mean),
        stddev: number(stored.stddev),
        min: number(stored.min),
        max: number(stored.max),
    }
}

/// The statistics that a record's line leaves to its sample: names and values, in their order.
pub(in crate::codec) fn left_to_sample(line: &[u8]) -> Option<Vec<(&'static str, String)>> {
    let stored: StoredRecord = serde_json::from_slice(line).ok()?;
    let stated = load_summary(&stored);
    let whole = with_what_follows(stated.clone(), load_sample(stored.sample.as_ref()?).as_ref());
    let Summary { low, high, mean, stddev, min, max, .. } = whole.clone();
    let fields = [("low", low), ("high", high), ("mean", mean), ("stddev", stddev), ("min", min), ("max", max)];
    let told = fields.into_iter().filter(|_| whole != stated).filter_map(|(name, value)| Some((name, Number(value?))));
    told.map(|(name, value)| Some((name, serde_json::to_string(&value).ok()?))).collect()
}

/// Whether a sample has all the measurements of its record, and more than one, which would say no more than the median.
pub(super) fn is_whole_sample(sample: &Sample, n: u64) -> bool {
    n > 1 && sample.ticks().len() as u64 == n
}

/// Adds what a line leaves to its sample: of a whole sample, where nothing but the median is said, all else follows.
pub(in crate::codec) fn with_what_follows(stated: Summary, sample: Option<&Sample>) -> Summary {
    let Summary { n, median, low: None, high: None, mean: None, stddev: None, min: None, max: None } = stated else {
        return stated;
    };
    match sample.filter(|sample| is_whole_sample(sample, n)) {
        Some(sample) => Summary { median, ..stats::summarize_kept(sample) },
        None => stated,
    }
}

pub(in crate::codec) fn load_sample(stored: &StoredSample) -> Option<Sample> {
    let mut sum = 0_i64;
    let ticks = stored.deltas.iter().map(|delta| {
        sum = sum.checked_add(*delta)?;
        Some(sum)
    });
    Sample::from_parts(stored.exp, ticks.collect::<Option<Vec<_>>>()?)
}

/// A warning of a kind that this version does not know is left out; the line itself keeps it.
fn load_warning(stored: StoredWarning) -> Option<SampleWarning> {
    Some(match stored {
        StoredWarning::Outliers { mild, severe } => SampleWarning::Outliers { mild, severe },
        StoredWarning::Drift { percent } => SampleWarning::Drift { percent },
        StoredWarning::WideInterval { percent } => SampleWarning::WideInterval { percent },
        StoredWarning::SlowFirst => SampleWarning::SlowFirst,
        StoredWarning::TooShort => SampleWarning::TooShort,
        StoredWarning::Throttled { dropped } => SampleWarning::Throttled { dropped },
        StoredWarning::Other(_) => return None,
    })
}

pub(super) fn load_profile(stored: StoredProfile) -> Result<Profile, String> {
    let counter = |(name, counter): (String, StoredCounter)| {
        let unit = Unit::from_symbol(&counter.unit).map_err(text)?;
        Ok::<_, String>((name, Counter { value: counter.value.0, unit }))
    };
    let counted = KernelProfile {
        kernel: stored.kernel,
        launches: stored.launches,
        metrics: stored.metrics.into_iter().map(counter).collect::<Result<_, _>>()?,
    };
    counted.check().map_err(text)?;
    let report =
        |file: StoredReport| Ok::<_, String>(ReportFile { path: file.path, blob: parse(&file.blob)?, bytes: file.bytes });
    Ok(Profile {
        id: parse(&stored.id)?,
        run: parse(&stored.run)?,
        benchmark: BenchmarkName::new(stored.benchmark).map_err(text)?,
        config: load_config(stored.config)?,
        counted,
        report: stored.report.map(report).transpose()?,
    })
}

pub(super) fn load_excuse(stored: StoredExcuse) -> Result<Excuse, String> {
    Ok(Excuse {
        id: parse(&stored.id)?,
        time: load_time(&stored.time)?,
        author: load_author(stored.author),
        tree: parse(&stored.tree)?,
        scope: ExcuseScope {
            benchmark: stored.benchmark.map(BenchmarkName::new).transpose().map_err(text)?,
            config: load_config(stored.config)?,
            metric: stored.metric.map(MetricName::new).transpose().map_err(text)?,
            testbed: stored.testbed,
        },
        reason: stored.reason,
        until: stored.until.map(|number| number.0),
        expires: stored.expires.as_deref().map(load_time).transpose()?,
    })
}

/// A hash that is longer than any name is none.
pub(in crate::codec) fn load_machine_code(stored: Option<String>) -> Option<String> {
    stored.filter(|code| code.len() <= crate::model::MAX_NAME_BYTES)
}

/// Values are strings; plain numbers and booleans, as other programs may write them, are taken by their text.
pub(in crate::codec) fn load_config(stored: Map<String, Value>) -> Result<Config, String> {
    let parameters = stored.into_iter().map(|(key, value)| match value {
        Value::String(value) => Ok((key, value)),
        Value::Number(_) | Value::Bool(_) => Ok((key, value.to_string())),
        _ => Err(format!("the value of the parameter `{key}` is not a text")),
    });
    Config::new(parameters.collect::<Result<Vec<_>, _>>()?).map_err(text)
}

fn load_author(stored: StoredAuthor) -> Author {
    Author { name: stored.name, email: stored.email }
}

fn load_time(stored: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(stored)
        .map(|time| time.with_timezone(&Utc))
        .map_err(|error| format!("`{stored}` is not a time: {error}"))
}

fn parse<T: std::str::FromStr<Err = crate::model::ParseIdError>>(stored: &str) -> Result<T, String> {
    stored.parse().map_err(|error: crate::model::ParseIdError| error.to_string())
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
