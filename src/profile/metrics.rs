//! The counters that explain most of a kernel's time, as data.

use crate::model::{Direction, KernelProfile};

/// What a counter is about; also the order in which reports show them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// How long it took, and how near it came to a limit of the chip.
    Speed,
    /// The shape of the launch and what it holds of an SM.
    Launch,
    /// Memory and caches.
    Memory,
    /// Instructions and pipes.
    Compute,
    /// Why warps waited.
    Stall,
}

/// One counter that is kept.
#[derive(Debug, PartialEq)]
pub struct KeyMetric {
    /// The name that Nsight Compute gives it.
    pub name: &'static str,
    /// The same quantity under other names, for other chips and versions; the first that is there is taken.
    pub aliases: &'static [&'static str],
    /// What it is called for people.
    pub title: &'static str,
    /// What it is about.
    pub group: Group,
    /// Which way is usually better; `None` where it depends.
    pub better: Option<Direction>,
    /// What it says, in a sentence.
    pub meaning: &'static str,
}

impl KeyMetric {
    /// The name under which a launch has it, if it has.
    pub fn name_in<'a>(&'static self, has: impl Fn(&'static str) -> bool + 'a) -> Option<&'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied()).find(|name| has(name))
    }
}

/// The key metric of this name.
pub fn key_metric(name: &str) -> Option<&'static KeyMetric> {
    KEY_METRICS.iter().chain(STALLS).find(|metric| metric.name == name)
}

/// The reasons for which warps waited, the longest wait first, in warps that wait for each instruction that is issued.
pub fn stalls(profile: &KernelProfile) -> Vec<(&'static KeyMetric, f64)> {
    let mut waits: Vec<_> = STALLS.iter().filter_map(|stall| Some((stall, profile.value(stall.name)?))).collect();
    waits.sort_by(|one, other| other.1.total_cmp(&one.1));
    waits
}

const LOWER: Option<Direction> = Some(Direction::Lower);
const HIGHER: Option<Direction> = Some(Direction::Higher);

macro_rules! metric {
    ($group:ident, $name:literal, [$($alias:literal),*], $title:literal, $better:expr, $meaning:literal) => {
        KeyMetric { name: $name, aliases: &[$($alias),*], title: $title, group: Group::$group, better: $better, meaning: $meaning }
    };
}

