//! Many writers at once: nobody's line is lost.

use std::process::{Child, Stdio};

use crate::world::World;

const WRITERS: usize = 64;

/// Starts a `record` of its own benchmark.
fn start_writer(world: &World, number: usize) -> Child {
    let benchmark = format!("w{number}");
    let mut command =
        world.ratchet_command(&world.repo, &["record", "--benchmark", &benchmark, "--metric", "time=10ms", "--testbed", "t"]);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn join(writers: Vec<Child>) {
    for writer in writers {
        let output = writer.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn sixty_four_processes_lose_nothing() {
    let world = World::new();
    world.commit("one");
    join((0..WRITERS).map(|number| start_writer(&world, number)).collect());
    assert_eq!(world.records_read(), WRITERS);
    assert_eq!(world.git(&["rev-list", "--count", "refs/notes/ratchet"]), WRITERS.to_string());
    world.git(&["fsck", "--strict"]);
}

/// `git notes` writes its ref without comparing (builtin/notes.c passes no old value), so it can overtake any other
/// writer. What is ours to promise: we never overtake git, and what git overtook is still in the ref's own log.
#[test]
fn plain_git_that_writes_between_loses_nothing_to_us() {
    let world = World::new();
    world.git(&["config", "core.logAllRefUpdates", "true"]);
    let other = world.commit("one");
    let ours = world.commit("two");
    let writers: Vec<Child> = (0..16).map(|number| start_writer(&world, number)).collect();
    let lines: Vec<String> = (0..16).map(|number| format!("a line of plain git, {number}")).collect();
    for line in &lines {
        let append = ["notes", "--ref=ratchet", "append", "-m", line, &other];
        // Its refusal of a locked ref is tried again, as a person would.
        let tries = (0..200).any(|_| world.run(world.command("git", &world.repo).args(append)).code == 0);
        assert!(tries, "git never got through");
    }
    join(writers);
    let note = world.note(&other);
    assert!(lines.iter().all(|line| note.lines().any(|kept| kept == line)), "{note}");
    let logged = world.git(&["log", "-g", "--format=%H", "refs/notes/ratchet"]);
    let mut kept = world.note(&ours);
    for commit in logged.lines() {
        kept += &world.run(world.command("git", &world.repo).args(["grep", "-h", "", commit])).out;
    }
    for number in 0..16 {
        assert!(kept.contains(&format!("\"benchmark\":\"w{number}\"")), "{number} is nowhere");
    }
}
