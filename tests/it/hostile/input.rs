//! Values, names and settings that make no sense, from the command line and from files.

use super::assert_says;
use crate::world::World;

#[test]
fn impossible_values_on_the_command_line_are_refused() {
    let world = World::new();
    world.commit("one");
    for (metric, word) in [
        ("time=NaNms", "NaN"),
        ("time=inf", "inf"),
        ("time=-infs", "inf"),
        ("time=0s", "time"),
        ("time=-3ms", "-0.003 s"),
        ("time=1e999s", "1e999"),
        ("time=12parsec", "parsec"),
        ("time=", "time"),
        ("time=ms", "ms"),
        ("time=1ms,2MB", "s and in"),
        ("=1ms", "name"),
        ("time", "NAME=VALUE"),
    ] {
        let ran = world.ratchet(&["record", "--benchmark", "b", "--metric", metric]).expect(2);
        assert_says(&ran, &[word]);
    }
    world.ratchet(&["record", "--benchmark", "b", "--metric", "time=1ms", "--metric", "time=2B"]).expect(2);
    assert_eq!(world.note("HEAD"), "");
}

#[test]
fn impossible_values_in_files_are_refused_and_none_of_the_file_is_recorded() {
    let world = World::new();
    world.commit("one");
    let good = r#"{"benchmark":"a","unit":"s","value":1}"#;
    for bad in [
        r#"{"benchmark":"b","unit":"s","value":0}"#,
        r#"{"benchmark":"b","unit":"s","value":-1}"#,
        r#"{"benchmark":"b","unit":"s","value":NaN}"#,
        r#"{"benchmark":"b","unit":"s","value":Infinity}"#,
        r#"{"benchmark":"b","unit":"s","value":1e999}"#,
        r#"{"benchmark":"b","unit":"s","values":[]}"#,
        r#"{"benchmark":"b","unit":"s","values":[1,null]}"#,
        r#"{"benchmark":"b","unit":"parsec","value":1}"#,
        r#"{"benchmark":"b","unit":"s","value":"1"}"#,
        r#"{"benchmark":"","unit":"s","value":1}"#,
        r#"{"benchmark":"a","unit":"s","value":2}"#,
        r#"{"benchmark":"b","unit":"s","value":1,"config":{"a":{}}}"#,
    ] {
        let file = world.root().join("results.json");
        std::fs::write(&file, format!(r#"{{"version":1,"results":[{good},{bad}]}}"#)).unwrap();
        let ran = world.ratchet(&["record", file.to_str().unwrap()]).expect(2);
        assert_says(&ran, &["results.json"]);
        assert_eq!(world.note("HEAD"), "", "{bad}");
    }
}

#[test]
fn files_that_are_no_results_are_refused() {
    let world = World::new();
    world.commit("one");
    let file = world.root().join("results.json");
    for content in
        [&b""[..], b"{", b"\xff\xfe\x00", b"[]", b"{\"version\":2,\"results\":[{\"benchmark\":\"a\"}]}", &[b'['; 100_000]]
    {
        std::fs::write(&file, content).unwrap();
        let ran = world.ratchet(&["record", file.to_str().unwrap()]).expect(2);
        assert_says(&ran, &["results.json"]);
    }
    let absent = world.root().join("absent.json");
    let ran = world.ratchet(&["record", absent.to_str().unwrap()]).expect(4);
    assert_says(&ran, &["cannot read", "No such file"]);
    assert_eq!(ran.err.matches("absent.json").count(), 1, "{}", ran.err);
    let ran = world.ratchet(&["record", "--benchmark", "b", "--metric", "time=1,5ms"]).expect(2);
    assert_says(&ran, &["decimals follow a point"]);
}

#[test]
fn odd_names_are_kept_and_escaped_where_they_are_shown() {
    let world = World::new();
    let names = ["a|b", "🦀 emoji", "<script>@everyone", "`x` *y*", "-- --flag", "=cmd()", "ünïcödé"];
    for content in ["one", "two"] {
        world.commit(content);
        for name in names {
            world.ratchet(&["record", &format!("--benchmark={name}"), "--metric", "time=1ms", "--testbed", "t"]).expect(0);
        }
    }
    let check = world.ratchet(&["check", "--json"]).expect(0).json();
    let mut found: Vec<_> = check["series"].as_array().unwrap().iter().map(|s| s["benchmark"].as_str().unwrap()).collect();
    found.sort_unstable();
    let mut expected = names;
    expected.sort_unstable();
    assert_eq!(found, expected);
    let markdown = world.ratchet(&["check", "--format", "markdown"]).expect(0).out;
    assert!(!markdown.contains("| a|b |") && !markdown.contains("<script>"), "{markdown}");
    let row = markdown.lines().find(|line| line.contains("🦀")).unwrap();
    assert_eq!(row.matches(" | ").count(), 6, "{row}");
}

#[test]
fn names_that_cannot_be_shown_or_are_far_too_long_are_refused() {
    let world = World::new();
    world.commit("one");
    let long = "n".repeat(100 << 10);
    for name in ["", "\u{1b}[31mred", "two\nlines", "tab\there", "nul\u{7f}", "bidi\u{202e}txt", &long] {
        let ran = world.ratchet(&["record", &format!("--benchmark={name}"), "--metric", "time=1ms"]).expect(2);
        assert!(ran.err.len() < 2_000 && !ran.err.contains('\u{202e}'), "{}", ran.err);
        assert!(!ran.err.contains('\u{1b}'), "{:?}", ran.err);
    }
    let file = world.root().join("results.json");
    std::fs::write(
        &file,
        format!(r#"{{"version":1,"results":[{{"benchmark":"{}","unit":"s","value":1}}]}}"#, "n".repeat(200 << 10)),
    )
    .unwrap();
    let ran = world.ratchet(&["record", file.to_str().unwrap()]).expect(2);
    assert!(ran.err.len() < 2_000, "{} bytes", ran.err.len());
    for flag in ["--config", "--testbed", "--commit"] {
        let ran = world.ratchet(&["record", "--benchmark", "b", "--metric", "time=1ms", flag, &format!("a={long}")]);
        assert!(matches!(ran.code, 2 | 4) && ran.err.len() < 2_000, "{flag}: {} with {} bytes", ran.code, ran.err.len());
    }
    assert_eq!(world.note("HEAD"), "");
}

#[test]
fn broken_settings_are_a_usage_error_with_line_and_column() {
    let world = World::new();
    world.commit_measured("one", "10ms");
    for (settings, place) in [
        ("[thresholds]\nregression = \n", ":2:"),
        ("[thresholds]\n  regresion = 3\n", ":2:3"),
        ("history = \"sideways\"\n", ":1:11"),
        ("[[benchmark]]\nname = \"a\"\ncommand = [\"x\", \"{N}\"]\n", ":3:"),
        ("[[benchmark]]\nname = \"a\"\n", ":2:"),
        ("\u{0}", ":1:"),
    ] {
        world.write("ratchet.toml", settings);
        for verb in ["check", "log", "bench", "show"] {
            let ran = world.ratchet(&[verb]).expect(2);
            assert_says(&ran, &["ratchet.toml", place]);
        }
    }
    std::fs::write(world.repo.join("ratchet.toml"), b"name = \"\xff\"\n").unwrap();
    world.ratchet(&["check"]).expect(2);
    std::fs::write(world.repo.join("ratchet.toml"), vec![b'#'; 2 << 20]).unwrap();
    assert_says(&world.ratchet(&["check"]).expect(2), &["ratchet.toml", "bytes"]);
}
