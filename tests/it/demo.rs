//! The demo: the main job, run as a newcomer runs it.

use crate::world::World;

#[test]
fn the_demo_runs_the_whole_loop_and_leaves_nothing_behind() {
    let world = World::new();
    let folder = world.root().join("tmp");
    std::fs::create_dir(&folder).unwrap();
    let mut demo = world.ratchet_command(&world.home, &["demo"]);
    let ran = world.run(demo.env("TMPDIR", &folder)).expect(0);
    let places: Vec<usize> = [": new", ": improvement", ": regression", "(exit code 1)", "excused"]
        .iter()
        .map(|word| ran.out.find(word).unwrap_or_else(|| panic!("no {word:?} in\n{}", ran.out)))
        .collect();
    assert!(places.is_sorted(), "{}", ran.out);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}
