//! From the manifest as written to kernels whose expressions are read and whose sources are at hand.

use std::sync::Arc;

use super::configs;
use super::error::{ManifestError, Problem};
use super::expression::{Expression, Value};
use super::files::{self, MAX_MANIFEST_BYTES, MAX_SOURCE_BYTES, ReadFile};
use super::raw::{RawArgument, RawFill, RawLaunch, RawManifest, RawRandom, RawReference, RawRole, RawTunable};
use super::rules::{
    ArgumentRule, BaseMacros, Define, FillRule, Kernel, LaunchRule, MinimumArch, ReferenceRule, Source, TypeRule, ValueRule,
    WorkRule,
};
use super::{Manifest, Tunable};
use crate::cuda::{Arch, Role};
use crate::model::Config;
use crate::written::Scalar;

/// Reads the manifest at `path` and everything that it names.
pub(super) fn load(path: &str, read: &ReadFile<'_>) -> Result<Manifest, ManifestError> {
    let text = files::read_text(path, "", MAX_MANIFEST_BYTES, read)?;
    let raw: RawManifest = toml::from_str(&text).map_err(|error| syntax(path, &text, &error))?;
    let loader = Loader { path, read };
    let base_source = raw.source.clone().unwrap_or_else(|| own_source(path));
    let base = loader.kernel(&raw, &base_source, None)?;
    let mut variants: Vec<(Arch, Kernel)> = Vec::new();
    for (place, variant) in raw.variant.iter().enumerate() {
        let key = format!("variant[{place}].arch");
        let arch = parse_arch(&key, &variant.arch).map_err(|problem| problem.of(path))?;
        if variants.iter().any(|(other, _)| *other == arch) {
            return Err(Problem::key(key, format!("there are two variants for {arch}")).of(path));
        }
        let of_base = variant.tunables.is_some().then(|| (base.tunables.clone(), base.defines.clone()));
        variants.push((arch, loader.kernel(&raw.with(variant, &base_source), &base_source, of_base)?));
    }
    let minimum = raw.minimum_arch.as_deref().map(|arch| parse_arch("minimum_arch", arch)).transpose();
    let minimum = minimum.map_err(|problem| problem.of(path))?.map(MinimumArch);
    let configs = configs::points(&raw).map_err(|problem| problem.of(path))?;
    let manifest = Manifest { path: path.to_owned(), minimum, configs, base, variants };
    refuse_clashes(&manifest).map_err(|problem| problem.of(path))?;
    Ok(manifest)
}

fn syntax(path: &str, text: &str, error: &toml::de::Error) -> ManifestError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    ManifestError::Syntax {
        path: path.to_owned(),
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        message: error.message().trim().to_owned(),
    }
}

/// `softmax.toml` describes `softmax.cu`.
fn own_source(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    format!("{}.cu", name.strip_suffix(".toml").unwrap_or(name))
}

fn parse_arch(key: &str, text: &str) -> Result<Arch, Problem> {
    text.parse().map_err(|error: crate::cuda::ParseArchError| Problem::key(key, error.to_string()))
}

/// A name that is a parameter and a tunable would mean two things.
fn refuse_clashes(manifest: &Manifest) -> Result<(), Problem> {
    let kernels = std::iter::once(&manifest.base).chain(manifest.variants.iter().map(|(_, kernel)| kernel));
    for tunable in kernels.flat_map(|kernel| &kernel.tunables) {
        if manifest.configs.iter().any(|config| config.get(&tunable.name).is_some()) {
            let message = "a parameter of the configs has the same name";
            return Err(Problem::key(format!("tunables.{}", tunable.name), message).hint("rename one of them"));
        }
    }
    Ok(())
}

struct Loader<'a> {
    path: &'a str,
    read: &'a ReadFile<'a>,
}

