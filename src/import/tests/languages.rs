//! JSON of other languages' tools: asv, Julia, JMH, BenchmarkDotNet, Vitest.

use super::*;
use crate::model::BenchmarkName;

fn single(value: f64) -> Summary {
    Summary::single(value)
}

#[test]
fn results_of_asv_get_their_parameters_names_from_the_file_beside() {
    let imported = import_fixture("asv/box/plain.json");
    assert_eq!((imported.format, imported.facts.get("cpu").map(String::as_str)), (Format::Asv, Some("Some CPU")));
    let of = |config: &str| find(&imported, "small.Sort.time_sorted", config, "time");
    let expected = [
        ("size=10 kind=list", 4.605999833984242e-7),
        ("size=10 kind=tuple", 4.877000264968957e-7),
        ("size=1000 kind=list", 6.846249993941455e-6),
    ];
    for (config, seconds) in expected {
        assert_statistics(of(config), "s", Direction::Lower, &Summary { n: 4, ..single(seconds) });
    }
    let memory = find(&imported, "small.Sort.peakmem_sorted", "size=10 kind=tuple", "peak_memory");
    assert_statistics(memory, "B", Direction::Lower, &single(36_458_496.0));
    assert_statistics(find(&imported, "small.mem_list", "", "memory"), "B", Direction::Lower, &single(2104.0));
    assert_statistics(find(&imported, "small.track_seconds", "", "value"), "s", Direction::Lower, &single(0.25));
    let warned = warnings(&imported).join("\n");
    assert!(warned.contains("`small.Sort.time_sorted`: skipped by the tool: 1 of its results"), "{warned}");
    assert!(warned.contains("`small.time_fails`: failed in the tool"), "{warned}");
    assert!(warned.contains("its unit `widgets` is not known"), "{warned}");
}

#[test]
fn samples_of_asv_are_taken_where_they_were_recorded() {
    let imported = import_fixture("asv/box/samples.json");
    let measured = find(&imported, "small.Sort.time_sorted", "size=10 kind=list", "time");
    let expected = [1.319_000_011_790_194_6e-6, 9.025000053952681e-7, 7.962000381667167e-7, 8.710000656719785e-7];
    assert_sample(measured, "s", Direction::Lower, &expected);
    assert_eq!(find(&imported, "small.time_plain", "", "time").values.len(), 5);
}

#[test]
fn without_the_file_beside_parameters_of_asv_are_numbered() {
    let text = std::fs::read_to_string(fixture("asv/box/plain.json")).unwrap();
    let imported = import_text(&text).unwrap();
    find(&imported, "small.Sort.time_sorted", "param1=10 param2=list", "time");
    let older = text.replace("\"version\": 2}", "\"version\": 1}");
    assert!(import_text(&older).unwrap_err().to_string().contains("version 2 of asv's results"));
    let more = text.replace("[2104], []", "[2104, 2105], []");
    assert!(import_text(&more).unwrap_err().to_string().contains("as many results as there are combinations"));
}

#[test]
fn trials_of_julia_have_every_time() {
    let imported = import_fixture("julia/trials.json");
    assert_eq!(imported.tool.as_deref(), Some("BenchmarkTools 1.0.0"));
    assert_sample(find(&imported, "fib/10", "", "time"), "s", Direction::Lower, &[240.5e-9, 246.25e-9, 251e-9]);
    let memory = find(&imported, "(\"sum\", 8)", "", "memory");
    assert_statistics(memory, "B", Direction::Lower, &single(128.0));
    assert_statistics(find(&imported, "fib/10", "", "allocs"), "{allocs}", Direction::Lower, &single(0.0));
    let older = import_fixture("julia/estimates.json");
    assert_statistics(find(&older, "fib", "", "time"), "s", Direction::Lower, &single(31_028.0 / 1e9));
    assert!(warnings(&older)[0].contains("neither a trial nor an estimate"));
}

#[test]
fn a_trial_of_julia_without_a_group_has_to_be_named() {
    let text = r#"[{"Julia": "1.10.4", "BenchmarkTools": "1.5.0"}, [["Trial", {"times": [5.0], "memory": 0, "allocs": 0}]]]"#;
    assert!(import_text(text).unwrap_err().to_string().contains("say --benchmark NAME"));
    let options = ImportOptions { benchmark: Some(BenchmarkName::new("sum").unwrap()), ..ImportOptions::default() };
    assert_eq!(import(text.as_bytes(), &options).unwrap().measurements[0].values, [5e-9]);
}

