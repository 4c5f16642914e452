//! Many writers at once: nobody's line is lost.

use std::process::{Child, Stdio};

use crate::world::World;

const WRITERS: usize = 64;

/// Starts a `record` of its own benchmark.
fn start_writer(world: &World, number: usize) -> Child {
    let benchmark = format!("w{number}");
    let mut command = world.ratchet_command(&world.repo, &["record", "--benchmark", &benchmark, "--metric", "time=10ms", "--testbed", "t"]);
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

/// Plain git reads the ref before it takes the lock and may itself overwrite a note that changed meanwhile, so it
/// appends to another commit; its own refusal ("cannot lock ref") is tried again, as a person would.
#[test]
fn plain_git_may_write_between() {
    let world = World::new();
    let other = world.commit("one");
    world.commit("two");
    let writers: Vec<Child> = (0..16).map(|number| start_writer(&world, number)).collect();
    for number in 0..16 {
        let line = format!("a line of plain git, {number}");
        let append = ["notes", "--ref=ratchet", "append", "-m", &line, &other];
        let tries = (0..200).any(|_| world.run(world.command("git", &world.repo).args(append)).code == 0);
        assert!(tries, "git never got through");
    }
    join(writers);
    assert_eq!(world.records_read(), 16);
    let note = world.note(&other);
    for number in 0..16 {
        assert!(note.lines().any(|line| line == format!("a line of plain git, {number}")), "{number}:\n{note}");
    }
}
