//! The format of our own and that of the seed system.

use super::*;

#[test]
fn every_form_of_our_own_format_is_read() {
    let imported = import_fixture("ratchet/results.json");
    assert_eq!(imported.format, Format::Ratchet);
    assert_eq!(imported.testbed.as_deref(), Some("NVIDIA A100-SXM4-80GB"));
    assert_eq!(imported.tool.as_deref(), Some("my-bench 2.1"));
    assert_eq!(imported.time.unwrap().timestamp(), 1_795_209_316);
    let time = find(&imported, "attention", "B=32 causal=true dtype=f16", "time");
    assert_sample(time, "s", Direction::Lower, &[0.00131, 0.00129, 0.0013]);
    let registers = find(&imported, "attention", "B=32 causal=true dtype=f16", "registers");
    assert!(registers.metric.exact);
    assert_statistics(registers, "1", Direction::Lower, &Summary::single(64.0));
    assert_statistics(find(&imported, "search", "", "score"), "1", Direction::Higher, &Summary::single(0.93));
    let expected = Summary {
        n: 30,
        median: 640e9,
        low: Some(638e9),
        high: Some(641e9),
        mean: Some(639.5e9),
        stddev: Some(1.5e9),
        min: Some(630e9),
        max: Some(644e9),
    };
    assert_statistics(find(&imported, "copy", "", "bandwidth"), "B/s", Direction::Higher, &expected);
}

