//! Where the code of a benchmark stands, to lead people there: the entry point of a kernel, else the benchmark's table in
//! ratchet.toml. Read from the object database as the judged commit has it. What cannot be found has no place: a verdict
//! never fails for want of one.

use std::collections::BTreeMap;

use super::workspace::Workspace;
use crate::cuda::Manifest;
use crate::judge::Judgement;
use crate::model::{BenchmarkName, ObjectId};
use crate::report::github::Place;
use crate::settings::{self, Settings};

/// The places of the benchmarks that do not hold.
pub fn of_failing(judgement: &Judgement, workspace: &Workspace) -> BTreeMap<BenchmarkName, Place> {
    let commit = judgement.candidate;
    let Ok(Some(file)) = workspace.store.read_file(commit, settings::FILE_NAME) else { return BTreeMap::new() };
    let settings = Settings::parse(&file, settings::FILE_NAME).unwrap_or_default();
    let mut places = BTreeMap::new();
    for series in judgement.series.iter().filter(|series| !series.verdict.holds()) {
        let name = &series.key.benchmark;
        if !places.contains_key(name) {
            let of_settings = || table_of(&file, name);
            let place = kernel_of(&settings, name, commit, workspace).or_else(of_settings);
            places.extend(place.map(|place| (name.clone(), place)));
        }
    }
    places
}

fn kernel_of(settings: &Settings, name: &BenchmarkName, commit: ObjectId, workspace: &Workspace) -> Option<Place> {
    let kernel = settings.benchmark(name)?.kernel.as_ref()?;
    let manifest = Manifest::load(&kernel.manifest, &workspace.files_of(commit)).ok()?;
    let (file, line) = manifest.entry_point();
    Some(Place { file: file.to_owned(), line })
}

fn table_of(file: &[u8], name: &BenchmarkName) -> Option<Place> {
    let line = settings::line_of_benchmark(file, name)?;
    Some(Place { file: settings::FILE_NAME.to_owned(), line: Some(line) })
}
