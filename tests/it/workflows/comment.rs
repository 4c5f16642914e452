//! The commenting workflow, against a fake of GitHub: one comment, edited; nothing of a stranger's artifact is trusted.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use super::{Hosting, script};
use crate::world::{Ran, World};

const HEAD: &str = "1111111111111111111111111111111111111111";

/// A running fake of GitHub with one open pull request, number 7, from `someone/kernels`, branch `slow`.
struct GitHub {
    world: World,
    folder: PathBuf,
    server: Child,
    port: String,
}

impl GitHub {
    fn new(head: &str) -> Self {
        let world = World::new();
        let folder = world.root().join("github");
        fs::create_dir(&folder).unwrap();
        let pull = |number: u32, label: &str, sha: &str| {
            let repository = label.replace(":slow", "/kernels").replace(":other", "/kernels");
            json!({ "number": number, "state": "open",
                "head": { "label": label, "sha": sha, "repo": { "full_name": repository } } })
        };
        let state = json!({
            "pulls": [pull(6, "another:other", "2222222222222222222222222222222222222222"), pull(7, "someone:slow", head)],
            "artifacts": [],
            "comments": [
                { "id": 1, "issue": 7, "user": { "login": "mallory" }, "body": "<!-- git-ratchet:report -->\nall is well" },
                { "id": 2, "issue": 7, "user": { "login": "ann" }, "body": "Nice work" },
            ],
        });
        fs::write(folder.join("state.json"), state.to_string()).unwrap();
        let (server, port) = serve(&world, &folder);
        Self { folder, server, port, world }
    }

    /// Puts an artifact in place, as of a run; the server reads its state anew.
    fn upload(&mut self, kind: &str, files: &Path) {
        let zip = self.folder.join("42.zip");
        let fake = fake();
        let arguments = [fake.to_str().unwrap(), "zip", kind, files.to_str().unwrap(), zip.to_str().unwrap()];
        self.world.run(self.world.command("python3", &self.folder).args(arguments)).expect(0);
        self.announce(fs::metadata(&zip).unwrap().len());
    }

    fn announce(&mut self, size: u64) {
        let mut state = self.state();
        state["artifacts"] = json!([{ "id": 42, "name": "git-ratchet-report", "size_in_bytes": size, "expired": false }]);
        self.restart_with(&state);
    }

    fn restart_with(&mut self, state: &Value) {
        self.stop();
        fs::write(self.folder.join("state.json"), state.to_string()).unwrap();
        (self.server, self.port) = serve(&self.world, &self.folder);
    }

    fn stop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }

    fn state(&self) -> Value {
        serde_json::from_slice(&fs::read(self.folder.join("state.json")).unwrap()).unwrap()
    }

    /// The comments of pull request 7 that we wrote.
    fn ours(&self) -> Vec<String> {
        let state = self.state();
        let comments = state["comments"].as_array().unwrap().iter();
        let ours = comments.filter(|comment| comment["user"]["login"] == "github-actions[bot]" && comment["issue"] == 7);
        ours.map(|comment| comment["body"].as_str().unwrap().to_owned()).collect()
    }

    /// The comment step for a finished run on `head`.
    fn comment(&self, head: &str) -> Ran {
        let event = json!({ "workflow_run": {
            "id": 99, "event": "pull_request", "conclusion": "failure", "head_sha": head, "head_branch": "slow",
            "head_repository": { "full_name": "someone/kernels" },
        }});
        let event_file = self.folder.join("event.json");
        fs::write(&event_file, event.to_string()).unwrap();
        let mut command = self.world.command("python3", self.world.root());
        command.arg(script("comment.py")).env("GITHUB_EVENT_PATH", event_file);
        command.env("GITHUB_API_URL", format!("http://127.0.0.1:{}", self.port)).env("GITHUB_REPOSITORY", "upstream/kernels");
        command.env("GITHUB_SERVER_URL", "https://github.com").env("GITHUB_TOKEN", "token-of-the-job");
        self.world.run(command.env("PYTHONDONTWRITEBYTECODE", "1"))
    }
}

impl Drop for GitHub {
    fn drop(&mut self) {
        self.stop();
    }
}

fn fake() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/workflows/github.py")
}

