//! From the file as written to settings that hold together.

use std::collections::HashMap;
use std::ops::Range;

use toml::Spanned;

use super::error::Problem;
use super::parameters::patterns;
use super::raw::{RawBenchmark, RawLaunchSelection, RawProfile, RawRoofline, RawSampling, RawSettings, RawThresholds};
use super::{
    Benchmark, ConfirmMode, LaunchSelection, MAX_FILE_BYTES, MAX_POINTS, MetricThresholds, PartialThresholds, ProfileSettings,
    RooflineSettings, Sampling, Settings, SettingsError,
};
use super::{fleet, kernel, matrix, metrics, suite};
use crate::model::{BenchmarkName, Quantity, Unit};

/// Reads and checks a whole file.
pub(super) fn settings(bytes: &[u8], origin: &str) -> Result<Settings, SettingsError> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(SettingsError::TooLarge { origin: origin.to_owned(), bytes: bytes.len() });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let readable = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        Problem::at(readable.len()..readable.len(), "this byte is not UTF-8")
            .hint("save the file as UTF-8")
            .locate(&readable, origin)
    })?;
    // A checkout with Windows' line ends says the same: a shell would take the carriage returns of a long line for words.
    let text = &*text.replace("\r\n", "\n");
    let checked = toml::from_str(text).map_err(Problem::from).and_then(whole);
    checked.map_err(|problem| problem.locate(text, origin))
}

fn whole(raw: RawSettings) -> Result<Settings, Problem> {
    let mut lines: HashMap<BenchmarkName, Range<usize>> = HashMap::new();
    let mut benchmarks = Vec::new();
    let mut left = MAX_POINTS;
    for raw in &raw.benchmark {
        let benchmark = benchmark(raw.as_ref(), left)?;
        let span = raw.as_ref().name.span();
        left -= benchmark.configs.len();
        if lines.insert(benchmark.name.clone(), span.clone()).is_some() {
            let message = format!("there are two benchmarks named `{}`", benchmark.name);
            return Err(Problem::at(span, message).hint("rename one, or make them points of one benchmark"));
        }
        benchmarks.push(benchmark);
    }
    let suites = suite::all(&raw.suite, &mut lines)?;
    let of_metric =
        |(name, raw): (super::values::Name, RawThresholds)| MetricThresholds { metric: name.0, thresholds: thresholds(raw) };
    Ok(Settings {
        base: raw.base.map(|base| base.0),
        history: raw.history.unwrap_or_default(),
        baseline: raw.baseline.unwrap_or_default(),
        confirm: ConfirmMode::default(),
        incremental: raw.incremental,
        keep_worktrees: 0,
        testbed: raw.testbed.map(|label| label.0),
        thresholds: thresholds(raw.thresholds),
        metric_thresholds: raw.metric.into_iter().map(of_metric).collect(),
        sampling: sampling(&raw.sampling)?,
        profile: profile(raw.profile),
        roofline: roofline(raw.roofline)?,
        benchmarks,
        suites,
        fleet: raw
            .fleet
            .iter()
            .map(|(name, raw)| Ok((name.clone(), fleet::place(name, raw)?)))
            .collect::<Result<_, Problem>>()?,
        overriding: PartialThresholds::default(),
    })
}

fn benchmark(raw: &RawBenchmark, left: usize) -> Result<Benchmark, Problem> {
    let name = raw.name.as_ref().0.as_str();
    let kernel = kernel::of(raw)?;
    let configs = if kernel.is_some() { Vec::new() } else { matrix::points(raw, left)? };
    Ok(Benchmark {
        name: BenchmarkName::new(name).map_err(|error| Problem::at(raw.name.span(), error.to_string()))?,
        timeout: raw.timeout.map(|timeout| timeout.0),
        required: raw.required,
        inputs: raw.inputs.iter().map(|glob| glob.0.clone()).collect(),
        thresholds: thresholds(raw.thresholds),
        sampling: sampling(&raw.sampling)?,
        profile: launches(&raw.profile),
        metrics: if kernel.is_some() { metrics::of_kernel(raw)? } else { metrics::of(raw)? },
        patterns: raw.command.as_ref().map(|command| patterns(raw, command, &configs)).transpose()?,
        kernel,
        configs,
    })
}

