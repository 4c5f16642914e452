//! Worktrees that are kept and moved: what a build left in ignored files is there again, and never another commit's; whatever
//! is not as it was left is made anew.

use std::fs;

use super::*;
use crate::store::{Checkout, Keeping, Origin, StoreError, Worktrees};

const KEPT: fn() -> Keeping = || Keeping { most: 4, incremental: false, made_by: "make".to_owned() };
const MOVING: fn() -> Keeping = || Keeping { incremental: true, ..KEPT() };

/// A repository that ignores `*.o`, and two commits.
fn world() -> (World, [ObjectId; 2]) {
    let world = World::new();
    fs::write(world.dir.join(".gitignore"), "*.o\n").unwrap();
    let commits = [world.commit("one"), world.commit("two")];
    (world, commits)
}

/// A session that takes a commit, leaves an ignored and an untracked file, and changes a tracked one.
fn built(store: &Store, keeping: Keeping, commit: ObjectId) -> Checkout {
    let mut session = store.worktrees(keeping).unwrap();
    let checkout = session.take(commit).unwrap();
    fs::write(checkout.folder.join("built.o"), commit.to_string()).unwrap();
    fs::write(checkout.folder.join("result"), "of a run").unwrap();
    fs::write(checkout.folder.join("file"), "changed by a run").unwrap();
    checkout
}

/// Where the next session has a commit from, and what was built there.
fn next(store: &Store, keeping: Keeping, commit: ObjectId) -> (Origin, Option<String>) {
    let mut session = store.worktrees(keeping).unwrap();
    let Checkout { folder, origin, .. } = session.take(commit).unwrap();
    assert_eq!(store.worktree_commit(&folder), commit);
    assert!(!folder.join("result").exists(), "what runs leave behind is gone");
    (origin, fs::read_to_string(folder.join("built.o")).ok())
}

impl Store {
    fn worktree_commit(&self, folder: &Path) -> ObjectId {
        let output = git_command(folder).args(["rev-parse", "HEAD"]).output().unwrap();
        let changed = git_command(folder).args(["status", "--porcelain"]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&changed.stdout), "");
        String::from_utf8_lossy(&output.stdout).trim().parse().unwrap()
    }
}

fn registered(world: &World) -> usize {
    world.git(&["worktree", "list"]).lines().count() - 1
}

#[test]
fn what_is_built_of_a_commit_is_there_again_and_of_no_other() {
    let (world, [one, two]) = world();
    let store = world.store();
    let first = built(&store, KEPT(), one);
    assert_eq!(first.origin, Origin::New);
    let listed = world.git(&["worktree", "list", "--porcelain"]);
    assert!(listed.contains("locked kept by git ratchet"), "the user sees whose it is: {listed}");
    assert_eq!(next(&store, KEPT(), two), (Origin::New, None), "another commit gets nothing of it");
    assert_eq!(next(&store, KEPT(), one), (Origin::Kept, Some(one.to_string())));
    let other = Keeping { made_by: "make CFLAGS=-O3".to_owned(), ..KEPT() };
    assert_eq!(next(&store, other, one), (Origin::New, None), "what something else built is no use");
    let kept = store.kept_worktrees();
    assert!(kept.count == 3 && kept.bytes > 0, "{kept:?}");
    assert_eq!(store.remove_kept_worktrees().count, 3);
    assert_eq!((registered(&world), store.kept_worktrees().count), (0, 0));
}

#[test]
fn where_nothing_is_kept_nothing_stays() {
    let (world, [one, _]) = world();
    let store = world.store();
    built(&store, Keeping::default(), one);
    assert_eq!(registered(&world), 0);
    built(&store, KEPT(), one);
    assert_eq!(registered(&world), 1);
    assert_eq!(next(&store, Keeping::default(), one), (Origin::New, None), "and what was kept before goes");
    assert_eq!(registered(&world), 0);
}

#[test]
fn a_worktree_moves_along_where_builds_notice_what_changed() {
    let (world, [one, two]) = world();
    let store = world.store();
    built(&store, MOVING(), one);
    assert_eq!(next(&store, MOVING(), two), (Origin::Moved, Some(one.to_string())));
    assert_eq!(next(&store, MOVING(), two), (Origin::Kept, Some(one.to_string())));
    assert_eq!(registered(&world), 1, "it moved, and was not copied");
    assert_eq!(next(&store, KEPT(), two), (Origin::New, None), "where builds do not promise that, what moved is not believed");
    let mut session = store.worktrees(Keeping { most: 0, ..MOVING() }).unwrap();
    let origins = [one, two, one].map(|commit| {
        session.begin([commit]);
        let Checkout { folder, origin, .. } = session.take(commit).unwrap();
        assert_eq!(store.worktree_commit(&folder), commit);
        session.put_down();
        origin
    });
    assert_eq!(origins, [Origin::New, Origin::Moved, Origin::Moved], "within a session, too");
    drop(session);
    assert_eq!(registered(&world), 0);
}

