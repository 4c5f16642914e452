//! `check --confirm` with real repositories, real worktrees and real processes: a loop of the shell whose length stands
//! in a committed file. It tells its own time, so that a busy computer changes nothing; one test measures it.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::world::{Ran, World, wait_until};

/// Turns of the loop that take some milliseconds, and three times as many.
const FAST: &str = "8000";
const SLOW: &str = "24000";

const SETTINGS: &str = r#"
[sampling]
warmup = 1
min_runs = 6
max_runs = 6

[[benchmark]]
name = "work"
build = "sh build.sh"
command = ["sh", "work.sh"]
metrics = [{ name = "time", unit = "ms", regex = "took ([0-9]+) ms" }]
"#;

const WORK: &str = "i=0; n=$(cat turns); while [ $i -lt $n ]; do i=$((i + 1)); done; echo \"took $((n / 1000)) ms\"\n";

/// A repository with the benchmark and one commit.
fn world() -> World {
    let world = World::new();
    world.write("ratchet.toml", SETTINGS);
    world.write("work.sh", WORK);
    world.write("build.sh", "true\n");
    commit(&world, FAST, "base");
    world
}

fn commit(world: &World, turns: &str, message: &str) -> String {
    world.write("turns", turns);
    world.commit(message)
}

/// Records a time of `work` for HEAD on this computer, measured or not.
#[track_caller]
fn record(world: &World, time: &str) {
    world.ratchet(&["record", "--benchmark", "work", "--metric", &format!("time={time}")]).expect(0);
}

/// A base of two measured commits and a candidate that is said to be slower, whatever `turns` it has.
fn suspicious(turns: &str) -> World {
    let world = world();
    record(&world, "1ms");
    commit(&world, FAST, "still the same");
    record(&world, "1ms");
    commit(&world, turns, "candidate");
    record(&world, "2ms");
    world
}

fn series(check: &Value) -> &Value {
    &check["series"][0]
}

fn codes(check: &Value) -> Vec<&str> {
    check["warnings"].as_array().unwrap().iter().map(|warning| warning["code"].as_str().unwrap()).collect()
}

#[track_caller]
fn assert_tidy(world: &World) {
    assert_eq!(world.git(&["worktree", "list"]).lines().count(), 1);
    let left: Vec<_> = fs::read_dir(sessions(world)).unwrap().map(|entry| entry.unwrap().path()).collect();
    let left: Vec<_> = left.iter().filter(|path| path.extension().is_none_or(|extension| extension != "lock")).collect();
    assert!(left.is_empty(), "{left:?}");
}

fn sessions(world: &World) -> PathBuf {
    world.repo.join(".git/ratchet/worktrees")
}

#[track_caller]
fn confirm(world: &World, code: i32) -> (Value, Ran) {
    let ran = world.ratchet(&["check", "--confirm", "--json"]).expect(code);
    assert_tidy(world);
    (ran.json(), ran)
}

#[test]
fn a_false_suspicion_is_cleared() {
    let world = suspicious(FAST);
    world.ratchet(&["check"]).expect(1);
    let (check, ran) = confirm(&world, 0);
    assert_eq!(series(&check)["verdict"], "pass", "{check:#}");
    let confirmation = &series(&check)["reasons"]["confirmation"];
    assert!(confirmation["pairs"].as_u64().unwrap() >= 4 && confirmation["stopped"] != "proven", "{confirmation}");
    assert!(ran.err.contains("running the commands of work (ratchet.toml of "), "it says what it runs: {}", ran.err);
}

