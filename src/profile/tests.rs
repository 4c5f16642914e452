//! Findings between made-up profiles, and work computed from counters.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::model::{Counter, KernelProfile, Unit};

fn counters(values: &[(&str, f64)]) -> BTreeMap<String, Counter> {
    let unit = |name: &str| match name {
        name if name.contains("pct") => Unit::PERCENT,
        name if name.contains("duration") => Unit::SECOND,
        name if name.contains("bytes") || name.contains("shared_mem_per") => Unit::BYTE,
        _ => Unit::ONE,
    };
    values.iter().map(|(name, value)| ((*name).to_owned(), Counter { value: *value, unit: unit(name) })).collect()
}

fn profile(values: &[(&str, f64)]) -> KernelProfile {
    KernelProfile { kernel: "k".into(), launches: 1, metrics: counters(values) }
}

const REGISTERS: &str = "launch__registers_per_thread";
const OCCUPANCY: &str = "sm__warps_active.avg.pct_of_peak_sustained_active";
const DURATION: &str = "gpu__time_duration.sum";
const CONFLICTS: &str = "l1tex__data_bank_conflicts_pipe_lsu_mem_shared.sum";
const LOCAL: &str = "smsp__sass_inst_executed_op_local_ld.sum";

fn names(findings: &[Finding]) -> Vec<(&str, Vec<&str>)> {
    let effects = |finding: &Finding| finding.effects.iter().map(|effect| effect.metric.name).collect();
    findings.iter().map(|finding| (finding.cause.metric.name, effects(finding))).collect()
}

#[test]
fn names_are_unique_and_titles_tell_apart() {
    let all: Vec<_> = KEY_METRICS.iter().chain(STALLS).collect();
    let names: BTreeSet<_> = all.iter().flat_map(|metric| std::iter::once(&metric.name).chain(metric.aliases)).collect();
    let aliases: usize = all.iter().map(|metric| metric.aliases.len()).sum();
    assert_eq!(names.len(), all.len() + aliases);
    assert_eq!(all.iter().map(|metric| metric.title).collect::<BTreeSet<_>>().len(), all.len());
    assert!(all.iter().all(|metric| metric.meaning.ends_with('.')));
}

#[test]
fn the_same_profile_has_nothing_to_tell() {
    let one = profile(&[(DURATION, 1e-3), (REGISTERS, 64.0), (OCCUPANCY, 50.0)]);
    assert_eq!(findings(&one, &one), []);
    let jitter = profile(&[(DURATION, 1.01e-3), (REGISTERS, 64.0), (OCCUPANCY, 49.3)]);
    assert_eq!(findings(&one, &jitter), []);
}

#[test]
fn registers_that_cost_occupancy_are_one_finding() {
    let before = profile(&[(DURATION, 1e-3), (REGISTERS, 64.0), (OCCUPANCY, 50.0)]);
    let after = profile(&[(DURATION, 1.5e-3), (REGISTERS, 128.0), (OCCUPANCY, 25.0)]);
    let found = findings(&before, &after);
    assert_eq!(names(&found), [(REGISTERS, vec![OCCUPANCY])]);
    assert_eq!((found[0].cause.before, found[0].cause.after), (64.0, 128.0));
    assert_eq!(found[0].cause.is_better(), Some(false));
    assert_eq!(duration(&before, &after).unwrap().percent(), Some(-50.0));
}

#[test]
fn an_effect_that_moves_the_wrong_way_is_no_effect() {
    let before = profile(&[(REGISTERS, 64.0), (OCCUPANCY, 25.0)]);
    let after = profile(&[(REGISTERS, 128.0), (OCCUPANCY, 50.0)]);
    assert_eq!(names(&findings(&before, &after)), [(REGISTERS, vec![]), (OCCUPANCY, vec![])]);
}

#[test]
fn spills_from_nothing_come_first() {
    let before = profile(&[(DURATION, 1e-3), (REGISTERS, 64.0), (LOCAL, 0.0), (CONFLICTS, 1000.0)]);
    let after = profile(&[(DURATION, 2e-3), (REGISTERS, 72.0), (LOCAL, 5e6), (CONFLICTS, 2000.0)]);
    let order: Vec<_> = findings(&before, &after).iter().map(|finding| finding.cause.metric.name).collect();
    assert_eq!(order, [LOCAL, CONFLICTS, REGISTERS]);
}

