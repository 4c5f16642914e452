//! The pager, on a terminal that `script` makes.

use std::process::Command;

use crate::world::World;

/// What a terminal shows of a command; `None` where there is no `script`.
fn on_a_terminal(world: &World, command: &str, pager: &str) -> Option<String> {
    let has_script = Command::new("script").arg("--version").output().is_ok_and(|output| output.status.success());
    if !has_script {
        println!("SKIPPED: there is no `script` here to make a terminal with");
        return None;
    }
    let line = format!("'{}' {command}", env!("CARGO_BIN_EXE_git-ratchet"));
    let mut script = world.command("script", &world.repo);
    script.args(["-q", "-e", "-c", &line, "/dev/null"]).env("GIT_PAGER", pager).env("TERM", "xterm");
    Some(world.run(&mut script).out.replace('\r', ""))
}

#[test]
fn long_output_goes_through_the_pager_of_git() {
    let world = World::new();
    world.commit_measured("one", "10ms");
    let Some(shown) = on_a_terminal(&world, "log", "sed s/^/PAGED:/") else { return };
    assert!(shown.lines().all(|line| line.starts_with("PAGED:")) && shown.contains("one"), "{shown}");
    let shown = on_a_terminal(&world, "check", "sed s/^/PAGED:/").unwrap();
    assert!(!shown.contains("PAGED:"), "a gate waits for nobody: {shown}");
    for none in ["", "cat", "no-such-pager"] {
        let shown = on_a_terminal(&world, "--color never log", none).unwrap();
        assert!(shown.contains("b time") && shown.contains("one"), "{none}: {shown}");
    }
    let piped = world.run(world.ratchet_command(&world.repo, &["log"]).env("GIT_PAGER", "sed s/^/PAGED:/"));
    assert!(!piped.out.contains("PAGED:"), "a pipe is no terminal");
}

#[test]
fn behind_a_pager_of_git_colours_stay() {
    let world = World::new();
    world.commit_measured("one", "10ms");
    let log = |name: &str, value: &str| {
        let mut command = world.ratchet_command(&world.repo, &["log"]);
        world.run(command.env("GIT_PAGER_IN_USE", "true").env(name, value)).out.contains('\u{1b}')
    };
    assert_eq!((log("TERM", "xterm"), log("NO_COLOR", "1")), (true, false));
}
