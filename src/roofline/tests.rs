//! Which roof holds a kernel, where roofs come from, and which chip a name means.

use super::*;
use crate::model::*;

fn kernel(flop_rate: Option<f64>, byte_rate: Option<f64>, precision: Option<Precision>) -> Kernel {
    Kernel {
        benchmark: BenchmarkName::new("k").unwrap(),
        config: Config::empty(),
        precision,
        flop_rate,
        byte_rate,
        work: WorkSource::Declared,
        is_trusted: true,
    }
}

fn roof(limit: Limit, rate: f64, source: RoofSource) -> Roof {
    Roof { limit, rate, source }
}

/// 100 B/s, 1000 operations in f16 and 200 in f32: ridges at 10 and 2.
fn roofs() -> Roofs {
    let mut roofs = Roofs::default();
    roofs.add(roof(Limit::Memory, 100.0, RoofSource::Given));
    roofs.add(roof(Limit::Compute(Precision::F16), 1000.0, RoofSource::Given));
    roofs.add(roof(Limit::Compute(Precision::F32), 200.0, RoofSource::Given));
    roofs
}

#[test]
fn the_lower_roof_holds() {
    for (flop, bytes, precision, bound, attainable) in [
        (Some(100.0), Some(50.0), Some(Precision::F16), Bound::Memory, 200.0),
        (Some(100.0), Some(5.0), Some(Precision::F16), Bound::Compute(Precision::F16), 1000.0),
        (Some(100.0), Some(5.0), Some(Precision::F32), Bound::Compute(Precision::F32), 200.0),
        (Some(100.0), Some(10.0), None, Bound::Compute(Precision::F16), 1000.0),
        (None, Some(50.0), None, Bound::Memory, 100.0),
        (Some(100.0), None, Some(Precision::F32), Bound::Compute(Precision::F32), 200.0),
    ] {
        let standing = kernel(flop, bytes, precision).standing(&roofs()).unwrap();
        assert_eq!((standing.bound, standing.attainable), (bound, attainable), "{flop:?} {bytes:?} {precision:?}");
        assert!((standing.percent() / 100.0 * standing.head_room() - 1.0).abs() < 1e-12);
    }
    assert_eq!(kernel(Some(1.0), Some(1.0), None).standing(&Roofs::default()), None);
    assert_eq!(roofs().ridge(Precision::F16), Some(10.0));
}

#[test]
fn a_single_roof_is_told_to_be_uncertain() {
    let mut only_memory = Roofs::default();
    only_memory.add(roof(Limit::Memory, 100.0, RoofSource::Given));
    assert!(!kernel(Some(1.0), Some(1.0), None).standing(&only_memory).unwrap().is_certain);
    assert!(kernel(Some(1.0), Some(1.0), None).standing(&roofs()).unwrap().is_certain);
}

#[test]
fn what_is_given_wins_over_what_was_measured_and_that_over_the_datasheet() {
    let l4 = Gpu::of("NVIDIA L4").unwrap();
    let measured = || RoofSource::Measured {
        benchmark: BenchmarkName::new("copy").unwrap(),
        config: Config::empty(),
        commit: ObjectId::ZERO,
    };
    let mut roofs = Roofs::of_datasheet(l4);
    assert_eq!(roofs.binding(Limit::Memory).unwrap().rate, 300e9);
    roofs.add(roof(Limit::Memory, 270e9, measured()));
    assert_eq!(roofs.binding(Limit::Memory).unwrap().rate, 270e9, "although it is lower");
    roofs.add(roof(Limit::Memory, 250e9, RoofSource::Given));
    assert_eq!(roofs.binding(Limit::Memory).unwrap().rate, 250e9);
    let order: Vec<&str> = roofs.all().iter().take(3).map(|roof| roof.source.as_str()).collect();
    assert_eq!(order, ["given", "measured", "datasheet"]);
}

