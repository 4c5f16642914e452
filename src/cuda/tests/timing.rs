//! How launches are queued and timed.

use super::*;
use crate::cuda::health::Watch;
use crate::stats;

fn seconds(shots: &[Shot]) -> Vec<f64> {
    shots.iter().map(|shot| shot.seconds).collect()
}

#[test]
fn a_time_is_that_of_one_launch_and_nothing_else() {
    for cache in [Cache::Cold, Cache::Hot] {
        let mut rig = Rig::new();
        let mut job = job("double");
        job.timing.cache = cache;
        let (mut session, readiness) = rig.begin(job).unwrap();
        assert_eq!(readiness.launches, 1);
        let times = seconds(&rig.measure(&mut session));
        assert!(times.len() > 10, "{}", times.len());
        assert!(times.iter().all(|time| (time / 100e-6 - 1.0).abs() < 0.0011), "{cache:?}: {times:?}");
    }
}

#[test]
fn cold_launches_follow_a_flush_and_hot_ones_do_not() {
    for (cache, expected) in [(Cache::Cold, true), (Cache::Hot, false)] {
        let mut rig = Rig::new();
        let mut job = job("double");
        job.timing.cache = cache;
        let (mut session, _) = rig.begin(job).unwrap();
        rig.world.borrow_mut().launched.clear();
        rig.measure(&mut session);
        let world = rig.world.borrow();
        let before_kernels: Vec<&str> =
            world.launched.windows(2).filter(|pair| pair[1] == "double").map(|pair| pair[0].as_str()).collect();
        assert!(!before_kernels.is_empty());
        assert_eq!(before_kernels.iter().all(|name| *name == "ratchet_flush"), expected, "{before_kernels:?}");
        assert_eq!(world.launched.iter().filter(|name| *name == "ratchet_clock").count(), 1, "one look at the clock per batch");
    }
}

#[test]
fn without_the_support_program_the_cache_is_flushed_by_writing() {
    let mut rig = Rig::new();
    rig.support = Support::new(&mut rig.device, None).unwrap();
    let (mut session, _) = rig.begin(job("double")).unwrap();
    rig.world.borrow_mut().launched.clear();
    rig.measure(&mut session);
    assert_eq!(rig.world.borrow().launched[..2], ["memset", "double"]);
}

#[test]
fn a_device_that_cannot_be_held_is_timed_all_the_same() {
    let mut rig = Rig::new();
    rig.world.borrow_mut().can_hold = false;
    let (mut session, readiness) = rig.begin(job("double")).unwrap();
    assert!(readiness.remarks[0].contains("have gaps in them"), "{readiness:?}");
    assert!(!rig.measure(&mut session).is_empty());
}

#[test]
fn where_every_launch_is_waited_for_batches_are_measured_again_without_holding_and_it_is_said() {
    let mut rig = Rig::new();
    let (_, readiness) = rig.begin(job("double")).unwrap();
    assert_eq!(readiness.remarks, Vec::<String>::new());
    rig.world.borrow_mut().is_impatient = true;
    let (mut session, readiness) = rig.begin(job("double")).unwrap();
    assert!(readiness.remarks[0].contains("CUDA_LAUNCH_BLOCKING"), "{readiness:?}");
    rig.world.borrow_mut().launched.clear();
    let shots = rig.measure(&mut session);
    let launched = rig.world.borrow().launched.iter().filter(|name| *name == "double").count();
    assert_eq!(launched, shots.len() + 1, "measured once, and not held before");
}

#[test]
fn short_kernels_are_timed_in_graphs_that_go_round_the_cache() {
    let mut rig = Rig::of(Properties { memory_bytes: 256 << 20, l2_bytes: 64 << 10, ..h200() });
    rig.world.borrow_mut().kernel_seconds = 1.5e-6;
    let (session, readiness) = rig.begin(job("double")).unwrap();
    // 8000 bytes a set: 17 sets fill 64 KiB twice. A graph has up to 128 launches, rounded up to a multiple of the sets.
    assert_eq!(readiness.launches, 1, "no work is declared, and without it only two sets are there: single launches");
    session.free(&mut rig.device);
    let mut short = job("double");
    short.plan.work = Work { bytes: Some(8000.0), ..Work::default() };
    let (mut session, readiness) = rig.begin(short).unwrap();
    assert_eq!(readiness.launches % 17, 0, "{readiness:?}");
    assert!(readiness.launches >= 128, "{readiness:?}");
    rig.world.borrow_mut().launched.clear();
    let times = seconds(&rig.measure(&mut session));
    assert!(times.iter().all(|time| (time / 1.5e-6 - 1.0).abs() < 0.001), "{times:?}");
    assert!(rig.world.borrow().launched.iter().any(|name| name == "graph"));
    session.free(&mut rig.device);
}

