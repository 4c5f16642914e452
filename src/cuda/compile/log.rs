//! What the assembler says of an entry point, in the log of `--ptxas-options=-v`.

use crate::cubin::{self, Kernel};
use crate::cuda::MachineCode;

/// The resources of an entry point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Resources {
    pub(super) registers: u32,
    pub(super) barriers: u32,
    pub(super) shared_bytes: u32,
    pub(super) stack: u32,
    pub(super) spill_stores: u32,
    pub(super) spill_loads: u32,
}

impl Resources {
    /// What is known of an entry point from the CUBIN and from the log.
    pub(super) fn machine_code(&self, kernel: &Kernel) -> MachineCode {
        let Self { registers, barriers, shared_bytes, stack, spill_stores, spill_loads } = *self;
        MachineCode {
            registers,
            spill_stores,
            spill_loads,
            stack,
            shared_bytes,
            barriers,
            instructions: cubin::instructions(&kernel.text),
            cubin_bytes: kernel.bytes,
            hash: kernel.hash(&cubin::Resources { registers, shared_bytes, stack, barriers }),
        }
    }
}

/// Finds the part of the log that is about `entry`. Functions that it calls follow it there: what they spill is spilled
/// by the kernel.
pub(super) fn resources(log: &str, entry: &str) -> Option<Resources> {
    let mut lines = log.lines().skip_while(|line| compiled_entry(line) != Some(entry)).skip(1).peekable();
    lines.peek()?;
    let mut resources = Resources::default();
    let mut has_registers = false;
    for line in lines.take_while(|line| compiled_entry(line).is_none()) {
        if let Some((_, used)) = line.split_once(": Used ") {
            has_registers = true;
            resources.registers = before(used, " registers").unwrap_or(0);
            resources.barriers = before(used, " barriers").unwrap_or(0);
            resources.shared_bytes = before(used, " bytes smem").unwrap_or(0);
        } else if line.contains("bytes stack frame") {
            resources.stack = resources.stack.max(before(line, " bytes stack frame").unwrap_or(0));
            resources.spill_stores += before(line, " bytes spill stores").unwrap_or(0);
            resources.spill_loads += before(line, " bytes spill loads").unwrap_or(0);
        }
    }
    has_registers.then_some(resources)
}

/// The entry point that a line opens the part of.
fn compiled_entry(line: &str) -> Option<&str> {
    line.split_once("Compiling entry function '")?.1.split('\'').next()
}

/// The number right before `unit`.
fn before(line: &str, unit: &str) -> Option<u32> {
    let (start, _) = line.split_once(unit)?;
    start.rsplit(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The log without what the assembler says of resources: errors, warnings and advice.
///
/// Advice has a code and is called information: `ptxas info    : (C7512) Potential Performance Loss: wgmma.mma_async
/// instructions are serialized …`.
pub(super) fn for_people(log: &str) -> String {
    let is_resource = |line: &&str| match line.strip_prefix("ptxas info") {
        Some(told) => !told.trim_start_matches([' ', ':']).starts_with("(C"),
        None => line.starts_with("ptxas         ."),
    };
    log.lines().filter(|line| !is_resource(line)).collect::<Vec<_>>().join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'k2' for 'sm_75'
ptxas info    : Function properties for k2
ptxas         .     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 8 registers, used 0 barriers, 364 bytes cmem[0]
ptxas info    : Compile time = 2.745 ms
ptxas info    : Compiling entry function 'k' for 'sm_75'
ptxas info    : Function properties for k
ptxas         .     160 bytes stack frame, 12 bytes spill stores, 16 bytes spill loads
ptxas info    : Used 10 registers, used 1 barriers, 160 bytes cumulative stack size, 4096 bytes smem, 364 bytes cmem[0]
ptxas info    : Function properties for _Z1ff
ptxas         .     0 bytes stack frame, 4 bytes spill stores, 4 bytes spill loads
";

    #[test]
    fn the_part_of_the_entry_is_read() {
        let k = Resources { registers: 10, barriers: 1, shared_bytes: 4096, stack: 160, spill_stores: 16, spill_loads: 20 };
        assert_eq!(resources(LOG, "k"), Some(k));
        assert_eq!(resources(LOG, "k2"), Some(Resources { registers: 8, ..Resources::default() }));
        assert_eq!(resources(LOG, "k3"), None);
        assert_eq!(resources("", "k"), None);
    }

    #[test]
    fn people_see_warnings_and_advice_only() {
        let warning = "k.cu(3): warning #177-D: unused";
        let advice = "ptxas info    : (C7512) Potential Performance Loss: wgmma.mma_async instructions are serialized";
        assert_eq!(for_people(&format!("{warning}\n{advice}\n{LOG}\n")), format!("{warning}\n{advice}"));
    }
}
