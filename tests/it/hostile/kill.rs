//! Killed at any instant: the notes are the old ones or the new ones, and what was acknowledged stays.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::world::World;

const KILLS: usize = 200;
const RECORDS: usize = 200;

/// A linear congruential generator (Knuth's MMIX constants): the instants are spread alike in every run.
struct Instants(u64);

impl Instants {
    fn next_fraction(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn batch(world: &World, number: usize) -> String {
    let results: Vec<String> = (0..RECORDS)
        .map(|at| format!(r#"{{"benchmark":"k{number}","config":{{"at":{at}}},"unit":"s","value":{}}}"#, at + 1))
        .collect();
    let path = world.root().join(format!("batch-{number}.json"));
    std::fs::write(&path, format!(r#"{{"version":1,"results":[{}]}}"#, results.join(","))).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Starts one `record` and kills it after the delay; `true` where it was faster and said so.
fn record_and_kill(world: &World, number: usize, delay: Duration) -> bool {
    let file = batch(world, number);
    // A commit of its own for each attempt keeps the notes small, as those of a history are.
    let commit = format!("HEAD~{}", number % 20);
    let mut command = world.ratchet_command(&world.repo, &["record", &file, "--commit", &commit, "--testbed", "t"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(delay);
    let acknowledged = child.try_wait().unwrap().is_some_and(|status| status.success());
    child.kill().unwrap();
    child.wait().unwrap();
    acknowledged
}

/// How many records of each attempt stand in the notes, by plain git.
fn kept(world: &World) -> Vec<usize> {
    let mut counts = vec![0; KILLS];
    for line in world.git(&["log", "-20", "--notes=ratchet", "--format=%N"]).lines().filter(|line| !line.is_empty()) {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("half a line ({error}): {line}"));
        if let Some(name) = entry["benchmark"].as_str() {
            counts[name.trim_start_matches('k').parse::<usize>().unwrap()] += 1;
        }
    }
    counts
}

#[test]
fn a_write_that_is_killed_leaves_the_old_notes_or_the_new_ones() {
    let world = World::new();
    for number in 0..20 {
        world.commit(&format!("commit {number}"));
    }
    let whole = lifetime(&world);
    let mut instants = Instants(0x2026_1121);
    let mut acknowledged = Vec::new();
    let mut leftovers = 0;
    for number in 1..KILLS {
        let delay = whole.mul_f64(1.3 * instants.next_fraction());
        if record_and_kill(&world, number, delay) {
            acknowledged.push(number);
        }
        leftovers += usize::from(world.clear_leftover_lock());
    }
    world.git(&["rev-parse", "--verify", "refs/notes/ratchet^{commit}"]);
    world.git(&["fsck", "--strict"]);
    let kept = kept(&world);
    assert!(kept.iter().all(|count| [0, RECORDS].contains(count)), "half a batch: {kept:?}");
    for number in &acknowledged {
        assert_eq!(kept[*number], RECORDS, "the acknowledged batch {number} is not there");
    }
    let survived = kept.iter().filter(|count| **count > 0).count();
    println!("{} kills: {} acknowledged, {survived} written, {leftovers} leftover locks", KILLS - 1, acknowledged.len());
    assert!(survived < KILLS - 10 && survived > 10, "the instants did not spread: {survived} of {KILLS} were written");
    world.try_record().expect(0);
}

/// How long one undisturbed `record` lives: the second of two, when caches are warm.
fn lifetime(world: &World) -> Duration {
    let file = batch(world, 0);
    let mut lived = Duration::ZERO;
    for _ in 0..2 {
        let began = Instant::now();
        world.ratchet(&["record", &file, "--testbed", "t", "--dry-run"]).expect(0);
        lived = began.elapsed();
    }
    let began = Instant::now();
    world.ratchet(&["record", &file, "--testbed", "t"]).expect(0);
    lived.max(began.elapsed())
}
