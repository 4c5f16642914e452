//! `explain`: from a real repository, the differences that are there and no others.

use serde_json::json;

use super::look;
use crate::schemas::assert_described;
use crate::world::World;

const SETTINGS: &str = "[[benchmark]]\nname = \"sort\"\ncommand = [\"true\"]\ninputs = [\"src/*.cu\"]\n[[benchmark]]\nname = \"any\"\ncommand = [\"true\"]\n";

/// Five fast commits; then one that changes the kernel, a header outside the inputs and a binary, and slows `sort` down.
fn world() -> World {
    let world = World::new();
    world.write("ratchet.toml", SETTINGS);
    let kernel = |body: &str| format!("// sorts\n__global__ void sort() {{\n    {body}\n}}\n");
    world.write("src/sort.cu", &kernel("merge();"));
    for at in 0..5 {
        world.commit(&format!("fast {at}"));
        record(&world, 1.0, 64);
    }
    world.commit("docs only");
    world.write("src/sort.cu", &kernel("bubble();\n\tswap();"));
    world.write("src/deep/other.cu", "not an input: the glob stops at a slash");
    world.write("include/sort.h", "#pragma once\n");
    world.commit("sort differently");
    record(&world, 1.3, 96);
    world
}

fn record(world: &World, factor: f64, registers: u32) {
    // A third of the measurements is slower, the others stay.
    let value = |at: usize| 10.0 + 0.01 * at as f64 * if at % 3 == 2 { 1.0 } else { 0.5 };
    let values: Vec<String> = (0..24).map(|at| format!("{}ms", value(at) * if at % 2 == 0 { factor } else { 1.0 })).collect();
    for (benchmark, values) in [("sort", values.join(",")), ("any", "5ms,5.1ms,5.2ms".to_owned())] {
        let metric = format!("time={values}");
        world
            .ratchet(&["record", "--benchmark", benchmark, "--config", "N=1000", "--metric", &metric, "--testbed", "t"])
            .expect(0);
    }
    let metric = format!("registers={registers}");
    let record = ["record", "--benchmark", "sort", "--config", "N=1000", "--metric", &metric, "--exact", "--testbed", "t"];
    world.ratchet(&record).expect(0);
}

#[test]
fn the_worst_series_is_explained_as_text() {
    let world = world();
    let ran = world.ratchet(&["explain"]).expect(0);
    assert_eq!(ran.out, world.ratchet(&["explain", "sort", "HEAD"]).expect(0).out);
    assert_eq!(ran.out, world.ratchet(&["explain", "HEAD"]).expect(0).out, "a revision alone is a revision");
    assert_eq!(ran.out, world.ratchet(&["explain", "sort", "--config", "N=1000"]).expect(0).out);
    insta::assert_snapshot!(look::redacted(&world, &ran.out));
}

#[test]
fn markdown_folds_the_code() {
    let world = world();
    let ran = world.ratchet(&["explain", "sort", "--format", "markdown"]).expect(0);
    insta::assert_snapshot!(look::redacted(&world, &ran.out));
}

#[test]
fn machine_code_and_counters_of_both_commits_are_evidence() {
    let world = world();
    for (rev, registers) in [("HEAD~2", 64), ("HEAD", 128)] {
        let note = world.git(&["notes", "--ref=ratchet", "show", rev]);
        let run = note.lines().find_map(|line| line.split_once("\"run\":\"")?.1.get(..26)).unwrap();
        let line = format!(
            "{{\"v\":1,\"type\":\"profile\",\"id\":\"01HF7YAT0000000000000000{registers:02}\",\"run\":\"{run}\",\"benchmark\":\"sort\",\
             \"config\":{{\"N\":\"1000\"}},\"kernel\":\"sort\",\"launches\":1,\"metrics\":{{\
             \"gpu__time_duration.sum\":{{\"value\":0.01,\"unit\":\"s\"}},\
             \"launch__registers_per_thread\":{{\"value\":{registers},\"unit\":\"1\"}}}}}}"
        )
        .replace("0000128\"", "000128\"");
        let code = format!("\"type\":\"record\",\"machine_code\":\"code-{registers}\"");
        let both = format!("{}\n{line}\n", note.trim_end().replace("\"type\":\"record\"", &code));
        world.write(".git/note", &both);
        world.git(&["notes", "--ref=ratchet", "add", "-f", "-F", ".git/note", rev]);
    }
    let explained = world.ratchet(&["explain", "sort"]).expect(0).out;
    assert!(explained.contains("1. the machine code differs: code-64 → code-128"), "{explained}");
    assert!(explained.contains("counted by Nsight Compute: registers 64 → 128"), "{explained}");
}

