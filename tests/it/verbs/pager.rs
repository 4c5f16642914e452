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

#[test]
fn sentences_are_broken_between_words_where_a_terminal_ends() {
    let world = crate::verbs::look::world();
    let mut command = world.ratchet_command(&world.repo, &["check"]);
    let narrow = world.run(command.env("GIT_PAGER_IN_USE", "true").env("COLUMNS", "66").env("NO_COLOR", "1")).expect(1).out;
    let is_command = |line: &&str| line.trim_start().starts_with("git ratchet ");
    let too_wide: Vec<&str> = narrow.lines().skip(1).filter(|line| !is_command(line) && line.chars().count() > 66).collect();
    assert!(too_wide.is_empty(), "{too_wide:?}");
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let wide = world.ratchet(&["check"]).expect(1).out;
    let reasons = |text: &str| words(text.split("attention [").nth(1).unwrap());
    assert_eq!(reasons(&narrow), reasons(&wide), "a command is left whole, and no word is lost");
}

#[test]
fn a_comparison_on_a_narrow_terminal_has_whole_numbers() {
    let world = crate::verbs::look::world();
    let compare = |width: &str| {
        let mut command = world.ratchet_command(&world.repo, &["compare", "HEAD~1", "HEAD"]);
        world.run(command.env("GIT_PAGER_IN_USE", "true").env("COLUMNS", width).env("NO_COLOR", "1")).expect(0).out
    };
    let (narrow, wide) = (compare("80"), compare("200"));
    assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
    for number in ["12.37 ms", "16.10 ms", "−30.6 %"] {
        assert!(narrow.contains(number) && wide.contains(number), "{number}: {narrow}{wide}");
    }
    assert!(narrow.contains("--json has the intervals") && !wide.contains("--json"), "{narrow}{wide}");
}
