//! `report` in every format, and that no name of a stranger's does harm in any of them.

use std::fs;

use super::look;
use crate::world::World;

/// Text that would like to be markup, a mention, a control sequence, an expression or a formula.
const HOSTILE: &str = "=x <img src=x onerror=alert(1)> </script><script>alert(1)</script> @everyone #1 | `c` [a](b) ${{ secrets.T }} \u{1b}[31m \u{202e}";

/// Two commits whose every text is hostile, with a regression and an excuse.
fn hostile_world() -> World {
    let world = World::new();
    let long = format!("{HOSTILE} {}", "x".repeat(10_000));
    // Names are checked when they are recorded; they may hold all that is visible.
    let name: String = HOSTILE.chars().filter(|character| !character.is_control() && *character != '\u{202e}').collect();
    for (content, time) in [("one", "10ms,10.1ms,10.2ms"), ("two", "20ms,20.1ms,20.2ms")] {
        world.write("code", content);
        world.git(&["add", "-A"]);
        let author = format!("--author={} <e@example.org>", HOSTILE.replace(['<', '>', '\u{1b}'], "("));
        world.git(&["commit", "-q", "-m", &long, &author]);
        let metric = format!("time={time}");
        let config = format!("N={}", name.replace([' ', '=', ','], "_"));
        let record = ["record", "--benchmark", &name, "--config", &config, "--metric", &metric, "--testbed", &name];
        world.ratchet(&record).expect(0);
    }
    world.git(&["config", "user.name", HOSTILE.replace(['<', '>', '\u{1b}'], "(").as_str()]);
    world.ratchet(&["excuse", &name, "--reason", &long[..4000], "--until", "15ms"]).expect(0);
    world
}

#[test]
fn report_as_markdown() {
    let world = look::world();
    let ran = world.ratchet(&["report"]).expect(0);
    insta::assert_snapshot!(look::redacted(&world, &ran.out));
    let check = world.ratchet(&["check", "--format", "markdown"]).expect(1);
    assert_eq!(check.out, ran.out, "a check writes the same tables");
}

#[test]
fn report_as_csv() {
    let world = look::world();
    let ran = world.ratchet(&["report", "--format", "csv", "HEAD~1..HEAD"]).expect(0);
    let text = regex::Regex::new(r"\b[0-9a-f]{40}\b").unwrap().replace_all(&ran.out, "COMMIT").into_owned();
    let text = regex::Regex::new(r"20\d\d-\d\d-\d\dT[^,]*").unwrap().replace_all(&text, "TIME").into_owned();
    insta::assert_snapshot!(text);
}

#[test]
fn check_as_junit() {
    let world = look::world();
    let ran = world.ratchet(&["check", "--format", "junit"]).expect(1);
    insta::assert_snapshot!(look::redacted(&world, &ran.out));
    let unmeasured = World::new();
    unmeasured.commit("one");
    let ran = unmeasured.ratchet(&["check", "--format", "junit"]).expect(3);
    assert!(ran.out.contains("errors=\"1\""), "nothing measured is never a pass: {}", ran.out);
}

#[test]
fn pictures_are_pictures_and_say_the_same_twice() {
    let world = look::world();
    let path = world.root().join("history.png");
    let ran = world.ratchet(&["report", "--output", path.to_str().unwrap()]).expect(0);
    assert_eq!((ran.out.as_str(), ran.err.starts_with("wrote ")), ("", true), "{}", ran.err);
    let png = fs::read(&path).unwrap();
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let side = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    assert_eq!((side(16), side(20)), (1200, 56 + 2 * 300), "a panel for each of two series");
    let svg = world.ratchet(&["report", "--format", "svg"]).expect(0).out;
    assert!(svg.starts_with("<svg ") && svg.contains("attention") && svg.contains("softmax"));
    let one = world.ratchet(&["report", "--format", "svg", "--benchmark", "softmax"]).expect(0).out;
    assert!(!one.contains("attention B=32") && one.matches("<circle").count() < svg.matches("<circle").count());
}

#[test]
fn an_axis_says_a_day_once_and_then_the_commits() {
    let world = look::world();
    let svg = world.ratchet(&["report", "--format", "svg", "--benchmark", "softmax"]).expect(0).out;
    let below: Vec<&str> = svg.lines().map(str::trim).filter(|text| text.starts_with("20") && text.len() == 10).collect();
    let days: std::collections::HashSet<_> = below.iter().collect();
    assert!(!below.is_empty() && below.len() == days.len(), "each day once: {below:?}");
    let commit = world.git(&["rev-parse", "HEAD~2"]);
    assert!(svg.contains(&commit.trim()[..9]), "{svg}");
}

