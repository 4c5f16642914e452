//! Reading what Nsight Compute prints, its command lines, where it is looked for, and what its failures mean.

use std::fs;
use std::path::{Path, PathBuf};

use super::csv::{CsvError, Launch};
use super::number::Decimal;
use super::*;
use crate::harness::Ending;
use crate::model::{KernelProfile, Unit};

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/ncu").join(name);
    fs::read_to_string(path).unwrap()
}

fn profiles(text: &str) -> Vec<KernelProfile> {
    kernel_profiles(&csv::read(text).unwrap())
}

fn counter(launch: &Launch, name: &str) -> (f64, String) {
    let counter = &launch.counters[name];
    (counter.value, counter.unit.symbol().to_owned())
}

#[test]
fn a_wide_table_is_read_in_base_units() {
    let launches = csv::read(&fixture("wide.csv")).unwrap();
    assert_eq!(launches.len(), 1);
    let launch = &launches[0];
    assert_eq!(launch.kernel, "flash_attention");
    assert_eq!(counter(launch, "gpu__time_duration.sum"), (0.000335, "s".into()));
    assert_eq!(counter(launch, "dram__bytes_read.sum"), (50_331_648.0, "B".into()));
    assert_eq!(counter(launch, "launch__shared_mem_per_block"), (24_576.0, "B".into()));
    assert_eq!(counter(launch, "sm__cycles_elapsed.avg.per_second"), (2.04e9, "Hz".into()));
    assert_eq!(counter(launch, "sm__inst_executed.avg.per_cycle_active"), (1.41, "1".into()));
    let bandwidth = counter(launch, "dram__bytes.sum.per_second");
    assert_eq!((bandwidth.0.round(), bandwidth.1.as_str()), (200_324_656_716.0, "B/s"));
}

#[test]
fn lines_of_the_profiler_and_of_the_program_are_passed_over() {
    assert_eq!(csv::read(&fixture("mixed.csv")).unwrap(), csv::read(&fixture("wide.csv")).unwrap());
}

#[test]
fn a_long_table_has_launches_by_id_and_scaled_units() {
    let launches = csv::read(&fixture("long.csv")).unwrap();
    assert_eq!(launches.len(), 3);
    assert!(launches[0].kernel.ends_with("std::array<char *, 1>>(int, T2, T3)"), "{}", launches[0].kernel);
    assert_eq!(counter(&launches[1], "gpu__time_duration.sum"), (0.001_205, "s".into()));
    assert_eq!(counter(&launches[1], "smsp__inst_executed.sum"), (9_437_184.0, "1".into()));
    assert_eq!(counter(&launches[1], "dram__bytes_read.sum"), (50_330_000.0, "B".into()));
    let missing = "sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_elapsed";
    assert!(!launches[1].counters.contains_key(missing), "n/a is no number");
}

#[test]
fn a_locale_with_decimal_commas_says_the_same() {
    assert_eq!(csv::read(&fixture("comma.csv")).unwrap()[0], csv::read(&fixture("long.csv")).unwrap()[1]);
}

#[test]
fn launches_of_one_kernel_are_one_profile_of_medians() {
    let profiles = profiles(&fixture("long.csv"));
    let launches: Vec<u64> = profiles.iter().map(|profile| profile.launches).collect();
    assert_eq!(launches, [1, 2], "in the order of their first launches");
    let median = profiles[1].value("gpu__time_duration.sum").unwrap();
    assert!((median - 0.0012).abs() < 1e-12, "{median}");
    let largest = largest_kernels(profiles, 1);
    assert!(largest[0].kernel.starts_with("void cutlass::"), "{}", largest[0].kernel);
    largest[0].check().unwrap();
}

#[test]
fn work_and_traffic_are_derived_and_aliases_resolved() {
    let profile = profiles(&fixture("wide.csv")).remove(0);
    assert_eq!(profile.value("ratchet__dram_bytes"), Some(67_108_864.0));
    assert_eq!(profile.value("ratchet__flop_tensor"), Some(17_179_869_184.0));
    // 120.5 additions in each of 2.04 GHz x 335 us cycles come on top of the tensor cores' work.
    let scalar = profile.value("ratchet__flop").unwrap() - 17_179_869_184.0;
    assert!((scalar - 120.5 * 2.04e9 * 335e-6).abs() < 1.0, "{scalar}");
    let aliased = "\"ID\",\"Kernel Name\",\"dram__bytes_op_read.sum\"\n\"\",\"\",\"Kbyte\"\n\"0\",\"k\",\"3\"\n";
    assert_eq!(profiles_of(aliased)[0].value("dram__bytes_read.sum"), Some(3000.0));
}

fn profiles_of(text: &str) -> Vec<KernelProfile> {
    profiles(text)
}