#[test]
fn a_true_slow_down_is_convicted_and_recorded_as_one_session() {
    let world = world();
    world.write("ratchet.toml", &SETTINGS.replace(", unit = \"ms\", regex = \"took ([0-9]+) ms\"", ""));
    let base = world.commit("measured by the clock");
    world.ratchet(&["bench"]).expect(0);
    commit(&world, SLOW, "slower");
    record(&world, "10s");
    let notes_before = world.git(&["rev-list", "--count", "refs/notes/ratchet"]);
    let (check, _) = confirm(&world, 1);
    let confirmation = &series(&check)["reasons"]["confirmation"];
    assert_eq!((&series(&check)["verdict"], &confirmation["stopped"]), (&json!("regression"), &json!("proven")), "{check:#}");
    assert!(confirmation["shift_percent"].as_f64().unwrap() < -30.0, "{confirmation}");
    assert_eq!(series(&check)["candidate"]["runs"], 1, "the session's own run is not counted in the check that made it");

    let notes_after = world.git(&["rev-list", "--count", "refs/notes/ratchet"]);
    assert_eq!(notes_after.parse::<u32>().unwrap(), notes_before.parse::<u32>().unwrap() + 1, "one notes commit");
    let session_of = |commit: &str| {
        let note = world.git(&["notes", "--ref=ratchet", "show", commit]);
        let runs: Vec<Value> = note.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        runs.iter().find_map(|run| run["session"].as_str().map(str::to_owned)).unwrap()
    };
    assert_eq!(session_of(&base), session_of("HEAD"));
    let later = world.ratchet(&["check", "--json"]).json();
    assert_eq!(series(&later)["candidate"]["runs"], 2, "in later checks it is an ordinary run");
    assert_eq!(series(&later)["baseline"]["runs"], 2);
}

/// Before each run: how many runs the candidate, or the commits of the base together, had so far.
const COUNT: &str = r#"
counted="$FOLDER/count-$(cut -d' ' -f1 turns)"
echo $(($(cat "$counted" 2>/dev/null || echo 0) + 1)) >"$counted"
"#;

/// Tells a time that is one run low and one run high.
const SCATTERED: &str = r#"
side=$(cut -d' ' -f1 turns)
case $side$(($(cat "$FOLDER/count-$side") % 2)) in
base0) echo took 0.8 ms ;;
base1) echo took 1.25 ms ;;
candidate0) echo took 0.7 ms ;;
candidate1) echo took 1.4 ms ;;
esac
"#;

#[test]
fn a_computer_too_noisy_to_tell_leaves_it_undecided_and_every_form_says_so() {
    let world = World::new();
    let settings = SETTINGS.replace("build = \"sh build.sh\"", "prepare = \"sh count.sh\"").replace("[0-9]+", "[0-9.]+");
    world.write("ratchet.toml", &settings);
    for (file, script) in [("count.sh", COUNT), ("work.sh", SCATTERED)] {
        world.write(file, &script.replace("$FOLDER", world.root().to_str().unwrap()));
    }
    for (turns, time) in [("base", "1ms"), ("base still", "1ms"), ("candidate", "2ms")] {
        commit(&world, turns, turns);
        record(&world, time);
    }
    let check = world.ratchet(&["check", "--confirm", "--no-record", "--json"]).expect(3).json();
    crate::schemas::assert_described("check", &check);
    let confirmation = &series(&check)["reasons"]["confirmation"];
    assert_eq!((&series(&check)["verdict"], &confirmation["stopped"]), (&json!("undecided"), &json!("too_noisy")), "{check:#}");
    assert_eq!(codes(&check), ["too_noisy_to_confirm"]);
    assert!(confirmation["spread_percent"].as_f64().unwrap() > 10.0, "{confirmation}");
    for format in ["text", "markdown", "github", "junit"] {
        let said = world.ratchet(&["check", "--confirm", "--no-record", "--format", format]).expect(3).out;
        assert!(said.contains("too noisy to tell"), "{format}: {said}");
    }
}

#[test]
fn an_improvement_is_celebrated_when_it_is_confirmed() {
    let world = world();
    commit(&world, SLOW, "slow");
    world.ratchet(&["bench"]).expect(0);
    commit(&world, FAST, "faster");
    world.ratchet(&["bench"]).expect(0);
    let (check, _) = confirm(&world, 0);
    assert_eq!(series(&check)["verdict"], "improvement", "{check:#}");
    assert_eq!(series(&check)["reasons"]["confirmation"]["stopped"], "proven", "{check:#}");
    let runs = world.ratchet(&["show", "--json"]).expect(0).json();
    assert!(runs["runs"].as_array().unwrap().len() >= 2, "the session's runs are recorded: {runs:#}");
    for arguments in [&["check", "--confirm", "--no-record"][..], &["check", "--confirm", "--no-record", "--format", "markdown"]]
    {
        let told = world.ratchet(arguments).expect(0);
        assert!(told.out.contains("(confirmed)"), "{}", told.out);
    }
}

