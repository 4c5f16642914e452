//! What is done once: init, doctor, completions, man pages; and colours.

use std::process::Command;

use crate::world::World;

#[test]
fn init_writes_settings_that_work_and_never_replaces_any() {
    let world = World::new();
    world.commit("one");
    let ran = world.ratchet(&["init"]).expect(0);
    assert!(ran.out.contains("ratchet.toml") && ran.out.contains("git ratchet bench"), "{}", ran.out);
    assert_eq!(world.ratchet(&["bench", "--list"]).expect(0).out, "example\n");
    world.write("ratchet.toml", "base = \"main\"\n");
    let kept = world.ratchet(&["init"]).expect(0);
    assert!(kept.out.contains("kept") && kept.out.contains("--force"), "{}", kept.out);
    assert_eq!(std::fs::read_to_string(world.repo.join("ratchet.toml")).unwrap(), "base = \"main\"\n");
    world.ratchet(&["init", "--force"]).expect(0);
}

#[test]
fn doctor_says_what_is_missing() {
    let world = World::new();
    let before = world.ratchet(&["doctor"]).expect(4);
    assert!(before.out.contains("no commit yet"), "{}", before.out);
    world.write("ratchet.toml", "");
    world.commit_measured("one", "10ms");
    let findings = world.ratchet(&["doctor", "--json"]).expect(0).json();
    let state = |about: &str| {
        let list = findings["findings"].as_array().unwrap();
        list.iter().find(|finding| finding["about"] == about).unwrap_or_else(|| panic!("{about}: {findings:#}"))["state"].clone()
    };
    for about in ["repository", "settings", "identity", "HEAD", "base", "history", "notes", "testbed"] {
        assert_eq!(state(about), "ok", "{about}");
    }
    let inputs = |glob: &str| format!("[[benchmark]]\nname = \"b\"\ncommand = \"true\"\ninputs = [\"code\", \"{glob}\"]\n");
    world.write("ratchet.toml", &inputs("cod*"));
    assert!(!world.ratchet(&["doctor"]).expect(0).out.contains("no file of HEAD"));
    world.write("ratchet.toml", &inputs("src/**"));
    assert!(world.ratchet(&["doctor"]).expect(0).out.contains("no file of HEAD is `src/**`, which b names"));
    world.write("ratchet.toml", "nonsense");
    world.ratchet(&["doctor"]).expect(4);
}

/// Adds so many commits to `main`.
fn many_commits(world: &World, count: usize) {
    let from = if world.git(&["for-each-ref"]).is_empty() { "" } else { "from refs/heads/main^0\n" };
    let commit = |at: usize| {
        let from = if at == 0 { from } else { "" };
        format!("commit refs/heads/main\ncommitter A <a@example.org> {at} +0000\ndata 1\nx\n{from}\n")
    };
    let stream = world.root().join("stream");
    std::fs::write(&stream, (0..count).map(commit).collect::<String>()).unwrap();
    let stream = std::fs::File::open(stream).unwrap();
    world.run(world.command("git", &world.repo).args(["fast-import", "--quiet"]).stdin(stream)).expect(0);
}

#[test]
fn fetch_lets_git_write_a_commit_graph_where_it_is_lacking_and_wanted() {
    let world = World::new();
    many_commits(&world, 1100);
    world.git(&["reset", "-q", "--hard"]);
    world.git(&["config", "gc.auto", "0"]);
    world.git_in(world.root(), &["init", "-q", "--bare", "-b", "main", "remote.git"]);
    world.git(&["remote", "add", "origin", "../remote.git"]);
    world.record("time=10ms");
    world.ratchet(&["push"]).expect(0);
    let chain = world.repo.join(".git/objects/info/commit-graphs/commit-graph-chain");
    for key in ["core.commitGraph", "gc.writeCommitGraph", "fetch.writeCommitGraph"] {
        world.git(&["config", key, "false"]);
        world.ratchet(&["fetch"]).expect(0);
        assert!(!chain.exists(), "{key}");
        world.git(&["config", "--unset", key]);
    }
    world.ratchet(&["fetch", "--dry-run"]).expect(0);
    assert!(!chain.exists(), "a dry run writes nothing");
    let fetched = world.ratchet(&["fetch"]).expect(0);
    assert_eq!((fetched.out.as_str(), fetched.err.as_str()), ("everything of origin is here already\n", ""));
    world.git(&["commit-graph", "verify"]);
    let first = std::fs::read_to_string(&chain).unwrap();
    world.ratchet(&["fetch"]).expect(0);
    assert_eq!(std::fs::read_to_string(&chain).unwrap(), first, "written once");
    many_commits(&world, 1100);
    assert!(world.ratchet(&["doctor"]).out.contains("git commit-graph write"), "it is old");
    world.ratchet(&["fetch"]).expect(0);
    assert_ne!(std::fs::read_to_string(&chain).unwrap(), first);
    world.git(&["commit-graph", "verify"]);
    assert!(!world.ratchet(&["doctor"]).out.contains("git commit-graph write"));
}

#[test]
fn a_long_history_wants_a_commit_graph_and_init_lets_git_write_one() {
    let world = World::new();
    many_commits(&world, 1100);
    assert!(world.ratchet(&["doctor"]).out.contains("git commit-graph write"));
    assert!(world.ratchet(&["init"]).expect(0).out.contains("commit-graph"));
    world.git(&["commit-graph", "verify"]);
    assert!(!world.ratchet(&["doctor"]).out.contains("commit-graph"));
    assert!(!world.ratchet(&["init"]).expect(0).out.contains("commit-graph"));
}

