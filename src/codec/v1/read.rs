//! From lines as they are stored to runs, records, profiles and excuses; whatever does not hold is refused in words.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::stored::{
    StoredAuthor, StoredCounter, StoredExcuse, StoredProfile, StoredRecord, StoredReport, StoredRun, StoredSample, StoredWarning,
};
use crate::model::{
    Author, BenchmarkName, Config, Counter, Direction, Excuse, ExcuseScope, KernelProfile, Metric, MetricName, Profile, Record,
    ReportFile, Run, Sample, SampleWarning, Summary, Testbed, Unit,
};

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
    let summary = Summary {
        n: stored.n,
        median: stored.median.0,
        low: stored.low.map(|number| number.0),
        high: stored.high.map(|number| number.0),
        mean: stored.mean.map(|number| number.0),
        stddev: stored.stddev.map(|number| number.0),
        min: stored.min.map(|number| number.0),
        max: stored.max.map(|number| number.0),
    };
    summary.check(&unit).map_err(text)?;
    let sample = match stored.sample {
        Some(sample) => Some(load_sample(&sample).ok_or("the sample is empty, not ascending, or out of range")?),
        None if summary.n == 1 => Sample::new(&[summary.median]).ok(),
        None => None,
    };
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
        },
        summary,
        sample,
        warnings: stored.warnings.into_iter().filter_map(load_warning).collect(),
        barred: stored.barred,
        machine_code: load_machine_code(stored.machine_code),
    })
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