impl Loader<'_> {
    fn kernel(&self, raw: &RawManifest, base_source: &str, of_base: Option<BaseMacros>) -> Result<Kernel, ManifestError> {
        let source = Arc::new(self.source("source", raw.source.as_deref().unwrap_or(base_source), &raw.includes)?);
        let reference = match &raw.reference {
            None => None,
            Some(reference) => {
                let named = reference.source.as_deref().unwrap_or(base_source);
                let source = Arc::new(self.source("reference.source", named, &raw.includes)?);
                Some(self.located(reference_rule(reference, source, &raw.argument, of_base))?)
            }
        };
        self.located(kernel(raw, source, reference))
    }

    fn located<T>(&self, result: Result<T, Problem>) -> Result<T, ManifestError> {
        result.map_err(|problem| problem.of(self.path))
    }

    /// A source that is named from beside the manifest, with its headers.
    fn source(&self, key: &str, name: &str, includes: &[String]) -> Result<Source, ManifestError> {
        let beside = files::folder(self.path);
        let inside = |key: &str, name: &str| {
            self.located(files::join(beside, name).ok_or_else(|| {
                Problem::key(key, format!("`{name}` leads out of the repository")).hint("name a file beside the manifest")
            }))
        };
        let path = inside(key, name)?;
        let text = files::read_text(&path, &format!("{key} of {}", self.path), MAX_SOURCE_BYTES, self.read)?;
        let folders = includes
            .iter()
            .map(|folder| if folder == "." { Ok(beside.to_owned()) } else { inside("includes", folder) })
            .collect::<Result<Vec<_>, _>>()?;
        let headers = files::headers(self.path, (&path, &text), &folders, self.read)?;
        Ok(Source { path, text, headers })
    }
}

fn kernel(raw: &RawManifest, source: Arc<Source>, reference: Option<ReferenceRule>) -> Result<Kernel, Problem> {
    let constraint = |(name, text): &(String, Scalar)| expression(format!("constraints.{name}"), text);
    Ok(Kernel {
        source,
        entry: identifier("entry", &raw.entry)?,
        standard: raw.standard.clone().unwrap_or_else(|| "c++17".to_owned()),
        options: raw.options.clone(),
        tunables: raw.tunables.0.iter().map(tunable).collect::<Result<_, _>>()?,
        constraints: raw.constraints.0.iter().map(constraint).collect::<Result<_, _>>()?,
        defines: raw.define.0.iter().map(define).collect::<Result<_, _>>()?,
        launch: launch("launch", &raw.launch)?,
        arguments: arguments(&raw.argument)?,
        work: WorkRule {
            flop: optional("work.flop", raw.work.flop.as_ref())?,
            flop_dtype: raw.work.flop_dtype.as_ref().map(|text| TypeRule::new("work.flop_dtype", text)),
            tensor_cores: raw.work.tensor_cores,
            bytes: optional("work.bytes", raw.work.bytes.as_ref())?,
        },
        reference,
        deterministic: raw.deterministic.unwrap_or(true),
    })
}

/// What is a name in C++, and so may be a macro or an entry point.
fn identifier(key: &str, name: &str) -> Result<String, Problem> {
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts_well && name.len() <= 256 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Ok(name.to_owned());
    }
    Err(Problem::key(key, format!("`{name}` is no name in C++")).hint("use letters, digits and _"))
}

fn tunable((name, raw): &(String, RawTunable)) -> Result<Tunable, Problem> {
    let key = format!("tunables.{name}");
    identifier(&key, name)?;
    let values: Vec<String> = raw.values.iter().map(Scalar::to_text).collect();
    let default = raw.default.to_text();
    if !values.contains(&default) {
        let message = format!("the default {default} is not among the values {}", values.join(", "));
        return Err(Problem::key(key, message).hint("add it to the values, or choose another default"));
    }
    // Checked here so that no choice of tunables can fail to be one later.
    Config::new([(name.as_str(), default.as_str())]).map_err(|error| Problem::key(&key, error.to_string()))?;
    Ok(Tunable { name: name.clone(), values, default })
}

fn define((name, value): &(String, Scalar)) -> Result<(String, Define), Problem> {
    let key = format!("define.{name}");
    identifier(&key, name)?;
    let define = match value {
        Scalar::Text(text) if text.contains('{') && !text.trim_start().starts_with("if ") => {
            Define::Pattern { key, text: text.clone() }
        }
        other => Define::Computed(expression(key, other)?),
    };
    Ok((name.clone(), define))
}

