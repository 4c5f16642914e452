//! The examples for GitLab, Gitea and Forgejo: the lines of their jobs, taken from the files and run.

use std::fs;
use std::path::Path;

use super::{Hosting, without_identity};
use crate::world::Ran;

/// The lines of a job's script: list items below `script:`, or the text below `run: |`.
fn script_of(file: &str, job: &str) -> String {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci").join(file)).unwrap();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut lines = text.lines().skip_while(|line| line.trim() != format!("{job}:"));
    let depth = indent(lines.next().unwrap_or_else(|| panic!("{file} has no job {job}")));
    let of_job: Vec<&str> = lines.take_while(|line| line.is_empty() || indent(line) > depth).collect();
    let mut script = Vec::new();
    let mut at = None;
    for line in of_job {
        let starts = ["before_script:", "script:", "run: |"].contains(&line.trim());
        match at {
            _ if starts => at = Some(indent(line)),
            Some(depth) if indent(line) > depth => script.push(line.trim().trim_start_matches("- ").to_owned()),
            _ => at = None,
        }
    }
    assert!(script.len() >= 2, "{file}, {job}: {script:?}");
    // The remote of these tests needs no token.
    script.retain(|line| !line.starts_with('#') && !line.contains("remote set-url"));
    script.join("\n")
}

fn run(hosting: &Hosting, script: &str, dir: &Path, branch: &str) -> Ran {
    let folder = Path::new(env!("CARGO_BIN_EXE_git-ratchet")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = hosting.world.command("bash", dir);
    command.args(["-euo", "pipefail", "-c", script]).env("PATH", path);
    without_identity(&mut command).env("GITLAB_USER_NAME", "Ann").env("GITLAB_USER_EMAIL", "ann@example.org");
    command.env("GITHUB_ACTOR", "ann");
    hosting.world.run(command.env("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", branch).env("BASE", branch))
}

/// `before` is the job whose script comes before every other.
fn a_slower_change_fails_and_main_is_recorded(file: &str, before: Option<&str>, change: &str, main: &str) {
    let script_of =
        |job: &str| [before, Some(job)].into_iter().flatten().map(|job| script_of(file, job) + "\n").collect::<String>();
    let hosting = Hosting::new();
    let checkout = hosting.checkout("main-runner", &hosting.upstream, "main");
    run(&hosting, &script_of(main), &checkout, "main").expect(0);
    let sent = hosting.world.git_in(&hosting.upstream, &["notes", "--ref=ratchet", "list", "main"]);
    assert!(!sent.is_empty(), "the results were not sent");

    hosting.contribute("slow", &[("time.txt", "20 ms\n")]);
    let checkout = hosting.checkout("runner", &hosting.fork, "slow");
    run(&hosting, &script_of(change), &checkout, "main").expect(1);
    let junit = fs::read_to_string(checkout.join("junit.xml")).unwrap();
    assert!(junit.contains("<failure") && junit.contains("attention"), "{junit}");
    assert!(checkout.join("verdict.json").exists() && checkout.join("report.md").exists());
}

#[test]
fn the_example_for_gitlab_works() {
    a_slower_change_fails_and_main_is_recorded("gitlab-ci.yml", Some("default"), "ratchet", "ratchet-main");
}

#[test]
fn the_example_for_gitea_and_forgejo_works() {
    a_slower_change_fails_and_main_is_recorded("gitea.yml", None, "pull-request", "main");
}