#[test]
fn chips_are_told_apart_by_the_words_of_their_names() {
    for (name, expected) in [
        ("NVIDIA L4", Some("L4")),
        ("NVIDIA L40", Some("L40")),
        ("NVIDIA L40S · clocks not locked", Some("L40S")),
        ("NVIDIA H200 · clocks locked at 1500 MHz · rack 3", Some("H200 SXM")),
        ("NVIDIA H200 NVL", Some("H200 NVL")),
        ("NVIDIA H100 80GB HBM3", Some("H100 SXM")),
        ("NVIDIA H100 PCIe", Some("H100 PCIe")),
        ("NVIDIA A100-SXM4-80GB", Some("A100 SXM 80GB")),
        ("NVIDIA A100-PCIE-40GB", Some("A100 PCIe 40GB")),
        ("NVIDIA A100 80GB PCIe", Some("A100 PCIe 80GB")),
        ("Tesla V100-SXM2-16GB", Some("V100 SXM2")),
        ("Tesla T4", Some("T4")),
        ("NVIDIA GeForce RTX 4090", Some("GeForce RTX 4090")),
        ("NVIDIA RTX 6000 Ada Generation", Some("RTX 6000 Ada")),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", None),
        ("NVIDIA GeForce RTX 4090 D", None),
        ("NVIDIA GeForce RTX 3090 Ti", None),
        ("NVIDIA A10G", None),
        ("NVIDIA H100 80GB HBM3 MIG 1g.10gb", None),
        ("AMD EPYC 7B13 · 2 cores", None),
        ("", None),
    ] {
        assert_eq!(Gpu::of(name).map(|gpu| gpu.name), expected, "{name}");
    }
}

/// What a datasheet prints, of chips of every architecture with a chip here.
#[test]
fn rates_are_those_that_datasheets_print() {
    use Precision::{Bf16, F8, F16, F32, F64, F64Tensor, I8, Tf32};
    let printed: &[(&str, &[(Precision, f64)])] = &[
        ("T4", &[(F32, 8.1), (F16, 65.0), (I8, 130.0)]),
        ("V100 SXM2", &[(F64, 7.8), (F32, 15.7), (F16, 125.0)]),
        (
            "A100 SXM4 80GB",
            &[(F64, 9.7), (F64Tensor, 19.5), (F32, 19.5), (Tf32, 156.0), (F16, 312.0), (Bf16, 312.0), (I8, 624.0)],
        ),
        ("A10", &[(F32, 31.2), (Tf32, 62.5), (F16, 125.0), (I8, 250.0)]),
        ("A30", &[(F64, 5.2), (F64Tensor, 10.3), (F32, 10.3), (Tf32, 82.0), (Bf16, 165.0), (I8, 330.0)]),
        ("A40", &[(F32, 37.4), (Tf32, 74.8), (F16, 149.7), (I8, 299.3)]),
        ("RTX A6000", &[(F32, 38.7), (Tf32, 77.4), (F16, 154.8), (I8, 309.7)]),
        ("RTX 3090", &[(F32, 35.6), (Tf32, 35.6), (F16, 71.0), (I8, 284.0)]),
        ("L4", &[(F32, 30.3), (Tf32, 60.0), (F16, 121.0), (F8, 242.5), (I8, 242.5)]),
        ("L40", &[(F32, 90.5), (Tf32, 90.5), (F16, 181.0), (F8, 362.0), (I8, 362.0)]),
        ("L40S", &[(F32, 91.6), (Tf32, 183.0), (F8, 733.0), (I8, 733.0)]),
        ("RTX 6000 Ada", &[(F32, 91.1), (Tf32, 182.1), (F16, 364.2), (F8, 728.5)]),
        ("RTX 4090", &[(F32, 82.6), (Tf32, 82.6), (F16, 165.2), (F8, 330.3), (I8, 660.6)]),
        ("H100 HBM3", &[(F64, 34.0), (F64Tensor, 67.0), (F32, 67.0), (Tf32, 494.7), (F16, 989.4), (F8, 1978.9), (I8, 1978.9)]),
        ("H100 PCIe", &[(F64, 26.0), (F64Tensor, 51.0), (F32, 51.0), (Tf32, 378.0), (F16, 756.5), (F8, 1513.0)]),
        ("H200 NVL", &[(F64, 30.0), (F64Tensor, 60.0), (F32, 60.0), (Tf32, 417.5), (Bf16, 835.5), (I8, 1670.5)]),
    ];
    for (name, rates) in printed {
        let derived: std::collections::BTreeMap<Precision, f64> = Gpu::of(name).unwrap().rates().collect();
        for (precision, printed) in *rates {
            let teraflops = derived[precision] / 1e12;
            // They print two or three digits.
            assert!((teraflops / printed - 1.0).abs() < 0.02, "{name} {precision}: {teraflops} TFLOP/s, printed {printed}");
        }
    }
    for gpu in GPUS {
        assert!((1e11..1e13).contains(&gpu.bandwidth()) && gpu.rates().count() >= 3, "{}", gpu.name);
        assert!(gpu.source.starts_with("NVIDIA "), "{}", gpu.name);
    }
}

