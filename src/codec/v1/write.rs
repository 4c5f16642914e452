//! From runs, records, profiles and excuses to lines as they are stored.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};

use super::VERSION;
use super::read::is_whole_sample;
use super::stored::{
    Number, StoredAuthor, StoredCounter, StoredExcuse, StoredProfile, StoredRecord, StoredReport, StoredRun, StoredSample,
    StoredWarning,
};
use crate::model::{Author, Config, Counter, Excuse, Profile, Record, Run, Sample, SampleWarning, Summary};
use crate::stats;

pub(super) fn store_run(run: &Run) -> StoredRun {
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

pub(super) fn store_record(record: &Record) -> StoredRecord {
    let summary = stated(&record.summary, record.sample.as_ref());
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
        follows: record.metric.follows.as_ref().map(|lead| lead.as_str().to_owned()),
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

/// What a line says of the statistics: those that follow from its sample are left to the sample.
fn stated(summary: &Summary, sample: Option<&Sample>) -> Summary {
    match sample.filter(|sample| is_whole_sample(sample, summary.n)) {
        Some(sample) if stats::summarize_kept(sample) == summary.rounded() => {
            Summary { n: summary.n, ..Summary::single(summary.median) }
        }
        _ => summary.clone(),
    }
}

fn store_sample(sample: &Sample) -> StoredSample {
    let ticks = sample.ticks();
    let first = ticks.iter().take(1).copied();
    let differences = ticks.windows(2).map(|pair| pair[1] - pair[0]);
    StoredSample { exp: sample.exponent(), deltas: first.chain(differences).collect() }
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

pub(super) fn store_profile(profile: &Profile) -> StoredProfile {
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

pub(super) fn store_excuse(excuse: &Excuse) -> StoredExcuse {
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

fn store_config(config: &Config) -> Map<String, Value> {
    config.iter().map(|(key, value)| (key.to_owned(), Value::from(value))).collect()
}

fn store_author(author: &Author) -> StoredAuthor {
    StoredAuthor { name: author.name.clone(), email: author.email.clone() }
}

fn store_time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