fn expression(key: impl Into<String>, scalar: &Scalar) -> Result<Expression, Problem> {
    match scalar {
        Scalar::Text(text) => Expression::parse(key, text),
        number => Ok(Expression::constant(key, Value::of(number.clone()))),
    }
}

fn optional(key: &str, scalar: Option<&Scalar>) -> Result<Option<Expression>, Problem> {
    scalar.map(|scalar| expression(key, scalar)).transpose()
}

fn expressions(key: &str, scalars: &[Scalar], most: usize) -> Result<Vec<Expression>, Problem> {
    if scalars.is_empty() || scalars.len() > most {
        return Err(Problem::key(key, format!("has {} expressions; it needs one to {most}", scalars.len())));
    }
    scalars.iter().map(|scalar| expression(key, scalar)).collect()
}

fn launch(key: &str, raw: &RawLaunch) -> Result<LaunchRule, Problem> {
    let shared_key = format!("{key}.shared_bytes");
    let shared_bytes = match &raw.shared_bytes {
        Some(scalar) => expression(shared_key, scalar)?,
        None => Expression::constant(shared_key, Value::Integer(0)),
    };
    Ok(LaunchRule {
        grid: expressions(&format!("{key}.grid"), &raw.grid, 3)?,
        block: expressions(&format!("{key}.block"), &raw.block, 3)?,
        shared_bytes,
        cluster: raw.cluster.as_ref().map(|cluster| expressions(&format!("{key}.cluster"), cluster, 3)).transpose()?,
    })
}

/// Most parameters of a kernel: CUDA allows 4 KiB of them, later 32 KiB.
const MAX_ARGUMENTS: usize = 256;

fn arguments(raw: &[RawArgument]) -> Result<Vec<ArgumentRule>, Problem> {
    if raw.len() > MAX_ARGUMENTS {
        return Err(Problem::key("argument", format!("there are {}; at most {MAX_ARGUMENTS} are passed", raw.len())));
    }
    let mut arguments: Vec<ArgumentRule> = Vec::new();
    for (place, raw) in raw.iter().enumerate() {
        let key = format!("argument `{}`", raw.name);
        if arguments.iter().any(|other| other.name == raw.name) {
            return Err(Problem::key(key, "there are two arguments of this name"));
        }
        let value = value_rule(&key, raw, place as u64 + 1)?;
        arguments.push(ArgumentRule { key, name: raw.name.clone(), value });
    }
    Ok(arguments)
}

/// Exactly one of `buffer`, `scalar` and `tensor_map`, and only the keys that go with it.
fn value_rule(key: &str, raw: &RawArgument, seed: u64) -> Result<ValueRule, Problem> {
    let given = [
        ("shape", raw.shape.is_some(), "buffer"),
        ("fill", raw.fill.is_some(), "buffer"),
        ("role", raw.role.is_some(), "buffer"),
        ("value", raw.value.is_some(), "scalar"),
        ("extents", raw.extents.is_some(), "tensor_map"),
        ("strides", raw.strides.is_some(), "tensor_map"),
        ("tile", raw.tile.is_some(), "tensor_map"),
        ("swizzle", raw.swizzle.is_some(), "tensor_map"),
    ];
    let refuse_others = |kind: &str| match given.iter().find(|(_, is_given, of)| *is_given && *of != kind) {
        Some((other, _, of)) => Err(Problem::key(key, format!("`{other}` belongs to a {of}, this is a {kind}"))),
        None => Ok(()),
    };
    let missing = |what: &str| Problem::key(key, format!("`{what}` is missing"));
    match (&raw.buffer, &raw.scalar, &raw.tensor_map) {
        (Some(dtype), None, None) => {
            refuse_others("buffer")?;
            let shape = raw.shape.as_ref().ok_or_else(|| missing("shape"))?;
            let role = match raw.role.unwrap_or(RawRole::Input) {
                RawRole::Input => Role::Input,
                RawRole::Output => Role::Output,
                RawRole::Scratch => Role::Scratch,
            };
            let shape = expressions(&format!("{key}: shape"), shape, 8)?;
            Ok(ValueRule::Buffer { dtype: TypeRule::new(key, dtype), shape, fill: fill(key, raw, role, seed)?, role })
        }
        (None, Some(dtype), None) => {
            refuse_others("scalar")?;
            let value = raw.value.as_ref().ok_or_else(|| missing("value"))?;
            Ok(ValueRule::Scalar { dtype: TypeRule::new(key, dtype), value: expression(format!("{key}: value"), value)? })
        }
        (None, None, Some(buffer)) => {
            refuse_others("tensor_map")?;
            let list = |what: &str, scalars: &Option<Vec<Scalar>>| {
                let scalars = scalars.as_ref().ok_or_else(|| missing(what))?;
                expressions(&format!("{key}: {what}"), scalars, 5)
            };
            Ok(ValueRule::TensorMap {
                buffer: buffer.clone(),
                extents: list("extents", &raw.extents)?,
                strides: raw.strides.as_ref().map(|_| list("strides", &raw.strides)).transpose()?,
                tile: list("tile", &raw.tile)?,
                swizzle: raw.swizzle.unwrap_or(0),
            })
        }
        _ => Err(Problem::key(key, "an argument is one of `buffer`, `scalar` and `tensor_map`")),
    }
}