#[test]
fn long_kernels_come_one_at_a_time() {
    let mut rig = Rig::new();
    rig.world.borrow_mut().kernel_seconds = 0.5;
    let (mut session, _) = rig.begin(job("double")).unwrap();
    assert_eq!(rig.measure(&mut session).len(), 1);
}

#[test]
fn a_clock_below_the_usual_one_marks_the_batch() {
    let mut rig = Rig::new();
    let (mut session, _) = rig.begin(job("double")).unwrap();
    let throttled = |rig: &mut Rig, session: &mut Session| rig.measure(session).iter().all(|shot| shot.throttled);
    // A kernel at the power limit runs at 1400 of 1980 MHz, and is not throttled.
    rig.world.borrow_mut().clocks = vec![(28_000, 20_000)];
    for _ in 0..6 {
        assert!(!throttled(&mut rig, &mut session));
    }
    rig.world.borrow_mut().clocks = vec![(24_000, 20_000)];
    assert!(throttled(&mut rig, &mut session), "1200 MHz where 1400 are usual");
    rig.world.borrow_mut().clocks = vec![(28_000, 20_000)];
    assert!(!throttled(&mut rig, &mut session));
    rig.world.borrow_mut().clocks = vec![(6_000, 20_000)];
    assert!(throttled(&mut rig, &mut session), "300 MHz");
}

#[test]
fn a_slowdown_that_nvml_tells_marks_the_batch() {
    struct Hot;
    impl Watch for Hot {
        fn slowdown(&self) -> Option<&'static str> {
            Some("thermal slowdown")
        }
    }
    let mut rig = Rig::new();
    let (mut session, _) = rig.begin(job("double")).unwrap();
    let (shots, why) = session.measure(&mut rig.device, &rig.support, &Hot).unwrap();
    assert!(shots.iter().all(|shot| shot.throttled));
    assert_eq!(why.unwrap(), "thermal slowdown");
}

#[test]
fn a_locked_clock_has_to_hold() {
    let mut rig = Rig::new();
    let mut job = job("double");
    job.timing.locked_mhz = Some(1500);
    let (mut session, _) = rig.begin(job).unwrap();
    rig.world.borrow_mut().clocks = vec![(30_000, 20_000)];
    assert!(!rig.measure(&mut session)[0].throttled, "1500 MHz");
    rig.world.borrow_mut().clocks = vec![(28_000, 20_000)];
    assert!(rig.measure(&mut session)[0].throttled, "1400 MHz");
}

#[test]
fn timers_that_make_no_sense_say_nothing() {
    let mut rig = Rig::new();
    rig.world.borrow_mut().clocks = vec![(39_600, 0)];
    let (mut session, _) = rig.begin(job("double")).unwrap();
    assert!(!rig.measure(&mut session)[0].throttled);
    rig.world.borrow_mut().clocks = vec![(u64::MAX, 1)];
    assert!(!rig.measure(&mut session)[0].throttled);
}

#[test]
fn the_same_kernel_measures_the_same_again() {
    let medians: Vec<f64> = (0..5)
        .map(|_| {
            let mut rig = Rig::new();
            let (mut session, _) = rig.begin(job("double")).unwrap();
            stats::median(&seconds(&rig.measure(&mut session))).unwrap()
        })
        .collect();
    let (low, high) = (medians.iter().copied().reduce(f64::min).unwrap(), medians.iter().copied().reduce(f64::max).unwrap());
    assert!((high - low) / low < 0.005, "{medians:?}");
}