#[test]
fn what_is_wanted_or_in_use_does_not_move() {
    let (world, [one, two]) = world();
    let store = world.store();
    let three = world.commit("three");
    let mut session = store.worktrees(MOVING()).unwrap();
    let take = |session: &mut Worktrees<'_>, commit| session.take(commit).unwrap();
    session.begin([two, one]);
    let both = [take(&mut session, two), take(&mut session, two)];
    assert_ne!(both[0].folder, both[1].folder, "both sides may be at one commit");
    assert_eq!(take(&mut session, one).origin, Origin::New);
    drop(session);
    let mut session = store.worktrees(MOVING()).unwrap();
    session.begin([three, two]);
    assert_eq!(take(&mut session, three).origin, Origin::Moved);
    assert_eq!(take(&mut session, two).origin, Origin::Kept);
    session.begin([two]);
    assert_eq!((take(&mut session, two).origin, take(&mut session, two).origin), (Origin::Session, Origin::Kept));
    drop(session);
    let mut session = store.worktrees(MOVING()).unwrap();
    let other = &mut store.worktrees(MOVING()).unwrap();
    let origins = [&mut session, other].map(|session| session.take(three).unwrap().origin);
    assert_eq!(origins, [Origin::Kept, Origin::Moved], "two at once have one each");
}

#[test]
fn other_attributes_or_submodules_want_a_new_worktree() {
    for file in [".gitattributes", ".gitmodules"] {
        let (world, [one, _]) = world();
        fs::write(world.dir.join(file), "").unwrap();
        let other = world.commit("three");
        let store = world.store();
        built(&store, MOVING(), one);
        assert_eq!(next(&store, MOVING(), other), (Origin::New, None), "{file}");
    }
}

#[test]
fn those_used_least_recently_go() {
    let (world, [one, two]) = world();
    let store = world.store();
    let three = world.commit("three");
    let few = || Keeping { most: 2, ..KEPT() };
    for commit in [one, two] {
        built(&store, few(), commit);
    }
    assert_eq!(next(&store, few(), one).0, Origin::Kept);
    built(&store, few(), three);
    assert_eq!(registered(&world), 2);
    assert_eq!([one, three, two].map(|commit| next(&store, few(), commit).0), [Origin::Kept, Origin::Kept, Origin::New]);
}

#[test]
fn what_failed_is_not_kept() {
    let (world, [one, _]) = world();
    let store = world.store();
    let mut session = store.worktrees(MOVING()).unwrap();
    let folder = session.take(one).unwrap().folder;
    session.spoil(&folder);
    drop(session);
    assert_eq!(registered(&world), 0);
}

#[test]
fn what_a_killed_session_left_is_not_believed() {
    let (world, [one, _]) = world();
    let store = world.store();
    let folder = built(&store, KEPT(), one).folder;
    // As it is while a session has it: no stamp. The lock is gone with the process.
    fs::remove_file(folder.with_extension("kept")).unwrap();
    assert_eq!(next(&store, KEPT(), one), (Origin::New, None));
    let mut session = store.worktrees(KEPT()).unwrap();
    let folder = session.take(one).unwrap().folder;
    assert!(!folder.with_extension("kept").exists(), "in use it has none");
    drop(store.worktrees(KEPT()).unwrap());
    assert!(folder.exists(), "nobody removes what is in use");
}

