use super::*;

/// The values before a unit on the lines that start with `name`, read here word by word.
fn column(text: &str, name: &str, unit: &str) -> Vec<f64> {
    let lines = text.lines().filter(|line| line.split_whitespace().next() == Some(name));
    let value = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.windows(2).find(|pair| pair[1] == unit).map(|pair| pair[0].parse().unwrap())
    };
    lines.filter_map(value).collect()
}

#[test]
fn repeated_lines_are_one_sample() {
    let imported = import_fixture("go/small.txt");
    let text = std::fs::read_to_string(fixture("go/small.txt")).unwrap();
    assert_eq!((imported.format, imported.tool.as_deref()), (Format::GoBench, Some("go test")));
    for size in [16, 256] {
        let line = format!("BenchmarkRepeat/size={size}/kind=ascii-2");
        let config = format!("size={size} kind=ascii gomaxprocs=2");
        for (metric, written, unit, better, scale) in [
            ("time", "ns/op", "s", Direction::Lower, 1e-9),
            ("throughput", "MB/s", "B/s", Direction::Higher, 1e6),
            ("bytes_per_op", "B/op", "B", Direction::Lower, 1.0),
            ("allocs_per_op", "allocs/op", "{allocs}", Direction::Lower, 1.0),
        ] {
            let expected: Vec<f64> = column(&text, &line, written).iter().map(|value| value * scale).collect();
            assert_eq!(expected.len(), 3);
            assert_sample(find(&imported, "example.com/small.Repeat", &config, metric), unit, better, &expected);
        }
    }
}

#[test]
fn custom_units_say_what_they_can() {
    let imported = import_fixture("go/small.txt");
    let frames = |metric| find(&imported, "example.com/small.Frames", "gomaxprocs=2", metric);
    assert_sample(frames("frames/s"), "{frames}/s", Direction::Higher, &[12.5; 3]);
    assert_sample(frames("p99-ns"), "s", Direction::Lower, &[900e-9; 3]);
    let colors = warnings(&imported).iter().filter(|text| text.contains("`colors` left out")).count();
    assert_eq!(colors, 3, "one for each line, with its number");
    let options = ImportOptions { better: Some(Direction::Lower), ..ImportOptions::default() };
    let imported = import_path(&fixture("go/small.txt"), &options).unwrap();
    let colors = find(&imported, "example.com/small.Frames", "gomaxprocs=2", "colors");
    assert_sample(colors, "{colors}", Direction::Lower, &[3.0; 3]);
}

#[test]
fn headers_are_facts_and_skips_are_warnings() {
    let imported = import_fixture("go/small.txt");
    let facts: Vec<(&str, &str)> = imported.facts.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(facts, [("cpu", "Intel(R) Xeon(R) Processor @ 2.50GHz"), ("goarch", "amd64"), ("goos", "linux")]);
    assert!(warnings(&imported).iter().any(|text| text.contains("skipped by the tool: --- SKIP: BenchmarkSkipped")));
}

#[test]
fn equal_names_of_two_packages_are_two_benchmarks() {
    let text = "pkg: a\nBenchmarkX 1 1 ns/op\npkg: b\nBenchmarkX 1 2 ns/op\n";
    assert_eq!(keys(&import_text(text).unwrap()), ["a.X |  | time", "b.X |  | time"]);
}

#[test]
fn a_header_that_changes_is_a_parameter() {
    let text = "goos: linux\nnote: before\nBenchmarkX 1 1 ns/op\nBenchmarkX 1 3 ns/op\nnote: after\nBenchmarkX 1 2 ns/op\n";
    let imported = import_text(text).unwrap();
    assert_eq!(keys(&imported), ["X | note=before | time", "X | note=after | time"]);
    assert_sample(find(&imported, "X", "note=before", "time"), "s", Direction::Lower, &[1e-9, 3e-9]);
    assert_eq!(imported.facts.keys().collect::<Vec<_>>(), ["goos"]);
}

#[test]
fn lines_of_a_log_are_no_configuration() {
    let text: String = (0..200).map(|at| format!("k{at}: v\nBenchmarkA{at} 1 1 ns/op\n")).collect();
    let imported = import_text(&format!("goos: linux\n{text}")).unwrap();
    assert!(imported.measurements.len() == 200 && imported.measurements.iter().all(|measured| measured.config.is_empty()));
    assert!(warnings(&imported).iter().any(|text| text.contains("199 keys")), "{:?}", warnings(&imported));
    assert!(imported.facts.contains_key("goos"));
    // What changes and is as before when the next result comes is no change.
    let imported = import_text("a: 1\nBenchmarkX 1 1 ns/op\na: 2\na: 1\nBenchmarkX 1 2 ns/op\na: 3\n").unwrap();
    assert_eq!(keys(&imported), ["X |  | time"]);
}

#[test]
fn unit_lines_give_direction_and_exactness_wherever_they_stand() {
    let text = "BenchmarkX 1 7 score 1 ns/op\nUnit score better=higher assume=exact\nUnit ns/op better=lower\n";
    let imported = import_text(text).unwrap();
    let score = find(&imported, "X", "", "score");
    assert_eq!((score.metric.better, score.metric.exact), (Direction::Higher, true));
    assert!(!find(&imported, "X", "", "time").metric.exact);
}

#[test]
fn names_keep_what_is_not_a_parameter() {
    for (line, benchmark, config) in [
        ("BenchmarkA/b/c=1/d", "A/b/d", "c=1"),
        ("BenchmarkA/n=1/n=2", "A/n=2", "n=1"),
        ("BenchmarkA/=1-4", "A/=1", "gomaxprocs=4"),
        ("BenchmarkA-b", "A-b", ""),
        ("Benchmark", "Benchmark", ""),
        ("BenchmarkA/gomaxprocs=3-4", "A", "gomaxprocs=3"),
        ("BenchmarkA/k=", "A", "k="),
    ] {
        let imported = import_text(&format!("{line} 1 5 ns/op")).unwrap();
        find(&imported, benchmark, config, "time");
    }
}

#[test]
fn lines_that_only_look_like_results_are_left_out_by_number() {
    let text = "Benchmarking is fun\nBenchmarkA 5 7\nBenchmarkB 1 x ns/op\nBenchmarkC 1 2 ns/op\n--- FAIL: BenchmarkD\nFAIL\n";
    let imported = import_text(text).unwrap();
    assert_eq!(keys(&imported), ["C |  | time"]);
    let warned = warnings(&imported);
    assert_eq!(warned.len(), 4, "{warned:?}");
    assert!(warned[0].starts_with("line 2: `BenchmarkA 5 7` left out"));
    assert!(warned[1].starts_with("line 3: `BenchmarkB 1 x ns/op` left out: `x` is not a number"));
    assert!(warned[2].starts_with("line 5: failed in the tool"));
}

#[test]
fn impossible_values_are_refused_by_line() {
    for (line, expected) in [
        ("BenchmarkA 1 0 ns/op", "line 1 `A`: 0 s is not possible"),
        ("BenchmarkA 1 NaN ns/op", "line 1 `A`: NaN is not a finite number"),
        ("BenchmarkA 1 1e999 ns/op", "line 1 `A`: inf is not a finite number"),
        ("BenchmarkA 1 2 ns/op\nBenchmarkA 1 -2 ns/op", "line 2 `A`"),
        ("BenchmarkA 1 2 a=b", "must not contain the character '='"),
    ] {
        let said = complaint(Format::GoBench, line);
        assert!(said.contains(expected), "{line}: {said}");
    }
}