fn fill(key: &str, raw: &RawArgument, role: Role, default_seed: u64) -> Result<FillRule, Problem> {
    let key = &format!("{key}: fill");
    let pair = |values: &[Scalar; 2]| Ok((expression(key, &values[0])?, expression(key, &values[1])?));
    match (&raw.fill, role) {
        (Some(_), Role::Output) => Err(Problem::key(key, "an output holds poison until it is written")
            .hint("leave the fill out, or make it role = \"scratch\"")),
        (None, Role::Output) => Ok(FillRule::Poison),
        (None, Role::Scratch) => Ok(FillRule::Zeros),
        (None, Role::Input) => Err(Problem::key(key, "an input has to be filled")
            .hint("fill = { normal = [0.0, 1.0] }, { uniform = [low, high] } or \"zeros\"")),
        (Some(RawFill::Word(word)), _) if word == "zeros" => Ok(FillRule::Zeros),
        (Some(RawFill::Word(word)), _) => {
            Err(Problem::key(key, format!("`{word}` is no fill")).hint("the only word is \"zeros\""))
        }
        (Some(RawFill::Random(RawRandom { uniform: Some(range), normal: None, seed })), _) => {
            let (low, high) = pair(range)?;
            Ok(FillRule::Uniform { low, high, seed: seed.unwrap_or(default_seed) })
        }
        (Some(RawFill::Random(RawRandom { uniform: None, normal: Some(shape), seed })), _) => {
            let (mean, deviation) = pair(shape)?;
            Ok(FillRule::Normal { mean, deviation, seed: seed.unwrap_or(default_seed) })
        }
        (Some(RawFill::Random(_)), _) => Err(Problem::key(key, "a fill is either `uniform` or `normal`")),
    }
}

fn reference_rule(
    raw: &RawReference,
    source: Arc<Source>,
    arguments: &[RawArgument],
    of_base: Option<BaseMacros>,
) -> Result<ReferenceRule, Problem> {
    let all = || arguments.iter().map(|argument| argument.name.clone()).collect();
    let names: Vec<String> = raw.arguments.clone().unwrap_or_else(all);
    if let Some(unknown) = names.iter().find(|name| !arguments.iter().any(|argument| argument.name == **name)) {
        return Err(Problem::key("reference.arguments", format!("the kernel has no argument `{unknown}`")));
    }
    let (grid, block) = (raw.grid.clone(), raw.block.clone());
    Ok(ReferenceRule {
        source,
        entry: identifier("reference.entry", &raw.entry)?,
        launch: launch("reference", &RawLaunch { grid, block, shared_bytes: raw.shared_bytes.clone(), cluster: None })?,
        arguments: names,
        output_dtype: raw.output_dtype.as_ref().map(|text| TypeRule::new("reference.output_dtype", text)),
        frobenius: expression("reference.frobenius", &raw.frobenius)?,
        largest: expression("reference.largest", &raw.largest)?,
        of_base,
    })
}