#[test]
fn a_damaged_worktree_is_made_anew() {
    type Damage = fn(&World, &Path);
    let damages: [(&str, Damage); 12] = [
        ("a tracked file was changed", |_, folder| fs::write(folder.join("file"), "by hand").unwrap()),
        ("a tracked file was removed", |_, folder| fs::remove_file(folder.join("file")).unwrap()),
        ("a file was added", |_, folder| fs::write(folder.join("result"), "by hand").unwrap()),
        ("another commit was checked out", |world, folder| drop(world.git_in(folder, &["checkout", "-q", "HEAD^"]))),
        ("a branch was checked out", |world, folder| drop(world.git_in(folder, &["checkout", "-q", "-b", "mine"]))),
        ("its link was removed", |_, folder| fs::remove_file(folder.join(".git")).unwrap()),
        ("it is a repository of its own", |world, folder| {
            fs::remove_file(folder.join(".git")).unwrap();
            world.git_in(folder, &["init", "-q"]);
        }),
        ("it was removed", |_, folder| fs::remove_dir_all(folder).unwrap()),
        ("it was removed, and git forgot it", |world, folder| {
            world.git(&["worktree", "remove", "--force", "--force", folder.to_str().unwrap()]);
        }),
        ("git forgot it", |world, _| {
            let admin = fs::read_dir(world.dir.join(".git/worktrees")).unwrap().next().unwrap().unwrap().path();
            fs::remove_dir_all(admin).unwrap();
        }),
        ("its index is broken", |world, _| {
            let admin = fs::read_dir(world.dir.join(".git/worktrees")).unwrap().next().unwrap().unwrap().path();
            fs::write(admin.join("index"), "no index").unwrap();
        }),
        ("its stamp is cut off", |_, folder| {
            let stamp = folder.with_extension("kept");
            let text = fs::read_to_string(&stamp).unwrap();
            fs::write(stamp, &text[..text.len() - 9]).unwrap();
        }),
    ];
    for (what, damage) in damages {
        let (world, [_, two]) = world();
        let store = world.store();
        damage(&world, &built(&store, MOVING(), two).folder);
        assert_eq!(next(&store, MOVING(), two), (Origin::New, None), "{what}");
        assert_eq!(next(&store, MOVING(), two).0, Origin::Kept, "{what}: and kept again");
        assert_eq!((store.kept_worktrees().count, registered(&world)), (1, 1), "{what}");
        world.fsck();
    }
}

#[test]
fn submodules_move_along() {
    let library = World::new();
    let first = library.commit("first");
    library.commit("second");
    let (world, _) = world();
    let git = |arguments: &[&str]| world.git(arguments);
    git(&["submodule", "--quiet", "add", library.dir.to_str().unwrap(), "lib"]);
    git(&["-C", "lib", "checkout", "-q", &first.to_string()]);
    let old = world.commit("with the first");
    git(&["submodule", "--quiet", "update", "--remote"]);
    let new = world.commit("with the second");
    fs::remove_dir_all(&library.dir).unwrap();
    let store = world.store();
    let content = |commit, expected: Origin| {
        let mut session = store.worktrees(MOVING()).unwrap();
        let Checkout { folder, origin, empty_submodules } = session.take(commit).unwrap();
        assert_eq!((origin, empty_submodules, store.worktree_commit(&folder)), (expected, Vec::new(), commit));
        let lib = folder.join("lib");
        let content = fs::read_to_string(lib.join("file")).unwrap();
        assert!(!lib.join("result").exists());
        fs::write(lib.join("file"), "changed by a run").unwrap();
        fs::write(lib.join("result"), "of a run").unwrap();
        content
    };
    assert_eq!(content(old, Origin::New), "first");
    assert_eq!(content(old, Origin::Kept), "first");
    assert_eq!(content(new, Origin::Moved), "second");
    assert_eq!(content(old, Origin::Moved), "first");
}

#[test]
fn a_submodule_that_cannot_move_along_leaves_nothing_old_behind() {
    let library = World::new();
    library.commit("first");
    let (world, _) = world();
    world.git(&["submodule", "--quiet", "add", library.dir.to_str().unwrap(), "lib"]);
    let old = world.commit("with the first");
    let missing = "1234567890123456789012345678901234567890";
    world.git(&["update-index", "--cacheinfo", &format!("160000,{missing},lib")]);
    world.git(&["commit", "-q", "-m", "with one that is not here"]);
    let new = world.id("HEAD");
    let store = world.store();
    drop(store.worktrees(MOVING()).unwrap().take(old).unwrap());
    let mut session = store.worktrees(MOVING()).unwrap();
    let Checkout { folder, origin, empty_submodules } = session.take(new).unwrap();
    assert_eq!((origin, empty_submodules), (Origin::New, vec!["lib".to_owned()]));
    assert!(!folder.join("lib/file").exists());
    drop(session);
    assert_eq!(store.kept_worktrees().count, 0, "what is not whole is not kept");
}

