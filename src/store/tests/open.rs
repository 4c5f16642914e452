//! Finding the repository, its identity, its work tree's state.

use super::*;
use crate::store::StoreError;

#[test]
fn a_subfolder_a_worktree_and_a_submodule_find_their_repository() {
    let world = World::new();
    let first = world.commit("one");
    std::fs::create_dir_all(world.dir.join("deep/er")).unwrap();
    assert_eq!(world.store_at(&world.dir.join("deep/er")).head().unwrap(), first);

    let linked = world.folder.path().join("linked");
    world.git(&["worktree", "add", "-q", "-b", "side", linked.to_str().unwrap()]);
    let in_linked = world.store_at(&linked);
    assert_eq!(in_linked.common_dir().canonicalize().unwrap(), world.dir.join(".git"));
    in_linked.append(&[(first, run_of(first, in_linked.commit(first).unwrap().tree, 1))], "Measure").unwrap();
    assert!(world.store().notes().unwrap().contains(first), "notes are shared between worktrees");

    let outer = World::new();
    outer.git(&["submodule", "add", "-q", &format!("file://{}", world.dir.display()), "sub"]);
    assert_eq!(outer.store_at(&outer.dir.join("sub")).head().unwrap(), world.store().head().unwrap());
}

#[test]
fn a_bare_repository_takes_notes_and_is_never_dirty() {
    let world = World::new();
    let first = world.commit("one");
    let bare = world.clone_as("bare", &["--bare"]);
    let store = bare.store();
    assert!(!store.is_dirty().unwrap());
    assert_eq!(store.work_dir(), None);
    let entries = bare.measure(first, 1);
    assert_eq!(bare.shown(first), text_of(&entries));
}

/// Asked of git itself: `init -h` lists what it knows.
fn git_knows_reftables() -> bool {
    let usage = git_command(Path::new(".")).args(["init", "-h"]).output().unwrap();
    String::from_utf8_lossy(&usage.stdout).contains("--ref-format")
        || String::from_utf8_lossy(&usage.stderr).contains("--ref-format")
}

#[test]
fn sha256_and_reftable_repositories_work_through() {
    for arguments in
        [&["--object-format=sha256"][..], &["--ref-format=reftable"], &["--object-format=sha256", "--ref-format=reftable"]]
    {
        if arguments.contains(&"--ref-format=reftable") && !git_knows_reftables() {
            eprintln!("SKIPPED: this git knows no reftables (it is older than 2.45)");
            continue;
        }
        let world = World::init(arguments);
        assert!(matches!(world.store().head(), Err(StoreError::UnbornBranch { branch }) if branch == "main"), "{arguments:?}");
        let first = world.commit("one");
        let second = world.commit("two");
        let store = world.store();
        assert_eq!(store.head().unwrap(), second);
        assert_eq!(store.resolve("main~1").unwrap(), first);
        assert!(!store.notes().unwrap().exists());
        let mut entries = world.measure(first, 1);
        entries.extend(world.measure(first, 2));
        assert_eq!(world.shown(first), text_of(&entries), "{arguments:?}");
        let history = store.history(&[second], crate::store::Walk::FirstParent).unwrap();
        let annotated = store.annotated_history(&history, &store.notes().unwrap()).unwrap();
        assert_eq!(annotated.commits.len(), 1);
        assert_eq!(annotated.commits[0].position, 1);
        assert!(matches!(store.resolve("nowhere"), Err(StoreError::UnknownRevision { .. })));
        world.fsck();
    }
}

#[test]
fn outside_of_a_repository_the_error_names_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let error = World::new().try_store_at(folder.path()).unwrap_err();
    assert!(matches!(&error, StoreError::NotARepository { path } if path == folder.path()), "{error:?}");
}

#[test]
fn an_unborn_branch_is_told_by_name() {
    let world = World::init(&["--initial-branch=trunk"]);
    assert!(matches!(world.store().head(), Err(StoreError::UnbornBranch { branch }) if branch == "trunk"));
}

