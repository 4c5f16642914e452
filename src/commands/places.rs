//! Where the code of a series stands, to lead people there: the entry point of a kernel as it is on the series' testbed, else
//! the table in ratchet.toml of the benchmark or its suite. Read from the object database as the judged commit has it. What cannot be found has
//! no place: a verdict never fails for want of one.

use std::collections::BTreeMap;

use super::workspace::Workspace;
use crate::cuda::{Arch, Manifest};
use crate::judge::Judgement;
use crate::model::{BenchmarkName, ObjectId, SeriesKey};
use crate::report::github::Place;
use crate::roofline::Gpu;
use crate::settings::{self, Settings};

/// The places of the series that do not hold.
pub fn of_failing(judgement: &Judgement, workspace: &Workspace) -> BTreeMap<SeriesKey, Place> {
    let commit = judgement.candidate;
    let Ok(Some(file)) = workspace.store.read_file(commit, settings::FILE_NAME) else { return BTreeMap::new() };
    let settings = Settings::parse(&file, settings::FILE_NAME).unwrap_or_default();
    let mut manifests: BTreeMap<&BenchmarkName, Option<Manifest>> = BTreeMap::new();
    let mut places = BTreeMap::new();
    for series in judgement.series.iter().filter(|series| !series.verdict.holds()) {
        let name = &series.key.benchmark;
        let manifest = manifests.entry(name).or_insert_with(|| manifest_of(&settings, name, commit, workspace));
        let of_kernel = manifest.as_ref().map(|manifest| kernel_in(manifest, &series.key.testbed));
        places.extend(
            of_kernel
                .or_else(|| table_of(&file, settings.suite_of(name).map_or(name, |suite| &suite.name)))
                .map(|place| (series.key.clone(), place)),
        );
    }
    places
}

fn manifest_of(settings: &Settings, name: &BenchmarkName, commit: ObjectId, workspace: &Workspace) -> Option<Manifest> {
    let kernel = settings.benchmark(name)?.kernel.as_ref()?;
    Manifest::load(&kernel.manifest, &workspace.files_of(commit)).ok()
}

fn kernel_in(manifest: &Manifest, testbed: &str) -> Place {
    let (file, line) = manifest.entry_point(arch_of(manifest, testbed));
    Place { file: file.to_owned(), line }
}

/// What the kernel was compiled for there: testbeds begin with the architecture or with the name of a chip.
fn arch_of(manifest: &Manifest, testbed: &str) -> Option<Arch> {
    let named = testbed.split(' ').next().and_then(|word| word.parse().ok());
    named.or_else(|| Gpu::of(testbed).map(|gpu| manifest.arch_on(gpu.compute_capability())))
}

fn table_of(file: &[u8], name: &BenchmarkName) -> Option<Place> {
    let line = settings::line_of_benchmark(file, name)?;
    Some(Place { file: settings::FILE_NAME.to_owned(), line: Some(line) })
}