#[test]
fn an_excused_loss_is_not_called_unchanged() {
    let world = look::world();
    world.ratchet(&["excuse", "attention", "--reason", "odd head counts must work"]).expect(0);
    let markdown = world.ratchet(&["report", "--format", "markdown"]).expect(0).out;
    let of_excused = markdown.split("### Excused").nth(1).expect("a section of its own");
    assert!(of_excused.contains("−30.3 %") && of_excused.contains("odd head counts must work"), "{markdown}");
    assert!(!markdown.contains("Unchanged"), "{markdown}");

    let html = world.ratchet(&["report", "--format", "html"]).expect(0).out;
    let data = html.split_once("id=\"data\"").unwrap().1.split_once('>').unwrap().1.split_once("</script>").unwrap().0;
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(data["series"][0]["verdict"], "excused");
    assert_eq!(data["counts"], serde_json::json!([["improvement", 1], ["excused", 1]]));
    let why = data["series"][0]["why"][0].as_str().unwrap();
    assert!(why.starts_with("excused by ") && why.ends_with(": odd head counts must work"), "{why}");
}

#[test]
fn the_page_has_a_roofline_where_a_kernel_stands_under_a_roof() {
    let page = |world: &World| world.ratchet(&["report", "--format", "html"]).expect(0).out;
    let world = look::world();
    let without = page(&world);
    assert!(!without.contains("id=\"rooflines\"") && !without.contains("roofline of"));

    let evil = "a</svg><img src=x onerror=alert(1)>";
    let (throughput, bandwidth) = ("throughput=51283 GFLOP/s", "bandwidth=200.3 GB/s");
    let record = |name: &str, testbed: &str| {
        let metrics = ["--metric", throughput, "--metric", bandwidth];
        let of_kernel = ["record", "--benchmark", name, "--config", "dtype=f16", "--testbed", testbed];
        world.ratchet(&[&of_kernel[..], &metrics[..]].concat()).expect(0);
    };
    // Rates alone are no roofline: nobody knows the limits of this testbed.
    record("fast", "some board");
    assert!(!page(&world).contains("id=\"rooflines\""));

    record(evil, "NVIDIA L4");
    let with = page(&world);
    let section = with.split("<section id=\"rooflines\"").nth(1).and_then(|rest| rest.split("</section>").next()).unwrap();
    assert_eq!((section.matches("<svg").count(), section.matches("</svg>").count()), (1, 1));
    for said in ["roofline of NVIDIA L4", "51.3 TFLOP/s", "256", "66.8 %"] {
        assert!(section.contains(said), "{said}: {section}");
    }
    assert!(section.contains("a&lt;/svg&gt;&lt;img") && !section.contains("<img"));
    assert!(!section.contains("style=") && !section.contains("some board"), "{section}");
    let of_softmax = world.ratchet(&["report", "--format", "html", "--benchmark", "softmax"]).expect(0).out;
    assert!(!of_softmax.contains("id=\"rooflines\""), "the kernel was not selected");

    // Wrong settings cost the picture, not the report.
    world.write("ratchet.toml", "[roofline]\ngpu = \"Abacus\"\n");
    let warned = page(&world);
    assert!(warned.contains("no datasheet is known") && !warned.contains("id=\"rooflines\""));
}

#[test]
fn a_range_shows_what_came_after_its_start() {
    let world = look::world();
    let runs = |range: &str| {
        let json = world.ratchet(&["report", "--format", "json", range]).expect(0).json();
        (
            json["series"][0]["runs"].as_array().unwrap().len(),
            json["check"]["verdict"].clone(),
            json["series"][0]["ratchet"].clone(),
        )
    };
    let (all, verdict, _) = runs("HEAD");
    let (some, same, ratchet) = runs("HEAD~2..");
    assert_eq!((all, some, &verdict), (7, 2, &same));
    assert!(ratchet.as_array().is_some_and(|steps| !steps.is_empty()), "the line begins with what bound before");
    world.ratchet(&["report", "HEAD~2...HEAD"]).expect(2);
    world.ratchet(&["report", "no-such-rev..HEAD"]).expect(4);
    world.ratchet(&["report", "--output", "report.docx"]).expect(2);
}

#[test]
fn a_series_that_this_commit_did_not_measure_is_shown_all_the_same() {
    let world = look::world();
    world.commit("not measured");
    let json = world.ratchet(&["report", "--format", "json"]).expect(0).json();
    assert_eq!(json["check"]["verdict"], "not_measured");
    let verdicts: Vec<_> = json["series"].as_array().unwrap().iter().map(|series| series["verdict"].clone()).collect();
    assert_eq!(verdicts, ["not_measured", "not_measured"]);
}