#[test]
fn a_lucky_run_is_no_improvement() {
    let world = world();
    record(&world, "2ms");
    commit(&world, FAST, "still the same");
    record(&world, "2ms");
    commit(&world, FAST, "lucky");
    record(&world, "1ms");
    let plain = world.ratchet(&["check", "-v"]).expect(0);
    assert!(plain.out.contains("improvement") && plain.out.contains("not confirmed"), "{}", plain.out);
    let told = world.ratchet(&["check", "--confirm", "--no-record"]).expect(0).out;
    assert!(told.contains("pass (measured again: "), "the recorded change alone would look like a gain: {told}");
    let (check, _) = confirm(&world, 0);
    assert_eq!(series(&check)["verdict"], "pass", "{check:#}");
}

#[test]
fn nothing_is_run_or_recorded_unless_asked() {
    let world = suspicious(FAST);
    let marker = world.root().join("ran");
    world.write("work.sh", &format!("echo >> {}\n{WORK}", marker.display()));
    world.git(&["commit", "-qa", "--amend", "-m", "tells when it runs"]);
    record(&world, "2ms");
    world.ratchet(&["check"]).expect(1);
    world.ratchet(&["check", "--confirm", "--no-confirm"]).expect(1);
    assert!(!marker.exists());
    let notes = world.git(&["rev-parse", "refs/notes/ratchet"]);
    world.ratchet(&["check", "--confirm", "--no-record", "--json"]);
    assert!(marker.exists());
    assert_eq!(world.git(&["rev-parse", "refs/notes/ratchet"]), notes);
}

#[test]
fn settings_turn_it_on_and_a_flag_off() {
    let world = suspicious(FAST);
    world.git(&["config", "ratchet.confirm", "ci"]);
    world.ratchet(&["check"]).expect(1);
    let mut in_ci = world.ratchet_command(&world.repo, &["check", "--no-record", "--json"]);
    let check = world.run(in_ci.env("CI", "true")).expect(0).json();
    assert_ne!(series(&check)["reasons"]["confirmation"], Value::Null);
    world.git(&["config", "ratchet.confirm", "yes"]);
    world.ratchet(&["check", "--no-record"]).expect(0);
    world.ratchet(&["check", "--no-confirm"]).expect(1);
    world.git(&["config", "ratchet.confirm", "perhaps"]);
    world.ratchet(&["check"]).expect(2);
}

#[test]
fn a_baseline_commit_that_does_not_build_is_passed_over() {
    let world = world();
    record(&world, "1ms");
    world.write("build.sh", "exit 3\n");
    let broken = commit(&world, FAST, "does not build");
    record(&world, "1ms");
    world.write("build.sh", "true\n");
    commit(&world, SLOW, "builds again");
    record(&world, "2ms");
    let (check, ran) = confirm(&world, 1);
    assert_eq!(series(&check)["reasons"]["confirmation"]["stopped"], "proven", "{check:#}");
    assert_eq!(codes(&check), ["confirm_commit_skipped"]);
    let message = check["warnings"][0]["message"].as_str().unwrap();
    assert!(message.contains(&broken[..9]) && message.contains("exit code 3"), "{message}{}", ran.err);
}

#[test]
fn without_a_baseline_that_builds_the_history_decides_and_says_so() {
    let world = world();
    world.write("build.sh", "exit 3\n");
    commit(&world, FAST, "does not build");
    record(&world, "1ms");
    world.write("build.sh", "true\n");
    commit(&world, FAST, "builds again");
    record(&world, "2ms");
    let (check, _) = confirm(&world, 1);
    assert_eq!(series(&check)["reasons"]["confirmation"], Value::Null);
    assert_eq!(codes(&check), ["confirm_commit_skipped", "not_confirmed"]);
}