#[test]
fn without_an_identity_nothing_is_written() {
    let world = World::new();
    let first = world.commit("one");
    world.git(&["config", "--unset", "user.name"]);
    let store = world.store();
    assert!(matches!(store.author(), Err(StoreError::NoIdentity)));
    let refused = store.append(&[(first, run_of(first, store.commit(first).unwrap().tree, 1))], "Measure");
    assert!(matches!(refused, Err(StoreError::NoIdentity)));
    assert!(!store.notes().unwrap().exists());
}

#[test]
fn dirty_means_that_tracked_content_differs() {
    let world = World::new();
    world.commit("one");
    let store = world.store();
    std::fs::write(world.dir.join("untracked"), "x").unwrap();
    assert!(!store.is_dirty().unwrap(), "an untracked file was not measured");
    std::fs::write(world.dir.join("file"), "changed").unwrap();
    assert!(store.is_dirty().unwrap());
    world.git(&["add", "file"]);
    assert!(store.is_dirty().unwrap(), "staged");
}

#[test]
fn files_and_commits_are_read_at_a_revision() {
    let world = World::new();
    let first = world.commit("one");
    world.commit("two");
    world.git(&["tag", "-a", "-m", "x", "v1", &first.to_string()]);
    let store = world.store();
    assert_eq!(store.resolve("v1").unwrap(), first, "tags are peeled");
    assert_eq!(store.read_file(first, "file").unwrap().unwrap(), b"one");
    assert_eq!(store.read_file(first, "no/such").unwrap(), None);
    let info = store.commit(first).unwrap();
    assert_eq!((info.subject.as_str(), info.author.name.as_str(), info.parents.len()), ("one", "Ada", 0));
    assert!(matches!(store.resolve("HEAD^{tree}"), Err(StoreError::NotACommit { .. })));
}

#[test]
fn notes_refs_outside_of_refs_notes_are_refused() {
    let open = |name: &str| {
        let world = World::new();
        let options =
            OpenOptions { dir: Some(world.dir.clone()), notes_ref: Some(name.into()), isolated: true, ..OpenOptions::default() };
        Store::open(&options).map(|store| store.notes_ref().to_owned())
    };
    assert_eq!(open("bench").unwrap(), "refs/notes/bench");
    assert_eq!(open("notes/bench").unwrap(), "refs/notes/bench");
    assert!(matches!(open("refs/heads/main"), Err(StoreError::InvalidNotesRef { .. })));
    assert!(matches!(open("a..b"), Err(StoreError::InvalidNotesRef { .. })));
}

/// What the child of the next test prints: the environment of a process cannot be changed safely from its threads.
#[test]
#[ignore = "runs as the child of git_dir_in_the_environment_wins"]
fn child_prints_head() {
    use std::io::Write;
    let store = Store::open(&OpenOptions::default()).unwrap();
    let answer = format!("{}\n{}\n{}", store.head().unwrap(), store.author().unwrap(), store.is_dirty().unwrap());
    let mut file = std::fs::File::create(std::env::var("RATCHET_ANSWER").unwrap()).unwrap();
    file.write_all(answer.as_bytes()).unwrap();
}

#[test]
fn git_dir_in_the_environment_wins() {
    let (world, elsewhere) = (World::new(), tempfile::tempdir().unwrap());
    let first = world.commit("one");
    let answer = elsewhere.path().join("answer");
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::tests::open::child_prints_head", "--ignored"])
        .current_dir(elsewhere.path())
        .stdout(Stdio::null())
        .env("GIT_DIR", world.dir.join(".git"))
        .env("GIT_WORK_TREE", &world.dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "Grace")
        .env("RATCHET_ANSWER", &answer)
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(std::fs::read_to_string(answer).unwrap(), format!("{first}\nGrace <ada@example.com>\nfalse"));
}