#[test]
fn what_is_no_profile_is_refused_with_the_reason() {
    let read = |text: &str| csv::read(text).unwrap_err();
    assert_eq!(read(""), CsvError::NoHeader);
    assert_eq!(read("==PROF== hello\nstep,loss\n1,2\n"), CsvError::NoHeader);
    assert_eq!(read("<html>, not, csv"), CsvError::NoHeader);
    let header = fixture("wide.csv").lines().next().unwrap().to_owned();
    assert_eq!(read(&header), CsvError::NoRows);
    assert_eq!(read(&fixture("all-na.csv")), CsvError::NoNumbers);
    let unknown = "\"ID\",\"Kernel Name\",\"some__other.metric\"\n\"0\",\"k\",\"1\"\n";
    assert_eq!(kernel_profiles(&csv::read(unknown).unwrap()), []);
}

#[test]
fn a_table_that_is_cut_off_keeps_its_whole_rows() {
    let text = fixture("long.csv");
    let cut = &text[..text.len() - 40];
    assert_eq!(csv::read(cut).unwrap().len(), 3);
    assert!(csv::read(cut).unwrap()[2].counters.len() + 1 == csv::read(&text).unwrap()[2].counters.len());
}

#[test]
fn separators_are_found_from_all_values() {
    for (values, decimal) in [
        (&["1,234", "5"][..], Decimal::Point),
        (&["1,234", "9,00"], Decimal::Comma),
        (&["1.234", "0,5"], Decimal::Comma),
        (&["1,234,567"], Decimal::Point),
        (&["1.234.567"], Decimal::Comma),
        (&["1,234.5"], Decimal::Point),
        (&["1.234,5"], Decimal::Comma),
        (&["0.123", "1,234"], Decimal::Point),
        (&["0,123"], Decimal::Comma),
        (&["n/a", "void f(int, 3)", ""], Decimal::Point),
    ] {
        assert_eq!(Decimal::of(values.iter().copied()), decimal, "{values:?}");
    }
}

#[test]
fn numbers_are_read_or_left_out() {
    for (text, point, comma) in [
        ("1,234.5", Some(1234.5), None),
        ("1.234,5", None, Some(1234.5)),
        ("1\u{a0}234\u{a0}567,5", None, Some(1_234_567.5)),
        ("1'234.5", Some(1234.5), None),
        ("1.5e+06", Some(1.5e6), None),
        ("66.77 %", Some(66.77), None),
        ("12 (4; 8)", Some(12.0), Some(12.0)),
    ] {
        if point.is_some() {
            assert_eq!(Decimal::Point.read(text), point, "{text}");
        }
        if comma.is_some() {
            assert_eq!(Decimal::Comma.read(text), comma, "{text}");
        }
    }
    for text in ["", "n/a", "nan", "inf", "-", "20; 40", "1e999", "(4; 8)", "12abc"] {
        assert_eq!((Decimal::Point.read(text), Decimal::Comma.read(text)), (None, None), "{text}");
    }
}

#[test]
fn units_become_base_units() {
    for (value, unit, expected, symbol) in [
        (335.0, "usecond", 0.000335, "s"),
        (335.0, "us", 0.000335, "s"),
        (1.0, "msecond", 0.001, "s"),
        (3.0, "Gbyte", 3e9, "B"),
        (200.0, "Gbyte/second", 2e11, "B/s"),
        (200.0, "Gbyte/s", 2e11, "B/s"),
        (2.04, "cycle/nsecond", 2.04e9, "Hz"),
        (1.5, "Ghz", 1.5e9, "Hz"),
        (24.58, "Kbyte/block", 24_580.0, "B"),
        (64.0, "register/thread", 64.0, "1"),
        (7.0, "%", 7.0, "%"),
        (7.0, "", 7.0, "1"),
        (7.0, "furlong", 7.0, "1"),
    ] {
        let counter = unit::counter(value, unit);
        assert!((counter.value - expected).abs() <= 1e-12 * expected, "{unit}: {}", counter.value);
        assert_eq!(counter.unit, Unit::from_symbol(symbol).unwrap(), "{unit}");
    }
}

fn request() -> ProfileRequest {
    ProfileRequest {
        command: ["python3", "train.py", "--csv"].map(str::to_owned).into(),
        directory: "/work".into(),
        environment: Vec::new(),
        kernel: Some("^flash".into()),
        launch_skip: 3,
        launch_count: 1,
        set: ProfileRequest::DEFAULT_SET.into(),
        extra: vec!["--section".into(), "SourceCounters".into()],
        report: "/out/a.ncu-rep".into(),
        timeout: ProfileRequest::DEFAULT_TIMEOUT,
    }
}

#[test]
fn the_command_line_asks_for_what_was_measured() {
    let line = request().command_line(Path::new("/usr/bin/ncu")).join(" ");
    assert_eq!(
        line,
        "/usr/bin/ncu --target-processes all --clock-control none --cache-control all --replay-mode kernel --kernel-name regex:^flash --launch-skip 3 --launch-count 1 --set full --section SourceCounters --force-overwrite --export /out/a.ncu-rep python3 train.py --csv"
    );
    let import = command::import_line(Path::new("ncu"), Path::new("/out/a.ncu-rep")).join(" ");
    assert_eq!(import, "ncu --import /out/a.ncu-rep --page raw --csv --print-units base --print-fp");
}

/// A file system with programs in it.
fn root(programs: &[&str]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for program in programs {
        let path = root.path().join(program);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "#!/bin/sh\n").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    root
}

