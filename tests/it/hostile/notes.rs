//! Notes that nobody should have written: counted, named, kept, and never the end of a check.

use wait4::Wait4;

use super::{assert_kept, assert_says};
use crate::world::World;

/// Two measured commits; the note of the first gets `extra` added below its own lines.
fn world_with(extra: &[u8]) -> (World, String, Vec<u8>) {
    let world = World::new();
    let first = world.commit_measured("one", "10ms");
    let bytes = [world.note(&first).as_bytes(), extra].concat();
    world.set_note(&first, &bytes);
    world.commit_measured("two", "10ms");
    (world, first, bytes)
}

fn own_lines(world: &World, commit: &str) -> (String, String) {
    let note = world.note(commit);
    let find = |kind: &str| note.lines().find(|line| line.contains(&format!("\"type\":\"{kind}\""))).unwrap().to_owned();
    (find("run"), find("record"))
}

#[test]
fn lines_that_cannot_be_read_are_counted_and_kept_while_the_rest_is_judged() {
    let nested = format!("{{\"v\":1,\"type\":\"record\",\"config\":{}1{}}}\n", "[".repeat(5_000), "]".repeat(5_000));
    for extra in [
        &b"not json at all\n"[..],
        b"{\"v\":1,\"type\":\"record\",\"id\":\"01HF7YAT00",
        b"\xff\xfe\x00\x01\n",
        b"{\"v\":1,\"type\":\"record\"}\n",
        b"{\"v\":2,\"type\":\"run\"}\n",
        b"{\"v\":-1,\"type\":\"run\"}\n[]\nnull\n7\n",
        nested.as_bytes(),
    ] {
        let (world, first, bytes) = world_with(extra);
        let check = world.ratchet(&["check", "--json"]).expect(0).json();
        assert_eq!(check["verdict"], "pass", "{check:#}");
        let warning = &check["warnings"][0];
        assert_eq!(warning["code"], "unreadable_lines", "{check:#}");
        world.ratchet(&["record", "--commit", &first, "--benchmark", "b", "--metric", "time=11ms"]).expect(0);
        let kept = world.run(world.command("git", &world.repo).args(["notes", "--ref=ratchet", "show", &first]));
        assert_kept(&String::from_utf8_lossy(&bytes), &kept.out);
    }
}

#[test]
fn records_with_impossible_values_do_not_count() {
    for (from, to) in [
        ("\"median\":0.01", "\"median\":0"),
        ("\"median\":0.01", "\"median\":-0.01"),
        ("\"median\":0.01", "\"median\":1e999"),
        ("\"median\":0.01", "\"median\":NaN"),
        ("\"median\":0.01", "\"median\":\"fast\""),
        ("\"median\":0.01", "\"median\":null"),
        ("\"unit\":\"s\"", "\"unit\":\"parsec\""),
        ("\"unit\":\"s\"", "\"unit\":7"),
        ("\"better\":\"lower\"", "\"better\":true"),
        ("\"benchmark\":\"b\"", "\"benchmark\":[\"b\"]"),
        ("\"benchmark\":\"b\"", "\"benchmark\":\"b\\u0007\""),
        ("\"n\":1", "\"n\":1e400"),
    ] {
        let world = World::new();
        let commit = world.commit_measured("one", "10ms");
        let (run, record) = own_lines(&world, &commit);
        let bad = record.replace(from, to);
        assert_ne!(bad, record, "{from} is not in {record}");
        world.set_note(&commit, format!("{bad}\n{run}\n").as_bytes());
        let check = world.ratchet(&["check", "--json"]).expect(3).json();
        assert_eq!(
            (&check["verdict"], &check["warnings"][0]["code"]),
            (&"not_measured".into(), &"unreadable_lines".into()),
            "{to}"
        );
    }
}

#[test]
fn an_id_that_is_used_twice_counts_once_and_is_told() {
    let world = World::new();
    let commit = world.commit_measured("one", "10ms");
    let (run, record) = own_lines(&world, &commit);
    let forged = record.replace("0.01", "0.0001");
    world.set_note(&commit, format!("{forged}\n{record}\n{run}\n").as_bytes());
    assert_eq!(world.records_read(), 1);
    let shown = world.ratchet(&["show"]).expect(0);
    assert_says(&shown, &["cannot be read"]);
    world.record("time=10ms");
    assert_kept(&format!("{forged}\n{record}\n{run}"), &world.note(&commit));
}

