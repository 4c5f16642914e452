//! Google Benchmark and pytest-benchmark.

use super::*;

#[test]
fn repetitions_of_google_benchmark_are_one_sample() {
    let (imported, file) =
        (import_fixture("google-benchmark/repetitions.json"), json_fixture("google-benchmark/repetitions.json"));
    assert_eq!((imported.format, imported.tool.as_deref()), (Format::GoogleBenchmark, Some("Google Benchmark")));
    assert_eq!(imported.time.unwrap().to_rfc3339(), file.pointer("/context/date").and_then(Value::as_str).unwrap());
    let entries = file["benchmarks"].as_array().unwrap();
    for name in ["BM_fill/64", "BM_fill/4096", "BM_count/real_time/threads:2"] {
        let repetitions = || entries.iter().filter(|one| one["run_name"] == name && one["run_type"] == "iteration");
        let column = |field: &str, scale: f64| -> Vec<f64> {
            repetitions().map(|one| number(one, &format!("/{field}")) / scale).collect()
        };
        assert_eq!(repetitions().count(), 3);
        assert_sample(find(&imported, name, "", "time"), "s", Direction::Lower, &column("real_time", 1e9));
        assert_sample(find(&imported, name, "", "cpu_time"), "s", Direction::Lower, &column("cpu_time", 1e9));
        let median = entries.iter().find(|one| one["run_name"] == name && one["aggregate_name"] == "median").unwrap();
        assert_kept(find(&imported, name, "", "time").summary.median, number(median, "/real_time") / 1e9);
        if name.starts_with("BM_fill") {
            let rate = column("bytes_per_second", 1.0);
            assert_sample(find(&imported, name, "", "bytes_per_second"), "B/s", Direction::Higher, &rate);
        } else {
            let rate = column("items_per_second", 1.0);
            assert_sample(find(&imported, name, "", "items_per_second"), "/s", Direction::Higher, &rate);
            assert_sample(find(&imported, name, "", "cache_misses"), "1", Direction::Lower, &column("cache_misses", 1.0));
        }
    }
}

#[test]
fn google_benchmark_says_what_failed_and_what_it_cannot_tell() {
    let imported = import_fixture("google-benchmark/repetitions.json");
    let warned = warnings(&imported);
    let has = |text: &str| warned.iter().any(|warning| warning.contains(text));
    assert!(has("`BM_fails`: failed in the tool: no such device"), "{warned:?}");
    assert!(has("`color` left out: nothing tells whether larger or smaller is better"), "{warned:?}");
    assert!(has("context: the benchmark library was built without optimization"), "{warned:?}");
    assert!(!keys(&imported).iter().any(|key| key.contains("BM_fails") || key.contains("color")));
}

#[test]
fn a_counter_without_direction_takes_the_one_asked_for() {
    let options = ImportOptions { better: Some(Direction::Higher), ..ImportOptions::default() };
    let imported = import_path(&fixture("google-benchmark/repetitions.json"), &options).unwrap();
    let color = find(&imported, "BM_count/real_time/threads:2", "", "color");
    assert_sample(color, "1", Direction::Higher, &[14.0; 3]);
    let misses = find(&imported, "BM_count/real_time/threads:2", "", "cache_misses");
    assert_eq!(misses.metric.better, Direction::Lower, "what the name tells stays");
}

#[test]
fn aggregates_count_where_repetitions_were_not_written() {
    let name = "google-benchmark/aggregates-only.json";
    let (imported, file) = (import_fixture(name), json_fixture(name));
    let entries = file["benchmarks"].as_array().unwrap();
    let of = |kind: &str, field: &str| {
        let found = entries.iter().find(|one| one["run_name"] == "BM_fill/64" && one["aggregate_name"] == kind);
        number(found.unwrap(), &format!("/{field}")) / 1e9
    };
    for (metric, field) in [("time", "real_time"), ("cpu_time", "cpu_time")] {
        let summary = &find(&imported, "BM_fill/64", "", metric).summary;
        assert_eq!(summary.n, 3);
        assert_close(summary.median, of("median", field));
        assert_close(summary.mean.unwrap(), of("mean", field));
        assert_close(summary.stddev.unwrap(), of("stddev", field));
    }
}

