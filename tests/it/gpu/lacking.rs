//! No driver, no device, an old driver, too little memory: said by name, and what can be done is done.

use super::*;

#[test]
fn without_driver_or_device_kernels_are_compiled_and_it_is_said() {
    let Some(mut lab) = Lab::with(&["honest"], "") else { return };
    let ran = lab.world.run(lab.command(&["bench"]).env("FAKE_CUDA", "no_device")).expect(0);
    assert!(ran.err.contains("kernels were compiled, and not timed: the NVIDIA driver knows no GPU"), "{}", ran.err);
    lab.driver = lab.world.root().join("nothing");
    let ran = lab.bench(&["--dry-run"]).expect(0);
    assert!(ran.err.contains("libcuda.so.1 was not found") && ran.err.contains("container"), "{}", ran.err);
}

#[test]
fn old_drivers_are_told_by_name_and_nothing_panics() {
    let Some(mut lab) = Lab::with(&["honest"], "") else { return };
    let ran = lab.world.run(lab.command(&["bench"]).env("FAKE_CUDA", "old_driver")).expect(4);
    assert!(ran.err.contains("supports CUDA 11.4, but kernels need 12.0 or later"), "{}", ran.err);
    let Some(older) = fake_driver("without_graphs", &["-DWITHOUT_GRAPHS"]) else { return };
    lab.driver = older;
    let ran = lab.bench(&[]).expect(4);
    assert!(ran.err.contains("it lacks cuGraphLaunch"), "{}", ran.err);
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
}

#[test]
fn a_compiler_of_a_later_cuda_than_the_driver_is_told_before_its_code_does_not_load() {
    let Some(lab) = Lab::with(&["honest"], "") else { return };
    for arguments in [&["bench"][..], &["doctor"]] {
        let ran = lab.world.run(lab.command(arguments).env("FAKE_CUDA", "driver_12"));
        let said = format!("{}{}", ran.out, ran.err);
        assert!(said.contains("later CUDA than the driver, which is for CUDA 12.4"), "{said}");
        assert!(said.contains("nvidia-cuda-nvrtc-cu12"), "{said}");
        let ran = lab.world.run(&mut lab.command(arguments));
        assert!(!format!("{}{}", ran.out, ran.err).contains("later CUDA"), "{}{}", ran.out, ran.err);
    }
}

#[test]
fn too_little_memory_is_told_with_the_numbers() {
    let Some(lab) = Lab::with(&["honest"], "") else { return };
    lab.world.write("honest.toml", &fs::read_to_string(lab.world.repo.join("honest.toml")).unwrap().replace("100000", "9000000"));
    lab.world.commit("larger");
    let ran = lab.world.run(lab.command(&["bench"]).env("FAKE_CUDA", "small_memory")).expect(4);
    assert!(ran.err.contains("out of memory: the kernel's buffers need 68 MiB"), "{}", ran.err);
}

#[test]
fn where_every_launch_is_waited_for_kernels_are_timed_all_the_same() {
    let Some(lab) = Lab::with(&["honest"], "") else { return };
    let ran = lab.world.run(lab.command(&["bench"]).env("FAKE_CUDA", "blocking")).expect(0);
    assert!(ran.err.contains("CUDA_LAUNCH_BLOCKING"), "{}", ran.err);
    assert!((median(&lab.records("honest"), "time") / 100e-6 - 1.0).abs() < 0.001);
}
