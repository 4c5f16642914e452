//! `bisect`: real repositories, real worktrees, a program whose number is the content of its commit.

use serde_json::Value;

use crate::schemas::assert_described;
use crate::world::{Ran, World};

/// The number is free of noise, so that what is found does not depend on the computer; a file named `broken` keeps it from
/// running.
const SETTINGS: &str = r#"
[[benchmark]]
name = "work"
command = ["sh", "work.sh"]

[[benchmark.metrics]]
name = "cycles"
regex = 'cycles: (\d+)'
better = "lower"
"#;

const WORK: &str = "test ! -e broken || exit 1\nread cycles _ <code\necho \"cycles: $cycles\"\n";

/// A repository whose commits have these numbers; the ids.
fn world_with(settings: &str, numbers: &[u32]) -> (World, Vec<String>) {
    let world = World::new();
    world.write("ratchet.toml", settings);
    world.write("work.sh", WORK);
    let commits = numbers.iter().zip(0..).map(|(number, at)| world.commit(&format!("{number} of commit {at}"))).collect();
    (world, commits)
}

fn bisect(world: &World, arguments: &[&str]) -> Ran {
    world.ratchet(&[&["bisect"], arguments, &["--json"]].concat())
}

fn found(ran: Ran) -> (Vec<String>, Value) {
    let object = ran.expect(0).json();
    assert_described("bisect", &object);
    let found = object["found"].as_array().unwrap();
    (found.iter().map(|commit| commit["commit"].as_str().unwrap().to_owned()).collect(), object)
}

#[test]
fn the_commit_that_moved_a_series_is_found_in_a_few_steps() {
    let (world, commits) = world_with(SETTINGS, &[1000, 1001, 999, 1000, 1100, 1101, 1100, 1099, 1100]);
    let (names, object) = found(bisect(&world, &["work", "--old", &commits[0]]));
    assert_eq!(names, [commits[4].clone()]);
    assert!(object["steps"].as_array().unwrap().len() <= 3, "{object:#}");
    assert_eq!((&object["commits"], &object["merge"]), (&8.into(), &false.into()));
    assert!((object["change_of_found"]["percent"].as_f64().unwrap() + 10.0).abs() < 0.01, "{object:#}");
    assert_eq!(world.git(&["worktree", "list"]).lines().count(), 1, "the worktrees are gone");
    assert_eq!(world.git(&["for-each-ref", "refs/notes"]), "", "nothing is recorded");
    let text = world.ratchet(&["bisect", "work", "--old", &commits[0]]).expect(0);
    assert!(text.out.contains("moved by") && text.out.contains("−10.0 %") && text.out.contains(&commits[4][..9]), "{}", text.out);
    assert!(text.err.contains("running the commands of work"), "{}", text.err);
}

#[test]
fn an_improvement_is_found_as_well() {
    let (world, commits) = world_with(SETTINGS, &[1000, 1000, 1000, 800, 800]);
    assert_eq!(found(bisect(&world, &["work", "--old", &commits[0], "--metric", "cycles"])).0, [commits[3].clone()]);
}

#[test]
fn without_a_word_it_looks_for_what_the_newest_commit_lost_against_its_baseline() {
    let (world, commits) = world_with(SETTINGS, &[1000, 1000, 1000]);
    for commit in &commits {
        world.git(&["checkout", "-q", commit]);
        (0..3).for_each(|_| drop(world.ratchet(&["bench"]).expect(0)));
    }
    world.git(&["checkout", "-q", "main"]);
    let later: Vec<String> =
        [1000, 1300, 1300, 1300].iter().zip(3..).map(|(n, at)| world.commit(&format!("{n} of {at}"))).collect();
    world.ratchet(&["bench"]).expect(0);
    world.ratchet(&["check"]).expect(1);
    let (names, object) = found(bisect(&world, &[]));
    assert_eq!(names, [later[1].clone()]);
    assert_eq!(object["old"]["commit"], *commits.last().unwrap(), "the newest of the baseline");
}

#[test]
fn records_say_where_to_begin() {
    let numbers: Vec<u32> = (0..40).map(|at| if at < 31 { 1000 } else { 1200 }).collect();
    let (world, commits) = world_with(SETTINGS, &numbers);
    for at in [0, 10, 20, 30, 31, 39] {
        world.git(&["checkout", "-q", &commits[at]]);
        world.record(&format!("cycles={}", numbers[at]));
    }
    let recorded = world.ratchet(&["show", &commits[30], "--json"]).expect(0).json();
    assert_eq!(recorded["records"][0]["benchmark"], "b", "{recorded:#}");
    let settings = SETTINGS.replace("\"work\"\ncommand", "\"b\"\ncommand");
    world.git(&["checkout", "-q", "main"]);
    world.write("ratchet.toml", &settings);
    let newest = world.commit("1200 under the name that was recorded");
    let (names, object) = found(bisect(&world, &["b", "--metric", "cycles", "--old", &commits[0], "--new", &newest]));
    let asked: Vec<&str> = object["steps"].as_array().unwrap().iter().map(|step| step["commit"].as_str().unwrap()).collect();
    assert_eq!((names, asked), (vec![commits[31].clone()], vec![commits[30].as_str(), commits[31].as_str()]));
}

