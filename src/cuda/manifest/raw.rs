//! The manifest as it is written: what serde reads. A text is an expression where one may stand.

use serde::Deserialize;

use crate::written::{Ordered, Scalar, Scalars};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawManifest {
    pub(super) entry: String,
    pub(super) source: Option<String>,
    pub(super) standard: Option<String>,
    #[serde(default)]
    pub(super) options: Vec<String>,
    #[serde(default)]
    pub(super) includes: Vec<String>,
    pub(super) minimum_arch: Option<String>,
    pub(super) deterministic: Option<bool>,
    #[serde(default)]
    pub(super) tunables: Ordered<RawTunable>,
    #[serde(default)]
    pub(super) constraints: Ordered<Scalar>,
    #[serde(default)]
    pub(super) matrix: Ordered<Scalars>,
    #[serde(default)]
    pub(super) config: Vec<Ordered<Scalar>>,
    #[serde(default)]
    pub(super) define: Ordered<Scalar>,
    pub(super) launch: RawLaunch,
    #[serde(default)]
    pub(super) argument: Vec<RawArgument>,
    #[serde(default)]
    pub(super) work: RawWork,
    pub(super) reference: Option<RawReference>,
    #[serde(default)]
    pub(super) variant: Vec<RawVariant>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawVariant {
    pub(super) arch: String,
    source: Option<String>,
    entry: Option<String>,
    standard: Option<String>,
    options: Option<Vec<String>>,
    includes: Option<Vec<String>>,
    deterministic: Option<bool>,
    pub(super) tunables: Option<Ordered<RawTunable>>,
    constraints: Option<Ordered<Scalar>>,
    define: Option<Ordered<Scalar>>,
    launch: Option<RawLaunch>,
    argument: Option<Vec<RawArgument>>,
    work: Option<RawWork>,
    reference: Option<RawReference>,
}

impl RawManifest {
    /// The manifest with everything replaced that the variant names. A reference without a source keeps the base's.
    pub(super) fn with(&self, variant: &RawVariant, base_source: &str) -> Self {
        let base = self.clone();
        let variant = variant.clone();
        let mut reference = variant.reference.or(base.reference);
        if let Some(reference) = &mut reference {
            reference.source.get_or_insert_with(|| base_source.to_owned());
        }
        Self {
            entry: variant.entry.unwrap_or(base.entry),
            source: variant.source.or(base.source),
            standard: variant.standard.or(base.standard),
            options: variant.options.unwrap_or(base.options),
            includes: variant.includes.unwrap_or(base.includes),
            deterministic: variant.deterministic.or(base.deterministic),
            tunables: variant.tunables.unwrap_or(base.tunables),
            constraints: variant.constraints.unwrap_or(base.constraints),
            define: variant.define.unwrap_or(base.define),
            launch: variant.launch.unwrap_or(base.launch),
            argument: variant.argument.unwrap_or(base.argument),
            work: variant.work.unwrap_or(base.work),
            reference,
            ..base
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTunable {
    pub(super) values: Vec<Scalar>,
    pub(super) default: Scalar,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLaunch {
    pub(super) grid: Vec<Scalar>,
    pub(super) block: Vec<Scalar>,
    pub(super) shared_bytes: Option<Scalar>,
    pub(super) cluster: Option<Vec<Scalar>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawArgument {
    pub(super) name: String,
    pub(super) buffer: Option<String>,
    pub(super) shape: Option<Vec<Scalar>>,
    pub(super) fill: Option<RawFill>,
    pub(super) role: Option<RawRole>,
    pub(super) scalar: Option<String>,
    pub(super) value: Option<Scalar>,
    pub(super) tensor_map: Option<String>,
    pub(super) extents: Option<Vec<Scalar>>,
    pub(super) strides: Option<Vec<Scalar>>,
    pub(super) tile: Option<Vec<Scalar>>,
    pub(super) swizzle: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawRole {
    Input,
    Output,
    Scratch,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "expected \"zeros\", { uniform = [low, high] } or { normal = [mean, deviation] }, with an optional seed"
)]
pub(super) enum RawFill {
    Word(String),
    Random(RawRandom),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRandom {
    pub(super) uniform: Option<[Scalar; 2]>,
    pub(super) normal: Option<[Scalar; 2]>,
    pub(super) seed: Option<u64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawWork {
    pub(super) flop: Option<Scalar>,
    pub(super) flop_dtype: Option<String>,
    pub(super) tensor_cores: bool,
    pub(super) bytes: Option<Scalar>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawReference {
    pub(super) source: Option<String>,
    pub(super) entry: String,
    pub(super) grid: Vec<Scalar>,
    pub(super) block: Vec<Scalar>,
    pub(super) shared_bytes: Option<Scalar>,
    pub(super) arguments: Option<Vec<String>>,
    pub(super) output_dtype: Option<String>,
    pub(super) frobenius: Scalar,
    pub(super) largest: Scalar,
}
