//! What a person sees, whole: reviewed by eye, kept by snapshot.

use crate::world::World;

/// Ids, dates and folders differ from run to run.
pub(super) fn redacted(world: &World, text: &str) -> String {
    let ids = regex::Regex::new(r"\b[0-9a-f]{9}\b").unwrap();
    let mut known: Vec<String> = Vec::new();
    let text = ids.replace_all(text, |found: &regex::Captures| {
        let id = found[0].to_owned();
        let at = known.iter().position(|seen| *seen == id).unwrap_or_else(|| {
            known.push(id);
            known.len() - 1
        });
        format!("commit-{}", char::from(b'a' + at as u8))
    });
    let text = regex::Regex::new(r"20\d\d-\d\d-\d\d").unwrap().replace_all(&text, "2026-11-21").into_owned();
    let text = regex::Regex::new(r"\d\d:\d\d UTC").unwrap().replace_all(&text, "09:00 UTC").into_owned();
    text.replace(&world.root().display().to_string(), "/world")
}

/// Seven commits, two benchmarks; the last commit makes one slower and the other faster.
pub(super) fn world() -> World {
    let world = World::new();
    for (content, attention, softmax) in [
        ("first kernel", "12.35ms,12.3ms,12.4ms", "1.52ms,1.50ms,1.51ms"),
        ("allow any head size", "12.31ms,12.36ms,12.42ms", "1.50ms,1.51ms,1.52ms"),
        ("use shared memory", "12.3ms,12.4ms,12.35ms", "1.51ms,1.52ms,1.50ms"),
        ("tidy up", "12.33ms,12.41ms,12.3ms", "1.50ms,1.51ms,1.53ms"),
        ("name the blocks", "12.36ms,12.31ms,12.35ms", "1.51ms,1.51ms,1.50ms"),
        ("document", "12.29ms,12.4ms,12.37ms", "1.52ms,1.51ms,1.50ms"),
        ("support odd head counts", "16.1ms,16.2ms,16.05ms", "1.11ms,1.10ms,1.12ms"),
    ] {
        world.commit(content);
        for (benchmark, config, values) in [("attention", "B=32 H=8 S=512", attention), ("softmax", "N=4096", softmax)] {
            let metric = format!("time={values}");
            world
                .ratchet(&["record", "--benchmark", benchmark, "--config", config, "--metric", &metric, "--testbed", "H100"])
                .expect(0);
        }
    }
    world
}

#[test]
fn check_as_text() {
    let world = world();
    let ran = world.ratchet(&["check"]).expect(1);
    insta::assert_snapshot!(redacted(&world, &ran.out));
}

#[test]
fn check_as_markdown() {
    let world = world();
    let ran = world.ratchet(&["check", "--format", "markdown"]).expect(1);
    insta::assert_snapshot!(redacted(&world, &ran.out));
}

#[test]
fn log_as_text() {
    let world = world();
    let ran = world.ratchet(&["log", "HEAD~1"]).expect(0);
    insta::assert_snapshot!(redacted(&world, &ran.out));
}

#[test]
fn show_as_text() {
    let world = world();
    world.ratchet(&["excuse", "attention", "--reason", "odd head counts must work", "--until", "17ms"]).expect(0);
    let ran = world.ratchet(&["show"]).expect(0);
    let text = regex::Regex::new(r"git-ratchet \d+\.\d+\.\d+").unwrap().replace_all(&ran.out, "git-ratchet 1.2.3").into_owned();
    insta::assert_snapshot!(redacted(&world, &text));
}

#[test]
fn what_would_settle_suspicions_is_said_once() {
    let world = World::new();
    let record = |values: &str| {
        for benchmark in ["parse", "render"] {
            world.ratchet(&["record", "--benchmark", benchmark, "--metric", &format!("time={values}")]).expect(0);
        }
    };
    for values in ["9ms,10ms,12ms", "11ms,10ms,9ms", "10ms,11ms,9ms"] {
        world.commit(values);
        record(values);
    }
    world.commit("slower");
    record("11ms,12ms,11ms");
    let said = world.ratchet(&["check"]).expect(3).out;
    assert_eq!(said.matches("[[suite]]").count(), 1, "{said}");

    world.commit("much slower");
    record("90ms,91ms,90ms");
    let said = world.ratchet(&["check"]).expect(1).out;
    assert!(!said.contains("[[suite]]"), "history alone has proven it: {said}");
}

#[test]
fn the_excuses_that_check_offers_accept_what_regressed() {
    let world = World::new();
    for (content, metric) in [("fast", "time=10ms"), ("slow", "time=20ms")] {
        world.commit(content);
        for benchmark in ["parse all", "it's"] {
            world.ratchet(&["record", "--benchmark", benchmark, "--metric", metric, "--exact"]).expect(0);
        }
    }
    let said = world.ratchet(&["check"]).expect(1).out;
    for line in said.lines().filter(|line| line.contains("git ratchet excuse")) {
        let command = line.replace("git ratchet", &format!("'{}'", env!("CARGO_BIN_EXE_git-ratchet")));
        world.run(world.command("sh", &world.repo).args(["-c", &command])).expect(0);
    }
    world.ratchet(&["check"]).expect(0);
}

#[test]
fn a_metric_whose_direction_turned_is_told() {
    let world = World::new();
    let record = |better: &str| {
        world.ratchet(&["record", "--benchmark", "load", "--metric", "rate=10", "--better", better, "--exact"]).expect(0);
    };
    world.commit("first");
    record("higher");
    world.commit("second");
    record("higher");
    assert!(!world.ratchet(&["check"]).expect(0).out.contains("its history says"));
    world.commit("third");
    record("lower");
    for _ in 0..2 {
        let said = world.ratchet(&["check"]).expect(0).out;
        assert!(said.contains("load rate: recorded as lower is better, but its history says that higher is better"), "{said}");
    }
    let json = world.ratchet(&["check", "--json"]).expect(0).json();
    assert_eq!(json["warnings"][0]["code"], "better_turned", "{json}");
}

#[test]
fn a_column_that_says_nothing_is_left_out() {
    let world = World::new();
    world.commit("first");
    world.ratchet(&["record", "--benchmark", "load", "--metric", "time=10ms"]).expect(0);
    assert!(!world.ratchet(&["show"]).expect(0).out.contains("config"));
    world.ratchet(&["record", "--benchmark", "load", "--config", "N=1", "--metric", "time=10ms"]).expect(0);
    assert!(world.ratchet(&["show"]).expect(0).out.contains("config"));
}

#[test]
fn a_probability_has_no_digits_that_say_nothing() {
    let world = World::new();
    for values in ["10ms,11ms,12ms,13ms,14ms,15ms,16ms,17ms,18ms,19ms", "30ms,31ms,32ms,33ms,34ms,35ms,36ms,37ms,38ms,39ms"] {
        world.commit(values);
        world.ratchet(&["record", "--benchmark", "load", "--metric", &format!("time={values}")]).expect(0);
    }
    let said = world.ratchet(&["compare", "HEAD~1", "HEAD"]).expect(0).out;
    assert!(said.contains("< 0.0001") && !said.contains("0.0000"), "{said}");
}
