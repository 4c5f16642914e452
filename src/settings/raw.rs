//! The file as it is written: what serde reads, before anything is checked against anything else.
//!
//! What is wrong with one value alone is refused here, where the parser knows its place; what is wrong between values
//! is [`super::check`]'s, which finds their places in [`Spanned`].

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::values::{Better, Name, Percent, PositivePercent, PositiveTime, RawStream, Text, Time, WarmupValue};
use super::{BaselineMode, CacheState, HistoryMode, StopRule};
use crate::written::{Ordered, Scalar, Scalars};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawSettings {
    pub(super) base: Option<Text>,
    pub(super) history: Option<HistoryMode>,
    pub(super) baseline: Option<BaselineMode>,
    pub(super) incremental: bool,
    pub(super) testbed: Option<Text>,
    pub(super) thresholds: RawThresholds,
    pub(super) metric: BTreeMap<Name, RawThresholds>,
    pub(super) sampling: RawSampling,
    pub(super) profile: RawProfile,
    pub(super) roofline: RawRoofline,
    pub(super) benchmark: Vec<Spanned<RawBenchmark>>,
    pub(super) suite: Vec<Spanned<RawSuite>>,
    pub(super) fleet: BTreeMap<String, Spanned<RawPlace>>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawThresholds {
    pub(super) regression: Option<Percent>,
    pub(super) improvement: Option<Percent>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawSampling {
    pub(super) warmup: Option<WarmupValue>,
    pub(super) min_runs: Option<Spanned<std::num::NonZeroU32>>,
    pub(super) max_runs: Option<Spanned<std::num::NonZeroU32>>,
    pub(super) min_time: Option<Spanned<Time>>,
    pub(super) max_time: Option<PositiveTime>,
    pub(super) precision: Option<PositivePercent>,
    pub(super) stop: Option<Spanned<StopRule>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawProfile {
    pub(super) regression: Option<Percent>,
    pub(super) improvement: Option<Percent>,
    pub(super) set: Option<Text>,
    pub(super) timeout: Option<PositiveTime>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawRoofline {
    pub(super) gpu: Option<Text>,
    pub(super) bandwidth: Option<Spanned<String>>,
    pub(super) peak: BTreeMap<String, Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPlace {
    pub(super) slurm: Spanned<Vec<Text>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawLaunchSelection {
    pub(super) kernel: Option<Text>,
    pub(super) launch_skip: Option<u32>,
    pub(super) launch_count: Option<std::num::NonZeroU32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBenchmark {
    pub(super) name: Spanned<Text>,
    pub(super) command: Option<Spanned<RawCommand>>,
    pub(super) kernel: Option<Spanned<Text>>,
    pub(super) archs: Option<Spanned<Vec<Text>>>,
    pub(super) tunables: Option<Spanned<Ordered<Scalar>>>,
    pub(super) configs: Option<Spanned<Vec<Text>>>,
    pub(super) cache: Option<Spanned<CacheState>>,
    pub(super) build: Option<Spanned<RawCommand>>,
    pub(super) prepare: Option<Spanned<RawCommand>>,
    pub(super) cleanup: Option<Spanned<RawCommand>>,
    pub(super) dir: Option<Spanned<Text>>,
    pub(super) env: Option<Spanned<Ordered<Spanned<Scalar>>>>,
    pub(super) timeout: Option<PositiveTime>,
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) inputs: Vec<Text>,
    pub(super) matrix: Option<Spanned<Ordered<Spanned<Scalars>>>>,
    #[serde(default)]
    pub(super) config: Vec<Spanned<Ordered<Scalar>>>,
    #[serde(default)]
    pub(super) thresholds: RawThresholds,
    #[serde(default)]
    pub(super) sampling: RawSampling,
    #[serde(default)]
    pub(super) profile: RawLaunchSelection,
    pub(super) metrics: Option<Spanned<Vec<Spanned<RawMetric>>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSuite {
    pub(super) name: Spanned<Text>,
    pub(super) command: Spanned<RawCommand>,
    pub(super) one: Option<Spanned<Vec<String>>>,
    pub(super) results: Option<Spanned<Text>>,
    pub(super) format: Option<Text>,
    pub(super) better: Option<Better>,
    pub(super) benchmarks: Option<Spanned<Vec<Text>>>,
    pub(super) build: Option<Spanned<RawCommand>>,
    pub(super) prepare: Option<Spanned<RawCommand>>,
    pub(super) cleanup: Option<Spanned<RawCommand>>,
    pub(super) dir: Option<Spanned<Text>>,
    pub(super) env: Option<Spanned<Ordered<Spanned<Scalar>>>>,
    pub(super) timeout: Option<PositiveTime>,
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) inputs: Vec<Text>,
    #[serde(default)]
    pub(super) thresholds: RawThresholds,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "expected a shell line in quotes or a list of arguments in quotes")]
pub(super) enum RawCommand {
    Shell(String),
    Argv(Vec<String>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMetric {
    pub(super) name: Spanned<Text>,
    pub(super) regex: Option<Spanned<String>>,
    pub(super) json: Option<Spanned<String>>,
    pub(super) unit: Option<Spanned<String>>,
    pub(super) better: Option<Better>,
    pub(super) exact: Option<bool>,
    pub(super) source: Option<RawStream>,
    pub(super) regression: Option<Percent>,
    pub(super) improvement: Option<Percent>,
}