#[test]
fn commits_that_leave_the_inputs_alone_are_passed_over() {
    let settings = SETTINGS.replace("command = ", "inputs = [\"code\", \"work.sh\"]\ncommand = ");
    let (world, commits) = world_with(&settings, &[1000]);
    let note = |text: &str| {
        world.write("notes.txt", text);
        world.git(&["add", "."]);
        world.git(&["commit", "-q", "-m", text]);
    };
    note("one");
    let moved = world.commit("1500");
    note("two");
    note("three");
    let (names, object) = found(bisect(&world, &["work", "--old", &commits[0]]));
    assert_eq!((names, &object["left_alone"], &object["steps"]), (vec![moved.clone()], &3.into(), &Value::Array(Vec::new())));
    let nothing = world.ratchet(&["bisect", "work", "--old", &moved]).expect(3);
    assert!(nothing.err.contains("changes an input of work"), "{}", nothing.err);
}

#[test]
fn commits_that_cannot_be_measured_are_passed_over_and_told() {
    let (world, mut commits) = world_with(SETTINGS, &[1000, 1000]);
    world.write("broken", "");
    commits.extend(["1000 broken", "1500 broken"].map(|content| world.commit(content)));
    world.git(&["rm", "-q", "broken"]);
    commits.extend(["1500", "1501"].map(|content| world.commit(content)));
    let (names, object) = found(bisect(&world, &["work", "--old", &commits[0]]));
    assert_eq!(names, commits[2..5], "one of these");
    assert_eq!(object["change_of_found"], Value::Null);
    assert!(object["warnings"].to_string().contains("cannot be measured now"), "{object:#}");
    let text = world.ratchet(&["bisect", "work", "--old", &commits[0]]).expect(0);
    assert!(text.out.contains("one of these") && text.err.contains("warning:"), "{}{}", text.out, text.err);
    let end = world.ratchet(&["bisect", "work", "--old", &commits[2]]).expect(3);
    assert!(end.err.contains("cannot be measured"), "{}", end.err);
}

#[test]
fn two_moves_are_told_apart_from_one() {
    let (world, commits) = world_with(SETTINGS, &[1000, 1000, 1060, 1060, 1160, 1160]);
    let (names, object) = found(bisect(&world, &["work", "--old", &commits[0]]));
    assert_eq!(names, [commits[4].clone()], "the larger one");
    assert!((object["change_of_found"]["percent"].as_f64().unwrap() + 9.4).abs() < 0.1, "{object:#}");
    let text = world.ratchet(&["bisect", "work", "--old", &commits[0]]).expect(0).out;
    assert!(text.contains("the rest came with other commits"), "{text}");
}

#[test]
fn a_merge_that_moved_is_told_with_the_way_into_its_branch() {
    let (world, commits) = world_with(SETTINGS, &[1000, 1000]);
    world.git(&["checkout", "-q", "-b", "side"]);
    world.commit("2000 on the side");
    world.git(&["checkout", "-q", "main"]);
    world.write("other", "");
    world.commit("1000 on main");
    world.git(&["merge", "-q", "-X", "theirs", "-m", "Merge", "side"]);
    let merge = world.git(&["rev-parse", "HEAD"]).trim().to_owned();
    world.write("other", "changed");
    world.commit(&format!("{} after the merge", 2000));
    let (names, object) = found(bisect(&world, &["work", "--old", &commits[0]]));
    assert_eq!((names, &object["merge"]), (vec![merge], &true.into()));
    let text = world.ratchet(&["bisect", "work", "--old", &commits[0]]).expect(0).out;
    assert!(text.contains("it is a merge") && text.contains("merge-base"), "{text}");
}

#[test]
fn what_cannot_be_looked_for_is_told() {
    let (world, commits) = world_with(SETTINGS, &[1000, 1000, 1000]);
    let refused = |arguments: &[&str], code: i32, words: &str| {
        let ran = world.ratchet(&[&["bisect"], arguments].concat()).expect(code);
        assert!(ran.err.contains(words) && ran.err.contains("hint: "), "{arguments:?}: {}", ran.err);
    };
    refused(&["work", "--old", &commits[0]], 3, "does not differ here");
    refused(&["work", "--old", "HEAD"], 2, "nothing lies between");
    refused(&["work", "--old", "HEAD~1", "--metric", "heat"], 2, "does not tell heat");
    refused(&["work"], 3, "has no such results");
    world.git(&["checkout", "-q", "-b", "side", &commits[1]]);
    let aside = world.commit("1200 aside");
    refused(&["work", "--old", &aside, "--new", "main"], 2, "not among the first parents");
    let unknown = world.ratchet(&["bisect", "play", "--old", &commits[0]]).expect(2);
    assert!(unknown.err.contains("has no such benchmark"), "{}", unknown.err);
    let matrix = SETTINGS.replace("command = ", "matrix = { N = [1, 2] }\ncommand = ");
    world.write("ratchet.toml", &matrix);
    world.commit("1300 of two points");
    refused(&["work", "--old", &commits[0]], 2, "2 points that fit");
}
