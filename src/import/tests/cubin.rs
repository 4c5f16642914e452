//! Machine code of kernels, as nvcc and ptxas write it.

use super::*;
use crate::model::BenchmarkName;

#[test]
fn every_kernel_of_every_architecture_has_its_exact_metrics() {
    let imported = import_fixture("cubin/zstd.fatbin");
    assert_eq!((imported.format, imported.testbed.as_deref()), (Format::Cubin, Some("ptxas 13.5")));
    let names = ["(anonymous namespace)::hidden", "calls", "reduce<double, 128>", "reduce<float, 256>", "spills"];
    // Without their parameters these two would have one name.
    let names = names.into_iter().chain(["twice(double*)", "twice(float*)"]);
    let metrics = ["registers", "stack_bytes", "local_accesses", "shared_bytes", "instructions", "cubin_bytes"];
    let mut expected = Vec::new();
    for name in names {
        for arch in ["sm_80", "sm_90a"] {
            for metric in metrics {
                let found = find(&imported, name, &format!("arch={arch}"), metric);
                assert!(found.metric.exact && found.machine_code.is_some() && found.metric.better == Direction::Lower);
                expected.push(found);
            }
        }
    }
    assert_eq!(expected.len(), imported.measurements.len());
    let value = |name, arch, metric| find(&imported, name, &format!("arch={arch}"), metric).summary.median;
    assert_eq!(value("reduce<float, 256>", "sm_90a", "shared_bytes"), 1024.0);
    assert!(value("spills", "sm_80", "stack_bytes") > 0.0 && value("spills", "sm_80", "local_accesses") > 0.0);
    assert_eq!(value("calls", "sm_80", "local_accesses"), 0.0);
}

#[test]
fn a_kernel_has_the_same_hash_wherever_it_lies() {
    let hashes = |name: &str| {
        let imported = import_fixture(name);
        let code = find(&imported, "spills", "arch=sm_80", "registers").machine_code.clone();
        code.unwrap()
    };
    assert_eq!(hashes("cubin/zstd.fatbin"), hashes("cubin/object.o"));
}

#[test]
fn what_holds_no_machine_code_says_what_to_do() {
    for (name, told) in [("cubin/ptx.o", "PTX alone"), ("cubin/rdc.o", "not linked yet")] {
        let error = import_path(&fixture(name), &ImportOptions::default()).unwrap_err().to_string();
        assert!(error.contains(told), "{name}: {error}");
    }
    let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    if program.len() as u64 <= super::super::MAX_FILE_BYTES {
        let error = import(&program, &ImportOptions::default()).unwrap_err().to_string();
        assert!(error.contains("no GPU's code") || cfg!(not(target_os = "linux")), "{error}");
    }
    let error = import(b"[]", &ImportOptions { format: Some(Format::Cubin), ..ImportOptions::default() }).unwrap_err();
    assert!(error.to_string().contains("cannot read machine code"), "{error}");
}

#[test]
fn kernels_that_would_share_a_name_given_by_the_user_are_refused() {
    let options = ImportOptions { benchmark: BenchmarkName::new("all").ok(), ..ImportOptions::default() };
    let error = import_path(&fixture("cubin/zstd.fatbin"), &options).unwrap_err();
    assert!(matches!(error, ImportError::Duplicate { .. }), "{error}");
}
