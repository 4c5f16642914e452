//! The measuring workflows: main branch and pull request.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{Hosting, SETTINGS};

/// The notes of a bare repository, as plain git sees them.
fn notes(hosting: &Hosting, repository: &Path) -> String {
    hosting.world.git_in(repository, &["for-each-ref", "--format=%(objectname)", "refs/notes/ratchet"])
}

/// From now on nobody pushes anything.
fn close(repository: &Path) {
    let hook = repository.join("hooks/pre-receive");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\necho closed >&2\nexit 1\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_push_to_main_sends_its_results_to_everybody() {
    let hosting = Hosting::new();
    let first = hosting.push_to_main("runner");
    first.ran.expect(0);
    assert_eq!((first.outputs["code"].as_str(), first.outputs["verdict"].as_str()), ("0", "new"));
    let shown = hosting.world.git_in(&hosting.upstream, &["notes", "--ref=ratchet", "show", "main"]);
    assert!(shown.contains(r#""benchmark":"attention""#), "{shown}");
    assert!(shown.contains(r#""author":{"name":"ann","email":"7+ann@users.noreply.github.com"}"#), "{shown}");
}

#[test]
fn a_slow_commit_on_main_is_recorded_and_fails_its_job() {
    let hosting = Hosting::new();
    hosting.push_to_main("first");
    hosting.world.write("time.txt", "20 ms\n");
    hosting.world.git(&["commit", "-q", "-a", "-m", "Slower"]);
    hosting.world.git(&["push", "-q", hosting.upstream.to_str().unwrap(), "main"]);
    let slow = hosting.push_to_main("second");
    assert_eq!((slow.outputs["code"].as_str(), slow.outputs["verdict"].as_str()), ("1", "regression"));
    let shown = hosting.world.git_in(&hosting.upstream, &["notes", "--ref=ratchet", "show", "main"]);
    assert!(shown.contains(r#""median":0.02"#), "{shown}");
}

#[test]
fn a_pull_request_from_a_fork_is_judged_by_the_settings_of_its_base_and_sends_nothing() {
    let hosting = Hosting::new();
    hosting.push_to_main("main-runner");
    let before = notes(&hosting, &hosting.upstream);
    // A slower kernel, and settings that would let it pass.
    let loosened = format!("{SETTINGS}\n[thresholds]\nregression = 500\n").replace("required = true\n", "");
    hosting.contribute("slow", &[("time.txt", "20 ms\n"), ("ratchet.toml", &loosened)]);
    close(&hosting.upstream);
    close(&hosting.fork);

    let (step, out) = hosting.pull_request("pr-runner", "slow", &[]);
    assert_eq!((step.outputs["code"].as_str(), step.outputs["verdict"].as_str()), ("1", "regression"), "{}", step.ran.err);
    let said = step.ran.expect(0).out;
    assert!(said.contains("::error file=ratchet.toml,line=7,title=git-ratchet"), "no annotation: {said}");
    let verdict: serde_json::Value = serde_json::from_slice(&fs::read(out.join("verdict.json")).unwrap()).unwrap();
    assert_eq!(verdict["series"][0]["thresholds"]["regression_percent"], 3.0, "the change loosened its own gate");
    let report = fs::read_to_string(out.join("report.md")).unwrap();
    assert!(report.contains("attention") && report.contains("20"), "{report}");
    let summary = fs::read_to_string(hosting.world.root().join("summary.md")).unwrap();
    assert!(summary.ends_with(&report), "the summary is another report");
    let page = fs::read_to_string(out.join("details/report.html")).unwrap();
    assert!(page.contains("attention"), "the page does not name the benchmark");

    assert_eq!(notes(&hosting, &hosting.upstream), before);
    assert_eq!(notes(&hosting, &hosting.fork), "");
}

#[test]
fn what_a_pull_request_no_longer_measures_does_not_pass() {
    let hosting = Hosting::new();
    hosting.push_to_main("main-runner");
    let renamed = SETTINGS.replace("attention", "another");
    hosting.contribute("renamed", &[("ratchet.toml", &renamed)]);
    let (step, _) = hosting.pull_request("pr-runner", "renamed", &[]);
    assert_eq!((step.outputs["code"].as_str(), step.outputs["verdict"].as_str()), ("3", "not_measured"));
}

#[test]
fn a_benchmark_that_fails_fails_the_job_after_the_report() {
    let hosting = Hosting::new();
    hosting.push_to_main("main-runner");
    let broken = format!("{SETTINGS}\n[[benchmark]]\nname = \"broken\"\ncommand = [\"false\"]\n");
    hosting.contribute("broken", &[("ratchet.toml", &broken)]);
    let (step, out) = hosting.pull_request("pr-runner", "broken", &[]);
    assert_eq!((step.outputs["code"].as_str(), step.outputs["verdict"].as_str()), ("4", "pass"));
    assert!(out.join("report.md").exists());
}

#[test]
fn another_tool_may_measure() {
    let hosting = Hosting::new();
    hosting.push_to_main("main-runner");
    hosting.contribute("faster", &[("time.txt", "5 ms\n")]);
    let measure = "ms=$(sed 's/ ms//' time.txt)\n\
        echo \"[{\\\"name\\\": \\\"attention\\\", \\\"unit\\\": \\\"ms\\\", \\\"value\\\": $ms}]\" >results.json\n\
        git ratchet record results.json";
    let (step, _) =
        hosting.pull_request("pr-runner", "faster", &[("MEASURE", measure), ("BUILD", "test -f kernels/attention.cu")]);
    assert_eq!((step.outputs["code"].as_str(), step.outputs["verdict"].as_str()), ("0", "improvement"), "{}", step.ran.err);
}

#[test]
fn weak_evidence_passes_only_where_that_is_wished() {
    let hosting = Hosting::new();
    hosting.push_to_main("main-runner");
    hosting.contribute("suspicious", &[("time.txt", "10.8 ms\n")]);
    let (strict, _) = hosting.pull_request("strict", "suspicious", &[]);
    let (lenient, _) = hosting.pull_request("lenient", "suspicious", &[("ALLOW_UNDECIDED", "true")]);
    assert_eq!((strict.outputs["code"].as_str(), strict.outputs["verdict"].as_str()), ("3", "undecided"));
    assert_eq!((lenient.outputs["code"].as_str(), lenient.outputs["verdict"].as_str()), ("0", "undecided"));
    assert!(lenient.ran.out.contains("::warning::undecided"));
}

#[test]
fn a_change_of_the_documentation_needs_no_runner() {
    let hosting = Hosting::new();
    hosting.contribute("docs", &[("README.md", "Better words\n"), ("docs/more.md", "More\n")]);
    hosting.contribute("kernel", &[("lib/deep/fast.cu", "// faster\n")]);
    let paths = "kernels/**\n**/*.cu\n\nratchet.toml\n";
    let measured = |branch: &str, paths: &str| {
        let checkout = hosting.checkout(&format!("{branch}-{}", paths.len()), &hosting.fork, branch);
        let step = hosting.step("changed", &checkout, &[("BASE", "main"), ("PATHS", paths)]);
        step.ran.expect(0);
        step.outputs["measure"].clone()
    };
    assert_eq!(measured("docs", paths), "false");
    assert_eq!(measured("kernel", paths), "true");
    assert_eq!(measured("docs", ""), "true", "no pattern means everything");
}

#[test]
fn a_token_is_seen_by_git_alone() {
    let hosting = Hosting::new();
    let checkout = hosting.checkout("runner", &hosting.upstream, "main");
    let env = [("TOKEN", "secret"), ("SERVER", "https://git.example")];
    let header = ["git", "config", "http.https://git.example/.extraheader"];
    let seen = hosting.step_with("with-token", &header, &checkout, &env).ran.expect(0).out;
    assert_eq!(seen.trim(), "AUTHORIZATION: basic eC1hY2Nlc3MtdG9rZW46c2VjcmV0");
    let inherited = hosting.step_with("with-token", &["sh", "-c", "echo ${TOKEN-none}"], &checkout, &env).ran.expect(0).out;
    assert_eq!(inherited.trim(), "none");
    assert!(!fs::read_to_string(checkout.join(".git/config")).unwrap().contains("extraheader"), "the token was kept");
}

#[test]
fn every_script_that_an_action_runs_is_there_and_every_script_is_run() {
    let github = Path::new(env!("CARGO_MANIFEST_DIR")).join(".github");
    let named = |text: &str| {
        let after = text.split("scripts/").skip(1);
        after.map(|rest| rest.split(['"', ' ']).next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut run = Vec::new();
    for action in fs::read_dir(github.join("actions")).unwrap() {
        run.extend(named(&fs::read_to_string(action.unwrap().path().join("action.yml")).unwrap()));
    }
    let scripts = fs::read_dir(github.join("scripts")).unwrap().map(|entry| entry.unwrap().path());
    for script in scripts {
        let name = script.file_name().unwrap().to_string_lossy().into_owned();
        assert!(fs::metadata(&script).unwrap().permissions().mode() & 0o111 != 0, "{name} is not executable");
        assert!(run.contains(&name), "no action runs {name}");
        run.retain(|known| *known != name);
    }
    assert!(run.is_empty(), "no such scripts: {run:?}");
}

#[test]
fn what_did_not_change_is_not_measured_again() {
    let hosting = Hosting::new();
    let counting = SETTINGS.replace(r#"["cat", "time.txt"]"#, r#""echo run >>../ran; cat time.txt""#);
    hosting.world.write("ratchet.toml", &format!("{counting}inputs = [\"time.txt\"]\n"));
    hosting.world.git(&["commit", "-q", "-a", "-m", "Say what the time depends on"]);
    hosting.world.git(&["push", "-q", hosting.upstream.to_str().unwrap(), "main"]);
    hosting.push_to_main("main-runner");
    let ran = || fs::read_to_string(hosting.world.root().join("ran")).unwrap().lines().count();
    let before = ran();
    hosting.contribute("unrelated", &[("README.md", "Better words\n")]);
    let (step, _) = hosting.pull_request("pr-runner", "unrelated", &[]);
    assert_eq!((step.outputs["code"].as_str(), step.outputs["verdict"].as_str()), ("0", "pass"), "{}", step.ran.err);
    assert_eq!(ran(), before, "the benchmark ran although nothing that it depends on has changed");
    hosting.contribute("slow", &[("time.txt", "20 ms\n")]);
    let (step, _) = hosting.pull_request("pr-runner-again", "slow", &[]);
    assert_eq!(step.outputs["verdict"], "regression");
    assert!(ran() > before);
}