#[test]
fn it_is_looked_for_in_path_first_and_newest_version_last() {
    let programs = [
        "bin/ncu",
        "toolkit/bin/ncu",
        "usr/local/cuda-9.2/bin/ncu",
        "usr/local/cuda-13.0/bin/ncu",
        "opt/nvidia/nsight-compute/2025.3.1/ncu",
    ];
    let root = root(&programs);
    let at = |path: &str| root.path().join(path);
    let found = |path: Option<&str>, toolkit: Option<&str>| {
        let places = Places {
            configured: None,
            path: path.map(|path| format!("relative::{}", at(path).display())),
            toolkits: toolkit.map(&at).into_iter().collect(),
            root: root.path().to_owned(),
        };
        Ncu::find(&places).unwrap().path
    };
    assert_eq!(found(Some("bin"), Some("toolkit")), at("bin/ncu"));
    assert_eq!(found(Some("nothing"), Some("toolkit")), at("toolkit/bin/ncu"));
    assert_eq!(found(None, None), at("usr/local/cuda-13.0/bin/ncu"));
    fs::remove_dir_all(at("usr")).unwrap();
    assert_eq!(found(None, None), at("opt/nvidia/nsight-compute/2025.3.1/ncu"));
    fs::remove_dir_all(at("opt")).unwrap();
    let nowhere = Places { root: root.path().to_owned(), ..Places::default() };
    assert!(matches!(Ncu::find(&nowhere), Err(NcuError::NotFound)));
}

#[test]
fn a_configured_program_is_the_only_one() {
    let root = root(&["bin/ncu", "mine"]);
    let places = |configured: &str| Places {
        configured: Some(root.path().join(configured)),
        path: Some(root.path().join("bin").display().to_string()),
        ..Places::default()
    };
    assert!(Ncu::find(&places("mine")).unwrap().is_configured);
    assert!(matches!(Ncu::find(&places("missing")), Err(NcuError::NotConfigured { .. })));
}

fn diagnosed(stdout: &str, code: i32, has_report: bool) -> Option<NcuError> {
    let ending = (code != 0).then_some(Ending::Code(code));
    let asked = (Some("^flash"), 3);
    let aftermath = diagnosis::Aftermath { stdout: stdout.as_bytes(), stderr: b"", ending, has_report, asked };
    aftermath.diagnose()
}

#[test]
fn failures_are_recognised_by_what_the_profiler_says() {
    assert!(diagnosed("==PROF== Disconnected", 0, true).is_none());
    let permission = "==ERROR== ERR_NVGPUCTRPERM - The user does not have permission to access NVIDIA GPU Performance Counters";
    assert!(matches!(diagnosed(permission, 0, true), Some(NcuError::NotPermitted)), "even where it ends well");
    let busy = "==ERROR== Profiling failed because a driver resource was unavailable. Ensure that no other tool (like DCGM) …";
    assert!(matches!(diagnosed(busy, 9, false), Some(NcuError::Busy)));
    let none = diagnosed("==WARNING== No kernels were profiled.", 0, false).unwrap();
    assert!(none.to_string().contains("`^flash`") && none.to_string().contains("the 3 that were skipped"), "{none}");
    let command = diagnosed(
        "Traceback\n==ERROR== The application returned an error code (11).\n==WARNING== No kernels were profiled.",
        1,
        false,
    );
    assert!(matches!(command, Some(NcuError::CommandFailed { code, .. }) if code == "11"));
    let other = diagnosed("hello\n==ERROR== Failed to find metric \u{1b}[31mfoo\n", 1, false).unwrap().to_string();
    assert!(other.starts_with("ncu failed with exit code 1: Failed to find metric [31mfoo"), "{other}");
    let silent = diagnosed("", 0, false).unwrap().to_string();
    assert!(silent.starts_with("ncu ended without a report"), "{silent}");
    let printed = diagnosed("I say ERR_NVGPUCTRPERM, too", 0, true);
    assert!(printed.is_none(), "the program's own lines are not the profiler's");
}

#[test]
fn every_failure_that_a_user_can_mend_says_how() {
    let path = || PathBuf::from("/x");
    for error in [
        NcuError::NotFound,
        NcuError::NotConfigured { path: path() },
        NcuError::NotPermitted,
        NcuError::Busy,
        NcuError::NotSupported("x".into()),
        NcuError::NoKernel { filter: None, skip: 0 },
        NcuError::NoKeyMetrics,
    ] {
        assert!(error.hint().is_some_and(|hint| hint.len() > 15), "{error}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(lines in proptest::collection::vec("[\"\\PC,;=]{0,60}", 0..12)) {
        let header = "\"ID\",\"Kernel Name\",\"a__b.sum\"\n";
        let _ = csv::read(&lines.join("\n"));
        let _ = csv::read(&format!("{header}{}", lines.join("\n")));
    }

    #[test]
    fn a_kernel_name_always_fits(name in "\\PC{0,700}") {
        let fitting = KernelProfile::fitting_name(&name);
        proptest::prop_assert!(!fitting.trim().is_empty() && fitting.len() <= crate::model::MAX_NAME_BYTES);
    }
}
