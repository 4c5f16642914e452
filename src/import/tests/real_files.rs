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
const KNOWN: [(&str, Format, Option<Direction>); 18] = [
    ("benchmarkdotnet", Format::BenchmarkDotNet, None),
    ("bmf", Format::Bmf, Some(Direction::Lower)),
    ("cargo-criterion", Format::CargoCriterion, None),
    ("gha-benchmark-custom", Format::GithubActionBenchmark, Some(Direction::Lower)),
    ("go-bench", Format::GoBench, Some(Direction::Lower)),
    ("google-benchmark", Format::GoogleBenchmark, None),
    ("hyperfine", Format::Hyperfine, None),
    ("nvbench", Format::Nvbench, None),
    ("pytest-benchmark", Format::PytestBenchmark, None),
    ("catch2", Format::Catch2, None),
    ("criterion-stdout", Format::CriterionText, None),
    ("divan", Format::Divan, None),
    ("jmh", Format::Jmh, None),
    ("julia", Format::Julia, None),
    ("kernel-tuner", Format::KernelTuner, None),
    ("libtest-bench", Format::Libtest, None),
    ("pytorch-oss-benchmark-v3", Format::Pytorch, None),
    ("vitest", Format::Vitest, None),
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
fn real_values_of_other_tools_arrive_in_base_units() {
    let Some(folder) = real_files() else { return };
    let read = |file: &str| import_path(&folder.join(file), &ImportOptions::default()).unwrap();
    let jmh = read("jmh/jmh_output.json");
    let hello = find(&jmh, "org.openjdk.jmh.samples.JMHSample_01_HelloWorld.wellHelloThere", "", "throughput");
    assert_sample(hello, "/s", Direction::Higher, &[3.376842765688582e9, 3.37651988895058e9, 3.375353964729294e9]);
    let dotnet = read("benchmarkdotnet/benchmarkdotnet.json");
    assert_kept(find(&dotnet, "Sample.Benchmarks.Fib10", "", "time").summary.median * 1e9, 24.419498533010483);
    let catch2 = read("catch2/catch2_output_v3.txt");
    let fibonacci = &find(&catch2, "Fibonacci/Fibonacci 20", "", "time").summary;
    assert_eq!(fibonacci.n, 100);
    assert_close(fibonacci.median, 41.731e-6);
    assert_close(fibonacci.stddev.unwrap(), 3.256e-6);
    let criterion = read("criterion-stdout/many.txt");
    assert_eq!(criterion.measurements.len(), 5);
    assert_close(find(&criterion, "benchmark: name with spaces", "", "time").summary.median, 20.930e-9);
    let julia = read("julia/julia_output.json");
    assert_close(find(&julia, "fib/10", "", "time").summary.median, 246.03846153846155e-9);
    let libtest = read("libtest-bench/many.txt");
    assert_close(find(&libtest, "tests::benchmark", "", "time").summary.median, 3161e-9);
    assert_close(find(&libtest, "tests::three_digit", "", "time").summary.median, 333.0);
    let tuned = read("kernel-tuner/test_cache_file.json");
    assert_eq!((tuned.testbed.as_deref(), tuned.measurements.len()), (Some("NVIDIA RTX A4000"), 15));
    assert_eq!(find(&tuned, "vector_add", "problem_size=100 block_size_x=1024", "time").values.len(), 7);
    let divan = read("divan/divan-0.1.21.txt");
    assert_close(find(&divan, "d::copy", "", "throughput").summary.median, 72.35e9);
}

#[test]
fn files_with_the_fields_of_vllm_are_known_by_them() {
    let Some(folder) = real_files() else { return };
    for file in files_of(&folder.join("vllm")) {
        let is_pytorch = file.to_string_lossy().contains("pytorch");
        let expected = if is_pytorch { Format::Pytorch } else { Format::Vllm };
        assert_eq!(detect(&std::fs::read(&file).unwrap()), Some(expected), "{}", file.display());
    }
}

#[test]
fn a_file_of_an_old_asv_is_told_what_makes_it_a_new_one() {
    let Some(folder) = real_files() else { return };
    for file in files_of(&folder.join("asv")) {
        let said = import_path(&file, &ImportOptions::default()).unwrap_err().to_string();
        assert!(said.contains("`asv update` makes it"), "{said}");
    }
}

#[test]
fn real_files_of_a_format_that_is_not_read_are_refused_as_unknown() {
    let Some(folder) = real_files() else { return };
    for file in files_of(&folder.join("junit")) {
        let said = import_path(&file, &ImportOptions::default()).unwrap_err().to_string();
        assert!(said.starts_with("unknown format of results: known are ratchet, seed"), "{}: {said}", file.display());
    }
}
