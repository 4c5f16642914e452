//! What a manifest says, read and checked but not yet evaluated: a kernel is a set of rules, and a point makes a plan of them.

use std::sync::Arc;

use super::Tunable;
use super::error::Problem;
use super::expression::Expression;
use crate::cuda::{Arch, Header, Role};

/// The oldest architecture that a kernel runs on; a chip's own variant is that chip only.
#[derive(Debug, Clone, Copy)]
pub(super) struct MinimumArch(pub(super) Arch);

impl MinimumArch {
    pub(super) fn allows(self, arch: Arch) -> bool {
        if self.0.specific { arch == self.0 } else { arch.number >= self.0.number }
    }

    pub(super) fn is(self, arch: Arch) -> bool {
        self.0 == arch
    }
}

/// One version of the kernel: the base, or the base with what a variant replaces.
#[derive(Debug, Clone)]
pub(super) struct Kernel {
    pub(super) source: Arc<Source>,
    pub(super) entry: String,
    pub(super) standard: String,
    pub(super) options: Vec<String>,
    pub(super) tunables: Vec<Tunable>,
    pub(super) constraints: Vec<Expression>,
    pub(super) defines: Vec<(String, Define)>,
    pub(super) launch: LaunchRule,
    pub(super) arguments: Vec<ArgumentRule>,
    pub(super) work: WorkRule,
    pub(super) reference: Option<ReferenceRule>,
    pub(super) deterministic: bool,
}

impl Kernel {
    /// Adds constraints that somebody gives besides the manifest's.
    pub(super) fn restrict(&mut self, expressions: &[String]) -> Result<(), Problem> {
        for text in expressions {
            self.constraints.push(Expression::parse("--restrict", text)?);
        }
        Ok(())
    }
}

/// A source and what it includes.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: String,
    pub(super) text: String,
    pub(super) headers: Vec<Header>,
}

/// A macro besides the tunables.
#[derive(Debug, Clone)]
pub(super) enum Define {
    Computed(Expression),
    /// A text with `{PARAMETER}` in it.
    Pattern {
        key: String,
        text: String,
    },
}

/// Tunables and macros of the base.
pub(super) type BaseMacros = (Vec<Tunable>, Vec<(String, Define)>);

#[derive(Debug, Clone)]
pub(super) struct LaunchRule {
    pub(super) grid: Vec<Expression>,
    pub(super) block: Vec<Expression>,
    pub(super) shared_bytes: Expression,
    pub(super) cluster: Option<Vec<Expression>>,
}

#[derive(Debug, Clone)]
pub(super) struct ArgumentRule {
    pub(super) key: String,
    pub(super) name: String,
    pub(super) value: ValueRule,
}

#[derive(Debug, Clone)]
pub(super) enum ValueRule {
    Buffer { dtype: TypeRule, shape: Vec<Expression>, fill: FillRule, role: Role },
    Scalar { dtype: TypeRule, value: Expression },
    TensorMap { buffer: String, extents: Vec<Expression>, strides: Option<Vec<Expression>>, tile: Vec<Expression>, swizzle: u32 },
}

#[derive(Debug, Clone)]
pub(super) enum FillRule {
    Zeros,
    Poison,
    Uniform { low: Expression, high: Expression, seed: u64 },
    Normal { mean: Expression, deviation: Expression, seed: u64 },
}

/// An element type, or `{PARAMETER}` that holds one.
#[derive(Debug, Clone)]
pub(super) struct TypeRule {
    pub(super) key: String,
    pub(super) text: String,
}

impl TypeRule {
    pub(super) fn new(key: impl Into<String>, text: &str) -> Self {
        Self { key: key.into(), text: text.to_owned() }
    }
}

#[derive(Debug, Clone)]
pub(super) struct WorkRule {
    pub(super) flop: Option<Expression>,
    pub(super) flop_dtype: Option<TypeRule>,
    pub(super) tensor_cores: bool,
    pub(super) bytes: Option<Expression>,
}

#[derive(Debug, Clone)]
pub(super) struct ReferenceRule {
    pub(super) source: Arc<Source>,
    pub(super) entry: String,
    pub(super) launch: LaunchRule,
    pub(super) arguments: Vec<String>,
    pub(super) output_dtype: Option<TypeRule>,
    pub(super) frobenius: Expression,
    pub(super) largest: Expression,
    /// Macros and tunables of the base, where a variant has its own and the reference stands in the base's source.
    pub(super) of_base: Option<BaseMacros>,
}
