//! Version 1 of the stored lines. Frozen: this file reads what it has ever written.
//!
//! The `Stored…` structs give the field order. Optional fields are left out when empty, so that a line says nothing
//! twice; unknown fields are ignored, since lines are kept as bytes and never written back from here.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Entry, Line, Unreadable};
use crate::model::{
    Author, BenchmarkName, Config, Counter, Direction, Excuse, ExcuseScope, KernelProfile, Metric, MetricName, Profile, Record,
    ReportFile, Run, Sample, SampleWarning, Summary, Testbed, Unit,
};

const VERSION: u64 = 1;

/// The part of a line that every version has.
#[derive(Deserialize)]
struct Envelope<'a> {
    v: u64,
    #[serde(rename = "type")]
    kind: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
struct StoredAuthor {
    name: String,
    email: String,
}

#[derive(Serialize, Deserialize)]
struct StoredRun {
    v: u64,
    #[serde(rename = "type")]
    kind: String,
    id: String,
    time: String,
    author: StoredAuthor,
    tool: String,
    commit: String,
    tree: String,
    #[serde(default, skip_serializing_if = "is_false")]
    dirty: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    testbed: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    facts: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct StoredRecord {
    v: u64,
    #[serde(rename = "type")]
    kind: String,
    id: String,
    run: String,
    benchmark: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    config: Map<String, Value>,
    metric: String,
    unit: String,
    better: String,
    #[serde(default, skip_serializing_if = "is_false")]
    exact: bool,
    n: u64,
    median: Number,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    low: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    high: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mean: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stddev: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sample: Option<StoredSample>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<StoredWarning>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    barred: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    machine_code: Option<String>,
}

/// Ascending values: the first in ticks of `10^exp`, then the differences.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredSample {
    exp: i32,
    deltas: Vec<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredWarning {
    Outliers {
        mild: u64,
        severe: u64,
    },
    Drift {
        percent: f64,
    },
    WideInterval {
        percent: f64,
    },
    SlowFirst,
    TooShort,
    Throttled {
        dropped: u64,
    },
    #[serde(untagged)]
    Other(Value),
}

#[derive(Serialize, Deserialize)]
struct StoredProfile {
    v: u64,
    #[serde(rename = "type")]
    kind: String,
    id: String,
    run: String,
    benchmark: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    config: Map<String, Value>,
    kernel: String,
    launches: u64,
    metrics: BTreeMap<String, StoredCounter>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    report: Option<StoredReport>,
}

#[derive(Serialize, Deserialize)]
struct StoredCounter {
    value: Number,
    unit: String,
}

#[derive(Serialize, Deserialize)]
struct StoredReport {
    path: String,
    blob: String,
    bytes: u64,
}

#[derive(Serialize, Deserialize)]
struct StoredExcuse {
    v: u64,
    #[serde(rename = "type")]
    kind: String,
    id: String,
    time: String,
    author: StoredAuthor,
    tree: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    benchmark: Option<String>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    config: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metric: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    testbed: Option<String>,
    reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
}

/// A stored number: whole numbers are written exactly, others with twelve significant digits, which is finer than any
/// clock and keeps notes small.
#[derive(Clone, Copy, Deserialize)]
pub(super) struct Number(pub(super) f64);

impl Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;
        if self.0.fract() == 0.0 && self.0.abs() < LARGEST_EXACT {
            return serializer.serialize_i64(self.0 as i64);
        }
        serializer.serialize_f64(rounded(self.0))
    }
}

/// `value` at twelve significant digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.11e}").parse().unwrap_or(value)
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self(value)
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

/// The stored line of an entry.
pub(super) fn encode(entry: &Entry) -> String {
    let line = match entry {
        Entry::Run(run) => serde_json::to_string(&store_run(run)),
        Entry::Record(record) => serde_json::to_string(&store_record(record)),
        Entry::Profile(profile) => serde_json::to_string(&store_profile(profile)),
        Entry::Excuse(excuse) => serde_json::to_string(&store_excuse(excuse)),
    };
    // Strings, integers, finite numbers and string-keyed maps always serialise.
    line.unwrap_or_default()
}

