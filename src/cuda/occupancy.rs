//! What a multiprocessor of each architecture offers: the denominators of theoretical occupancy.
//!
//! From the CUDA C++ Programming Guide, "Technical Specifications per Compute Capability", and from `cuda_occupancy.h` of
//! the CUDA runtime (granularity of registers and of shared memory, barriers), with which the results were compared.

use super::{Arch, MachineCode};

/// Limits of one multiprocessor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmLimits {
    /// Resident threads.
    pub threads: u32,
    /// Resident blocks.
    pub blocks: u32,
    /// 32-bit registers.
    pub registers: u32,
    /// Shared memory in bytes, what the system keeps for itself included.
    pub shared_bytes: u32,
    /// The most of it that one block may have, where the kernel opts in.
    pub shared_bytes_per_block: u32,
    /// What the system keeps of each block's shared memory.
    pub reserved_shared_bytes: u32,
    /// Named barriers.
    pub barriers: u32,
}

/// Threads of a warp, on every architecture.
pub const WARP_SIZE: u32 = 32;
/// Registers are given to a warp in units of this many.
const REGISTER_UNIT: u32 = 256;
/// Registers belong to one of four partitions of a multiprocessor, and so do warps.
const PARTITIONS: u32 = 4;
/// Shared memory is given to a block in units of this many bytes, from 8.0 on; 256 before.
const SHARED_UNIT: u32 = 128;

/// The limits of an architecture; `None` for one that this version does not know.
pub fn limits(arch: Arch) -> Option<SmLimits> {
    const KIB: u32 = 1024;
    // Number, threads, blocks, KiB of shared memory of the multiprocessor and of a block.
    let (threads, blocks, shared, per_block) = match arch.number {
        75 => (1024, 16, 64, 64),
        80 => (2048, 32, 164, 163),
        86 => (1536, 16, 100, 99),
        87 => (1536, 16, 164, 163),
        88 => (1536, 16, 100, 99),
        89 => (1536, 24, 100, 99),
        90 | 100 | 103 => (2048, 32, 228, 227),
        110 => (1536, 24, 228, 227),
        120 | 121 => (1536, 24, 100, 99),
        _ => return None,
    };
    Some(SmLimits {
        threads,
        blocks,
        registers: 65_536,
        shared_bytes: shared * KIB,
        shared_bytes_per_block: per_block * KIB,
        reserved_shared_bytes: if arch.number >= 80 { KIB } else { 0 },
        barriers: if matches!(arch.number, 90 | 100 | 103) { 2 * blocks } else { blocks },
    })
}

/// How much of a multiprocessor a kernel can fill.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Occupancy {
    /// Resident blocks.
    pub blocks: u32,
    /// Resident warps over the most there can be, from 0 to 1.
    pub share: f64,
}

/// Theoretical occupancy: resident warps by threads, blocks, registers, shared memory and barriers, whichever is scarcest.
///
/// `None` for an architecture that is not known, or a block that cannot run there.
pub fn occupancy(arch: Arch, code: &MachineCode, block_threads: u32, dynamic_shared: u32) -> Option<Occupancy> {
    let limits = limits(arch)?;
    let warps = block_threads.div_ceil(WARP_SIZE);
    let most_warps = limits.threads / WARP_SIZE;
    if warps == 0 || warps > most_warps {
        return None;
    }
    let by_warps = most_warps / warps;
    let by_registers = by_registers(limits, code.registers, warps);
    let shared_unit = if arch.number >= 80 { SHARED_UNIT } else { 2 * SHARED_UNIT };
    let of_block = code.shared_bytes.checked_add(dynamic_shared).filter(|bytes| *bytes <= limits.shared_bytes_per_block)?;
    let shared = of_block + limits.reserved_shared_bytes;
    let by_shared = limits.shared_bytes.checked_div(shared.next_multiple_of(shared_unit)).unwrap_or(limits.blocks);
    // Before 9.0 the runtime does not count barriers.
    let by_barriers = limits.barriers.checked_div(code.barriers).filter(|_| arch.number >= 90).unwrap_or(limits.blocks);
    let blocks = limits.blocks.min(by_warps).min(by_registers).min(by_shared).min(by_barriers);
    Some(Occupancy { blocks, share: f64::from(blocks * warps) / f64::from(most_warps) })
}

