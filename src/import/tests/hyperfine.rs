use super::*;

#[test]
fn version_1_gives_times_and_the_mean_cpu_time() {
    let (imported, file) = (import_fixture("hyperfine/v1.15.0.json"), json_fixture("hyperfine/v1.15.0.json"));
    assert_eq!(imported.tool.as_deref(), Some("hyperfine"));
    for (i, command, config) in [(0, "seq 100000", "n=1"), (1, "seq 200000", "n=2")] {
        let time = find(&imported, command, config, "time");
        assert_sample(time, "s", Direction::Lower, &numbers(&file, &format!("/results/{i}/times")));
        assert_kept(time.summary.median, number(&file, &format!("/results/{i}/median")));
        assert_kept(time.summary.mean.unwrap(), number(&file, &format!("/results/{i}/mean")));
        let (stddev, mean) = (time.summary.stddev.unwrap(), time.summary.mean.unwrap());
        assert!((stddev - number(&file, &format!("/results/{i}/stddev"))).abs() < 1e-5 * mean);
        let cpu = number(&file, &format!("/results/{i}/user")) + number(&file, &format!("/results/{i}/system"));
        let expected = Summary { n: 4, mean: Some(cpu), ..Summary::single(cpu) };
        assert_statistics(find(&imported, command, config, "cpu_time"), "s", Direction::Lower, &expected);
    }
    assert_eq!(imported.measurements.len(), 4);
}

#[test]
fn version_2_gives_every_measurement_with_its_unit() {
    let (imported, file) = (import_fixture("hyperfine/v2.0.0.json"), json_fixture("hyperfine/v2.0.0.json"));
    assert_eq!(imported.tool.as_deref(), Some("hyperfine 2.0.0"));
    let start = file.pointer("/metadata/start_time").and_then(Value::as_str).unwrap();
    assert_eq!(imported.time.unwrap().to_rfc3339_opts(chrono::SecondsFormat::Secs, true), start);
    for (i, command, config) in [(0, "seq 100000", "n=1"), (1, "seq 200000", "n=2")] {
        let measurements = file.pointer(&format!("/results/{i}/measurements")).and_then(Value::as_array).unwrap();
        let column = |name: &str| -> Vec<f64> { measurements.iter().map(|one| number(one, &format!("/{name}/value"))).collect() };
        for (metric, field, unit) in
            [("time", "time_wall_clock", "s"), ("cpu_time", "time_cpu", "s"), ("peak_memory", "memory_peak_resident", "B")]
        {
            let measured = find(&imported, command, config, metric);
            assert_sample(measured, unit, Direction::Lower, &column(field));
            assert_kept(measured.summary.median, number(&file, &format!("/results/{i}/summary/{field}/median")));
        }
    }
    assert_eq!(imported.measurements.len(), 6);
}

#[test]
fn failed_runs_are_imported_with_a_warning() {
    for name in ["hyperfine/v1.15.0-failing.json", "hyperfine/v2.0.0-failing.json"] {
        let imported = import_fixture(name);
        assert_eq!(find(&imported, "false", "", "time").summary.n, 3);
        let warned = warnings(&imported);
        assert!(warned.iter().any(|text| text == "results[0]: 3 of 3 runs did not exit with code 0"), "{warned:?}");
    }
}

#[test]
fn memory_of_version_1_is_peak_memory() {
    let text = r#"{"results": [{"command": "a", "mean": 1.0, "times": [1.0, 1.0], "memory_usage_byte": [4096, 8192], "user": 0.5, "system": 0.0}]}"#;
    let imported = import_text(text).unwrap();
    assert_sample(find(&imported, "a", "", "peak_memory"), "B", Direction::Lower, &[4096.0, 8192.0]);
}

#[test]
fn statistics_stand_in_for_times_that_were_not_exported() {
    let text = r#"{"results": [{"command": "a", "mean": 1.5, "stddev": null, "median": 1.25, "min": 1.0, "max": 2.0, "user": 0.0, "system": 0.0}]}"#;
    let imported = import_text(text).unwrap();
    let expected = Summary { mean: Some(1.5), min: Some(1.0), max: Some(2.0), ..Summary::single(1.25) };
    assert_statistics(find(&imported, "a", "", "time"), "s", Direction::Lower, &expected);
    assert_eq!(warnings(&imported), ["results[0] `a`: cpu_time left out: it is zero, too short for the clock"]);
}

#[test]
fn a_newer_schema_is_refused_by_its_number() {
    let text = r#"{"schema_version": 3, "results": [{"command": "a", "measurements": []}]}"#;
    assert!(complaint(Format::Hyperfine, text).starts_with("version 3 of the hyperfine format is not known here"));
}

#[test]
fn the_same_command_twice_is_not_one_sample() {
    let text = r#"{"results": [{"command": "a", "mean": 1.0, "times": [1.0]}, {"command": "a", "mean": 1.0, "times": [1.0]}]}"#;
    assert!(complaint(Format::Hyperfine, text).starts_with("results[1]: `a` time stands in the file twice"));
}