/// Every counter that is kept besides the stall reasons, in the order in which reports show them.
pub const KEY_METRICS: &[KeyMetric] = &[
    metric!(
        Speed,
        "gpu__time_duration.sum",
        ["gpu__time_duration.avg"],
        "duration",
        LOWER,
        "Time of one launch under the profiler, caches emptied before it; no substitute for a measured time."
    ),
    metric!(
        Speed,
        "sm__throughput.avg.pct_of_peak_sustained_elapsed",
        [],
        "compute throughput",
        HIGHER,
        "How near the busiest part of the SMs came to its peak."
    ),
    metric!(
        Speed,
        "gpu__compute_memory_throughput.avg.pct_of_peak_sustained_elapsed",
        [],
        "memory throughput",
        HIGHER,
        "How near the busiest part of the memory system came to its peak."
    ),
    metric!(
        Speed,
        "dram__throughput.avg.pct_of_peak_sustained_elapsed",
        ["gpu__dram_throughput.avg.pct_of_peak_sustained_elapsed"],
        "DRAM throughput",
        HIGHER,
        "Share of the peak bandwidth of the device memory that was used."
    ),
    metric!(
        Speed,
        "lts__throughput.avg.pct_of_peak_sustained_elapsed",
        [],
        "L2 throughput",
        HIGHER,
        "How near the L2 cache came to its peak."
    ),
    metric!(
        Speed,
        "l1tex__throughput.avg.pct_of_peak_sustained_active",
        [],
        "L1 throughput",
        HIGHER,
        "How near the L1 and texture units came to their peak."
    ),
    metric!(
        Speed,
        "ratchet__flop",
        [],
        "floating-point work",
        None,
        "Floating-point operations that were executed, on CUDA cores and tensor cores; computed from several counters."
    ),
    metric!(
        Speed,
        "ratchet__dram_bytes",
        [],
        "DRAM traffic",
        LOWER,
        "Bytes read from and written to the device memory; computed from both counters."
    ),
    metric!(
        Launch,
        "launch__registers_per_thread",
        [],
        "registers",
        LOWER,
        "Registers that are allocated for each thread; many leave room for few warps."
    ),
    metric!(
        Launch,
        "launch__shared_mem_per_block",
        [],
        "shared memory per block",
        LOWER,
        "Static and dynamic shared memory of a block; much leaves room for few blocks."
    ),
    metric!(Launch, "launch__grid_size", [], "blocks", None, "Blocks of the grid."),
    metric!(Launch, "launch__block_size", [], "threads per block", None, "Threads of a block."),
    metric!(
        Launch,
        "launch__waves_per_multiprocessor",
        [],
        "waves",
        None,
        "Rounds of blocks that every SM runs; just above a whole number leaves most SMs idle in the last round."
    ),
    metric!(
        Launch,
        "launch__occupancy_limit_registers",
        [],
        "block limit by registers",
        HIGHER,
        "Blocks that fit an SM as far as registers go."
    ),
    metric!(
        Launch,
        "launch__occupancy_limit_shared_mem",
        [],
        "block limit by shared memory",
        HIGHER,
        "Blocks that fit an SM as far as shared memory goes."
    ),
    metric!(
        Launch,
        "sm__maximum_warps_per_active_cycle_pct",
        [],
        "theoretical occupancy",
        HIGHER,
        "Warps that fit an SM with this launch, as a share of what it can hold."
    ),
    metric!(
        Launch,
        "sm__warps_active.avg.pct_of_peak_sustained_active",
        [],
        "occupancy",
        HIGHER,
        "Warps that were resident on average, as a share of what an SM can hold."
    ),
    metric!(
        Memory,
        "dram__bytes_read.sum",
        ["dram__bytes_op_read.sum"],
        "DRAM reads",
        LOWER,
        "Bytes read from the device memory."
    ),
    metric!(
        Memory,
        "dram__bytes_write.sum",
        ["dram__bytes_op_write.sum"],
        "DRAM writes",
        LOWER,
        "Bytes written to the device memory."
    ),
    metric!(
        Memory,
        "dram__bytes.sum.per_second",
        [],
        "DRAM bandwidth",
        HIGHER,
        "Bytes read from and written to the device memory, for each second of the launch."
    ),
    metric!(
        Memory,
        "l1tex__t_sector_hit_rate.pct",
        [],
        "L1 hit rate",
        HIGHER,
        "Share of the sectors asked of the L1 cache that it had."
    ),
    metric!(
        Memory,
        "lts__t_sector_hit_rate.pct",
        [],
        "L2 hit rate",
        HIGHER,
        "Share of the sectors asked of the L2 cache that it had."
    ),
    metric!(
        Memory,
        "l1tex__data_bank_conflicts_pipe_lsu_mem_shared.sum",
        ["l1tex__data_bank_conflicts_pipe_lsu.sum"],
        "bank conflicts",
        LOWER,
        "Extra turns that accesses to shared memory took, because lanes of a warp wanted the same bank."
    ),
    metric!(
        Memory,
        "smsp__sass_inst_executed_op_local_ld.sum",
        ["smsp__inst_executed_op_local_ld.sum", "sass__inst_executed_register_spilling_mem_local_op_read"],
        "local loads",
        LOWER,
        "Loads from local memory: registers that were spilled, or arrays that could not stay in registers."
    ),
    metric!(
        Memory,
        "smsp__sass_inst_executed_op_local_st.sum",
        ["smsp__inst_executed_op_local_st.sum", "sass__inst_executed_register_spilling_mem_local_op_write"],
        "local stores",
        LOWER,
        "Stores to local memory, the other half of spills."
    ),
    metric!(Compute, "smsp__inst_executed.sum", ["sm__inst_executed.sum"], "instructions", LOWER, "Instructions of all warps."),
    metric!(
        Compute,
        "sm__inst_executed.avg.per_cycle_active",
        ["sm__inst_executed.avg.per_cycle_elapsed"],
        "instructions per cycle",
        HIGHER,
        "Instructions that an SM executes in a cycle in which it works."
    ),
    metric!(
        Compute,
        "smsp__issue_active.avg.pct_of_peak_sustained_active",
        ["sm__inst_issued.avg.pct_of_peak_sustained_active"],
        "issue slots busy",
        HIGHER,
        "Share of the cycles in which a scheduler issued an instruction."
    ),
    metric!(
        Compute,
        "sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_elapsed",
        [
            "sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_active",
            "sm__inst_executed_pipe_tensor.avg.pct_of_peak_sustained_active",
            "sm__pipe_tensor_op_hmma_cycles_active.avg.pct_of_peak_sustained_active"
        ],
        "tensor pipe use",
        HIGHER,
        "Share of the time in which the tensor cores worked."
    ),
    metric!(
        Compute,
        "smsp__thread_inst_executed_per_inst_executed.ratio",
        [],
        "active threads per warp",
        HIGHER,
        "Threads that take part in an instruction on average; below 32 branches diverge."
    ),
];

macro_rules! stall {
    ($reason:literal, $title:literal, $meaning:literal) => {
        KeyMetric {
            name: concat!("smsp__average_warps_issue_stalled_", $reason, "_per_issue_active.ratio"),
            aliases: &[],
            title: concat!("stall: ", $title),
            group: Group::Stall,
            better: LOWER,
            meaning: $meaning,
        }
    };
}

/// Why warps waited: warps in this state for each instruction that is issued.
pub const STALLS: &[KeyMetric] = &[
    stall!("long_scoreboard", "global memory", "Waiting for data from L1, L2 or device memory (long scoreboard)."),
    stall!("short_scoreboard", "shared memory", "Waiting for shared memory or special functions (short scoreboard)."),
    stall!("wait", "fixed latency", "Waiting for the fixed latency of the instruction before (wait)."),
    stall!("barrier", "barrier", "Waiting for other warps of the block at a barrier."),
    stall!("mio_throttle", "memory input queue", "The queue for shared memory and special functions is full (MIO throttle)."),
    stall!("lg_throttle", "local and global queue", "The queue for local and global memory is full (LG throttle)."),
    stall!("tex_throttle", "texture queue", "The queue of the texture unit is full (TEX throttle)."),
    stall!("math_pipe_throttle", "math pipe", "The arithmetic pipe is busy: good news where it is the tensor cores."),
    stall!("not_selected", "not selected", "Ready, but another warp was issued: there are more warps than needed."),
    stall!("dispatch_stall", "dispatch", "The dispatcher held the instruction back."),
    stall!("drain", "drain", "Waiting for stores to leave before exit."),
    stall!("imc_miss", "constant cache", "Waiting for the cache of immediate constants."),
    stall!("no_instruction", "instruction cache", "Waiting for instructions: jumps, or code that its cache does not hold."),
    stall!("branch_resolving", "branch", "Waiting for the target of a branch."),
    stall!("membar", "memory barrier", "Waiting at a memory fence."),
    stall!("sleeping", "sleeping", "All threads of the warp sleep (nanosleep)."),
    stall!("gmma", "warpgroup MMA", "Waiting for the tensor cores of a warpgroup (from sm_90 on)."),
];