#[test]
fn a_unit_that_changes_along_history_is_not_compared() {
    let world = World::new();
    world.commit("one");
    world.ratchet(&["record", "--benchmark", "b", "--metric", "size=3MB", "--better", "lower", "--testbed", "t"]).expect(0);
    world.commit("two");
    world.ratchet(&["record", "--benchmark", "b", "--metric", "size=3ms", "--better", "lower", "--testbed", "t"]).expect(0);
    let check = world.ratchet(&["check", "--json"]).expect(0).json();
    assert_eq!(check["series"][0]["verdict"], "new", "{check:#}");
    assert_eq!(check["warnings"][0]["code"], "excluded_runs", "{check:#}");
    let log = world.ratchet(&["log"]).expect(0);
    assert!(log.out.contains("size"), "{}", log.out);
}

#[test]
fn the_order_of_parameters_makes_no_other_series() {
    let world = World::new();
    for (content, config) in [("one", "B=32 H=8"), ("two", "H=8 B=32")] {
        world.commit(content);
        world.ratchet(&["record", "--benchmark", "b", "--config", config, "--metric", "time=10ms", "--testbed", "t"]).expect(0);
    }
    let check = world.ratchet(&["check", "--json"]).expect(0).json();
    let series = check["series"].as_array().unwrap();
    assert_eq!((series.len(), &series[0]["verdict"]), (1, &"pass".into()), "{check:#}");
}

#[test]
fn notes_on_a_tree_and_on_a_blob_are_read_without_harm() {
    let world = World::new();
    let commit = world.commit_measured("one", "10ms");
    let note = world.note(&commit);
    for object in ["HEAD^{tree}", "HEAD:code"] {
        world.set_note(object, note.as_bytes());
        world.set_note(object, b"half a {\n");
    }
    world.ratchet(&["check"]).expect(0);
    world.ratchet(&["log"]).expect(0);
    world.record("time=10ms");
    assert_eq!(world.note("HEAD:code"), "half a {\n");
    for object in ["HEAD^{tree}", "HEAD:code"] {
        let ran = world.ratchet(&["record", "--benchmark", "b", "--metric", "time=1ms", "--commit", object]).expect(4);
        assert_says(&ran, &["not a commit"]);
    }
}

/// Runs `check` and gives its exit code and its largest resident set in MiB.
fn check_and_measure(world: &World) -> (i32, u64) {
    let mut command = world.ratchet_command(&world.repo, &["check"]);
    let child = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let ended = child.wait4().unwrap();
    (ended.status.code().unwrap_or(-1), ended.rusage.maxrss >> 20)
}

const MOST_MIB: u64 = 300;

#[test]
fn a_line_of_100_megabytes_is_neither_read_nor_the_end_of_memory() {
    let world = World::new();
    let first = world.commit_measured("one", "10ms");
    let note = world.note(&first);
    world.set_note(&first, &[note.as_bytes(), "x".repeat(100 << 20).as_bytes(), b"\n"].concat());
    world.commit_measured("two", "10ms");
    let (code, mebibytes) = check_and_measure(&world);
    assert_eq!(code, 0);
    assert!(mebibytes < MOST_MIB, "{mebibytes} MiB");
    let check = world.ratchet(&["check", "--json"]).expect(0).json();
    assert_eq!((&check["verdict"], &check["warnings"][0]["code"]), (&"new".into(), &"note_too_large".into()), "{check:#}");
    let refused = world.ratchet(&["record", "--commit", &first, "--benchmark", "b", "--metric", "time=1ms"]).expect(4);
    assert_says(&refused, &[&first, "larger than"]);
    assert_eq!(world.note(&first).len(), note.len() + (100 << 20) + 1);
}

#[test]
fn a_million_bad_lines_are_counted_and_more_are_not_looked_at() {
    for (lines, warning) in [(900_000_u32, "unreadable_lines"), (6_000_000, "note_too_large")] {
        let world = World::new();
        let first = world.commit_measured("one", "10ms");
        let junk: Vec<u8> = (0..lines).flat_map(|n| format!("{n:x}x\n").into_bytes()).collect();
        world.set_note(&first, &[world.note(&first).as_bytes(), &junk].concat());
        world.commit_measured("two", "10ms");
        let (code, mebibytes) = check_and_measure(&world);
        assert_eq!(code, 0);
        assert!(mebibytes < MOST_MIB, "{lines} lines: {mebibytes} MiB");
        assert_eq!(world.ratchet(&["check", "--json"]).expect(0).json()["warnings"][0]["code"], warning);
    }
}
