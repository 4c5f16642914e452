//! Work and traffic of a launch, computed from raw counters.
//!
//! The counters are those of Nsight Compute's roofline sections. A fused multiply-add is two operations. Counters of
//! instructions count threads whose predicate was true; counters of the tensor path count operations themselves.

use std::collections::BTreeMap;

use crate::model::{Counter, Unit};

/// The name under which [`flop`] is kept.
pub const FLOP: &str = "ratchet__flop";
/// The name under which [`tensor_flop`] is kept.
pub const TENSOR_FLOP: &str = "ratchet__flop_tensor";
/// The name under which [`dram_bytes`] is kept.
pub const DRAM_BYTES: &str = "ratchet__dram_bytes";

/// Operations and how many floating-point operations each of them is.
const OPERATIONS: &[(&str, f64)] = &[
    ("fadd", 1.0),
    ("fmul", 1.0),
    ("ffma", 2.0),
    ("dadd", 1.0),
    ("dmul", 1.0),
    ("dfma", 2.0),
    // A half instruction works on two packed values.
    ("hadd", 2.0),
    ("hmul", 2.0),
    ("hfma", 4.0),
];

/// Below this share of the time, or count, the tensor cores are idle.
const IDLE_TENSOR_PERCENT: f64 = 1.0;

/// The launch's counters by name.
pub type Counters = BTreeMap<String, Counter>;

/// What is derived, ready to be kept beside the counters.
pub fn all(counters: &Counters) -> Vec<(&'static str, Counter)> {
    let flop_unit = || Unit::from_symbol("FLOP").unwrap_or(Unit::ONE);
    let mut derived = Vec::new();
    derived.extend(flop(counters).map(|value| (FLOP, Counter { value, unit: flop_unit() })));
    derived.extend(tensor_flop(counters).map(|value| (TENSOR_FLOP, Counter { value, unit: flop_unit() })));
    derived.extend(dram_bytes(counters).map(|value| (DRAM_BYTES, Counter { value, unit: Unit::BYTE })));
    derived
}

/// Floating-point operations of the launch on CUDA cores and tensor cores; `None` where no counter tells, and where the
/// tensor cores worked but nothing counted what: the rest alone would be far too little.
pub fn flop(counters: &Counters) -> Option<f64> {
    let tensor_works = |(name, counter): (&String, &Counter)| name.contains("pipe_tensor") && counter.value > IDLE_TENSOR_PERCENT;
    if tensor_flop(counters).is_none() && counters.iter().any(tensor_works) {
        return None;
    }
    let scalar = OPERATIONS.iter().filter_map(|(operation, weight)| operations(counters, operation, *weight));
    sum(scalar.chain(tensor_flop(counters)))
}

/// Floating-point operations of the tensor cores; `None` where the chip does not count them.
pub fn tensor_flop(counters: &Counters) -> Option<f64> {
    let paths: Vec<(&str, &str, f64)> = counters
        .iter()
        .filter_map(|(name, counter)| {
            let (path, rollup) = name.strip_prefix("sm__ops_path_tensor_src_")?.split_once('.')?;
            Some((path, rollup, counter.value))
        })
        .filter(|(path, ..)| !path.starts_with("int") && !path.starts_with("u8") && !path.starts_with("s8"))
        .collect();
    // A total and its part with sparsity off may both be there: only one of each path counts.
    let is_part = |path: &str| path.contains("_sparsity_");
    let has_total = |path: &str| {
        let total = path.split("_sparsity_").next().unwrap_or(path);
        paths.iter().any(|(other, rollup, _)| *other == total && is_count(rollup))
    };
    let counted = paths.iter().filter(|(path, ..)| !is_part(path) || !has_total(path));
    sum(counted.filter_map(|(_, rollup, value)| match *rollup {
        "sum" => Some(*value),
        "sum.per_cycle_elapsed" => Some(value * cycles(counters, "sm__cycles_elapsed")?),
        _ => None,
    }))
}

fn is_count(rollup: &str) -> bool {
    matches!(rollup, "sum" | "sum.per_cycle_elapsed")
}

/// Bytes between the chip and its memory; `None` where no counter tells.
pub fn dram_bytes(counters: &Counters) -> Option<f64> {
    let value = |name: &str| counters.get(name).map(|counter| counter.value);
    let parts = [["dram__bytes_read.sum", "dram__bytes_op_read.sum"], ["dram__bytes_write.sum", "dram__bytes_op_write.sum"]];
    let read_and_written = parts.map(|names| names.into_iter().find_map(value));
    match (value("dram__bytes.sum"), read_and_written) {
        (Some(total), _) => Some(total),
        (None, [Some(read), Some(written)]) => Some(read + written),
        (None, _) => Some(value("dram__bytes.sum.per_second")? * value("gpu__time_duration.sum")?),
    }
}

/// Floating-point operations of one kind: from the count of instructions, or from the rate of the roofline section.
fn operations(counters: &Counters, operation: &str, weight: f64) -> Option<f64> {
    for unit in ["smsp", "sm"] {
        let name = format!("{unit}__sass_thread_inst_executed_op_{operation}_pred_on.sum");
        if let Some(counter) = counters.get(&name) {
            return Some(weight * counter.value);
        }
        if let Some(rate) = counters.get(&format!("{name}.per_cycle_elapsed")) {
            return Some(weight * rate.value * cycles(counters, &format!("{unit}__cycles_elapsed"))?);
        }
    }
    // The section has some rates only with the weight multiplied in.
    let weighted = counters.get(&format!("derived__smsp__sass_thread_inst_executed_op_{operation}_pred_on_x{weight}"));
    weighted.and_then(|rate| Some(rate.value * cycles(counters, "smsp__cycles_elapsed")?))
}

/// Cycles of the launch: counted, or the clock times the duration.
fn cycles(counters: &Counters, base: &str) -> Option<f64> {
    let value = |name: String| counters.get(&name).map(|counter| counter.value);
    let counted = value(format!("{base}.max")).or_else(|| value(format!("{base}.avg")));
    counted.or_else(|| Some(value(format!("{base}.avg.per_second"))? * value("gpu__time_duration.sum".to_owned())?))
}

fn sum(values: impl Iterator<Item = f64>) -> Option<f64> {
    values.fold(None, |sum: Option<f64>, value| Some(sum.unwrap_or(0.0) + value))
}