#[test]
fn what_ratchet_toml_does_not_run_or_another_testbed_measured_is_not_confirmed() {
    let world = world();
    for time in ["time=1ms", "time=2ms"] {
        commit(&world, FAST, time);
        world.ratchet(&["record", "--benchmark", "unknown", "--metric", time]).expect(0);
        world.ratchet(&["record", "--benchmark", "work", "--metric", time, "--testbed", "elsewhere"]).expect(0);
    }
    let check = world.ratchet(&["check", "--confirm", "--json"]).expect(1).json();
    assert_eq!(codes(&check), ["not_confirmed", "not_confirmed"]);
    assert!(!sessions(&world).exists(), "nothing was checked out");
}

#[test]
fn several_suspects_share_the_session_and_need_more_evidence_each() {
    let world = world();
    let settings = SETTINGS.to_owned() + "matrix = { N = [1, 2] }\n";
    world.write("ratchet.toml", &settings);
    for (turns, time) in [(FAST, "time=1ms"), (SLOW, "time=2ms")] {
        commit(&world, turns, time);
        for config in ["N=1", "N=2"] {
            world.ratchet(&["record", "--benchmark", "work", "--config", config, "--metric", time]).expect(0);
        }
    }
    let (check, ran) = confirm(&world, 1);
    for series in check["series"].as_array().unwrap() {
        assert_eq!(series["reasons"]["confirmation"]["stopped"], "proven", "{check:#}");
    }
    assert!(ran.err.contains("[1/2] work [N=1]") && ran.err.contains("[2/2] work [N=2]"), "{}", ran.err);
}

/// A candidate with a submodule in a submodule, whose build fails without them; nothing to fetch them from is left.
fn with_submodules() -> World {
    let world = world();
    let beside = |name: &str| world.root().join(name).to_str().unwrap().to_owned();
    let git = |folder: &str, arguments: &[&str]| {
        let identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "protocol.file.allow=always"];
        world.git_in(std::path::Path::new(folder), &[&identity, arguments].concat())
    };
    for library in ["inner", "outer"] {
        let folder = beside(library);
        fs::create_dir(&folder).unwrap();
        git(&folder, &["init", "-q", "-b", "main"]);
        fs::write(format!("{folder}/lib.h"), "first\n").unwrap();
        git(&folder, &["add", "lib.h"]);
        git(&folder, &["commit", "-q", "-m", "first"]);
    }
    git(&beside("outer"), &["submodule", "--quiet", "add", &beside("inner"), "nested"]);
    git(&beside("outer"), &["commit", "-q", "-m", "with the inner one"]);
    let repo = world.repo.to_str().unwrap();
    git(repo, &["submodule", "--quiet", "add", "--name", "lib", &beside("outer"), "third_party/lib"]);
    git(repo, &["submodule", "--quiet", "update", "--init", "--recursive"]);
    for library in ["inner", "outer"] {
        fs::rename(beside(library), beside(&format!("{library}.gone"))).unwrap();
    }
    world.write("build.sh", "cat third_party/lib/lib.h third_party/lib/nested/lib.h\n");
    let declared = fs::read_to_string(world.repo.join(".gitmodules")).unwrap();
    world.write(".gitmodules", &format!("{declared}[submodule \"old\"]\n\tpath = removed/long/ago\n\turl = ../old\n"));
    commit(&world, FAST, "uses the library");
    record(&world, "1ms");
    commit(&world, FAST, "candidate");
    record(&world, "2ms");
    world
}

#[test]
fn submodules_are_there_without_a_network_and_leave_the_users_alone() {
    let world = with_submodules();
    let config = fs::read_to_string(world.repo.join(".git/config")).unwrap();
    let (check, ran) = confirm(&world, 0);
    assert_eq!(codes(&check), [""; 0], "{}", ran.err);
    assert!(series(&check)["reasons"]["confirmation"]["pairs"].as_u64().unwrap() >= 4, "{check:#}");
    assert_eq!(fs::read_to_string(world.repo.join(".git/config")).unwrap(), config);
    assert_eq!(world.git(&["status", "--porcelain"]), "");
    assert!(world.repo.join("third_party/lib/nested/lib.h").is_file());
}

