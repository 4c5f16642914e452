//! A `[[benchmark]]` that is a CUDA kernel: which manifest, which architectures, which tunables, which points.

use std::ops::Range;

use super::KernelSettings;
use super::error::Problem;
use super::raw::RawBenchmark;
use crate::model::Config;

/// The kernel of a benchmark; `None` where it is a command.
///
/// # Errors
/// Neither or both of `command` and `kernel`, and keys that belong to the other kind.
pub(super) fn of(raw: &RawBenchmark) -> Result<Option<KernelSettings>, Problem> {
    let Some(kernel) = &raw.kernel else {
        if raw.command.is_none() {
            let message = "this benchmark has neither a `command` nor a `kernel`";
            return Err(
                Problem::at(raw.name.span(), message).hint("add command = [\"./program\"] or kernel = \"kernels/NAME.toml\"")
            );
        }
        return refuse(of_kernels(raw), "belongs to a `kernel`, and this benchmark is a command").map(|()| None);
    };
    refuse(of_commands(raw), "belongs to a `command`, and this benchmark is a kernel")?;
    let manifest = kernel.as_ref().0.clone();
    if !stays_inside(&manifest) {
        return Err(Problem::at(kernel.span(), format!("`{manifest}` is not a file inside the repository"))
            .hint("`kernel` is relative to the root of the repository, without `..`"));
    }
    let archs = raw.archs.iter().flat_map(|archs| archs.as_ref()).map(|arch| arch.0.clone()).collect();
    let cache = raw.cache.as_ref().map(|cache| *cache.as_ref());
    Ok(Some(KernelSettings { manifest, archs, tunables: tunables(raw)?, cache, configs: configs(raw)? }))
}

type Given = (&'static str, Option<Range<usize>>);

/// The keys that only a command has.
fn of_commands(raw: &RawBenchmark) -> [Given; 8] {
    [
        ("command", raw.command.as_ref().map(|given| given.span())),
        ("build", raw.build.as_ref().map(|given| given.span())),
        ("prepare", raw.prepare.as_ref().map(|given| given.span())),
        ("cleanup", raw.cleanup.as_ref().map(|given| given.span())),
        ("dir", raw.dir.as_ref().map(|given| given.span())),
        ("env", raw.env.as_ref().map(|given| given.span())),
        ("matrix", raw.matrix.as_ref().map(|given| given.span())),
        ("config", raw.config.first().map(|given| given.span())),
    ]
}

/// The keys that only a kernel has.
fn of_kernels(raw: &RawBenchmark) -> [Given; 5] {
    [
        ("archs", raw.archs.as_ref().map(|given| given.span())),
        ("tunables", raw.tunables.as_ref().map(|given| given.span())),
        ("configs", raw.configs.as_ref().map(|given| given.span())),
        ("cache", raw.cache.as_ref().map(|given| given.span())),
        ("sampling.stop", raw.sampling.stop.as_ref().map(|given| given.span())),
    ]
}

fn refuse<const N: usize>(keys: [Given; N], why: &str) -> Result<(), Problem> {
    match keys.into_iter().find_map(|(key, span)| Some((key, span?))) {
        Some((key @ ("matrix" | "config"), span)) => Err(Problem::at(span, format!("`{key}` {why}"))
            .hint("a kernel's points are in its manifest; `configs` chooses among them")),
        Some((key, span)) => Err(Problem::at(span, format!("`{key}` {why}")).hint("remove one of them")),
        None => Ok(()),
    }
}

pub(super) fn stays_inside(path: &str) -> bool {
    let mut parts = std::path::Path::new(path).components();
    parts.all(|part| matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir))
}

fn tunables(raw: &RawBenchmark) -> Result<Config, Problem> {
    let Some(given) = &raw.tunables else { return Ok(Config::empty()) };
    let values = given.as_ref().0.iter().map(|(name, value)| (name.clone(), value.to_text()));
    Config::new(values).map_err(|error| Problem::at(given.span(), error.to_string()))
}

/// Points by the name of their config, or by some of their parameters.
fn configs(raw: &RawBenchmark) -> Result<Vec<Config>, Problem> {
    let Some(given) = &raw.configs else { return Ok(Vec::new()) };
    if given.as_ref().is_empty() {
        return Err(Problem::at(given.span(), "`configs` is empty").hint("leave it out to measure every point of the manifest"));
    }
    let config = |text: &str| match text.contains('=') {
        true => text.parse(),
        false => Config::new([("config", text)]),
    };
    let parsed = given.as_ref().iter().map(|text| config(&text.0));
    parsed.collect::<Result<_, _>>().map_err(|error| Problem::at(given.span(), error.to_string()))
}