#[test]
fn iterations_of_all_forks_of_jmh_are_the_sample() {
    let imported = import_fixture("jmh/results.json");
    assert_eq!((imported.format, imported.tool.as_deref()), (Format::Jmh, Some("JMH 1.37")));
    assert_eq!(imported.facts.get("jvm").map(String::as_str), Some("OpenJDK 64-Bit Server VM 17.0.15+6"));
    let of = |config: &str, metric: &str| find(&imported, "org.sample.Sorting.numbers", config, metric);
    let alone = "kind=list size=1000";
    let microseconds = [3.5, 3.25, 3.75, 3.5, 3.375, 3.625].map(|time| time / 1e6);
    assert_sample(of(alone, "time"), "s", Direction::Lower, &microseconds);
    assert_sample(of(alone, "gc.alloc.rate.norm"), "B", Direction::Lower, &[4016.0; 6]);
    assert_value(of("kind=list size=1000 threads=4", "throughput"), "/s", Direction::Higher, 270e3);
    assert_value(of("kind=list size=1000 threads=4", "reads"), "/s", Direction::Higher, 200e3);
    let sampled = Summary { n: 40, mean: Some(0.00375), min: Some(0.003), max: Some(0.009), ..single(0.0035) };
    assert_statistics(of(alone, "sample_time"), "s", Direction::Lower, &sampled);
    let warned = warnings(&imported).join("\n");
    assert!(warned.contains("`gc.alloc.rate` left out: its unit is `MB/sec`"), "{warned}");
    assert!(warned.contains("`org.sample.Sorting.broken`: the result left out: its score is not a number"), "{warned}");
    assert_eq!(imported.measurements.len(), 5);
}

#[test]
fn units_of_jmh_are_per_any_time() {
    for (unit, expected, base) in [
        ("ops/us", 5e6, "/s"),
        ("ops/min", 5.0 / 60.0, "/s"),
        ("ops/hr", 5.0 / 3600.0, "/s"),
        ("s/op", 5.0, "s"),
        ("day/op", 432_000.0, "s"),
    ] {
        let text = format!(
            r#"[{{"benchmark": "a", "mode": "thrpt", "primaryMetric": {{"score": 5, "scoreUnit": "{unit}", "rawData": []}}}}]"#
        );
        let imported = import_text(&text).unwrap();
        assert_eq!(imported.measurements[0].metric.unit.symbol(), base);
        assert_close(imported.measurements[0].summary.median, expected);
    }
    let text = r#"[{"benchmark": "a", "mode": "thrpt", "primaryMetric": {"score": 5, "scoreUnit": "ops/fortnight"}}]"#;
    assert!(import_text(text).unwrap_err().to_string().contains("a unit such as ns/op or ops/s"));
}

#[test]
fn benchmarks_of_dotnet_are_told_apart_by_their_job() {
    let imported = import_fixture("benchmarkdotnet/full.json");
    assert_eq!(imported.tool.as_deref(), Some("BenchmarkDotNet 0.13.12"));
    assert_eq!(imported.facts.get("cpu").map(String::as_str), Some("Some CPU"));
    let (new, old) = ("N=10 Kind=list 'job=Runtime=.NET 8.0'", "N=10 Kind=list 'job=Runtime=.NET 6.0'");
    let measured = find(&imported, "Sample.Sorting.Numbers", new, "time");
    assert_sample(measured, "s", Direction::Lower, &[24.5e-9, 24.25e-9, 24.75e-9]);
    let bytes = find(&imported, "Sample.Sorting.Numbers", new, "bytes_per_op");
    assert_statistics(bytes, "B", Direction::Lower, &single(104.0));
    let quick = &find(&imported, "Sample.Sorting.Numbers", old, "time").summary;
    assert_eq!((quick.n, quick.min), (2, None), "a zero is an overhead that was taken off, not a time");
    assert!(warnings(&imported)[0].contains("failed in the tool: it has no statistics"));
}

#[test]
fn benchmarks_of_vitest_are_named_by_their_path() {
    let (imported, file) = (import_fixture("vitest/small.json"), json_fixture("vitest/small.json"));
    let expected = ["small.bench.ts > at the top", "small.bench.ts > sort > numbers", "small.bench.ts > sort > text"];
    assert_eq!(keys(&imported), expected.map(|name| format!("{name} |  | time")));
    let top = file.pointer("/files/0/groups/0/benchmarks/0").unwrap();
    let field = |key: &str| number(top, &format!("/{key}")) / 1e3;
    let measured = find(&imported, expected[0], "", "time");
    let summary = Summary {
        n: top["sampleCount"].as_u64().unwrap(),
        mean: Some(field("mean")),
        stddev: Some(field("sd")),
        min: Some(field("min")),
        max: Some(field("max")),
        ..single(field("median"))
    };
    assert_statistics(measured, "s", Direction::Lower, &summary);
    assert!(warnings(&imported)[0].contains("`small.bench.ts > sort > inner > fails`: failed in the tool"));
    let with = |samples: &str| {
        let benchmark =
            format!(r#"{{"name": "a", "mean": 2.0, "median": 2.0, "min": 0.0, "sampleCount": 2, "samples": {samples}}}"#);
        let text =
            format!(r#"{{"files": [{{"filepath": "/x", "groups": [{{"fullName": "x", "benchmarks": [{benchmark}]}}]}}]}}"#);
        import_text(&text).unwrap().measurements.remove(0)
    };
    assert_sample(&with("[1.0, 3.0]"), "s", Direction::Lower, &[0.001, 0.003]);
    assert_statistics(&with("[0.0, 4.0]"), "s", Direction::Lower, &Summary { n: 2, mean: Some(0.002), ..single(0.002) });
}
