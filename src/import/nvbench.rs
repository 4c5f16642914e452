//! NVBench's `--json` and `--jsonbin`.
//!
//! A state is a point: its axis values are the config. Of its summaries, found by their tags, the isolated ("cold") GPU
//! time becomes `time`, the batched one `batch_time`, and the memory and item rates are taken as they are; utilization
//! and CPU times around the launch are not. Every value in the file is a string. `--jsonbin` leaves the single times in
//! files of little-endian 32-bit floats beside the JSON: where they are found they are the sample.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use super::collect::{Collector, Point, Reading, entry, known_metric};
use super::json::{Node, short};
use super::source::{Importer, Source};
use super::{Format, ImportError, ImportWarning, MAX_FILE_BYTES};
use crate::model::{Direction, Metric, Summary, Unit};

pub(super) struct Nvbench;

const RATES: [(&str, &str, Unit); 2] = [
    ("nv/cold/bw/global/bytes_per_second", "bandwidth", Unit::BYTE_PER_SECOND),
    ("nv/cold/bw/item_rate", "item_rate", Unit::PER_SECOND),
];

impl Importer for Nvbench {
    fn format(&self) -> Format {
        Format::Nvbench
    }

    fn recognizes(&self, source: &Source<'_>) -> bool {
        let Some(root) = source.value() else { return false };
        let version = root.get("meta").and_then(|meta| meta.get("version")?.get("nvbench"));
        let states = root.get("benchmarks").and_then(|list| list.get(0)?.get("states"));
        version.is_some() || (states.is_some() && root.get("devices").is_some())
    }

    fn read(&self, source: &Source<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
        let root = source.root()?;
        into.tool = Some(tool(&root));
        let devices = Devices::read(&root)?;
        devices.name_testbed(into);
        for benchmark in root.need("benchmarks")?.items()? {
            let name = benchmark.need("name")?.text()?;
            for state in benchmark.get("states").map(|states| states.items()).transpose()?.into_iter().flatten() {
                read_state(&state, name, &devices, source.folder, into)?;
            }
        }
        Ok(())
    }
}

fn tool(root: &Node<'_>) -> String {
    let version = root.get("meta").and_then(|meta| meta.get("version")?.get("nvbench"));
    let number = version.as_ref().and_then(|version| version.text_at("string"));
    number.map_or_else(|| "nvbench".to_owned(), |number| format!("nvbench {}", short(number)))
}

/// The GPUs that states refer to. One GPU is the testbed; where the states ran on several, the GPU is a parameter.
struct Devices<'a> {
    names: HashMap<u64, &'a str>,
    used: Vec<u64>,
}

impl<'a> Devices<'a> {
    fn read(root: &Node<'a>) -> Result<Self, ImportError> {
        let mut names = HashMap::new();
        for device in root.get("devices").map(|list| list.items()).transpose()?.into_iter().flatten() {
            names.insert(device.need("id")?.count()?, device.need("name")?.text()?);
        }
        let mut used = Vec::new();
        for benchmark in root.need("benchmarks")?.items()? {
            for state in benchmark.get("states").map(|states| states.items()).transpose()?.into_iter().flatten() {
                used.extend(state.get("device").map(|node| node.count()).transpose()?);
            }
        }
        used.sort_unstable();
        used.dedup();
        Ok(Self { names, used })
    }

    fn name_testbed(&self, into: &mut Collector<'_>) {
        match self.used.as_slice() {
            [] => {}
            [only] => into.testbed = self.names.get(only).map(|name| (*name).to_owned()),
            several => {
                let reason = format!("measured on {} GPUs: `device` is a parameter of every config", several.len());
                into.warnings.push(ImportWarning::Doubtful { at: "devices".to_owned(), reason });
            }
        }
    }

    /// The id goes with the name, since two GPUs may have the same one.
    fn parameter(&self, state: &Node<'_>) -> Option<(String, String)> {
        let id = state.get("device").and_then(|node| node.value.as_u64()).filter(|_| self.used.len() > 1)?;
        let name = self.names.get(&id).copied().unwrap_or("unknown");
        Some(("device".to_owned(), format!("{id} {name}")))
    }
}

fn read_state(
    state: &Node<'_>,
    benchmark: &str,
    devices: &Devices<'_>,
    folder: Option<&Path>,
    into: &mut Collector<'_>,
) -> Result<(), ImportError> {
    let mut parameters = Vec::new();
    for axis in state.get("axis_values").map(|axes| axes.items()).transpose()?.into_iter().flatten() {
        let value = axis.need("value")?;
        let text = value.scalar().ok_or_else(|| value.unexpected("a text or a number"))?;
        parameters.push((axis.need("name")?.text()?.to_owned(), text));
    }
    parameters.extend(devices.parameter(state));
    let point = into.point(&state.at, benchmark, parameters)?;
    let at = entry(&state.at, &point.to_string());
    if state.get("is_skipped").is_some_and(|flag| flag.value.as_bool() == Some(true)) {
        let reason = state.text_at("skip_reason").map_or_else(|| "no reason given".to_owned(), short);
        into.warnings.push(ImportWarning::Skipped { at, reason });
        return Ok(());
    }
    let summaries = Summaries::read(state)?;
    read_times(&summaries, &point, &at, folder, into)?;
    for (tag, name, unit) in RATES {
        if let Some(value) = summaries.number(tag)? {
            // Over the isolated time, as its tag says.
            let metric = known_metric(&at, name, unit, Direction::Higher)?.following(&Metric::time().name);
            into.add(&at, &point, metric, Reading::Statistics(Summary::single(value)))?;
        }
    }
    Ok(())
}