#[test]
fn a_submodule_that_the_clone_lacks_is_named() {
    let world = with_submodules();
    fs::remove_dir_all(world.repo.join(".git/modules/lib/modules")).unwrap();
    let check = world.ratchet(&["check", "--confirm", "--json"]).json();
    assert!(codes(&check).contains(&"submodules_not_checked_out"), "{check:#}");
    let message = check["warnings"][0]["message"].as_str().unwrap();
    assert!(message.contains("third_party/lib/nested"), "{message}");
    assert_tidy(&world);
}

#[test]
fn what_a_killed_session_left_is_removed_by_the_next() {
    let world = suspicious(FAST);
    let folder = sessions(&world).join("999999999-0123456789abcdef");
    fs::create_dir_all(&folder).unwrap();
    world.git(&["worktree", "add", "-q", "--detach", "--lock", folder.join("1-dead").to_str().unwrap(), "HEAD"]);
    world.git(&["worktree", "add", "-q", "--detach", world.root().join("mine").to_str().unwrap(), "HEAD"]);
    world.ratchet(&["check", "--confirm"]);
    assert!(!folder.exists());
    let listed = world.git(&["worktree", "list"]);
    assert!(listed.lines().count() == 2 && listed.contains("/mine"), "the user's own worktree stays: {listed}");
}

#[test]
fn a_session_that_lives_is_left_alone() {
    let world = suspicious(FAST);
    let marker = world.root().join("go");
    let waits = format!("while [ ! -e {} ]; do sleep 0.05; done\n{WORK}", marker.display());
    world.write("work.sh", &waits);
    world.git(&["commit", "-qa", "--amend", "-m", "waits"]);
    record(&world, "2ms");
    let mut waiting = world.ratchet_command(&world.repo, &["check", "--confirm", "--no-record"]);
    let mut waiting = waiting.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_until(|| fs::read_dir(sessions(&world)).is_ok_and(|entries| entries.count() >= 2));
    let base = world.git(&["rev-parse", "HEAD~1"]);
    world.ratchet(&["check", "--confirm", "--no-record", &base]);
    fs::write(marker, "").unwrap();
    let code = waiting.wait().unwrap().code();
    assert!(matches!(code, Some(0 | 1)), "{code:?}");
    assert_tidy(&world);
}

#[test]
fn ctrl_c_leaves_no_worktree_and_no_child() {
    let world = suspicious(FAST);
    let pid_file = world.root().join("pid");
    world.write("work.sh", &format!("echo $$ > {0}.new; mv {0}.new {0}; sleep 600\n", pid_file.display()));
    world.git(&["commit", "-qa", "--amend", "-m", "takes for ever"]);
    record(&world, "2ms");
    let mut command = world.ratchet_command(&world.repo, &["check", "--confirm"]);
    let child = command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until(|| pid_file.exists());
    let group = format!("-{}", child.id());
    world.run(world.command("kill", &world.repo).args(["-INT", "--", &group])).expect(0);
    let ran = Ran::from(child.wait_with_output().unwrap()).expect(4);
    assert!(ran.err.contains("interrupted"), "{}", ran.err);
    let pid = fs::read_to_string(pid_file).unwrap();
    let alive = world.run(world.command("kill", &world.repo).args(["-0", pid.trim()]));
    assert_ne!(alive.code, 0, "the benchmark still runs");
    assert_tidy(&world);
}

#[test]
fn a_named_revision_is_a_baseline_whatever_the_history() {
    let world = World::new();
    let named = world.commit_measured("one", "20ms");
    world.commit_measured("two", "10ms");
    world.commit_measured("three", "20ms");
    let check = world.ratchet(&["check", "--json", "--baseline", "HEAD~2"]).expect(0).json();
    assert_eq!((&series(&check)["verdict"], &series(&check)["reasons"]["rule"]), (&json!("pass"), &json!("revision")));
    assert_eq!((&check["base"]["commit"], &series(&check)["baseline"]["commits"]), (&json!(named), &json!([named])));
    world.ratchet(&["check", "--baseline", "HEAD~1"]).expect(1);
    let unknown = world.ratchet(&["check", "--baseline", "no-such-rev"]).expect(4);
    assert!(unknown.err.contains("level, best-run, or a revision"), "{}", unknown.err);
}