#[cfg(unix)]
#[test]
fn no_hook_of_the_users_runs_and_their_index_is_left_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (world, [one, two]) = world();
    let hook = world.dir.join(".git/hooks/post-checkout");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, format!("#!/bin/sh\ntouch {}/ran\n", world.folder.path().display())).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let index = fs::read(world.dir.join(".git/index")).unwrap();
    let store = world.store();
    built(&store, MOVING(), one);
    assert_eq!(next(&store, MOVING(), two).0, Origin::Moved);
    assert!(!world.folder.path().join("ran").exists());
    assert_eq!(fs::read(world.dir.join(".git/index")).unwrap(), index);
}

#[test]
fn every_kind_of_repository_serves() {
    let sha256 = World::init(&["--object-format=sha256"]);
    fs::write(sha256.dir.join(".gitignore"), "*.o\n").unwrap();
    let commits = [sha256.commit("one"), sha256.commit("two")];
    let (plain, of_plain) = world();
    let bare = plain.clone_as("bare.git", &["--bare"]);
    let linked = plain.dir.with_file_name("linked");
    plain.git(&["worktree", "add", "-q", "--detach", linked.to_str().unwrap()]);
    let sparse = plain.clone_as("sparse", &["--sparse"]);
    let filtered = World::new();
    filtered.git(&["config", "filter.shift.clean", "tr a-y b-z"]);
    filtered.git(&["config", "filter.shift.smudge", "tr b-z a-y"]);
    fs::write(filtered.dir.join(".gitignore"), "*.o\n").unwrap();
    fs::write(filtered.dir.join(".gitattributes"), "file filter=shift\n").unwrap();
    let of_filtered = [filtered.commit("one"), filtered.commit("two")];
    for (what, store, [one, two]) in [
        ("SHA-256", sha256.store(), commits),
        ("bare", bare.store(), of_plain),
        ("linked", plain.store_at(&linked), of_plain),
        ("sparse", sparse.store(), of_plain),
        ("with a filter", filtered.store(), of_filtered),
    ] {
        built(&store, MOVING(), one);
        assert_eq!(next(&store, MOVING(), one).0, Origin::Kept, "{what}");
        assert_eq!(next(&store, MOVING(), two).0, Origin::Moved, "{what}");
    }
}

#[test]
fn another_sparse_checkout_wants_another_worktree() {
    let (world, [one, _]) = world();
    fs::create_dir(world.dir.join("folder")).unwrap();
    fs::write(world.dir.join("folder/file"), "x").unwrap();
    let with_folder = world.commit("with a folder");
    built(&world.store(), MOVING(), with_folder);
    world.git(&["sparse-checkout", "set", "other"]);
    assert_eq!(next(&world.store(), MOVING(), with_folder), (Origin::New, None));
    assert_eq!(next(&world.store(), MOVING(), one).0, Origin::Moved);
}

#[test]
fn another_filter_wants_another_worktree() {
    let (world, [one, two]) = world();
    world.git(&["config", "filter.shift.smudge", "tr b-z a-y"]);
    built(&world.store(), MOVING(), one);
    world.git(&["config", "filter.shift.smudge", "tr c-z a-x"]);
    assert_eq!(next(&world.store(), MOVING(), one), (Origin::New, None));
    assert_eq!(next(&world.store(), MOVING(), two).0, Origin::Moved);
}

#[test]
fn kept_worktrees_hold_no_note_and_lose_no_object() {
    let (world, [one, _]) = world();
    world.git(&["checkout", "-q", "-b", "side"]);
    let side = world.commit("side");
    world.measure(side, 1);
    world.git(&["checkout", "-q", "main"]);
    world.git(&["branch", "-q", "-D", "side"]);
    let store = world.store();
    built(&store, KEPT(), side);
    assert_eq!(store.prunable(&Default::default()).unwrap().commits, [side]);
    world.git(&["reflog", "expire", "--expire=now", "--all"]);
    world.git(&["-c", "gc.pruneExpire=now", "gc", "-q"]);
    world.git(&["worktree", "prune"]);
    assert_eq!(next(&store, KEPT(), side), (Origin::Kept, Some(side.to_string())));
    assert_eq!(next(&store, KEPT(), one).0, Origin::New);
}

#[test]
fn where_nothing_can_be_written_the_error_says_so() {
    let (world, _) = world();
    fs::create_dir_all(world.dir.join(".git/ratchet")).unwrap();
    fs::write(world.dir.join(".git/ratchet/worktrees"), "a file").unwrap();
    let error = world.store().worktrees(KEPT()).unwrap_err();
    assert!(matches!(error, StoreError::NoWorktree { .. }), "{error}");
}