fn profile(raw: RawProfile) -> ProfileSettings {
    let usual = ProfileSettings::default();
    ProfileSettings {
        regression_percent: raw.regression.map_or(usual.regression_percent, |percent| percent.0),
        improvement_percent: raw.improvement.map_or(usual.improvement_percent, |percent| percent.0),
        set: raw.set.map(|set| set.0),
        timeout: raw.timeout.map(|timeout| timeout.0),
    }
}

fn roofline(raw: RawRoofline) -> Result<RooflineSettings, Problem> {
    let rate = |text: &Spanned<String>, unit: &Unit| {
        let quantity = text.as_ref().parse::<Quantity>().ok().filter(|quantity| quantity.unit == *unit && quantity.value > 0.0);
        quantity.map(|quantity| quantity.value).ok_or_else(|| {
            Problem::at(text.span(), format!("`{}` is no rate in {unit}", text.as_ref()))
                .hint("write a number with its unit, such as \"300 GB/s\" or \"121 TFLOP/s\"")
        })
    };
    let peak = |(word, text): (&String, &Spanned<String>)| Ok((word.clone(), rate(text, &Unit::FLOP_PER_SECOND)?));
    Ok(RooflineSettings {
        gpu: raw.gpu.map(|gpu| gpu.0),
        bandwidth: raw.bandwidth.as_ref().map(|text| rate(text, &Unit::BYTE_PER_SECOND)).transpose()?,
        peak: raw.peak.iter().map(peak).collect::<Result<_, Problem>>()?,
    })
}

fn launches(raw: &RawLaunchSelection) -> LaunchSelection {
    LaunchSelection {
        kernel: raw.kernel.as_ref().map(|kernel| kernel.0.clone()),
        launch_skip: raw.launch_skip,
        launch_count: raw.launch_count.map(std::num::NonZeroU32::get),
    }
}

pub(super) fn thresholds(raw: RawThresholds) -> PartialThresholds {
    PartialThresholds {
        regression_percent: raw.regression.map(|percent| percent.0),
        improvement_percent: raw.improvement.map(|percent| percent.0),
    }
}

fn sampling(raw: &RawSampling) -> Result<Sampling, Problem> {
    let sampling = Sampling {
        warmup: raw.warmup.map(|warmup| warmup.0),
        min_runs: raw.min_runs.as_ref().map(|runs| runs.as_ref().get()),
        max_runs: raw.max_runs.as_ref().map(|runs| runs.as_ref().get()),
        min_time: raw.min_time.as_ref().map(|time| time.as_ref().0),
        max_time: raw.max_time.map(|time| time.0),
        precision_percent: raw.precision.map(|percent| percent.0),
        stop: raw.stop.as_ref().map(|rule| *rule.as_ref()),
    };
    let is_above = |least: Option<u128>, most: Option<u128>| least.zip(most).is_some_and(|(least, most)| least > most);
    let millis = |time: Option<std::time::Duration>| time.map(|time| time.as_nanos());
    match (&raw.min_runs, &raw.min_time) {
        (Some(runs), _) if is_above(sampling.min_runs.map(u128::from), sampling.max_runs.map(u128::from)) => {
            Err(Problem::at(runs.span(), "`min_runs` is above `max_runs`").hint("raise `max_runs`"))
        }
        (_, Some(time)) if is_above(millis(sampling.min_time), millis(sampling.max_time)) => {
            Err(Problem::at(time.span(), "`min_time` is above `max_time`").hint("raise `max_time`"))
        }
        _ => Ok(sampling),
    }
}
