//! The demo: the main job, run as a newcomer runs it.

use std::fs;

use crate::world::World;

/// What was just built often has another name, and need not be in `PATH`.
#[test]
fn the_demo_runs_the_whole_loop_by_whatever_name_and_leaves_nothing_behind() {
    let world = World::new();
    let [folder, programs] = ["tmp", "it's mine"].map(|name| world.root().join(name));
    fs::create_dir(&folder).unwrap();
    fs::create_dir(&programs).unwrap();
    let program = programs.join("ratchet-dev");
    // Not copied by this process: what it starts meanwhile would hold the copy open, and an open file cannot be run.
    world.run(world.command("cp", &world.home).args([env!("CARGO_BIN_EXE_git-ratchet")]).arg(&program)).expect(0);
    let mut demo = world.command(program.to_str().unwrap(), &world.home);
    let ran = world.run(demo.arg("demo").env("TMPDIR", &folder)).expect(0);
    let places: Vec<usize> = [": new", ": improvement", ": regression", "(exit code 1)", "excused"]
        .iter()
        .map(|word| ran.out.find(word).unwrap_or_else(|| panic!("no {word:?} in\n{}", ran.out)))
        .collect();
    assert!(places.is_sorted(), "{}", ran.out);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}