#[test]
fn the_records_in_between_tell_where_it_moved() {
    let world = World::new();
    let mut commits: Vec<String> = (0..4).map(|at| world.commit_measured(&format!("fast {at}"), "10ms")).collect();
    commits.push(world.commit("not measured"));
    for time in ["13ms", "13.1ms", "13ms"] {
        commits.push(world.commit_measured(&format!("slow {}", commits.len()), time));
    }
    let explained = |rev: &str| world.ratchet(&["explain", "b", rev, "--format", "json"]).expect(0).json();
    let newest = explained("HEAD");
    assert_described("explain", &newest);
    let moved = &newest["moved"];
    assert_eq!((&moved["before"]["commit"], &moved["after"]["commit"]), (&json!(commits[3]), &json!(commits[5])));
    assert_eq!((&moved["commits"], &moved["value_before"], &moved["value_after"]), (&json!(2), &json!(0.01), &json!(0.013)));
    let said = world.ratchet(&["explain", "b"]).expect(0).out;
    let sentence = format!("moved between {} and {}", &commits[3][..9], &commits[5][..9]);
    assert!(said.contains(&sentence) && said.contains("slow 5), 2 commits: 10 ms → 13 ms"), "{said}");
    world.ratchet(&["record", "--benchmark", "b", "--metric", "time=13ms", "--testbed", "t", "--commit", &commits[4]]).expect(0);
    assert!(world.ratchet(&["explain", "b"]).expect(0).out.contains(&format!("moved at {}", &commits[4][..9])));
    // With nothing in between, the two say it all.
    assert_eq!(explained(&commits[4])["moved"], json!(null));
}

#[test]
fn without_inputs_every_file_counts() {
    let world = world();
    let json = world.ratchet(&["explain", "any", "--format", "json"]).expect(0).json();
    let paths: Vec<&str> = json["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["code", "include/sort.h", "src/deep/other.cu", "src/sort.cu"]);
    assert_eq!((&json["inputs"], &json["other_files"]), (&serde_json::json!([]), &serde_json::json!(0)));
}

#[test]
fn a_diff_is_coloured_as_gits_is() {
    let world = world();
    let ran = world.ratchet(&["--color", "always", "explain"]).expect(0);
    assert!(
        ran.out.contains("\u{1b}[31m-    merge();\u{1b}[0m") && ran.out.contains("\u{1b}[32m+    bubble();\u{1b}[0m"),
        "{}",
        ran.out
    );
}

#[test]
fn what_cannot_be_explained_says_so() {
    let world = World::new();
    world.commit("one");
    assert!(world.ratchet(&["explain"]).expect(3).err.contains("no such results"));
    world.record("time=10ms");
    assert!(world.ratchet(&["explain"]).expect(3).err.contains("no baseline"));
    world.ratchet(&["explain", "b", "no-such-rev"]).expect(4);
}

#[test]
fn files_of_strangers_are_named_not_dumped() {
    let world = World::new();
    world.write("binary", "\0\u{1}");
    world.write("huge", &"x\n".repeat(200_000));
    world.commit_measured("one", "10ms");
    world.write("binary", "\0\u{2}");
    world.write("huge", &"y\n".repeat(200_000));
    world.write("evil\u{1b}[31m", "```\n</details> @everyone ${{ secrets.T }} \u{1b}]0;title\u{7}\n");
    world.write("long", &"new\n".repeat(5_000));
    world.commit_measured("two", "20ms");
    let json = world.ratchet(&["explain", "--format", "json"]).expect(0).json();
    let kind = |path: &str| {
        let files = json["files"].as_array().unwrap();
        files.iter().find(|file| file["path"] == path).map(|file| file["content"].clone()).unwrap()
    };
    assert_eq!((kind("binary"), kind("huge"), kind("long")), ("binary".into(), "too_large".into(), "diff".into()));
    let text = world.ratchet(&["explain"]).expect(0).out;
    assert!(!text.contains('\u{1b}') && !text.contains('\u{7}') && text.lines().count() < 800, "{text}");
    let markdown = world.ratchet(&["explain", "--format", "markdown"]).expect(0).out;
    assert!(!markdown.contains("${{") && !markdown.contains('\u{1b}') && markdown.len() <= 65_536);
    assert!(markdown.contains("````diff"), "the fence is longer than the backticks in the code: {markdown}");
}