#[test]
fn times_of_google_benchmark_are_read_in_the_unit_of_their_entry() {
    let entry = |unit: &str, value: &str| {
        format!(r#"{{"name": "a", "run_type": "iteration", "real_time": {value}, "cpu_time": 1, "time_unit": "{unit}"}}"#)
    };
    let text = format!(r#"{{"benchmarks": [{}, {}]}}"#, entry("ms", "2"), entry("us", "3000"));
    let imported = import_text(&text).unwrap();
    assert_sample(find(&imported, "a", "", "time"), "s", Direction::Lower, &[0.002, 0.003]);
}

#[test]
fn rounds_of_pytest_benchmark_are_the_sample() {
    let (imported, file) = (import_fixture("pytest-benchmark/v5.3.1.json"), json_fixture("pytest-benchmark/v5.3.1.json"));
    assert_eq!(imported.format, Format::PytestBenchmark);
    assert_eq!(imported.tool.as_deref(), Some("pytest-benchmark 5.3.1"));
    assert_eq!(imported.facts.get("cpu").map(String::as_str), file.pointer("/machine_info/cpu/brand_raw").unwrap().as_str());
    let expected = [
        ("test_small.py::test_sum", "size=10"),
        ("test_small.py::test_sum", "size=100"),
        ("test_small.py::test_plain", ""),
        ("test_small.py::test_object[box]", ""),
    ];
    assert_eq!(keys(&imported), expected.map(|(name, config)| format!("{name} | {config} | time")));
    for (i, (name, config)) in expected.into_iter().enumerate() {
        let stats = file.pointer(&format!("/benchmarks/{i}/stats")).unwrap();
        let measured = find(&imported, name, config, "time");
        assert_sample(measured, "s", Direction::Lower, &numbers(stats, "/data"));
        assert_kept(measured.summary.median, number(stats, "/median"));
        assert_kept(measured.summary.mean.unwrap(), number(stats, "/mean"));
        assert!((measured.summary.stddev.unwrap() - number(stats, "/stddev")).abs() < 1e-5 * number(stats, "/mean"));
    }
}

#[test]
fn parameters_of_pytest_may_have_brackets() {
    for (id, name) in [("t.py::test_f[a[0]]", "t.py::test_f"), ("odd[1]/t.py::T::test_f[b::c]", "odd[1]/t.py::T::test_f")] {
        let text = serde_json::json!({ "pytest_version": "8", "version": "5.1.0", "datetime": "2026-01-01T00:00:00+00:00", "machine_info": {},
            "benchmarks": [{ "fullname": id, "name": "test_f", "params": { "p": "x" }, "stats": { "data": [0.1, 0.2] } }] });
        let imported = import(text.to_string().as_bytes(), &ImportOptions::default()).unwrap();
        assert_eq!(keys(&imported), [format!("{name} | p=x | time")]);
    }
}

#[test]
fn pytest_statistics_stand_in_for_data_that_are_not_there() {
    let text = r#"{"machine_info": {}, "benchmarks": [{"name": "t", "fullname": "f.py::t", "stats":
        {"data": "3 values omitted", "rounds": 3, "mean": 2e-6, "median": 1.5e-6, "stddev": 1e-7, "min": 1e-6, "max": 4e-6}}]}"#;
    let imported = import_text(text).unwrap();
    let expected =
        Summary { n: 3, mean: Some(2e-6), stddev: Some(1e-7), min: Some(1e-6), max: Some(4e-6), ..Summary::single(1.5e-6) };
    assert_statistics(find(&imported, "f.py::t", "", "time"), "s", Direction::Lower, &expected);
    assert!(warnings(&imported)[0].contains("a text stands in its place"));
}