/// The kind of a line that begins as this version writes it, which spares parsing the line twice.
pub(super) fn own_kind(line: &[u8]) -> Option<&str> {
    let rest = line.strip_prefix(br#"{"v":1,"type":""#)?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    std::str::from_utf8(&rest[..end]).ok().filter(|kind| ["run", "record", "profile", "excuse"].contains(kind))
}

/// Reads one line.
pub(super) fn decode(line: &[u8]) -> Line {
    let malformed = |error: serde_json::Error| Unreadable::Malformed(error.to_string());
    let kind = match own_kind(line) {
        Some(kind) => Cow::Borrowed(kind),
        None => {
            let envelope: Envelope = serde_json::from_slice(line).map_err(malformed)?;
            if envelope.v != VERSION {
                return Err(Unreadable::Newer);
            }
            envelope.kind
        }
    };
    let decoded = match kind.as_ref() {
        "run" => load_run(serde_json::from_slice(line).map_err(malformed)?).map(Entry::Run),
        "record" => load_record(serde_json::from_slice(line).map_err(malformed)?).map(Entry::Record),
        "profile" => load_profile(serde_json::from_slice(line).map_err(malformed)?).map(Entry::Profile),
        "excuse" => load_excuse(serde_json::from_slice(line).map_err(malformed)?).map(Entry::Excuse),
        _ => return Err(Unreadable::Newer),
    };
    decoded.map_err(Unreadable::Malformed)
}

fn store_run(run: &Run) -> StoredRun {
    StoredRun {
        v: VERSION,
        kind: "run".into(),
        id: run.id.to_string(),
        time: store_time(run.time),
        author: store_author(&run.author),
        tool: run.tool.clone(),
        commit: run.commit.to_string(),
        tree: run.tree.to_string(),
        dirty: run.dirty,
        session: run.session.map(|id| id.to_string()),
        testbed: run.testbed.key().to_owned(),
        facts: run.testbed.facts.clone(),
    }
}

fn load_run(stored: StoredRun) -> Result<Run, String> {
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

fn store_record(record: &Record) -> StoredRecord {
    let summary = &record.summary;
    StoredRecord {
        v: VERSION,
        kind: "record".into(),
        id: record.id.to_string(),
        run: record.run.to_string(),
        benchmark: record.benchmark.as_str().to_owned(),
        config: store_config(&record.config),
        metric: record.metric.name.as_str().to_owned(),
        unit: record.metric.unit.symbol().to_owned(),
        better: record.metric.better.as_str().to_owned(),
        exact: record.metric.exact,
        n: summary.n,
        median: summary.median.into(),
        low: summary.low.map(Number),
        high: summary.high.map(Number),
        mean: summary.mean.map(Number),
        stddev: summary.stddev.map(Number),
        min: summary.min.map(Number),
        max: summary.max.map(Number),
        sample: record.sample.as_ref().filter(|sample| sample.ticks().len() > 1).map(store_sample),
        warnings: record.warnings.iter().map(store_warning).collect(),
        barred: record.barred.clone(),
        machine_code: record.machine_code.clone(),
    }
}

fn load_record(stored: StoredRecord) -> Result<Record, String> {
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

fn store_sample(sample: &Sample) -> StoredSample {
    let ticks = sample.ticks();
    let first = ticks.iter().take(1).copied();
    let differences = ticks.windows(2).map(|pair| pair[1] - pair[0]);
    StoredSample { exp: sample.exponent(), deltas: first.chain(differences).collect() }
}

pub(super) fn load_sample(stored: &StoredSample) -> Option<Sample> {
    let mut sum = 0_i64;
    let ticks = stored.deltas.iter().map(|delta| {
        sum = sum.checked_add(*delta)?;
        Some(sum)
    });
    Sample::from_parts(stored.exp, ticks.collect::<Option<Vec<_>>>()?)
}

fn store_warning(warning: &SampleWarning) -> StoredWarning {
    match *warning {
        SampleWarning::Outliers { mild, severe } => StoredWarning::Outliers { mild, severe },
        SampleWarning::Drift { percent } => StoredWarning::Drift { percent },
        SampleWarning::WideInterval { percent } => StoredWarning::WideInterval { percent },
        SampleWarning::SlowFirst => StoredWarning::SlowFirst,
        SampleWarning::TooShort => StoredWarning::TooShort,
        SampleWarning::Throttled { dropped } => StoredWarning::Throttled { dropped },
    }
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

fn store_profile(profile: &Profile) -> StoredProfile {
    let counted = &profile.counted;
    let counter = |counter: &Counter| StoredCounter { value: counter.value.into(), unit: counter.unit.symbol().to_owned() };
    StoredProfile {
        v: VERSION,
        kind: "profile".into(),
        id: profile.id.to_string(),
        run: profile.run.to_string(),
        benchmark: profile.benchmark.as_str().to_owned(),
        config: store_config(&profile.config),
        kernel: counted.kernel.clone(),
        launches: counted.launches,
        metrics: counted.metrics.iter().map(|(name, value)| (name.clone(), counter(value))).collect(),
        report: profile.report.as_ref().map(|file| StoredReport {
            path: file.path.clone(),
            blob: file.blob.to_string(),
            bytes: file.bytes,
        }),
    }
}

fn load_profile(stored: StoredProfile) -> Result<Profile, String> {
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

fn store_excuse(excuse: &Excuse) -> StoredExcuse {
    StoredExcuse {
        v: VERSION,
        kind: "excuse".into(),
        id: excuse.id.to_string(),
        time: store_time(excuse.time),
        author: store_author(&excuse.author),
        tree: excuse.tree.to_string(),
        benchmark: excuse.scope.benchmark.as_ref().map(|name| name.as_str().to_owned()),
        config: store_config(&excuse.scope.config),
        metric: excuse.scope.metric.as_ref().map(|name| name.as_str().to_owned()),
        testbed: excuse.scope.testbed.clone(),
        reason: excuse.reason.clone(),
        until: excuse.until.map(Number),
        expires: excuse.expires.map(store_time),
    }
}

fn load_excuse(stored: StoredExcuse) -> Result<Excuse, String> {
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

fn store_config(config: &Config) -> Map<String, Value> {
    config.iter().map(|(key, value)| (key.to_owned(), Value::from(value))).collect()
}

/// A hash that is longer than any name is none.
pub(super) fn load_machine_code(stored: Option<String>) -> Option<String> {
    stored.filter(|code| code.len() <= crate::model::MAX_NAME_BYTES)
}

/// Values are strings; plain numbers and booleans, as other programs may write them, are taken by their text.
pub(super) fn load_config(stored: Map<String, Value>) -> Result<Config, String> {
    let parameters = stored.into_iter().map(|(key, value)| match value {
        Value::String(value) => Ok((key, value)),
        Value::Number(_) | Value::Bool(_) => Ok((key, value.to_string())),
        _ => Err(format!("the value of the parameter `{key}` is not a text")),
    });
    Config::new(parameters.collect::<Result<Vec<_>, _>>()?).map_err(text)
}

fn store_author(author: &Author) -> StoredAuthor {
    StoredAuthor { name: author.name.clone(), email: author.email.clone() }
}

fn load_author(stored: StoredAuthor) -> Author {
    Author { name: stored.name, email: stored.email }
}

fn store_time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn load_time(stored: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(stored)
        .map(|time| time.with_timezone(&Utc))
        .map_err(|error| format!("`{stored}` is not a time: {error}"))
}

pub(super) fn parse<T: std::str::FromStr<Err = crate::model::ParseIdError>>(stored: &str) -> Result<T, String> {
    stored.parse().map_err(|error: crate::model::ParseIdError| error.to_string())
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
