//! The two formats that name neither metric nor direction: BMF and github-action-benchmark.

use super::*;

#[test]
fn built_in_measures_of_bencher_have_unit_and_direction() {
    let (imported, file) = (import_fixture("bmf/measures.json"), json_fixture("bmf/measures.json"));
    assert_eq!(imported.format, Format::Bmf);
    let value = |benchmark: &str, measure: &str| file[benchmark][measure]["value"].as_f64().unwrap();
    for (benchmark, measure, unit, better, scale) in [
        ("parse::small", "latency", "s", Direction::Lower, 1e-9),
        ("parse::small", "throughput", "/s", Direction::Higher, 1.0),
        ("parse::large", "latency", "s", Direction::Lower, 1e-9),
        ("parse::large", "file-size", "B", Direction::Lower, 1.0),
        ("parse::large", "build-time", "s", Direction::Lower, 1.0),
        ("parse::large", "Allocations", "1", Direction::Lower, 1.0),
    ] {
        let measured = find(&imported, benchmark, "", measure);
        assert_eq!((measured.metric.unit.symbol(), measured.metric.better), (unit, better));
        assert_close(measured.summary.median, value(benchmark, measure) * scale);
        assert_eq!((measured.summary.n, measured.summary.low, measured.summary.high), (1, None, None));
    }
    assert_eq!(imported.measurements.len(), 6);
}

#[test]
fn a_measure_of_unknown_direction_asks_for_better() {
    let path = fixture("bmf/unknown-measure.json");
    let said = import_path(&path, &ImportOptions::default()).unwrap_err().to_string();
    assert_eq!(
        said,
        "search.score: nothing tells whether a larger or a smaller `score` is better: say --better lower or --better higher"
    );
    let options = ImportOptions { better: Some(Direction::Higher), ..ImportOptions::default() };
    let imported = import_path(&path, &options).unwrap();
    assert_statistics(find(&imported, "search", "", "score"), "1", Direction::Higher, &Summary::single(0.93));
}

#[test]
fn units_of_github_action_benchmark_name_the_metric() {
    let imported = import_fixture("github-action-benchmark/custom.json");
    assert_eq!(imported.format, Format::GithubActionBenchmark);
    for (name, metric, unit, better, value, stddev) in [
        ("encode", "time", "s", Direction::Lower, 0.020, Some(0.0006)),
        ("decode", "time", "s", Direction::Lower, 975e-9, Some(12e-9)),
        ("requests", "throughput", "/s", Direction::Higher, 70.0, None),
        ("free memory", "bytes", "B", Direction::Lower, 150e6, Some(3e6)),
        ("image", "bytes", "B", Direction::Lower, 2048.0, None),
    ] {
        let measured = find(&imported, name, "", metric);
        assert_eq!((measured.metric.unit.symbol(), measured.metric.better), (unit, better));
        assert_close(measured.summary.median, value);
        assert_eq!(measured.summary.stddev.is_some(), stddev.is_some(), "{name}");
        if let (Some(actual), Some(expected)) = (measured.summary.stddev, stddev) {
            assert_close(actual, expected);
        }
    }
    assert_eq!(warnings(&imported), ["[4] `image`: the range left out: `a little` is neither a number nor a percentage"]);
}

#[test]
fn better_of_the_user_wins_over_the_unit_as_in_the_action_itself() {
    let options = ImportOptions { better: Some(Direction::Higher), ..ImportOptions::default() };
    let imported = import_path(&fixture("github-action-benchmark/custom.json"), &options).unwrap();
    assert!(imported.measurements.iter().all(|measured| measured.metric.better == Direction::Higher));
}

#[test]
fn a_percentage_without_direction_asks_for_better() {
    let path = fixture("github-action-benchmark/no-direction.json");
    let said = import_path(&path, &ImportOptions::default()).unwrap_err().to_string();
    assert!(said.starts_with("[0] `CPU load`") && said.ends_with("say --better lower or --better higher"), "{said}");
    let options = ImportOptions { better: Some(Direction::Lower), ..ImportOptions::default() };
    let imported = import_path(&path, &options).unwrap();
    let expected = Summary { stddev: Some(2.5), ..Summary::single(50.0) };
    assert_statistics(find(&imported, "CPU load", "", "percent"), "%", Direction::Lower, &expected);
}

#[test]
fn an_unknown_unit_is_named_with_its_entry() {
    let said = complaint(Format::GithubActionBenchmark, r#"[{"name": "a", "unit": "furlongs", "value": 1}]"#);
    assert!(said.starts_with("[0] `a`: unknown unit `furlongs`"), "{said}");
}
