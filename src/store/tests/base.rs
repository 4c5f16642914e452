//! The order in which a base is looked for.

use super::*;
use crate::store::{Base, BaseRequest, BaseSource, StoreError};

fn base(world: &World, against: Option<&str>, configured: Option<&str>) -> Result<Base, StoreError> {
    world.store().base(&BaseRequest { against: against.map(str::to_owned), configured: configured.map(str::to_owned) })
}

#[test]
fn each_source_gives_way_to_the_one_before_it() {
    let origin = World::new();
    let first = origin.commit("one");
    origin.git(&["branch", "release"]);
    let second = origin.commit("two");
    let world = origin.clone_as("clone", &[]);
    world.git(&["checkout", "-q", "-b", "topic"]);
    let third = world.commit("three");

    let expect = |against, configured, rev_name: &str, commit, source| {
        assert_eq!(base(&world, against, configured).unwrap(), Base { rev_name: rev_name.into(), commit, source });
    };
    expect(None, None, "origin/main", second, BaseSource::RemoteHead);
    expect(None, Some("HEAD~2"), "HEAD~2", first, BaseSource::Settings);
    world.git(&["config", "ratchet.base", "topic"]);
    expect(None, Some("HEAD~2"), "topic", third, BaseSource::GitConfig);
    expect(Some("HEAD~1"), Some("HEAD~2"), "HEAD~1", second, BaseSource::Against);
    world.git(&["config", "--unset", "ratchet.base"]);

    world.git(&["remote", "set-head", "origin", "--delete"]);
    world.git(&["branch", "-q", "--set-upstream-to=origin/release"]);
    expect(None, None, "origin/release", first, BaseSource::Upstream);
    world.git(&["branch", "-q", "local", "HEAD~2"]);
    world.git(&["branch", "-q", "--set-upstream-to=local"]);
    expect(None, None, "local", first, BaseSource::Upstream);
    world.git(&["branch", "--unset-upstream"]);
    expect(None, None, "main", second, BaseSource::CommonName);
    world.git(&["branch", "-q", "-D", "main"]);
    expect(None, None, "origin/main", second, BaseSource::CommonName);
    expect(Some("release"), None, "origin/release", first, BaseSource::Against);
}

#[test]
fn a_given_name_that_is_unknown_is_an_error_and_no_reason_to_look_on() {
    let world = World::new();
    world.commit("one");
    assert!(
        matches!(base(&world, Some("nowhere"), None), Err(StoreError::UnknownRevision { revision }) if revision == "nowhere")
    );
}

#[test]
fn without_any_hint_there_is_no_base() {
    let world = World::init(&["--initial-branch=trunk"]);
    world.commit("one");
    assert!(matches!(base(&world, None, None), Err(StoreError::NoBase)));
}

#[test]
fn the_remote_is_the_configured_one_then_the_branchs_then_origin_then_the_only_one() {
    let world = World::new();
    world.commit("one");
    let remote = || world.store().remote().unwrap();
    assert_eq!(remote(), None);
    world.git(&["remote", "add", "alone", "/nowhere"]);
    assert_eq!(remote().as_deref(), Some("alone"));
    world.git(&["remote", "add", "second", "/nowhere"]);
    assert_eq!(remote(), None, "two strangers: no guess");
    world.git(&["remote", "add", "origin", "/nowhere"]);
    assert_eq!(remote().as_deref(), Some("origin"));
    world.git(&["config", "branch.main.remote", "second"]);
    assert_eq!(remote().as_deref(), Some("second"));
    world.git(&["config", "ratchet.remote", "alone"]);
    assert_eq!(remote().as_deref(), Some("alone"));
}
