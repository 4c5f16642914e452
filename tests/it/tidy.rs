//! Keeps the floors of src/ apart: who may use whom, who may touch the outside world, how long a file may grow.
//! ARCHITECTURE.md says why.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A module and the modules of this crate that it may name.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("stats", &["model"]),
    ("written", &[]),
    ("cubin", &[]),
    ("codec", &["model", "stats"]),
    ("judge", &["model", "stats"]),
    ("profile", &["model"]),
    ("roofline", &["model", "profile"]),
    ("tune", &["model", "stats"]),
    ("store", &["model", "codec", "judge"]),
    ("settings", &["model", "written"]),
    ("harness", &["model", "stats"]),
    ("cuda", &["model", "stats", "written", "roofline", "cubin", "harness"]),
    ("ncu", &["model", "profile", "harness"]),
    ("fleet", &["harness"]),
    ("import", &["model", "stats", "cubin"]),
    ("report", &["model", "stats", "codec", "judge", "profile", "roofline", "tune"]),
    ("cli", &[]),
    ("exit", &[]),
    (
        "commands",
        &[
            "model", "stats", "codec", "judge", "profile", "roofline", "store", "tune", "cubin", "settings", "harness", "cuda",
            "ncu", "fleet", "import", "report", "cli", "exit",
        ],
    ),
];

/// An outside name and the modules that may use it.
const OUTSIDE: &[(&str, &[&str])] = &[
    ("gix::", &["store"]),
    ("clap::", &["cli", "commands"]),
    ("tabled::", &["report"]),
    ("indicatif::", &["report"]),
    ("cudarc::", &["cuda"]),
    ("nvml_wrapper::", &["cuda"]),
    ("std::process::Command", &["store", "harness", "cuda", "commands"]),
    ("std::fs", &["store", "settings", "harness", "cuda", "ncu", "fleet", "import", "commands"]),
    ("std::env::var", &["store"]),
    ("SystemTime", &[]),
    ("Utc::now", &[]),
];

const LONGEST_FILE: usize = 600;

/// The frozen notes, each with the id of its blob.
const FROZEN_NOTES: &[(&str, &str)] = &[
    ("v1-follows.jsonl", "c1b4a29641badc47d97444cfdba9f4287f8adc4c"),
    ("v1-whole-samples.jsonl", "4f80202ab3668b8ebff78e0ba705ec8cbb319055"),
    ("v1.jsonl", "b777deeabd32fcc5cac19b0ebada4a024f77bef1"),
];

struct Source {
    path: PathBuf,
    module: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inside = path.strip_prefix(&root).unwrap().with_extension("");
                let module = inside.iter().next().unwrap().to_string_lossy().into_owned();
                found.push(Source { text: fs::read_to_string(&path).unwrap(), path, module });
            }
        }
    }
    assert!(found.len() > 20, "the sources were not found");
    found
}

/// Tests stand in `tests.rs` files, `tests/` folders or a last `mod tests`.
fn without_tests(source: &Source) -> &str {
    let is_test_file = source.path.iter().any(|part| part == "tests" || part == "tests.rs");
    if is_test_file { "" } else { source.text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default() }
}

fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split("//").next().unwrap_or_default())
}

fn crate_modules_named(text: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for line in code_lines(text) {
        for rest in line.split("crate::").skip(1) {
            if let Some(group) = rest.strip_prefix('{') {
                named.extend(group.split(',').map(|item| first_word(item.trim())));
            } else {
                named.insert(first_word(rest));
            }
        }
    }
    named.remove("");
    named
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn dependencies_point_downwards() {
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| !matches!(source.module.as_str(), "lib" | "main")) {
        let allowed = MAY_USE.iter().find(|(module, _)| *module == source.module);
        let Some((_, allowed)) = allowed else {
            faults.push(format!("{}: the module `{}` has no floor: add it to MAY_USE", source.path.display(), source.module));
            continue;
        };
        for named in crate_modules_named(without_tests(source)) {
            if named != source.module && !allowed.contains(&named.as_str()) {
                faults.push(format!("{}: `{}` may not use `{named}`", source.path.display(), source.module));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_outside_world_has_its_doors() {
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| !matches!(source.module.as_str(), "lib" | "main")) {
        for (name, allowed) in OUTSIDE {
            let used = code_lines(without_tests(source)).any(|line| line.contains(name));
            if used && !allowed.contains(&source.module.as_str()) {
                faults.push(format!("{}: `{name}` belongs to {allowed:?}", source.path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn only_one_file_starts_git() {
    let starting: Vec<_> = sources()
        .iter()
        .filter(|source| source.module == "store" && without_tests(source).contains("Command::new"))
        .map(|source| source.path.file_name().unwrap().to_owned())
        .collect();
    assert_eq!(starting, ["git.rs"]);
}

#[test]
fn the_demo_and_the_pager_alone_among_the_commands_start_programs() {
    let mut starting: Vec<_> = sources()
        .into_iter()
        .filter(|source| source.module == "commands" && without_tests(source).contains("Command::new"))
        .map(|source| source.path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().to_owned())
        .collect();
    starting.sort();
    assert_eq!(starting, [Path::new("src/commands/demo/shell.rs"), Path::new("src/commands/pager.rs")]);
}

#[test]
fn commands_do_not_import_each_other() {
    let verbs: BTreeSet<&str> = [
        "init",
        "bench",
        "bisect",
        "record",
        "check",
        "compare",
        "profile",
        "tune",
        "roofline",
        "log",
        "show",
        "report",
        "explain",
        "excuse",
        "prune",
        "fetch",
        "push",
        "hook",
        "doctor",
        "demo",
        "kernel_worker",
        "fleet_job",
        "completions",
        "man",
    ]
    .into();
    for source in sources().iter().filter(|source| source.module == "commands" && !source.path.ends_with("commands/mod.rs")) {
        let own = source.path.file_stem().unwrap().to_string_lossy().into_owned();
        for line in code_lines(without_tests(source)) {
            for rest in line.split("super::").skip(1).chain(line.split("commands::").skip(1)) {
                let named = first_word(rest);
                assert!(named == own || !verbs.contains(named.as_str()), "{}: uses the command `{named}`", source.path.display());
            }
        }
    }
}

#[test]
fn files_fit_their_room() {
    let long: Vec<_> = sources()
        .into_iter()
        .filter(|source| source.text.lines().count() > LONGEST_FILE)
        .map(|source| format!("{} has {} lines", source.path.display(), source.text.lines().count()))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
    let main = include_str!("../../src/main.rs");
    assert!(main.lines().count() < 80, "main.rs only reads the world and calls the library");
}

/// A note that was written once is read forever, so a line that the format gained stands in a file of its own.
#[test]
fn frozen_notes_stay_as_they_are() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/notes");
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, FROZEN_NOTES.iter().map(|(name, _)| *name).collect::<Vec<_>>(), "FROZEN_NOTES has every file");
    for (name, expected) in FROZEN_NOTES {
        let mut hash = std::process::Command::new("git");
        let hashed = hash.args(["hash-object", "--no-filters"]).arg(folder.join(name)).output().unwrap();
        let found = String::from_utf8(hashed.stdout).unwrap();
        assert_eq!(found.trim_end(), *expected, "{name} is frozen: restore it, and put what is new in a file beside it");
    }
}
