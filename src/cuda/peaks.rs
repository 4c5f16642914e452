//! What a device can do at most: peak rates, and the least time that a kernel's work takes.
//!
//! Rates are operations per clock of one multiprocessor ([`Architecture`]), times the multiprocessors and the highest clock
//! that the driver tells. Where they are not known nothing is claimed.

use super::DType;
use super::device::Properties;
use super::plan::Work;
use crate::roofline::{Architecture, Precision};

/// How much faster than a limit a time may read, for want of resolution of the events.
const SLACK: f64 = 0.98;

/// Peak rates of a device for the work of one kernel.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Peaks {
    /// Bytes per second between chip and memory.
    pub(super) bandwidth: Option<f64>,
    /// Operations per second of the kernel's type.
    pub(super) compute: Option<f64>,
}

impl Peaks {
    /// The peaks of `device` for `work`.
    pub(super) fn of(device: &Properties, work: &Work) -> Self {
        let clock = f64::from(device.clock_khz) * 1e3;
        let per_clock = work.flop_dtype.and_then(|dtype| flop_per_clock(device.compute_capability, dtype, work.tensor_cores));
        let compute = per_clock.map(|flop| f64::from(flop) * f64::from(device.sm_count) * clock);
        // Two transfers per clock, in every generation of GDDR and HBM as the driver tells its clock.
        let bandwidth = 2.0 * f64::from(device.memory_clock_khz) * 1e3 * f64::from(device.bus_bits) / 8.0;
        let known = |peak: &f64| *peak > 0.0;
        Self { bandwidth: Some(bandwidth).filter(known), compute: compute.filter(known) }
    }

    /// The time that `work` takes at these rates: the longer of moving and computing.
    pub(super) fn roof_seconds(&self, work: &Work) -> Option<f64> {
        let moving = work.bytes.zip(self.bandwidth).map(|(bytes, rate)| bytes / rate);
        let computing = work.flop.zip(self.compute).map(|(flop, rate)| flop / rate);
        moving.into_iter().chain(computing).filter(|seconds| *seconds > 0.0).reduce(f64::max)
    }
}

/// Why `seconds` cannot be, if so: the arithmetic in words.
///
/// What fits into the second-level cache need not have come from memory, or gone there, while the kernel ran.
pub(super) fn impossible(seconds: f64, work: &Work, device: &Properties) -> Option<String> {
    let peaks = Peaks::of(device, work);
    let shown = |seconds: f64| format!("{:.3} µs", seconds * 1e6);
    if let Some((bytes, rate)) = work.bytes.zip(peaks.bandwidth) {
        let least = (bytes - device.l2_bytes as f64).max(0.0) / rate;
        if seconds < SLACK * least {
            return Some(format!(
                "{} is impossible: {bytes:.4e} B, less the {} MiB that the cache may hold, take at least {} at {:.0} GB/s",
                shown(seconds),
                device.l2_bytes >> 20,
                shown(least),
                rate / 1e9
            ));
        }
    }
    if let Some((flop, rate)) = work.flop.zip(peaks.compute) {
        let least = flop / rate;
        if seconds < SLACK * least {
            return Some(format!(
                "{} is impossible: {flop:.4e} FLOP take at least {} at {:.1} TFLOP/s",
                shown(seconds),
                shown(least),
                rate / 1e12
            ));
        }
    }
    None
}

/// Operations that one multiprocessor does per clock at most.
fn flop_per_clock(compute_capability: u32, dtype: DType, tensor_cores: bool) -> Option<u32> {
    let architecture = Architecture::of(compute_capability)?;
    match (dtype, tensor_cores) {
        (DType::F64, false) => architecture.flop_per_clock(Precision::F64),
        (DType::F64, true) => architecture.flop_per_clock(Precision::F64Tensor),
        (DType::F32, false) => architecture.flop_per_clock(Precision::F32),
        (DType::F32, true) => architecture.flop_per_clock(Precision::Tf32),
        (DType::F16 | DType::BF16, false) => Some(architecture.packed_half_per_clock()),
        (DType::F16, true) => architecture.flop_per_clock(Precision::F16),
        (DType::BF16, true) => architecture.flop_per_clock(Precision::Bf16),
        (DType::I8 | DType::U8, true) => architecture.flop_per_clock(Precision::I8),
        (DType::I8 | DType::U8 | DType::I32 | DType::U32 | DType::I64, _) => None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// As the driver tells an H200.
    pub(in crate::cuda) fn h200() -> Properties {
        Properties {
            name: "NVIDIA H200".to_owned(),
            uuid: "GPU-0".to_owned(),
            compute_capability: 90,
            sm_count: 132,
            max_threads_per_block: 1024,
            shared_bytes_per_block: 232_448,
            warp_size: 32,
            l2_bytes: 60 << 20,
            memory_bytes: 141 << 30,
            clock_khz: 1_980_000,
            memory_clock_khz: 3_201_000,
            bus_bits: 6144,
            ecc: true,
            driver_version: 13000,
        }
    }

    fn gemm(side: f64) -> Work {
        Work { flop: Some(2.0 * side.powi(3)), flop_dtype: Some(DType::F16), tensor_cores: true, bytes: Some(6.0 * side * side) }
    }

    #[test]
    fn peaks_are_those_of_the_data_sheet() {
        let peaks = Peaks::of(&h200(), &gemm(4096.0));
        assert!((peaks.bandwidth.unwrap() / 4.9e12 - 1.0).abs() < 0.03, "{peaks:?}");
        assert!((1.0..1.1).contains(&(peaks.compute.unwrap() / 1e15)), "{peaks:?}");
    }

    #[test]
    fn a_matrix_product_is_bounded_by_its_operations_and_a_copy_by_its_bytes() {
        let product = impossible(50e-6, &gemm(4096.0), &h200()).unwrap();
        assert!(product.contains("TFLOP/s") && product.contains("50.000 µs"), "{product}");
        assert_eq!(impossible(200e-6, &gemm(4096.0), &h200()), None);
        let copy = Work { bytes: Some(2e9), ..Work::default() };
        let refused = impossible(300e-6, &copy, &h200()).unwrap();
        assert!(refused.contains("60 MiB") && refused.contains("GB/s"), "{refused}");
        assert_eq!(impossible(450e-6, &copy, &h200()), None);
    }

    #[test]
    fn what_the_cache_may_hold_is_not_refused() {
        let small = Work { bytes: Some(3e7), ..Work::default() };
        assert_eq!(impossible(1e-6, &small, &h200()), None);
    }

    #[test]
    fn unknown_chips_are_not_judged() {
        let unknown = Properties { compute_capability: 999, memory_clock_khz: 0, ..h200() };
        assert_eq!(impossible(1e-12, &gemm(4096.0), &unknown), None);
        assert_eq!(Peaks::of(&unknown, &gemm(8.0)).roof_seconds(&gemm(8.0)), None);
    }
}
