//! Files that no one here wrote, beside the project where it is developed. Skipped where they are absent.

use super::*;

/// The folder of real files, or a note that there is none.
fn real_files() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/fixtures");
    if !folder.is_dir() {
        println!("SKIPPED: no real files at {}", folder.display());
        return None;
    }
    Some(folder)
}

/// Every file of one format's folder but its README.
fn files_of(folder: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.file_name().is_some_and(|name| name != "README.md")).collect();
    files.sort();
    files
}

/// Folder, format, and the direction where the format needs to be told.
const KNOWN: [(&str, Format, Option<Direction>); 8] = [
    ("bmf", Format::Bmf, Some(Direction::Lower)),
    ("cargo-criterion", Format::CargoCriterion, None),
    ("gha-benchmark-custom", Format::GithubActionBenchmark, Some(Direction::Lower)),
    ("go-bench", Format::GoBench, Some(Direction::Lower)),
    ("google-benchmark", Format::GoogleBenchmark, None),
    ("hyperfine", Format::Hyperfine, None),
    ("nvbench", Format::Nvbench, None),
    ("pytest-benchmark", Format::PytestBenchmark, None),
];

/// A file that upstream made up to hold one aggregate of an unknown kind, which is nothing to record.
const NOTHING_TO_RECORD: &str = "test4_run0.json";

#[test]
fn real_files_of_known_formats_are_imported() {
    let Some(folder) = real_files() else { return };
    for (name, format, better) in KNOWN {
        for file in files_of(&folder.join(name)) {
            assert_eq!(detect(&std::fs::read(&file).unwrap()), Some(format), "{}", file.display());
            match import_path(&file, &ImportOptions { better, ..ImportOptions::default() }) {
                Ok(imported) => assert!(!imported.measurements.is_empty()),
                Err(ImportError::NoResults { .. }) if file.ends_with(NOTHING_TO_RECORD) => {}
                Err(error) => panic!("{}: {error}", file.display()),
            }
        }
    }
}

#[test]
fn real_folders_of_criterion_are_imported() {
    let Some(folder) = real_files() else { return };
    let current = import_path(&folder.join("criterion-dir-0.8"), &ImportOptions::default()).unwrap();
    assert_eq!(keys(&current), ["copy/memcpy |  | time", "fib 12 |  | time"]);
    assert_close(find(&current, "fib 12", "", "time").values[0], 1_743_035.0 / 5396.0 / 1e9);
    let older = import_path(&folder.join("criterion-dir-old"), &ImportOptions::default()).unwrap();
    let measured = find(&older, "Fibonacci2/Iterative/20", "", "time");
    assert_eq!(measured.values.len(), 100);
    assert_close(measured.values[0], 1_166_000.0 / 208_873.0 / 1e9);
    assert_kept(measured.summary.median * 1e9, 4.669_174_721_938_917);
}

#[test]
fn a_real_nvbench_file_of_two_gpus_gives_every_state() {
    let Some(folder) = real_files() else { return };
    let imported = import_path(&folder.join("nvbench/test_ref.json"), &ImportOptions::default()).unwrap();
    let skipped = warnings(&imported).iter().filter(|text| text.contains("skipped by the tool")).count();
    let times = imported.measurements.iter().filter(|measured| measured.metric.name.as_str() == "time").count();
    assert_eq!((times, skipped), (88, 38));
    let simple = find(&imported, "simple", "'device=0 Quadro GV100'", "time");
    assert_eq!((simple.summary.n, simple.summary.median), (499, 0.001_003_471_584_979_422_5));
    let batch = find(&imported, "simple", "'device=0 Quadro GV100'", "batch_time");
    assert_eq!(batch.summary.n, 524);
}

#[test]
fn a_real_file_of_repeated_go_benchmarks_gives_samples() {
    let Some(folder) = real_files() else { return };
    let imported = import_path(&folder.join("go-bench/crc-old.txt"), &ImportOptions::default()).unwrap();
    let first = find(&imported, "hash/crc32.CRC32", "poly=IEEE size=15 align=0 gomaxprocs=8", "time");
    let expected = [44.6, 47.3, 44.6, 46.3, 50.7, 45.8, 46.8, 44.3, 47.7, 50.6].map(|ns| ns / 1e9);
    assert_sample(first, "s", Direction::Lower, &expected);
    assert_eq!(imported.facts.get("note").map(String::as_str), Some("hw acceleration disabled"));
}

#[test]
fn real_files_of_other_formats_are_refused_as_unknown() {
    let Some(folder) = real_files() else { return };
    for name in [
        "asv",
        "benchmarkdotnet",
        "catch2",
        "criterion-stdout",
        "divan",
        "jmh",
        "julia",
        "junit",
        "kernel-tuner",
        "libtest-bench",
        "pytorch-oss-benchmark-v3",
        "vitest",
        "vllm",
    ] {
        for file in files_of(&folder.join(name)) {
            let said = import_path(&file, &ImportOptions::default()).expect_err(name).to_string();
            let unknown = said.starts_with("unknown format of results: known are ratchet, seed");
            let json_lines = said.starts_with("not valid JSON: trailing characters");
            assert!(unknown || json_lines, "{}: {said}", file.display());
        }
    }
}
