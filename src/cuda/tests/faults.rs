//! Planted faults.

use super::*;

/// The first thing that verification says of a kernel before it is timed.
fn first_fault(entry: &str) -> String {
    let (before, _) = Rig::new().found(job(entry));
    before.into_iter().next().unwrap_or_default()
}

#[test]
fn an_honest_kernel_has_no_faults_and_gives_everything_back() {
    let mut rig = Rig::new();
    let before = rig.world.borrow().allocations;
    assert_eq!(rig.found(job("double")), (Vec::new(), Vec::new()));
    assert_eq!(rig.world.borrow().allocations, before);
}

#[test]
fn large_buffers_are_read_no_more_often_than_they_must_be() {
    let mut rig = Rig::new();
    let (session, _) = rig.begin(job("double")).unwrap();
    let bytes = 4 * ELEMENTS as usize;
    let reads = rig.world.borrow().downloads.iter().filter(|read| **read == bytes).count();
    // Three rounds, and in each the input once, the output after both launches, the reference's output once.
    assert_eq!(reads, 3 * 4);
    session.free(&mut rig.device);
}

#[test]
fn wrong_and_missing_results_are_found() {
    let wrong = first_fault("wrong");
    assert!(wrong.contains("wrong result") && wrong.contains("relative Frobenius error") && wrong.contains("`y`"), "{wrong}");
    let half = first_fault("half");
    assert!(half.contains("NaN in 500 of 1000 elements") && half.contains("first at 500"), "{half}");
    let nan = first_fault("nan");
    assert!(nan.contains("NaN in 1000 of 1000"), "{nan}");
}

#[test]
fn the_output_of_the_call_before_is_found() {
    assert!(first_fault("previous").contains("wrong result"), "{}", first_fault("previous"));
}

#[test]
fn writing_and_reading_outside_is_found() {
    let past = first_fault("writes_past");
    assert!(past.contains("wrote outside `y`: byte 1 behind the last"), "{past}");
    let before = first_fault("writes_before");
    assert!(before.contains("wrote outside `y`") && before.contains("before the first"), "{before}");
    let reads = first_fault("reads_past");
    assert!(reads.contains("reads past an end"), "{reads}");
}

#[test]
fn changed_inputs_are_found() {
    assert_eq!(first_fault("changes_input"), "the kernel changed its input `x`");
}

#[test]
fn results_that_differ_between_launches_are_found_and_may_be_allowed() {
    let mut noisy = job("random");
    noisy.plan.reference.as_mut().unwrap().tolerance = Tolerance { frobenius: 1.0, largest: 1.0 };
    let (before, _) = Rig::new().found(noisy.clone());
    assert!(before[0].contains("two launches on the same inputs gave different bits in `y`"), "{before:?}");
    noisy.plan.deterministic = false;
    assert_eq!(Rig::new().found(noisy), (Vec::new(), Vec::new()));
}

#[test]
fn kernels_that_remember_are_found() {
    let by_pointer = first_fault("by_pointer");
    assert!(by_pointer.contains("different bits"), "{by_pointer}");
    // This one behaves until it was launched often, and then skips what it has seen.
    let (before, after) = Rig::new().found(job("by_content"));
    assert_eq!(before, Vec::<String>::new());
    assert!(after[0].contains("is work skipped when inputs repeat?"), "{after:?}");
}

#[test]
fn a_reference_that_is_not_finite_is_refused() {
    let mut job = job("double");
    job.plan.reference.as_mut().unwrap().program.entry = "bad_reference".to_owned();
    let (before, _) = Rig::new().found(job);
    assert!(before[0].contains("the reference is NaN or infinite at element 5 of `y`"), "{before:?}");
}

#[test]
fn a_reference_that_changes_inputs_is_refused() {
    let mut job = job("double");
    job.plan.reference.as_mut().unwrap().program.entry = "changes_input".to_owned();
    let (before, _) = Rig::new().found(job);
    assert_eq!(before, ["the reference changed the input `x`"]);
}

#[test]
fn a_time_that_cannot_be_is_refused_with_the_arithmetic() {
    let mut job = job("double");
    job.plan.work = Work { bytes: Some(4.9e9), ..Work::default() };
    let (before, after) = Rig::new().found(job);
    assert_eq!(before, Vec::<String>::new());
    assert!(after[0].contains("is impossible") && after[0].contains("GB/s"), "{after:?}");
}

#[test]
fn faults_do_not_keep_a_kernel_from_being_timed() {
    let mut rig = Rig::new();
    let (mut session, readiness) = rig.begin(job("wrong")).unwrap();
    assert!(!readiness.faults.is_empty());
    assert!(!rig.measure(&mut session).is_empty());
}

#[test]
fn a_kernel_without_reference_is_still_kept_inside_its_buffers() {
    for (entry, fault) in [("double", None), ("writes_past", Some("wrote outside")), ("random", Some("different bits"))] {
        let mut job = job(entry);
        (job.plan.reference, job.reference_cubin) = (None, None);
        let (before, _) = Rig::new().found(job);
        assert_eq!(
            before.first().is_some_and(|found| found.contains(fault.unwrap_or("?"))),
            fault.is_some(),
            "{entry}: {before:?}"
        );
    }
}

#[test]
fn a_crash_is_an_error_of_the_device_that_stays() {
    let mut rig = Rig::new();
    let error = rig.begin(job("crash")).map(|(_, readiness)| readiness).unwrap_err();
    assert!(error.is_sticky() && error.to_string().contains("CUDA_ERROR_ILLEGAL_ADDRESS"), "{error}");
}

#[test]
fn too_large_a_kernel_is_refused_with_its_needs_and_leaves_nothing_behind() {
    let mut rig = Rig::new();
    let mut job = job("double");
    for argument in &mut job.plan.arguments {
        if let ArgumentValue::Buffer(buffer) = &mut argument.value {
            buffer.shape = vec![9 << 20];
        }
    }
    let before = rig.world.borrow().allocations;
    let error = rig.begin(job).map(|(_, readiness)| readiness).unwrap_err();
    assert!(!error.is_sticky());
    assert!(error.to_string().contains("need 72 MiB"), "{error}");
    assert_eq!(rig.world.borrow().allocations, before);
}

#[test]
fn arguments_that_the_kernel_does_not_have_are_refused() {
    let mut job = job("double");
    job.plan.arguments.pop();
    let error = Rig::new().begin(job).map(|(_, readiness)| readiness).unwrap_err().to_string();
    assert_eq!(error, "the kernel `double` has 3 parameters, but the manifest gives 2 arguments");
}

#[test]
fn a_block_that_does_not_fit_is_refused_before_it_is_launched() {
    let mut job = job("double");
    job.plan.launch.block = [2048, 1, 1];
    let error = Rig::new().begin(job).map(|(_, readiness)| readiness).unwrap_err().to_string();
    assert!(error.contains("2048 threads"), "{error}");
}

#[test]
fn without_memory_for_a_second_set_inputs_are_not_rotated_and_it_is_said() {
    let mut rig = Rig::of(Properties { memory_bytes: 9_000_000, l2_bytes: 1 << 20, ..h200() });
    let (session, readiness) = rig.begin(job("double")).unwrap();
    assert!(readiness.remarks.iter().any(|remark| remark.contains("no memory for a second set")), "{readiness:?}");
    session.free(&mut rig.device);
}

#[test]
fn poison_differs_from_what_guard_bands_hold() {
    assert_ne!(data::poison(DType::I32), 0xFF, "an integer that was not written must show");
}
