//! Measures one point from its first warm-up to its last warning.

use super::warnings::{Context, warnings};
use super::{
    Clock, Decision, Estimate, Event, ExecutionError, Executor, Prepared, Progress, Sampler, SamplingOptions, StopReason, Target,
};
use crate::model::{BenchmarkName, Config, Measurement, Metric};
use crate::stats;

/// With fewer values than this that count, what was throttled is kept instead.
const FEWEST: u32 = 3;

/// Why a point has no results.
#[derive(Debug, thiserror::Error)]
#[error("{benchmark}{}: {error}", config_suffix(config))]
pub struct BenchFailure {
    /// The benchmark.
    pub benchmark: BenchmarkName,
    /// The point of it.
    pub config: Config,
    /// How many measured executions had succeeded.
    pub completed: u32,
    /// What happened.
    pub error: ExecutionError,
}

fn config_suffix(config: &Config) -> String {
    if config.is_empty() { String::new() } else { format!(" [{config}]") }
}

/// Measures `point`: prepares it, warms up, executes until the sample is precise enough or limits are reached, cleans
/// up. One measurement for each metric that every execution could tell.
///
/// A failed cleanup fails the point: what it left behind may disturb the next one. Where the device was throttled so
/// often that hardly anything is left, the throttled values are kept instead, and barred.
pub fn run_benchmark<T: Target>(
    point: &T,
    executor: &mut dyn Executor<T>,
    options: &SamplingOptions,
    clock: &dyn Clock,
    progress: &mut dyn Progress,
) -> Result<Vec<Measurement>, BenchFailure> {
    progress.event(Event::PointStarted { benchmark: point.benchmark(), config: point.config() });
    let mut series = Series { options, clock, progress, completed: 0 };
    let measured = series.run(point, executor);
    let completed = series.completed;
    let finished = executor.finish();
    match measured.and_then(|measurements| finished.map(|()| measurements)) {
        Ok(measurements) => {
            progress.event(Event::PointDone { measurements: &measurements });
            Ok(measurements)
        }
        Err(error) => {
            progress.event(Event::PointFailed);
            Err(BenchFailure { benchmark: point.benchmark().clone(), config: point.config().clone(), completed, error })
        }
    }
}

/// One point while it is measured.
struct Series<'a> {
    options: &'a SamplingOptions,
    clock: &'a dyn Clock,
    progress: &'a mut dyn Progress,
    completed: u32,
}

impl Series<'_> {
    fn run<T: Target>(&mut self, point: &T, executor: &mut dyn Executor<T>) -> Result<Vec<Measurement>, ExecutionError> {
        let mut prepared = executor.prepare(point)?;
        prepared.remarks.iter().for_each(|text| self.progress.event(Event::Remark { text }));
        let metrics = prepared.metrics.clone();
        let mut sampler = Sampler::new(self.options.clone(), self.clock.now());
        let (mut columns, mut throttled) = (Columns::new(&metrics), Columns::new(&metrics));
        loop {
            match sampler.decide(self.clock.now()) {
                Decision::WarmUp => self.warm_up(executor, &mut sampler)?,
                Decision::Measure => self.measure(executor, &mut sampler, (&mut columns, &mut throttled))?,
                Decision::Stop(reason) => {
                    if sampler.dropped_count() > 0 && sampler.taken() < FEWEST {
                        columns = throttled;
                        let (dropped, all) = (sampler.dropped_count(), sampler.dropped_count() + sampler.taken());
                        prepared.barred.get_or_insert(format!("the device was throttled in {dropped} of {all} executions"));
                    }
                    prepared.barred = prepared.barred.or(executor.verify()?);
                    return Ok(self.conclude(point, &prepared, &sampler, columns, reason));
                }
            }
        }
    }

    fn warm_up<T: Target>(&mut self, executor: &mut dyn Executor<T>, sampler: &mut Sampler) -> Result<(), ExecutionError> {
        executor.execute()?;
        sampler.warmed_up();
        self.progress.event(Event::WarmedUp { taken: sampler.warmups() });
        Ok(())
    }

    fn measure<T: Target>(
        &mut self,
        executor: &mut dyn Executor<T>,
        sampler: &mut Sampler,
        (columns, throttled): (&mut Columns<'_>, &mut Columns<'_>),
    ) -> Result<(), ExecutionError> {
        let observation = executor.execute()?;
        if observation.throttled {
            throttled.add(&observation.values);
            sampler.dropped();
            return Ok(());
        }
        sampler.measured(columns.add(&observation.values));
        self.completed = sampler.taken();
        let estimate = columns.lead_metric().zip(sampler.median()).map(|(metric, median)| Estimate {
            metric,
            median,
            half_width_percent: sampler.half_width_percent(),
        });
        let remaining = sampler.remaining(self.clock.now());
        self.progress.event(Event::SampleTaken { taken: sampler.taken(), estimate, remaining });
        Ok(())
    }

    fn conclude<T: Target>(
        &mut self,
        point: &T,
        prepared: &Prepared,
        sampler: &Sampler,
        columns: Columns<'_>,
        reason: StopReason,
    ) -> Vec<Measurement> {
        let lead = columns.lead;
        let mut measurements = Vec::new();
        for (index, (metric, values)) in prepared.metrics.iter().zip(columns.values).enumerate() {
            let Some(mut values) = values.filter(|values| !values.is_empty()) else {
                self.progress.event(Event::Unavailable { metric });
                continue;
            };
            if metric.exact && values.iter().all(|value| *value == values[0]) {
                // Said once: a thousand times the same would only make the note longer.
                values.truncate(1);
            }
            let missed = lead == Some(index) && matches!(reason, StopReason::Runs | StopReason::Time);
            let context = Context {
                missed_precision: missed.then_some(self.options.precision_percent),
                shortest_time: prepared.shortest_time,
                throttled: sampler.dropped_count(),
            };
            let warnings = warnings(metric, &values, &context);
            warnings.iter().for_each(|warning| self.progress.event(Event::Warning { metric, warning }));
            let Some(summary) = stats::summarize_measured(&values) else { continue };
            measurements.push(Measurement {
                benchmark: point.benchmark().clone(),
                config: point.config().clone(),
                metric: metric.clone(),
                summary,
                values,
                warnings,
                barred: prepared.barred.clone(),
                machine_code: prepared.machine_code.clone(),
            });
        }
        measurements
    }
}

/// The values of each metric; a column is gone for good once an execution could not tell it.
struct Columns<'a> {
    metrics: &'a [Metric],
    values: Vec<Option<Vec<f64>>>,
    lead: Option<usize>,
}

impl<'a> Columns<'a> {
    fn new(metrics: &'a [Metric]) -> Self {
        Self { metrics, values: vec![Some(Vec::new()); metrics.len()], lead: None }
    }

    /// Takes one execution's values and returns that of the leading metric: the first that is not exact and that the
    /// first execution could tell.
    fn add(&mut self, values: &[Option<f64>]) -> Option<f64> {
        let told = |index: usize| values.get(index).copied().flatten();
        let noisy = |index: &usize| !self.metrics[*index].exact && told(*index).is_some();
        self.lead = self.lead.or_else(|| (0..self.metrics.len()).find(noisy));
        for (index, column) in self.values.iter_mut().enumerate() {
            match (column.as_mut(), told(index)) {
                (Some(column), Some(value)) => column.push(value),
                _ => *column = None,
            }
        }
        self.lead.and_then(told)
    }

    fn lead_metric(&self) -> Option<&'a Metric> {
        self.lead.map(|index| &self.metrics[index])
    }
}
