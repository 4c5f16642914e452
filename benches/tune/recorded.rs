//! Spaces of real CUDA kernels, measured whole by others (github.com/AutoTuningAssociation/benchmark_hub), where they lie
//! beside this repository.

use std::fs::File;
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;

use crate::known::Known;

/// Seen from the root of this repository.
pub const FOLDER: &str = "../shared/data/tuning-spaces";

/// All that are there.
pub fn spaces() -> Vec<Known> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().filter_map(|path| read(path)).collect()
}

fn read(path: &Path) -> Option<Known> {
    let all: Value = serde_json::from_reader(GzDecoder::new(File::open(path).ok()?)).ok()?;
    let names = all["params"].as_array()?;
    let values: Option<Vec<&Vec<Value>>> = names.iter().map(|name| all["values"][name.as_str()?].as_array()).collect();
    let values = values?;
    let column = |name: &str| all["columns"].as_array()?.iter().position(|column| column == name);
    let (at, time) = (column("values")?, column("time_ms")?);
    let costs = [column("compile_ms")?, column("benchmark_ms")?];
    let point = |row: &Value| {
        let places = row[at].as_array()?.iter().zip(&values).map(|(value, known)| known.iter().position(|other| other == value));
        let cost: f64 = costs.iter().filter_map(|column| row[*column].as_f64()).sum();
        Some((places.collect::<Option<Vec<usize>>>()?, row[time].as_f64().map(|milliseconds| milliseconds / 1e3), cost / 1e3))
    };
    let points: Option<Vec<_>> = all["configs"].as_array()?.iter().map(point).collect();
    let texts = values.iter().map(|values| values.iter().map(Value::to_string).collect()).collect();
    let name = path.file_name()?.to_string_lossy();
    Some(Known::new(name.trim_end_matches(".json.gz"), texts, points?))
}