#[test]
fn unknown_architectures_have_no_rates() {
    assert!(Architecture::of(87).is_none() && Architecture::of(999).is_none());
    let hopper = Architecture::of(90).unwrap();
    assert_eq!((hopper.flop_per_clock(Precision::F16), hopper.packed_half_per_clock()), (Some(4096), 512));
    assert_eq!(Architecture::of(75).unwrap().flop_per_clock(Precision::Tf32), None);
}

#[test]
fn precisions_have_the_spellings_of_others() {
    for precision in Precision::ALL {
        assert_eq!(precision.as_str().parse(), Ok(precision));
    }
    assert_eq!("float16".parse(), Ok(Precision::F16));
    assert_eq!("Double".parse(), Ok(Precision::F64));
    assert!("quad".parse::<Precision>().is_err());
}

/// Records of one run.
struct Bench {
    run: Run,
    records: Vec<Record>,
}

impl Bench {
    fn new(testbed: &str, dirty: bool) -> Self {
        let run = Run {
            id: LineId::from_parts(1, 1),
            time: chrono::DateTime::UNIX_EPOCH,
            author: Author::default(),
            tool: "t".into(),
            commit: ObjectId::ZERO,
            tree: ObjectId::ZERO,
            dirty,
            session: None,
            testbed: Testbed::new(testbed, Default::default()).unwrap(),
        };
        Self { run, records: Vec::new() }
    }

    fn with(mut self, benchmark: &str, config: &str, metric: &str, value: &str) -> Self {
        let quantity: Quantity = value.parse().unwrap();
        let name = MetricName::new(metric).unwrap();
        let measured = Measurement {
            benchmark: BenchmarkName::new(benchmark).unwrap(),
            config: config.parse().unwrap(),
            metric: Metric::infer(name, quantity.unit).unwrap(),
            summary: Summary::single(quantity.value),
            values: Vec::new(),
            warnings: Vec::new(),
            barred: None,
            machine_code: None,
        };
        self.records.push(Record::new(LineId::from_parts(1, 2), self.run.id, measured));
        self
    }

    fn evidence(&self) -> Vec<Evidence<'_>> {
        self.records.iter().map(|record| Evidence { commit: ObjectId::ZERO, run: &self.run, record }).collect()
    }
}

