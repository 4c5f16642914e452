//! Files that are broken, or made to break a reader: an error with a place, never a panic.

use super::*;
use crate::model::BenchmarkName;

/// Well-formed texts of every format that is a file, to be damaged.
fn good_files() -> Vec<(Format, Vec<u8>)> {
    FIXTURES.into_iter().map(|(name, format)| (format, std::fs::read(fixture(name)).unwrap())).collect()
}

/// What a file of the format needs: some do not name what they measured.
fn as_format(format: Format) -> ImportOptions {
    let nameless = matches!(format, Format::KernelTuner | Format::Vllm | Format::Sglang);
    let benchmark = nameless.then(|| BenchmarkName::new("named").unwrap());
    ImportOptions { format: Some(format), benchmark, ..ImportOptions::default() }
}

#[test]
fn an_empty_file_says_so() {
    for bytes in ["", " \n\t\n", "\u{FEFF}"] {
        assert!(matches!(import_text(bytes), Err(ImportError::Empty)));
        assert_eq!(detect(bytes.as_bytes()), None);
    }
}

#[test]
fn repetitions_that_are_too_large_together_are_refused() {
    let one = |seconds: &str| {
        format!(
            r#"{{"name":"b","run_name":"b","run_type":"iteration","iterations":1,"real_time":{seconds},"cpu_time":1,"time_unit":"s"}}"#
        )
    };
    let of = |first: &str, second: &str| {
        let file = format!(r#"{{"context":{{}},"benchmarks":[{},{}]}}"#, one(first), one(second));
        import(file.as_bytes(), &as_format(Format::GoogleBenchmark))
    };
    assert_eq!(of("1", "2").unwrap().measurements[0].values, [1.0, 2.0]);
    let error = of("1e250", "2e250").unwrap_err().to_string();
    assert!(error.contains("`b` time"), "{error}");
}

#[test]
fn a_file_cut_off_anywhere_is_refused_or_shorter_but_never_a_panic() {
    for (format, bytes) in good_files() {
        let whole = import(&bytes, &as_format(format)).unwrap().measurements.len();
        for end in (0..bytes.len()).step_by(bytes.len() / 80 + 1) {
            let cut = import(&bytes[..end], &as_format(format));
            // A cache of Kernel Tuner's is closed where it was cut.
            let is_whole = format != Format::KernelTuner && serde_json::from_slice::<Value>(&bytes).is_ok();
            match cut {
                Ok(imported) => {
                    assert!(imported.measurements.len() <= whole && (!is_whole || end + 2 > bytes.len()), "{format} {end}")
                }
                Err(error) => assert!(!error.to_string().is_empty()),
            }
            let _ = import(&bytes[..end], &ImportOptions::default());
        }
    }
}

#[test]
fn a_file_with_any_byte_changed_is_no_panic() {
    for (format, bytes) in good_files() {
        for place in (0..bytes.len()).step_by(bytes.len() / 80 + 1) {
            for byte in [0, b'"', b'-', b'}', 0xFF] {
                let mut damaged = bytes.clone();
                damaged[place] = byte;
                let _ = import(&damaged, &as_format(format));
                let _ = detect(&damaged);
            }
        }
    }
}

#[test]
fn truncated_json_is_called_that_without_a_format_given() {
    let said = import_text(r#"{"results": [{"command": "a", "mean""#).unwrap_err().to_string();
    assert!(said.starts_with("not valid JSON: EOF while parsing") && said.contains("cut off"), "{said}");
}

#[test]
fn deep_nesting_ends_at_the_parsers_limit() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let text = format!("{}1{}", open.repeat(200_000), close.repeat(200_000));
        for format in Format::ALL.into_iter().filter(|format| *format != Format::Criterion) {
            assert!(import(text.as_bytes(), &as_format(format)).is_err());
        }
        assert!(import_text(&text).unwrap_err().to_string().contains("recursion limit"));
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_by_position() {
    assert!(matches!(import(b"GIF89a\xff\xfe", &ImportOptions::default()), Err(ImportError::NotText { offset: 6 })));
    let utf16: Vec<u8> = "\u{FEFF}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let said = import(&utf16, &ImportOptions::default()).unwrap_err().to_string();
    assert!(said.contains("UTF-16"), "{said}");
    assert!(matches!(import(b"\0\0\0\0", &ImportOptions::default()), Err(ImportError::UnknownFormat)));
}

#[test]
fn numbers_that_json_does_not_have_are_named() {
    for (literal, line, column) in [("NaN", 3, 43), ("Infinity", 3, 43), ("-Infinity", 3, 43), ("nan", 3, 43), ("-nan", 3, 43)] {
        let text =
            format!("{{\"version\": 1,\n \"results\": [\n {{\"benchmark\": \"a\", \"unit\": \"s\", \"value\": {literal}}}]}}");
        let said = import_text(&text).unwrap_err().to_string();
        let expected = format!("line {line}, column {column}: `{literal}` is not a number in JSON");
        assert!(said.starts_with(&expected), "{literal}: {said}");
    }
}

#[test]
fn huge_exponents_are_refused_and_tiny_ones_are_zero_times() {
    let text = |value: &str| format!(r#"{{"version": 1, "results": [{{"benchmark": "a", "unit": "s", "value": {value}}}]}}"#);
    let huge = import_text(&text("1e999")).unwrap_err().to_string();
    assert!(huge.contains("number out of range"), "{huge}");
    let tiny = import_text(&text("1e-999")).unwrap_err().to_string();
    assert!(tiny.contains("results[0] `a`: 0 s is not possible"), "{tiny}");
    let overflow = complaint(Format::Ratchet, &text("1e300").replace("\"s\"", "\"TB\"").replace("1e300", "1e308"));
    assert!(overflow.contains("inf is not a finite number"), "{overflow}");
}

#[test]
fn numbers_as_strings_are_named() {
    for (format, text, expected) in [
        (Format::Bmf, r#"{"a": {"latency": {"value": "3"}}}"#, "a.latency.value: expected a number, found the text \"3\""),
        (Format::GithubActionBenchmark, r#"[{"name": "a", "unit": "ms", "value": "3"}]"#, "[0].value: expected a number"),
        (Format::Hyperfine, r#"{"results": [{"command": "a", "mean": 1, "times": [1, "2"]}]}"#, "results[0].times[1]"),
        (Format::Seed, r#"{"name": "a", "performance": {"median_ms": "3"}}"#, "performance.median_ms: expected a number"),
        (Format::GoogleBenchmark, r#"{"benchmarks": [{"name": "a", "real_time": "1"}]}"#, "benchmarks[0].real_time"),
    ] {
        let said = complaint(format, text);
        assert!(said.contains(expected), "{format}: {said}");
    }
}

#[test]
fn names_that_cannot_be_shown_are_refused_by_entry() {
    let long = "n".repeat(200_000);
    for (name, expected) in [
        (long.as_str(), "at most 512 bytes, this one has 200000"),
        (r"bell\u0007", "must not contain the character '\\u{7}'"),
        (r"red\u001b[31m", "must not contain the character '\\u{1b}'"),
        (r"two\nlines", "must not contain the character '\\n'"),
        (r"re\u202eversed", "must not contain the character '\\u{202e}'"),
        ("", "must not be empty"),
    ] {
        for (format, text) in [
            (Format::Ratchet, format!(r#"{{"version": 1, "results": [{{"benchmark": "{name}", "unit": "s", "value": 1}}]}}"#)),
            (Format::Hyperfine, format!(r#"{{"results": [{{"command": "{name}", "mean": 1, "times": [1]}}]}}"#)),
            (Format::GithubActionBenchmark, format!(r#"[{{"name": "{name}", "unit": "s", "value": 1}}]"#)),
            (Format::Bmf, format!(r#"{{"{name}": {{"latency": {{"value": 1}}}}}}"#)),
        ] {
            let said = complaint(format, &text);
            assert!(said.contains(expected), "{format}: {said}");
            assert!(said.len() < 1000, "{format}: a message of {} bytes", said.len());
            assert!(!said.contains(['\u{7}', '\u{1b}', '\n', '\u{202e}']), "{format}: {said:?}");
        }
    }
}

#[test]
fn metric_and_parameter_names_are_checked_too() {
    let said = complaint(Format::Bmf, r#"{"a": {"laten\u0000cy": {"value": 1}}}"#);
    assert!(said.contains("metric name"), "{said}");
    let text = r#"{"results": [{"command": "a", "mean": 1, "times": [1], "parameters": {"n\t": "1"}}]}"#;
    assert!(complaint(Format::Hyperfine, text).contains("parameter name"));
}

#[test]
fn facts_and_tool_are_made_fit_to_be_shown() {
    let text = "cpu: red\u{1b}[31m\nBenchmarkA 1 5 ns/op\n";
    assert_eq!(import_text(text).unwrap().facts.get("cpu").map(String::as_str), Some("red[31m"));
    let text = r#"{"version": 1, "tool": "a\u0007b", "results": [{"benchmark": "a", "unit": "s", "value": 1}]}"#;
    assert_eq!(import_text(text).unwrap().tool.as_deref(), Some("ab"));
}

#[test]
fn mixed_units_of_one_metric_are_refused() {
    let text = "BenchmarkA 1 5 ns/op\nUnit x better=lower\nBenchmarkA 1 5 time\n";
    let said = complaint(Format::GoBench, text);
    assert!(said.contains("`A` time is given in"), "{said}");
}