fn one(fields: &str) -> String {
    format!(r#"{{"version": 1, "results": [{{"benchmark": "a", {fields}}}]}}"#)
}

const ACCEPTED: [&str; 8] = [
    r#""unit": "ms", "value": 1"#,
    r#""unit": "{tokens}/s", "metric": "rate", "values": [1, 2.5]"#,
    r#""unit": "ns", "mean": 3"#,
    r#""unit": "ns", "median": 3, "n": 5"#,
    r#""unit": "s", "median": 3, "low": 2, "high": 3, "min": 1, "max": 9, "stddev": 0"#,
    r#""unit": "1", "metric": "score", "better": "higher", "value": -4"#,
    r#""unit": "B", "metric": "binary", "exact": true, "config": {"opt": "s", "n": 3, "lto": false}, "value": 0"#,
    r#""unit": "s", "config": {}, "value": 1e-9"#,
];

/// Refused by the schema and by the importer, with what the importer says.
const REFUSED: [(&str, &str); 15] = [
    (r#""value": 1"#, "no field `unit`"),
    (r#""unit": "ms""#, "exactly one of"),
    (r#""unit": "ms", "value": 1, "values": [1]"#, "exactly one of"),
    (r#""unit": "ms", "value": 1, "median": 1"#, "exactly one of"),
    (r#""unit": "ms", "stddev": 1"#, "a `median` or a `mean`"),
    (r#""unit": "ms", "values": []"#, "at least one value"),
    (r#""unit": "ms", "values": [1, "2"]"#, "results[0].values[1]: expected a number, found the text \"2\""),
    (r#""unit": "ms", "value": "1.5""#, "results[0].value: expected a number, found the text \"1.5\""),
    (r#""unit": "ms", "value": 1, "beter": "lower""#, "results[0].beter: there is no such field"),
    (r#""unit": "ms", "value": 1, "better": "up""#, "expected \"lower\" or \"higher\""),
    (r#""unit": "ms", "value": 1, "exact": 1"#, "expected true or false"),
    (r#""unit": "ms", "value": 1, "config": {"B": [1]}"#, "results[0].config.B"),
    (r#""unit": "ms", "value": 1, "config": {"": 1}"#, "must not be empty"),
    (r#""unit": "ms", "median": 1, "n": 0"#, "n ≥ 1"),
    (r#""unit": "ms", "value": 1, "metric": """#, "must not be empty"),
];

/// Beyond what a schema can say.
const REFUSED_BY_MEANING: [(&str, &str); 8] = [
    (r#""unit": "parsec", "value": 1"#, "unknown unit `parsec`"),
    (r#""unit": "ms", "value": 0"#, "a measured time is greater than zero"),
    (r#""unit": "ms", "values": [1, -1]"#, "`a`, value 2 of 2: -0.001 s is not possible"),
    (r#""unit": "GB/s", "metric": "bandwidth", "value": -1"#, "never negative"),
    (r#""unit": "1", "metric": "score", "value": 1"#, "--better lower or --better higher"),
    (r#""unit": "ms", "median": 2, "low": 3"#, "low ≤ median ≤ high"),
    (r#""unit": "ms", "median": 2, "max": 1"#, "min ≤ median ≤ max"),
    (r#""unit": "ms", "value": 1, "metric": "a=b""#, "must not contain the character '='"),
];

#[test]
fn the_schema_and_the_importer_accept_and_refuse_the_same() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/results.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let valid = |text: &str| validator.is_valid(&serde_json::from_str(text).unwrap());
    assert!(validator.is_valid(&json_fixture("ratchet/results.json")));
    for fields in ACCEPTED {
        assert!(valid(&one(fields)), "schema refuses {fields}");
        import_text(&one(fields)).unwrap_or_else(|error| panic!("{fields}: {error}"));
    }
    for (fields, expected) in REFUSED {
        assert!(!valid(&one(fields)), "schema accepts {fields}");
        let said = complaint(Format::Ratchet, &one(fields));
        assert!(said.contains(expected), "{fields}: {said}");
    }
    for (fields, expected) in REFUSED_BY_MEANING {
        assert!(valid(&one(fields)), "schema refuses {fields}");
        let said = complaint(Format::Ratchet, &one(fields));
        assert!(said.contains(expected), "{fields}: {said}");
    }
}

#[test]
fn the_frame_of_our_own_format_is_checked() {
    for (text, expected) in [
        (r#"{"version": 2, "results": []}"#, "version 2 of the ratchet format"),
        (r#"{"version": 1, "results": []}"#, "no results in this ratchet file"),
        (r#"{"version": 1}"#, "no field `results`"),
        (r#"{"version": 1, "reslts": []}"#, "reslts: there is no such field"),
        (r#"{"version": 1, "time": "yesterday", "results": []}"#, "time: expected a time such as"),
        (r#"[]"#, "the file: expected an object with more fields"),
    ] {
        let said = complaint(Format::Ratchet, text);
        assert!(said.contains(expected), "{text}: {said}");
    }
}

#[test]
fn the_same_point_twice_is_refused_whatever_the_order_of_its_parameters() {
    let text = r#"{"version": 1, "results": [
        {"benchmark": "a", "config": {"x": 1, "y": 2}, "unit": "ms", "value": 1},
        {"benchmark": "a", "config": {"y": 2, "x": 1}, "unit": "ms", "value": 1}]}"#;
    let said = complaint(Format::Ratchet, text);
    assert!(said.starts_with("results[1] `a`: `a y=2 x=1` time stands in the file twice"), "{said}");
}

#[test]
fn a_seed_result_gives_time_with_its_interval_and_the_rates() {
    let (imported, file) = (import_fixture("seed/single.json"), json_fixture("seed/single.json"));
    assert_eq!(imported.format, Format::Seed);
    assert_eq!(imported.testbed.as_deref(), Some("NVIDIA A100-SXM4-80GB"));
    assert_eq!(imported.time.unwrap().timestamp(), 1_738_324_800);
    let field = |name: &str| number(&file, &format!("/performance/{name}"));
    let expected = Summary {
        median: field("median_ms") / 1e3,
        mean: Some(field("mean_time_ms") / 1e3),
        low: Some(field("ci_95_low") / 1e3),
        high: Some(field("ci_95_high") / 1e3),
        stddev: Some(field("std_ms") / 1e3),
        ..Summary::single(0.0)
    };
    assert_statistics(find(&imported, "training_512", "", "time"), "s", Direction::Lower, &expected);
    let rate = Summary::single(field("throughput_gflops") * 1e9);
    assert_statistics(find(&imported, "training_512", "", "throughput"), "FLOP/s", Direction::Higher, &rate);
    let bandwidth = Summary::single(field("bandwidth_gbs") * 1e9);
    assert_statistics(find(&imported, "training_512", "", "bandwidth"), "B/s", Direction::Higher, &bandwidth);
    assert_eq!(warnings(&imported).len(), 1);
    assert!(warnings(&imported)[0].contains("performance.percent_of_peak left out"));
}

#[test]
fn several_seed_results_share_a_gpu_and_a_wrong_one_is_barred() {
    let imported = import_fixture("seed/configs.json");
    assert_eq!(keys(&imported), ["training_512 |  | time", "training_512 |  | throughput", "inference_128 |  | time"]);
    assert_eq!(imported.testbed.as_deref(), Some("NVIDIA A100-SXM4-80GB"));
    assert_eq!(find(&imported, "training_512", "", "time").barred, None);
    assert!(find(&imported, "inference_128", "", "time").barred.as_deref().is_some_and(|why| why.contains("not correct")));
    assert_close(find(&imported, "inference_128", "", "time").summary.median, 0.21e-3);
}

#[test]
fn two_gpus_in_one_seed_file_are_refused() {
    let text = r#"{"configs": [
        {"name": "a", "gpu": "T4", "performance": {"median_ms": 1}},
        {"name": "b", "gpu": "A100", "performance": {"median_ms": 1}}]}"#;
    assert!(complaint(Format::Seed, text).starts_with("configs[1].gpu: expected the same GPU"));
}
