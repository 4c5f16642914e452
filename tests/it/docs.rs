//! The documentation is held against the program: its command blocks run, its examples are what the program reads and
//! writes, its links lead somewhere. CONTRIBUTING.md says which marks of a fence mean what.

use std::fs;
use std::path::{Path, PathBuf};

use git_ratchet::codec::{Entry, Note};
use serde_json::Value;

use crate::world::World;

/// A fenced block of a page.
struct Block {
    /// What stands behind the opening fence: `sh`, `sh no-run`, `json check`.
    mark: String,
    line: usize,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README.md and the like, and docs/*.md.
fn pages() -> Vec<PathBuf> {
    let markdown = |folder: PathBuf| {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect::<Vec<_>>()
    };
    let mut pages = [markdown(root().to_owned()), markdown(root().join("docs"))].concat();
    pages.sort();
    assert!(pages.len() >= 10, "pages are missing: {pages:?}");
    pages
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (i, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(mark), None) => open = Some(Block { mark: mark.trim().to_owned(), line: i + 1, text: String::new() }),
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some(block)) => open = Some(Block { text: format!("{}{line}\n", block.text), ..block }),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// The only block with this mark.
fn only_block(text: &str, mark: &str) -> String {
    let mut found: Vec<Block> = blocks(text).into_iter().filter(|block| block.mark == mark).collect();
    assert_eq!(found.len(), 1, "blocks marked {mark}");
    found.remove(0).text
}

/// A block as a script in which every command has to succeed, and a line that ends with `# exits N` to end so.
fn script(block: &str) -> String {
    let line = |line: &str| match line.rsplit_once("# exits ") {
        Some((command, code)) => {
            format!(
                "{{ {command}\n}} && code=0 || code=$?; [ $code = {code} ] || {{ echo \"exit code $code: $BASH_COMMAND\" >&2; exit 99; }}"
            )
        }
        None => line.to_owned(),
    };
    format!("set -eu -o pipefail\n{}\n", block.lines().map(line).collect::<Vec<_>>().join("\n"))
}

/// A repository with one commit, in which a reader might try things.
fn reader() -> World {
    let world = World::new();
    world.commit("first");
    world.git(&["config", "user.name", "Ann Reader"]);
    world.git(&["config", "user.email", "ann@example.org"]);
    world
}

fn run(world: &World, block: &Block, page: &Path) {
    let folder = Path::new(env!("CARGO_BIN_EXE_git-ratchet")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let mut bash = world.command("bash", &world.repo);
    let ran = world.run(bash.env("PATH", path).args(["-c", &script(&block.text)]));
    assert_eq!(ran.code, 0, "{}:{}\n{}\n{}{}", page.display(), block.line, block.text, ran.out, ran.err);
}

/// `sh` runs; `sh needs PROGRAM` where that program is installed.
fn runs_here(block: &Block, page: &Path) -> bool {
    let Some(program) = block.mark.strip_prefix("sh needs ") else { return block.mark == "sh" };
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|folder| folder.join(program).exists());
    if !found {
        println!("SKIPPED {}:{}: {program} is not installed", page.display(), block.line);
    }
    found
}

#[test]
fn commands_of_the_documentation_work() {
    let mut count = 0;
    for path in pages() {
        let blocks = blocks(&fs::read_to_string(&path).unwrap());
        let unmarked = blocks.iter().find(|block| block.mark.is_empty() || block.mark.starts_with("bash"));
        assert!(unmarked.is_none_or(|block| block.text.is_empty()), "{}: a block says nothing of itself", path.display());
        let runnable: Vec<&Block> = blocks.iter().filter(|block| runs_here(block, &path)).collect();
        if !runnable.is_empty() {
            let world = reader();
            runnable.iter().for_each(|block| run(&world, block, &path));
        }
        count += runnable.len();
    }
    assert!(count > 10, "only {count} blocks ran");
}

#[test]
fn settings_in_the_pages_can_be_read() {
    let mut count = 0;
    for path in pages() {
        let text = fs::read_to_string(&path).unwrap();
        for block in blocks(&text).iter().filter(|block| block.mark == "toml") {
            if block.text.contains("[[suite]]") || block.text.contains("[[benchmark]]") {
                let read = git_ratchet::settings::Settings::parse(block.text.as_bytes(), &path.display().to_string());
                assert!(read.is_ok(), "{}\n{}", read.unwrap_err(), block.text);
                count += 1;
            }
        }
    }
    assert!(count > 5, "only {count} blocks were found");
}

#[test]
fn the_two_commands_of_the_readme_come_first() {
    let readme = page("README.md");
    let first: Vec<String> = blocks(&readme).into_iter().take(2).map(|block| block.text).collect();
    assert_eq!(first, ["cargo run --release -- demo\n", "cargo test\n"]);
}

#[test]
fn lines_of_the_note_format_are_what_the_program_writes() {
    let text = only_block(&page("docs/note-format.md"), "jsonl note");
    let note = Note::decode(text.as_bytes());
    assert_eq!(note.unreadable, []);
    let runs = note.runs.into_iter().map(Entry::Run);
    let records = note.records.into_iter().map(Entry::Record);
    let profiles = note.profiles.into_iter().map(Entry::Profile);
    let excuses = note.excuses.into_iter().map(Entry::Excuse);
    let written: Vec<String> = excuses.chain(profiles).chain(records).chain(runs).map(|entry| entry.encode()).collect();
    assert_eq!(written, text.lines().collect::<Vec<_>>());
}

#[test]
fn every_page_stands_in_the_book() {
    let summary = page("docs/SUMMARY.md");
    let pages = pages().into_iter().filter(|path| path.parent().unwrap().ends_with("docs"));
    let names = pages.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).filter(|name| name != "SUMMARY.md");
    for name in names {
        assert_eq!(summary.matches(&format!("({name})")).count(), 1, "docs/SUMMARY.md names {name} once");
    }
}

#[test]
fn workflows_in_the_pages_are_the_files_beside_them() {
    let mut shown = 0;
    for path in pages() {
        for block in blocks(&fs::read_to_string(&path).unwrap()) {
            if let Some(file) = block.mark.strip_prefix("yaml ci/") {
                let file = root().join("docs/ci").join(file);
                assert_eq!(block.text, fs::read_to_string(&file).unwrap(), "{}:{}", path.display(), block.line);
                shown += 1;
            }
        }
    }
    assert_eq!(shown, fs::read_dir(root().join("docs/ci/github")).unwrap().count() + 2, "an example is shown nowhere");
}

#[test]
fn links_between_pages_lead_to_files() {
    for path in pages() {
        let text = fs::read_to_string(&path).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            let is_outside = target.starts_with("https://") || file.is_empty();
            assert!(is_outside || path.parent().unwrap().join(file).exists(), "{}: no {target}", path.display());
        }
    }
}

#[test]
fn the_worked_example_of_the_statistics_is_true() {
    let text = page("docs/statistics.md");
    let world = World::new();
    let history = only_block(&text, "text history");
    for time in history.split_whitespace() {
        world.commit_measured(time, &format!("{time}ms"));
    }
    let mut reasons = Value::Null;
    for (time, best_run) in [("9.50", "3.3"), ("10.10", "9.8"), ("10.40", "13.0"), ("10.60", "15.2"), ("10.80", "17.4")] {
        world.commit_measured(&format!("candidate {time}"), &format!("{time}ms"));
        let series = world.ratchet(&["check", "--json"]).json()["series"][0].clone();
        let plain = world.ratchet(&["check", "--json", "--baseline", "best-run"]).json()["series"][0].clone();
        world.git(&["reset", "-q", "--hard", "HEAD~1"]);
        let best_run_row = format!("{}: {}", percent(&plain["change_percent"]), plain["verdict"].as_str().unwrap());
        assert!(best_run_row.contains(best_run), "{best_run_row}");
        let more = series["reasons"]["more_runs_needed"].as_u64().map_or(String::new(), |runs| format!("{runs} "));
        let row = format!(
            "| {time} ms | {} | {} | {} | {more}| {best_run_row} |",
            percent(&series["change_percent"]),
            two_digits(series["reasons"]["history"]["p"].as_f64().unwrap()),
            series["verdict"].as_str().unwrap(),
        );
        assert!(text.contains(&row), "the page does not say: {row}");
        assert!((series["baseline"]["value"].as_f64().unwrap() - 0.01001).abs() < 5e-6, "{series:#}");
        assert_eq!(series["baseline"]["runs"], 9, "the lucky run holds no level");
        reasons = series["reasons"].clone();
    }
    let shown = |name: &Value| format!("{:.2} %", name.as_f64().unwrap());
    assert_eq!(shown(&reasons["noise_percent"]), "1.27 %");
    assert_eq!(shown(&reasons["history"]["detectable_percent"]), "7.75 %");
}

fn percent(change: &Value) -> String {
    let change = change.as_f64().unwrap();
    format!("{}{:.1} %", if change < 0.0 { '−' } else { '+' }, change.abs())
}

/// Two significant digits, without an exponent.
fn two_digits(p: f64) -> String {
    let decimals = 1 - p.log10().floor() as i32;
    format!("{p:.*}", decimals.max(0) as usize)
}