#[test]
fn what_goes_with_the_duration_comes_before_what_goes_against_it() {
    let change = |duration| {
        let before = profile(&[(DURATION, 1e-3), (REGISTERS, 64.0), (CONFLICTS, 1000.0)]);
        let after = profile(&[(DURATION, duration), (REGISTERS, 128.0), (CONFLICTS, 400.0)]);
        findings(&before, &after)[0].cause.metric.name
    };
    assert_eq!((change(2e-3), change(0.5e-3)), (REGISTERS, CONFLICTS));
}

#[test]
fn units_that_differ_are_not_compared() {
    let before = profile(&[(REGISTERS, 64.0)]);
    let mut after = profile(&[(REGISTERS, 128.0)]);
    after.metrics.get_mut(REGISTERS).unwrap().unit = Unit::BYTE;
    assert_eq!(findings(&before, &after), []);
}

#[test]
fn work_is_counted_with_two_operations_for_each_fused_one() {
    let of = |values: &[(&str, f64)]| derived::flop(&counters(values));
    let name = |operation: &str| format!("smsp__sass_thread_inst_executed_op_{operation}_pred_on.sum");
    assert_eq!(of(&[(&name("fadd"), 10.0), (&name("fmul"), 20.0), (&name("ffma"), 100.0)]), Some(230.0));
    assert_eq!(of(&[("launch__registers_per_thread", 1.0)]), None);
    let tensor = "sm__ops_path_tensor_src_fp16_dst_fp32";
    assert_eq!(of(&[(&name("ffma"), 1.0), (&format!("{tensor}.sum"), 4096.0)]), Some(4098.0));
    // The part with sparsity off is in the total; operations on integers are no floating-point work.
    let parts = [(&*format!("{tensor}.sum"), 100.0), (&*format!("{tensor}_sparsity_off.sum"), 100.0)];
    assert_eq!(derived::tensor_flop(&counters(&parts)), Some(100.0));
    assert_eq!(derived::tensor_flop(&counters(&parts[1..])), Some(100.0));
    assert_eq!(derived::tensor_flop(&counters(&[("sm__ops_path_tensor_src_int8.sum", 9.0)])), None);
}

#[test]
fn rates_of_the_roofline_section_become_counts() {
    let rate = |operation: &str| format!("smsp__sass_thread_inst_executed_op_{operation}_pred_on.sum.per_cycle_elapsed");
    let values = [
        (&*rate("fadd"), 2.0),
        ("derived__smsp__sass_thread_inst_executed_op_ffma_pred_on_x2", 8.0),
        ("smsp__cycles_elapsed.avg.per_second", 1e9),
        (DURATION, 1e-3),
    ];
    // One million cycles; two additions and eight operations of fused ones in each.
    let flop = derived::flop(&counters(&values)).unwrap();
    assert!((flop - 10e6).abs() < 1.0, "{flop}");
}

#[test]
fn traffic_is_what_is_read_and_written() {
    let of = |values: &[(&str, f64)]| derived::dram_bytes(&counters(values));
    assert_eq!(of(&[("dram__bytes_read.sum", 3.0), ("dram__bytes_write.sum", 4.0)]), Some(7.0));
    assert_eq!(of(&[("dram__bytes_op_read.sum", 3.0), ("dram__bytes_op_write.sum", 4.0)]), Some(7.0));
    assert_eq!(of(&[("dram__bytes.sum", 9.0), ("dram__bytes_read.sum", 3.0)]), Some(9.0));
    assert_eq!(of(&[("dram__bytes_read.sum", 3.0)]), None, "half of the traffic is not the traffic");
}

#[test]
fn stalls_are_told_longest_first() {
    let stall = |reason: &str| format!("smsp__average_warps_issue_stalled_{reason}_per_issue_active.ratio");
    let of = profile(&[(&stall("wait"), 2.0), (&stall("barrier"), 5.0)]);
    let titles: Vec<_> = stalls(&of).iter().map(|(stall, _)| stall.title).collect();
    assert_eq!(titles, ["stall: barrier", "stall: fixed latency"]);
}