#[test]
fn the_best_copy_and_the_best_peak_are_roofs() {
    let bench = Bench::new("t", false)
        .with("copy", "config=copy_1g", "bandwidth", "280 GB/s")
        .with("copy", "config=copy_256m", "bandwidth", "270 GB/s")
        .with("copy", "config=copy_256m", "bandwidth_hot", "900 GB/s")
        .with("mma_peak", "dtype=f16", "throughput", "100 TFLOP/s")
        .with("mma_peak", "dtype=f32", "throughput", "50 TFLOP/s")
        .with("mma_peak_e4m3", "dtype=u8", "throughput", "200 TFLOP/s")
        .with("mma_peak_of_mine", "dtype=f16", "throughput", "999 TFLOP/s")
        .with("other", "dtype=f16", "throughput", "999 TFLOP/s");
    let rates: Vec<(Limit, f64)> = measured_roofs("t", bench.evidence()).iter().map(|roof| (roof.limit, roof.rate)).collect();
    // The peak of f32 operands is that of the tensor cores, and e4m3 is kept as u8.
    let compute = [(Precision::Tf32, 50e12), (Precision::F16, 100e12), (Precision::F8, 200e12)];
    let compute = compute.map(|(precision, rate)| (Limit::Compute(precision), rate));
    assert_eq!(rates, [&[(Limit::Memory, 280e9)], &compute[..]].concat());
    let others = kernels("t", bench.evidence(), &[]);
    let others: Vec<&str> = others.iter().map(|kernel| kernel.benchmark.as_str()).collect();
    assert_eq!(others, ["mma_peak_of_mine", "other"], "a ceiling is no kernel");
    assert_eq!(measured_roofs("another", bench.evidence()), []);
    let dirty = Bench::new("t", true).with("copy", "", "bandwidth", "999 GB/s");
    assert_eq!(measured_roofs("t", dirty.evidence()), []);
}

#[test]
fn kernels_are_points_with_a_rate() {
    let bench = Bench::new("t", false)
        .with("copy", "", "bandwidth", "280 GB/s")
        .with("gemm", "dtype=bf16", "throughput", "80 TFLOP/s")
        .with("gemm", "dtype=bf16", "throughput", "90 TFLOP/s")
        .with("gemm", "dtype=bf16", "bandwidth", "100 GB/s")
        .with("reduce", "", "bandwidth", "200 GB/s")
        .with("sort", "", "time", "1 s");
    let found = kernels("t", bench.evidence(), &[]);
    let told: Vec<_> = found.iter().map(|kernel| (kernel.benchmark.as_str(), kernel.precision, kernel.flop_rate)).collect();
    assert_eq!(told, [("gemm", Some(Precision::Bf16), Some(85e12)), ("reduce", None, None)]);
    assert_eq!(found[0].intensity(), Some(850.0));
    assert_eq!(found[1].intensity(), None);
}

fn profiled(counters: &[(&str, f64, Unit)]) -> Profile {
    let counter = |(name, value, unit): &(&str, f64, Unit)| ((*name).to_owned(), Counter { value: *value, unit: unit.clone() });
    Profile {
        id: LineId::from_parts(1, 3),
        run: LineId::from_parts(1, 1),
        benchmark: BenchmarkName::new("gemm").unwrap(),
        config: "dtype=f32".parse().unwrap(),
        counted: KernelProfile { kernel: "k".into(), launches: 1, metrics: counters.iter().map(counter).collect() },
        report: None,
    }
}

#[test]
fn counted_work_is_a_point_of_its_own() {
    let bench = Bench::new("t", false)
        .with("gemm", "dtype=f32", "throughput", "10 TFLOP/s")
        .with("gemm", "dtype=f32", "bandwidth", "10 GB/s")
        .with("gemm", "dtype=f32", "time", "1 ms");
    let bytes = ("ratchet__dram_bytes", 40e6, Unit::BYTE);
    let duration = ("gpu__time_duration.sum", 2e-3, Unit::SECOND);
    let only_bytes = profiled(&[bytes.clone(), duration.clone()]);
    let found = kernels("t", bench.evidence(), &[&only_bytes]);
    assert_eq!(found.len(), 2);
    // Four times the bytes that it has to move, in the measured time; operations as declared.
    assert_eq!((found[1].work, found[1].byte_rate, found[1].flop_rate), (WorkSource::Counted, Some(40e9), Some(10e12)));
    let tensor =
        profiled(&[bytes.clone(), duration.clone(), ("ratchet__flop", 8e9, Unit::ONE), ("ratchet__flop_tensor", 8e9, Unit::ONE)]);
    let found = kernels("t", bench.evidence(), &[&only_bytes, &tensor]);
    assert_eq!((found[1].flop_rate, found[1].precision), (Some(8e12), Some(Precision::Tf32)), "the newest counts");
    let alone = kernels("t", [], &[&tensor]);
    assert_eq!((alone.len(), alone[0].flop_rate), (1, Some(4e12)), "without a record by the profiler's own time");
}