fn serve(world: &World, folder: &Path) -> (Child, String) {
    let mut command = world.command("python3", folder);
    let mut server = command.arg(fake()).arg("serve").arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut port = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut port).unwrap();
    (server, port.trim().to_owned())
}

fn has_python() -> bool {
    let works = std::process::Command::new("python3").args(["-c", "import sys; sys.exit(sys.version_info < (3, 9))"]).status();
    let works = works.is_ok_and(|status| status.success());
    if !works {
        println!("SKIPPED: the comment step and its fake need Python 3.9");
    }
    works
}

/// The files of an artifact, with this report, about the commit [`HEAD`].
fn artifact(world: &World, verdict: &str, report: &str) -> PathBuf {
    let folder = world.root().join("artifact");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("verdict.json"), verdict).unwrap();
    fs::write(folder.join("report.md"), report).unwrap();
    folder
}

fn verdict_of(commit: &str) -> String {
    json!({ "version": 1, "verdict": "regression", "candidate": { "commit": commit }, "base": null, "series": [], "warnings": [] })
        .to_string()
}

#[test]
fn a_measured_pull_request_gets_one_comment_that_later_runs_edit() {
    if !has_python() {
        return;
    }
    let hosting = Hosting::new();
    hosting.push_to_main("main-runner");
    let head = hosting.contribute("slow", &[("time.txt", "20 ms\n")]);
    let (step, out) = hosting.pull_request("pr-runner", "slow", &[]);
    assert_eq!(step.outputs["code"], "1");

    let mut github = GitHub::new(&head);
    github.upload("plain", &out);
    let said = github.comment(&head).expect(0).out;
    assert_eq!(said, "commented on #7: regression\n");
    let [first] = &github.ours()[..] else { panic!("{:?}", github.ours()) };
    assert!(first.starts_with("<!-- git-ratchet:report -->\n"), "{first}");
    assert!(first.contains("regression") && first.contains("attention") && first.contains("20"), "{first}");
    assert!(first.contains("https://github.com/upstream/kernels/actions/runs/99"), "{first}");
    assert!(first.contains("| Benchmark |") || first.contains("| Config |"), "the table is gone: {first}");

    let newer = hosting.contribute("slow", &[("time.txt", "10 ms\n"), ("kernels/attention.cu", "// other\n")]);
    let (_, out) = hosting.pull_request("pr-runner-again", "slow", &[]);
    let mut state = github.state();
    state["pulls"][1]["head"]["sha"] = json!(newer);
    github.restart_with(&state);
    github.upload("plain", &out);
    assert_eq!(github.comment(&newer).expect(0).out, "edited the comment on #7: pass\n");
    let [second] = &github.ours()[..] else { panic!("{:?}", github.ours()) };
    assert!(second.contains("pass") && second.contains(&newer[..12]), "{second}");
    let state = github.state();
    assert_eq!(state["comments"][0]["body"], "<!-- git-ratchet:report -->\nall is well", "a stranger's comment was edited");
}

#[test]
fn hostile_artifacts_are_refused_whole() {
    if !has_python() {
        return;
    }
    let mut github = GitHub::new(HEAD);
    let good = verdict_of(HEAD);
    let other = verdict_of("2222222222222222222222222222222222222222");
    let deep = "[".repeat(200_000);
    let wrong_type = good.replace("\"series\":[]", "\"series\":7");
    let cases = [
        ("traversal", good.as_str(), "r", "of the name"),
        ("absolute", &good, "r", "of the name"),
        ("missing", &good, "r", "no report.md"),
        ("many", &good, "r", "are the most"),
        ("bomb", &good, "r", "report.md is larger"),
        ("twice", &good, "r", "two files of one name"),
        ("garbage", &good, "r", "cannot be read"),
        ("cut", &good, "r", "cannot be read"),
        ("plain", "{", "r", "no JSON"),
        ("plain", &deep, "r", "no JSON"),
        ("plain", "[]", "r", "not what git ratchet check writes"),
        ("plain", "{\"version\":1,\"verdict\":\"splendid\"}", "r", "not what git ratchet check writes"),
        ("plain", &wrong_type, "r", "not what git ratchet check writes"),
        ("plain", &other, "r", "another commit"),
    ];
    for (kind, verdict, report, why) in cases {
        let files = artifact(&github.world, verdict, report);
        github.upload(kind, &files);
        let ran = github.comment(HEAD).expect(1);
        assert!(ran.out.starts_with("::error::refused: ") && ran.out.contains(why), "{kind}: {}{}", ran.out, ran.err);
    }
    github.announce(1 << 40);
    assert!(github.comment(HEAD).expect(1).out.contains("bytes"), "the announced size was not looked at");
    assert!(github.ours().is_empty(), "{:?}", github.ours());
}

