//! Walks: order, first parents, shallow clones, merge bases.

use super::*;
use crate::store::Walk;

fn ids(store: &Store, tip: ObjectId, walk: Walk) -> Vec<String> {
    store.history(&[tip], walk).unwrap().commits.iter().map(|commit| commit.id.to_string()).collect()
}

/// main: one, two, merge of side (three).
fn merged() -> World {
    let world = World::new();
    world.commit("one");
    world.git(&["checkout", "-q", "-b", "side"]);
    world.commit("three");
    world.git(&["checkout", "-q", "main"]);
    std::fs::write(world.dir.join("other"), "x").unwrap();
    world.commit("one");
    world.git(&["merge", "-q", "--no-ff", "-m", "merge", "side"]);
    world
}

#[test]
fn a_walk_is_what_rev_list_says_with_and_without_a_commit_graph() {
    let world = merged();
    for graph in [false, true] {
        if graph {
            world.git(&["commit-graph", "write", "--reachable"]);
            // A commit that the file does not know yet.
            world.commit("after");
        }
        let (store, tip) = (world.store(), world.id("HEAD"));
        let first_parent: Vec<String> = world.git(&["rev-list", "--first-parent", "HEAD"]).lines().map(str::to_owned).collect();
        assert_eq!(ids(&store, tip, Walk::FirstParent), first_parent);
        let (mut all, mut ours) =
            (world.git(&["rev-list", "HEAD"]).lines().map(str::to_owned).collect::<Vec<_>>(), ids(&store, tip, Walk::All));
        assert_eq!(ours.first(), all.first());
        all.sort();
        ours.sort();
        assert_eq!(ours, all);
        for commit in store.history(&[tip], Walk::All).unwrap().commits {
            assert_eq!(commit.tree, world.id(&format!("{}^{{tree}}", commit.id)));
        }
    }
}

#[test]
fn a_shallow_clone_says_that_its_history_is_cut_off() {
    let world = World::new();
    for content in 0..5 {
        world.commit(&content.to_string());
    }
    let shallow = world.clone_as("shallow", &["--depth=2"]);
    let store = shallow.store();
    assert!(store.is_shallow());
    let history = store.history(&[store.head().unwrap()], Walk::All).unwrap();
    assert_eq!((history.commits.len(), history.truncated), (2, true));
    assert!(!world.store().history(&[world.id("HEAD")], Walk::All).unwrap().truncated);

    shallow.git(&["fetch", "-q", "--unshallow"]);
    let store = shallow.store();
    let history = store.history(&[store.head().unwrap()], Walk::All).unwrap();
    assert_eq!((history.commits.len(), history.truncated), (5, false));
}

#[test]
fn merge_bases_of_criss_cross_and_unrelated_histories() {
    let world = World::new();
    let root = world.commit("root");
    let side = |name: &str| {
        world.git(&["checkout", "-q", "-b", name, &root.to_string()]);
        std::fs::write(world.dir.join(name), name).unwrap();
        world.commit("root")
    };
    let (left, right) = (side("left"), side("right"));
    world.git(&["checkout", "-q", "left"]);
    world.git(&["merge", "-q", "--no-ff", "-m", "l", &right.to_string()]);
    world.git(&["checkout", "-q", "right"]);
    world.git(&["merge", "-q", "--no-ff", "-m", "r", &left.to_string()]);
    let store = world.store();
    let base = store.merge_base(world.id("left"), world.id("right")).unwrap().unwrap();
    let git_says = world.git(&["merge-base", "--all", "left", "right"]);
    assert!(git_says.contains(&base.to_string()), "{base} is not one of {git_says}");
    assert!(store.is_ancestor(root, world.id("left")).unwrap());
    assert!(!store.is_ancestor(world.id("left"), root).unwrap());

    world.git(&["checkout", "-q", "--orphan", "apart"]);
    let apart = world.commit("apart");
    assert_eq!(world.store().merge_base(apart, root).unwrap(), None);
}
