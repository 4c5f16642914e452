//! From settings to the harness: each `[[benchmark]]` becomes the points that are executed.

use std::path::Path;

use super::error::CommandError;
use crate::harness::{
    CommandSpec, MetricSource, OutputMetric, OutputPattern, OutputStream, Point, SamplingOptions, StopRule, Warmup,
};
use crate::model::{BenchmarkName, Config, Metric};
use crate::report::words;
pub use crate::report::words::point_name;
use crate::settings::{self, Benchmark, CommandLine, Settings};

/// A point and how it is sampled.
pub struct PlannedPoint {
    /// What is executed.
    pub point: Point,
    /// How often.
    pub sampling: SamplingOptions,
}

/// The points of commands that were asked for, in the order of the file. Kernels are `kernels.rs`'s.
///
/// # Errors
/// A name that the settings do not have.
pub fn plan(settings: &Settings, root: &Path, names: &[String], filter: &Config) -> Result<Vec<PlannedPoint>, CommandError> {
    for name in names {
        if !names_of(settings).any(|known| known.as_str() == name) {
            return Err(unknown_benchmark(name, settings));
        }
    }
    let mut planned = Vec::new();
    for benchmark in settings.benchmarks.iter().filter(|benchmark| is_wanted(&benchmark.name, names)) {
        for config in benchmark.configs().iter().filter(|config| config.contains(filter)) {
            planned.push(plan_point(settings, benchmark, config, root)?);
        }
    }
    Ok(planned)
}

/// Whether a benchmark is among those that were named; without names all are.
pub fn is_wanted(name: &BenchmarkName, names: &[String]) -> bool {
    names.is_empty() || names.iter().any(|asked| asked == name.as_str())
}

/// What may be asked for by name.
fn names_of(settings: &Settings) -> impl Iterator<Item = &BenchmarkName> {
    settings.benchmarks.iter().map(|benchmark| &benchmark.name).chain(settings.suites.iter().map(|suite| &suite.name))
}

fn unknown_benchmark(name: &str, settings: &Settings) -> CommandError {
    let known: Vec<&str> = names_of(settings).map(BenchmarkName::as_str).collect();
    let known = if known.is_empty() { "it has none".to_owned() } else { format!("it has: {}", known.join(", ")) };
    let error = CommandError::usage(format!("ratchet.toml has no benchmark `{name}`; {known}"));
    let suite = BenchmarkName::new(name).ok().and_then(|name| settings.suite_of(&name));
    match suite {
        Some(suite) => error.with_hint(format!("a suite is run whole: git ratchet bench {}", words::quoted(suite.name.as_str()))),
        None => error,
    }
}

fn plan_point(settings: &Settings, benchmark: &Benchmark, config: &Config, root: &Path) -> Result<PlannedPoint, CommandError> {
    Ok(PlannedPoint {
        point: point(benchmark, config, root)?,
        // Times of processes hardly ever repeat, so their entropy tells nothing.
        sampling: SamplingOptions {
            stop: StopRule::Interval,
            ..sampling(settings.sampling_for(benchmark), SamplingOptions::default())
        },
    })
}

/// One point of a benchmark, executed in the checkout at `root`.
pub fn point(benchmark: &Benchmark, config: &Config, root: &Path) -> Result<Point, CommandError> {
    let commands = benchmark
        .commands(config)
        .ok_or_else(|| CommandError::usage(format!("{} is a kernel, not a command", benchmark.name)))?;
    let metrics = benchmark.metrics.iter().map(|metric| metric_source(&metric.source));
    Ok(Point {
        benchmark: benchmark.name.clone(),
        config: config.clone(),
        command: command(commands.command),
        build: commands.build.map(command),
        prepare: commands.prepare.map(command),
        cleanup: commands.cleanup.map(command),
        directory: commands.dir.map_or_else(|| root.to_owned(), |dir| root.join(dir)),
        environment: commands.env,
        timeout: benchmark.timeout.unwrap_or(Point::DEFAULT_TIMEOUT),
        metrics: metrics.collect::<Result<_, _>>()?,
        results: None,
    })
}

/// A command as the harness takes it.
pub fn command(line: CommandLine) -> CommandSpec {
    match line {
        CommandLine::Argv(words) => CommandSpec::Argv(words),
        CommandLine::Shell(line) => CommandSpec::Shell(line),
    }
}

/// The metric of a source: known, or as the settings describe it.
pub fn metric_of(source: &settings::MetricSource) -> Metric {
    match source {
        settings::MetricSource::Time | settings::MetricSource::Kernel => Metric::time(),
        settings::MetricSource::CpuTime => Metric::cpu_time(),
        settings::MetricSource::PeakMemory => Metric::peak_memory(),
        settings::MetricSource::Output { metric, .. } => metric.clone(),
    }
}

fn metric_source(source: &settings::MetricSource) -> Result<MetricSource, CommandError> {
    Ok(match source {
        settings::MetricSource::Time | settings::MetricSource::Kernel => MetricSource::Time,
        settings::MetricSource::CpuTime => MetricSource::CpuTime,
        settings::MetricSource::PeakMemory => MetricSource::PeakMemory,
        settings::MetricSource::Output { metric, unit, extract, stream } => {
            let pattern = match extract {
                settings::Extract::Regex(text) => OutputPattern::Regex(regex::Regex::new(text).map_err(CommandError::usage)?),
                settings::Extract::Json(pointer) => OutputPattern::Json(pointer.clone()),
            };
            let stream = match stream {
                settings::Stream::Stdout => OutputStream::Stdout,
                settings::Stream::Stderr => OutputStream::Stderr,
            };
            MetricSource::Output(OutputMetric::new(metric.clone(), unit, pattern, stream).map_err(CommandError::usage)?)
        }
    })
}

/// Sampling as given, the rest as usual.
pub fn sampling(given: settings::Sampling, usual: SamplingOptions) -> SamplingOptions {
    SamplingOptions {
        warmup: given.warmup.map_or(usual.warmup, |warmup| match warmup {
            settings::Warmup::Count(count) => Warmup::Count(count),
            settings::Warmup::Time(time) => Warmup::Time(time),
        }),
        min_runs: given.min_runs.unwrap_or(usual.min_runs),
        max_runs: given.max_runs.unwrap_or(usual.max_runs),
        min_time: given.min_time.unwrap_or(usual.min_time),
        max_time: given.max_time.unwrap_or(usual.max_time),
        precision_percent: given.precision_percent.unwrap_or(usual.precision_percent),
        stop: given.stop.map_or(usual.stop, |rule| match rule {
            settings::StopRule::Interval => StopRule::Interval,
            settings::StopRule::Entropy => StopRule::Entropy,
        }),
    }
}