fn by_registers(limits: SmLimits, registers: u32, warps: u32) -> u32 {
    let of_warp = (registers.saturating_mul(WARP_SIZE)).next_multiple_of(REGISTER_UNIT);
    if of_warp == 0 {
        return limits.blocks;
    }
    let warps_of_partition = limits.registers / PARTITIONS / of_warp;
    warps_of_partition * PARTITIONS / warps
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Architecture, registers, threads, bytes of shared memory, barriers, blocks.
    #[rustfmt::skip]
    const OCC_TABLE: [(&str, u32, u32, u32, u32, u32); 44] = [
        ("sm_75", 168, 96, 49152, 16, 1),
        ("sm_75", 33, 96, 0, 3, 10),
        ("sm_75", 40, 256, 49152, 0, 1),
        ("sm_75", 255, 256, 16384, 0, 1),
        ("sm_80", 255, 256, 1024, 3, 1),
        ("sm_80", 168, 32, 98000, 3, 1),
        ("sm_80", 96, 512, 49152, 3, 1),
        ("sm_80", 64, 256, 1024, 16, 4),
        ("sm_86", 16, 96, 98000, 3, 1),
        ("sm_86", 64, 96, 33000, 16, 3),
        ("sm_86", 32, 768, 16384, 0, 2),
        ("sm_86", 128, 384, 5000, 3, 1),
        ("sm_87", 16, 256, 98000, 0, 1),
        ("sm_87", 24, 384, 33000, 3, 4),
        ("sm_87", 24, 64, 16384, 16, 9),
        ("sm_87", 33, 768, 33000, 3, 2),
        ("sm_89", 64, 128, 0, 1, 8),
        ("sm_89", 32, 768, 1000, 1, 2),
        ("sm_89", 40, 96, 98000, 16, 1),
        ("sm_89", 96, 64, 33000, 16, 3),
        ("sm_90", 24, 768, 0, 16, 2),
        ("sm_90", 40, 128, 1024, 3, 12),
        ("sm_90", 16, 96, 0, 16, 4),
        ("sm_90", 33, 768, 100, 16, 2),
        ("sm_100", 128, 128, 1024, 16, 4),
        ("sm_100", 40, 1024, 0, 1, 1),
        ("sm_100", 33, 64, 60000, 16, 3),
        ("sm_100", 128, 32, 5000, 3, 16),
        ("sm_103", 32, 768, 100, 16, 2),
        ("sm_103", 24, 96, 5000, 1, 21),
        ("sm_103", 32, 128, 200000, 0, 1),
        ("sm_103", 168, 96, 100, 0, 4),
        ("sm_110", 32, 64, 231000, 1, 1),
        ("sm_110", 32, 96, 160000, 16, 1),
        ("sm_110", 16, 32, 1024, 3, 8),
        ("sm_110", 16, 32, 160000, 16, 1),
        ("sm_120", 32, 128, 5000, 1, 12),
        ("sm_120", 32, 256, 0, 3, 6),
        ("sm_120", 24, 768, 98000, 16, 1),
        ("sm_120", 24, 1024, 0, 1, 1),
        ("sm_121", 33, 96, 33000, 0, 3),
        ("sm_121", 33, 384, 100, 0, 4),
        ("sm_121", 32, 96, 1024, 3, 8),
        ("sm_121", 96, 64, 1000, 0, 10),
    ];

    fn code(registers: u32, shared_bytes: u32, barriers: u32) -> MachineCode {
        MachineCode {
            registers,
            spill_stores: 0,
            spill_loads: 0,
            stack: 0,
            shared_bytes,
            barriers,
            instructions: 0,
            cubin_bytes: 0,
            hash: String::new(),
        }
    }

    fn blocks(arch: &str, registers: u32, threads: u32, shared: u32, barriers: u32) -> u32 {
        occupancy(arch.parse().unwrap(), &code(registers, 0, barriers), threads, shared).unwrap().blocks
    }

    /// What `cudaOccMaxActiveBlocksPerMultiprocessor` of `cuda_occupancy.h` (CUDA 13.0) gives for the same numbers.
    #[test]
    fn the_scarcest_resource_decides() {
        OCC_TABLE.iter().for_each(|&(arch, registers, threads, shared, barriers, expected)| {
            let found = blocks(arch, registers, threads, shared, barriers);
            assert_eq!(found, expected, "{arch}: {registers} registers, {threads} threads, {shared} bytes, {barriers} barriers");
        });
    }

    #[test]
    fn the_share_is_of_warps() {
        let found = occupancy("sm_90a".parse().unwrap(), &code(168, 0, 1), 384, 200 << 10).unwrap();
        assert_eq!((found.blocks, found.share), (1, 12.0 / 64.0));
    }

    #[test]
    fn what_cannot_run_has_none() {
        assert_eq!(occupancy("sm_61".parse().unwrap(), &code(32, 0, 0), 128, 0), None);
        assert_eq!(occupancy("sm_80".parse().unwrap(), &code(32, 0, 0), 0, 0), None);
        assert_eq!(occupancy("sm_80".parse().unwrap(), &code(32, 0, 0), 4096, 0), None);
        assert_eq!(occupancy("sm_80".parse().unwrap(), &code(32, u32::MAX, 0), 32, u32::MAX), None);
    }
}
