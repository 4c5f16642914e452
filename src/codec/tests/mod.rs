//! The note format. Here are the runs, records and excuses that its tests write.

mod frozen;
mod lines;
mod thinning;
mod union;

use chrono::{DateTime, Utc};

use super::*;
use crate::model::*;

fn id(n: u64) -> LineId {
    LineId::from_parts(1_700_000_000_000, u128::from(n))
}

fn time() -> DateTime<Utc> {
    "2026-11-21T09:00:00Z".parse().unwrap()
}

fn object(byte: u8) -> ObjectId {
    ObjectId::from_bytes(&[byte; 20]).unwrap()
}

fn run() -> Run {
    Run {
        id: id(1),
        time: time(),
        author: Author { name: "Ann \"Q\" Ō".into(), email: "ann@example.org".into() },
        tool: "git-ratchet 0.1.0".into(),
        commit: object(1),
        tree: object(2),
        dirty: true,
        session: Some(id(9)),
        testbed: Testbed::new("CPU · 2 cores", [("kernel".to_owned(), "6.1".to_owned())].into()).unwrap(),
    }
}

fn record(values: &[f64]) -> Record {
    let measured = Measurement {
        benchmark: BenchmarkName::new("attention").unwrap(),
        config: "B=32 H=8".parse().unwrap(),
        metric: Metric::time().following(&MetricName::new("cycles").unwrap()),
        summary: Summary { n: values.len() as u64, low: Some(0.01), mean: Some(0.0123), ..Summary::single(0.0123) },
        values: values.to_vec(),
        warnings: vec![SampleWarning::SlowFirst, SampleWarning::Drift { percent: 1.5 }],
        barred: None,
        machine_code: Some("0f3a".to_owned()),
    };
    Record::new(id(2), id(1), measured)
}

/// As it comes out of a run: the statistics are those of the sample.
fn measured(values: &[f64]) -> Record {
    let summary = crate::stats::summarize_measured(values).unwrap();
    Record { summary, ..record(values) }
}

fn profile() -> Profile {
    let counter = |value, unit: &str| Counter { value, unit: Unit::from_symbol(unit).unwrap() };
    let metrics = [
        ("gpu__time_duration.sum", counter(0.000335, "s")),
        ("launch__registers_per_thread", counter(128.0, "1")),
        ("sm__warps_active.avg.pct_of_peak_sustained_active", counter(24.75, "%")),
    ];
    Profile {
        id: id(4),
        run: id(1),
        benchmark: BenchmarkName::new("attention").unwrap(),
        config: "B=32 H=8".parse().unwrap(),
        counted: KernelProfile {
            kernel: "void flash<64, 128>(float const*, \"x\")".into(),
            launches: 1,
            metrics: metrics.map(|(name, counter)| (name.to_owned(), counter)).into(),
        },
        report: Some(ReportFile { path: ".git/ratchet/profiles/a/b.ncu-rep".into(), blob: object(7), bytes: 123_456 }),
    }
}

fn excuse() -> Excuse {
    Excuse {
        id: id(3),
        time: time(),
        author: Author { name: "Ann".into(), email: String::new() },
        tree: object(2),
        scope: ExcuseScope { benchmark: Some(BenchmarkName::new("attention").unwrap()), ..ExcuseScope::default() },
        reason: "the fix for\nthe race | costs this".into(),
        until: Some(0.02),
        expires: Some(time()),
    }
}

fn decoded(lines: &[u8]) -> Note {
    Note::decode(lines)
}