#[test]
fn a_strangers_report_neither_mentions_nor_embeds_nor_leads_away() {
    if !has_python() {
        return;
    }
    let mut github = GitHub::new(HEAD);
    let hostile = "## Fine\n@everyone @org/team \\@a &#64;everyone &commat;x #1 GH-7 someone/kernels#3\n\
        <img src=x onerror=alert(1)> <!-- git-ratchet:report --> <a href=\"https://evil.example\">here</a> <script>\n\
        ![pixel](https://evil.example/p.png) [click](https://evil.example) [click][ref] <https://evil.example> www.evil.example\n\
        [ref]: https://evil.example\n[ref2]: //evil.example\n```mermaid\ngraph\n```\n\
        \u{1b}[31mred\u{202e}evil\u{200b} mailto:a@evil.example\n\
        [kept](https://github.com/upstream/kernels/commit/1234) [not](https://github.com/upstream/kernels.evil.example/x)\n\
        <details><summary>More</summary>\n\n| a | b |\n|---|---:|\n| 1 &lt; 2 | **3** |\n\n</details>\n";
    github.upload("plain", &artifact(&github.world, &verdict_of(HEAD), hostile));
    github.comment(HEAD).expect(0);
    let [body] = &github.ours()[..] else { panic!("{:?}", github.ours()) };
    let (_, report) = body.split_once('\n').unwrap();
    let (report, footer) = report.rsplit_once("\n\n<sub>").unwrap();
    let joined = |text: &str| report.contains(text);
    for bad in [
        "@e",
        "@o",
        "@a",
        "&#64;",
        "&commat;",
        "#1",
        "#3",
        "GH-7",
        "<img",
        "<!--",
        "<a ",
        "<script",
        "![",
        "](https://evil",
        "][",
        "]:",
        "://evil",
        "www.evil",
        "```mermaid",
        "\u{1b}",
        "\u{202e}",
        "\u{200b}",
        "mailto:",
        "](https://github.com/upstream/kernels.evil",
    ] {
        assert!(!joined(bad), "{bad:?} got through:\n{report}");
    }
    for good in [
        "## Fine",
        "](https://github.com/upstream/kernels/commit/1234)",
        "<details><summary>More</summary>",
        "| 1 &lt; 2 | **3** |",
    ] {
        assert!(joined(good), "{good:?} is gone:\n{report}");
    }
    assert!(footer.contains("ended with failure"), "what GitHub knows is told: {footer}");
}

#[test]
fn a_long_report_is_cut_where_lines_end() {
    if !has_python() {
        return;
    }
    let mut github = GitHub::new(HEAD);
    let rows = "| @name_of_a_kernel_that_is_long | 1 |\n".repeat(5_000);
    let report = format!("# Head\n\n<details><summary>All</summary>\n\n| a | b |\n|---|---|\n{rows}\n</details>\n");
    github.upload("plain", &artifact(&github.world, &verdict_of(HEAD), &report));
    github.comment(HEAD).expect(0);
    let [body] = &github.ours()[..] else { panic!("{:?}", github.ours()) };
    assert!(body.chars().count() < 65_536, "{} characters", body.chars().count());
    assert_eq!(body.matches("<details>").count(), body.matches("</details>").count());
    assert!(body.contains("the rest stands in the run's summary"));
}

#[test]
fn a_run_that_is_overtaken_or_measured_nothing_says_so_and_holds() {
    if !has_python() {
        return;
    }
    let mut github = GitHub::new(HEAD);
    assert!(github.comment(HEAD).expect(0).out.contains("nothing was measured"));
    let old = "3333333333333333333333333333333333333333";
    github.upload("plain", &artifact(&github.world, &verdict_of(old), "old"));
    assert!(github.comment(old).expect(0).out.contains("a newer commit was pushed"));
    assert!(github.ours().is_empty());
}
