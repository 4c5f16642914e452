//! A record: what the store keeps of one sample.

use super::{BenchmarkName, Config, LineId, Metric, MetricName, Run, Sample, SampleWarning, Summary};

/// What a series is made of: records with equal keys may be compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesKey {
    /// The benchmark.
    pub benchmark: BenchmarkName,
    /// The point of it.
    pub config: Config,
    /// The metric.
    pub metric: MetricName,
    /// The testbed's key.
    pub testbed: String,
}

impl SeriesKey {
    /// The series that a record of `run` belongs to.
    pub fn of(record: &Record, run: &Run) -> Self {
        Self {
            benchmark: record.benchmark.clone(),
            config: record.config.clone(),
            metric: record.metric.name.clone(),
            testbed: run.testbed.key().to_owned(),
        }
    }
}

/// A sample as it was measured or imported, before it belongs to a run and has an id.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// The benchmark.
    pub benchmark: BenchmarkName,
    /// The point of it.
    pub config: Config,
    /// The metric, with unit and direction.
    pub metric: Metric,
    /// Statistics of the sample, in base units.
    pub summary: Summary,
    /// Every measured value in base units, in the order measured; empty where the source carries statistics only.
    pub values: Vec<f64>,
    /// What was noticed while sampling.
    pub warnings: Vec<SampleWarning>,
    /// Why this may never be a baseline (a failed verification, a value beyond the physical limit).
    pub barred: Option<String>,
    /// Hash of what ran, where it is known: equal hashes mean that a difference is not the code's.
    pub machine_code: Option<String>,
}

/// What the store keeps of one sample of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Unique id.
    pub id: LineId,
    /// The run that measured it: testbed, tree and time stand there.
    pub run: LineId,
    /// The benchmark.
    pub benchmark: BenchmarkName,
    /// The point of it.
    pub config: Config,
    /// The metric, with unit and direction.
    pub metric: Metric,
    /// Statistics of the whole sample, in base units.
    pub summary: Summary,
    /// The sample, thinned to at most [`Sample::MAX_VALUES`] values; `None` where only statistics are known.
    pub sample: Option<Sample>,
    /// What was noticed while sampling.
    pub warnings: Vec<SampleWarning>,
    /// Why this may never be a baseline.
    pub barred: Option<String>,
    /// Hash of what ran, where it is known: equal hashes mean that a difference is not the code's.
    pub machine_code: Option<String>,
}

impl Record {
    /// Why a record that nobody vouched for may never be a baseline. Set while reading (`git config ratchet.trust signed`), in
    /// place of whatever the line itself says; never written.
    pub const UNTRUSTED: &'static str = "untrusted: no commit with a good signature of an allowed signer brought it";

    /// Whether it came without a signature where one is asked for.
    pub fn is_untrusted(&self) -> bool {
        self.barred.as_deref() == Some(Self::UNTRUSTED)
    }

    /// Gives a measurement an id and a run, and says its numbers as they will be read back.
    pub fn new(id: LineId, run: LineId, measured: Measurement) -> Self {
        let sample = Sample::new(&measured.values).ok();
        Self {
            id,
            run,
            benchmark: measured.benchmark,
            config: measured.config,
            metric: measured.metric,
            summary: measured.summary.rounded(),
            sample,
            warnings: measured.warnings,
            barred: measured.barred,
            machine_code: measured.machine_code,
        }
    }
}