#[test]
fn an_exact_baseline_was_set_by_the_first_commit_that_reached_it() {
    let world = World::new();
    let mut commits = Vec::new();
    for (content, registers) in [("one", 80), ("two", 64), ("three", 64), ("four", 64), ("five", 72)] {
        commits.push(world.commit(content));
        let metric = format!("registers={registers}");
        world.ratchet(&["record", "--benchmark", "b", "--metric", &metric, "--exact", "--testbed", "t"]).expect(0);
    }
    let text = world.ratchet(&["report"]).expect(0).out;
    let row = text.lines().find(|line| line.starts_with("| b, registers | 64 | 72 |")).unwrap();
    assert!(row.contains(&commits[1][..9]), "{row}");
}

#[test]
fn markdown_fits_into_a_comment() {
    let world = World::new();
    let many: Vec<String> =
        (0..600).map(|at| format!("{{\"benchmark\":\"b{at}{}\",\"unit\":\"ms\",\"value\":", "&".repeat(100))).collect();
    for value in ["10", "20"] {
        world.commit(value);
        let results: Vec<String> = many.iter().map(|result| format!("{result}{value}}}")).collect();
        let file = format!("{{\"version\":1,\"testbed\":\"t\",\"results\":[{}]}}", results.join(","));
        let path = world.root().join("results.json");
        fs::write(&path, file).unwrap();
        world.ratchet(&["record", path.to_str().unwrap()]).expect(0);
    }
    let text = world.ratchet(&["report"]).expect(0).out;
    assert!(text.chars().count() <= 65_536, "{} characters", text.chars().count());
    let (rows, more) = text.split_once("…and ").unwrap();
    let shown = rows.lines().filter(|line| line.starts_with("| b")).count();
    assert!(more.starts_with(&format!("{} more", 600 - shown)), "{shown} rows, then {more}");
}

#[test]
fn no_text_of_a_stranger_does_harm() {
    let world = hostile_world();
    for format in ["markdown", "html", "json", "csv", "svg"] {
        let whole = world.ratchet(&["report", "--format", format]).expect(0).out;
        // A code span shows what is in it as it is; the commands are such spans, each closed by the fence that opened it.
        let is_code =
            |line: &&str| line.starts_with("- ``git ratchet ") && line.ends_with("``") && line.matches("``").count() == 2;
        let text = whole.lines().filter(|line| format != "markdown" || !is_code(line)).collect::<Vec<_>>().join("\n");
        assert!(format != "markdown" || !whole.contains("${{"));
        // JSON is data: it escapes what is below a space, and keeps the rest.
        assert!(!text.contains('\u{1b}') && (format == "json" || !text.contains('\u{202e}')), "{format}: a control character");
        let page =
            if format == "html" { text.split_once("id=\"data\"").unwrap().1.split_once("</script>").unwrap().0 } else { &text };
        match format {
            "json" => continue,
            "csv" => assert!(!text.lines().any(|line| line.split(',').any(|cell| cell.starts_with(['=', '@'])))),
            _ => assert!(!page.contains("<img") && !page.contains("<script"), "{format}: {page}"),
        }
        if format == "markdown" {
            assert!(!text.contains("@everyone") && !text.contains("${{") && !text.contains("#1 "), "{text}");
            let table_rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| Config"));
            for row in table_rows {
                assert_eq!(row.replace("\\|", "").matches('|').count(), 8, "{row}");
            }
            assert!(text.len() < 20_000, "ten thousand characters of a name are cut");
        }
    }
    for format in ["text", "markdown", "github", "junit", "json"] {
        let ran = world.ratchet(&["check", "--format", format]).expect(1);
        assert!(!ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'), "{format}");
        if format == "github" {
            let commands = ran.out.lines().filter(|line| line.starts_with("::")).count();
            assert_eq!(commands, 1, "{}", ran.out);
        }
        assert!(format != "junit" || !ran.out.contains("<img"), "{}", ran.out);
    }
}

#[test]
fn a_level_that_many_commits_hold_began_where_it_began() {
    let world = World::new();
    world.commit_measured("slow", "20ms");
    let first = world.commit_measured("fast 1", "10ms");
    for number in 2..=30 {
        world.commit_measured(&format!("fast {number}"), "10ms");
    }
    let began = &first[..9];
    let report = world.ratchet(&["report"]).expect(0).out;
    assert!(report.contains(&format!("| {began}, ")), "{report}");
    let log = world.ratchet(&["log", "-n", "40"]).expect(0).out;
    assert!(log.contains("30 runs, the newest at "), "{log}");
    assert_eq!(log.lines().filter(|line| line.contains('▲') && line.contains("  fast ")).count(), 30, "{log}");
    assert!(!log.lines().any(|line| line.contains('▲') && line.contains("slow")), "{log}");
}

#[test]
fn the_largest_numbers_are_drawn_like_others() {
    let world = World::new();
    world.commit("one");
    world.record("time=1e305s");
    world.commit("two");
    world.record("time=1ns");
    for name in ["report.svg", "report.png", "report.html", "report.md"] {
        world.ratchet(&["report", "--output", name]).expect(0);
    }
}