#[test]
fn completions_are_written_for_every_usual_shell() {
    let world = World::new();
    for (shell, word) in [("bash", "_git_ratchet"), ("zsh", "#compdef git-ratchet"), ("fish", "complete -c git-ratchet")] {
        let script = world.ratchet(&["completions", shell]).expect(0).out;
        assert!(script.contains(word), "{shell}");
        let file = world.root().join(shell);
        std::fs::write(&file, script).unwrap();
        let checked = Command::new(shell).arg("-n").arg(&file).output();
        match checked {
            Ok(output) => assert!(output.status.success(), "{shell}: {}", String::from_utf8_lossy(&output.stderr)),
            Err(error) => println!("SKIPPED parsing by {shell}: {error}"),
        }
    }
}

#[test]
fn git_completes_our_verbs_in_bash() {
    let world = World::new();
    let script = world.root().join("completion");
    std::fs::write(&script, world.ratchet(&["completions", "bash"]).expect(0).out).unwrap();
    let completed = |typed: &str| {
        let words = typed.split(' ').count() - 1;
        let asked = format!(
            ". {}; COMP_WORDS=({typed}); COMP_CWORD={words}; _git_ratchet; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            script.display()
        );
        world.run(world.command("bash", &world.repo).args(["-c", &asked])).expect(0).out.trim().replace('\n', " ")
    };
    assert_eq!(completed("git ratchet ch"), "check");
    assert_eq!(completed("git ratchet check --con"), "--config --confirm");
    assert_eq!(completed("git ratchet hook un"), "uninstall");
    assert!(completed("git ratchet report --format h").contains("html"));
    assert_eq!((completed("git ratchet fleet"), completed("git ratchet kernel")), (String::new(), String::new()));
}

#[test]
fn the_help_of_record_names_every_format() {
    let help = World::new().ratchet(&["record", "--help"]).expect(0).out;
    let words: Vec<&str> = help.split(|c: char| c.is_whitespace() || ",.".contains(c)).collect();
    for format in git_ratchet::import::Format::ALL {
        assert!(words.contains(&format.as_str()), "{format:?}: {help}");
    }
}

#[test]
fn man_pages_are_found_by_man_and_by_git_help() {
    let world = World::new();
    let pages = world.root().join("share/man");
    world.ratchet(&["install-man-pages", pages.to_str().unwrap()]).expect(0);
    for page in ["git-ratchet.1", "git-ratchet-check.1", "git-ratchet-record.1"] {
        let text = std::fs::read_to_string(pages.join("man1").join(page)).unwrap();
        assert!(text.contains(".SH SYNOPSIS"), "{page}");
    }
    let check = std::fs::read_to_string(pages.join("man1/git-ratchet-check.1")).unwrap();
    assert!(check.contains("git ratchet check [OPTIONS] [REV]") && check.contains("Run as if started in this folder"), "{check}");
    // Every page that the pages name is there.
    for entry in std::fs::read_dir(pages.join("man1")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap().replace("\\-", "-");
        for named in text.split("(1)").filter_map(|before| before.rsplit(|c: char| c.is_whitespace()).next()) {
            let is_ours = named.starts_with("git-ratchet");
            assert!(!is_ours || pages.join(format!("man1/{named}.1")).exists(), "there is no page {named}");
        }
    }
    let found = world.command("man", &world.repo).args(["-w", "git-ratchet"]).env("MANPATH", &pages).output();
    let Ok(found) = found else {
        println!("SKIPPED man_pages_are_found_by_man_and_by_git_help: there is no man here");
        return;
    };
    if String::from_utf8_lossy(&found.stderr).contains("minimized")
        || String::from_utf8_lossy(&found.stdout).contains("minimized")
    {
        println!("SKIPPED man_pages_are_found_by_man_and_by_git_help: man is a stand-in here");
        return;
    }
    assert_eq!(String::from_utf8_lossy(&found.stdout).trim(), pages.join("man1/git-ratchet.1").to_str().unwrap());
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_git-ratchet"));
    let path = std::env::join_paths(
        [binary.parent().unwrap().to_owned()]
            .into_iter()
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    );
    let mut help = world.command("git", &world.repo);
    let ran =
        world.run(help.args(["ratchet", "--help"]).env("MANPATH", &pages).env("PATH", path.unwrap()).env("MANPAGER", "cat"));
    assert!(ran.out.contains("getting slower"), "{}{}", ran.out, ran.err);
}

#[test]
fn colours_are_asked_for_or_left_out() {
    let world = World::new();
    world.commit_measured("one", "10ms");
    world.commit_measured("two", "20ms");
    let colored = |ran: crate::world::Ran| ran.expect(1).out.contains('\u{1b}');
    assert!(!colored(world.ratchet(&["check"])));
    assert!(colored(world.ratchet(&["--color", "always", "check"])));
    assert!(colored(world.ratchet(&["check", "--color=always"])));
    assert!(!colored(world.ratchet(&["check", "--color", "never"])));
    let mut quiet = world.ratchet_command(&world.repo, &["check", "--color", "auto"]);
    assert!(!colored(world.run(quiet.env("NO_COLOR", "1").env("CLICOLOR_FORCE", "1"))));
}