fn read_times(
    summaries: &Summaries<'_>,
    point: &Point,
    at: &str,
    folder: Option<&Path>,
    into: &mut Collector<'_>,
) -> Result<(), ImportError> {
    let gpu = summaries.statistics("nv/cold/time/gpu", "nv/cold/sample_size")?;
    let cpu_only = || summaries.statistics("nv/cpu_only/time/cpu", "nv/cpu_only/sample_size");
    match gpu.map_or_else(cpu_only, |gpu| Ok(Some(gpu)))? {
        Some(statistics) => {
            let sample = folder.and_then(|folder| summaries.sample(folder, at, into));
            let reading = sample.map_or(Reading::Statistics(statistics), Reading::Values);
            into.add(at, point, Metric::time(), reading)?;
        }
        None => into.left_out(at, "the state", "it has no summary of an isolated time"),
    }
    if let Some(statistics) = summaries.statistics("nv/batch/time/gpu", "nv/batch/sample_size")? {
        let metric = known_metric(at, "batch_time", Unit::SECOND, Direction::Lower)?;
        into.add(at, point, metric, Reading::Statistics(statistics))?;
    }
    Ok(())
}

/// The summaries of one state by tag, each a list of named values.
struct Summaries<'a> {
    by_tag: HashMap<&'a str, Node<'a>>,
}

impl<'a> Summaries<'a> {
    fn read(state: &Node<'a>) -> Result<Self, ImportError> {
        let mut by_tag = HashMap::new();
        for summary in state.get("summaries").map(|list| list.items()).transpose()?.into_iter().flatten() {
            by_tag.insert(summary.need("tag")?.text()?, summary);
        }
        Ok(Self { by_tag })
    }

    fn named(&self, tag: &str, name: &str) -> Result<Option<Node<'a>>, ImportError> {
        let Some(data) = self.by_tag.get(tag).and_then(|summary| summary.get("data")) else { return Ok(None) };
        let found = data.items()?.find(|value| value.text_at("name") == Some(name));
        found.map(|value| value.need("value")).transpose()
    }

    /// Numbers are strings in the file, since JSON has no infinity; a bare number is taken as well.
    fn number(&self, tag: &str) -> Result<Option<f64>, ImportError> {
        let Some(value) = self.named(tag, "value")? else { return Ok(None) };
        let text = value.scalar().ok_or_else(|| value.unexpected("a number in a string"))?;
        text.parse().map(Some).map_err(|_| value.unexpected("a number in a string"))
    }

    fn statistics(&self, tag: &str, count_tag: &str) -> Result<Option<Summary>, ImportError> {
        let of = |statistic: &str| self.number(&format!("{tag}/{statistic}"));
        let mean = of("mean")?;
        let Some(median) = of("median")?.or(mean) else { return Ok(None) };
        // A single sample has an infinite deviation there, which says no more than an absent one.
        let relative = of("stdev/relative")?.zip(mean).map(|(relative, mean)| relative * mean);
        Ok(Some(Summary {
            n: self.number(count_tag)?.map_or(1, |count| count as u64),
            mean,
            stddev: of("stdev/absolute")?.or(relative).filter(|stddev| stddev.is_finite()),
            min: of("min")?,
            max: of("max")?,
            ..Summary::single(median)
        }))
    }

    /// The single times from the file beside the JSON.
    fn sample(&self, folder: &Path, at: &str, into: &mut Collector<'_>) -> Option<Vec<f64>> {
        let tag = self.by_tag.keys().find(|tag| tag.starts_with("nv/json/bin:"))?;
        let name = self.named(tag, "filename").ok()??.text().ok()?;
        let size = self.named(tag, "size").ok()??.scalar()?.parse().ok();
        match read_floats(&beside(folder, name)?, size) {
            Ok(values) => Some(values),
            Err(reason) => {
                into.left_out(at, format!("the sample in `{}`", short(name)), reason);
                None
            }
        }
    }
}

/// `some/where/result.json-bin/3.bin` as a file of the JSON's own folder: a result file may have moved, and what it
/// names elsewhere on the disk is not its business.
fn beside(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut components = Path::new(name).components().rev();
    match (components.next()?, components.next()?) {
        (Component::Normal(file), Component::Normal(parent)) => Some(folder.join(parent).join(file)),
        _ => None,
    }
}

fn read_floats(path: &Path, size: Option<u64>) -> Result<Vec<f64>, String> {
    let length = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > MAX_FILE_BYTES || size.is_none_or(|size| size.checked_mul(4) != Some(length)) {
        return Err(format!("it has {length} bytes, which is not the declared number of samples"));
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let (floats, _) = bytes.as_chunks::<4>();
    Ok(floats.iter().map(|four| f64::from(f32::from_le_bytes(*four))).collect())
}
