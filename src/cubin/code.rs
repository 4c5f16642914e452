//! The instructions of an entry point. From 7.0 on one has 16 bytes, the opcode in its lowest 12 bits.

use sha2::{Digest, Sha256};

use super::elf::{Kernel, Resources};

const INSTRUCTION_BYTES: usize = 16;
const NOP: u16 = 0x918;
/// LDL and STL: loads from and stores to local memory.
const LOCAL: [u16; 2] = [0x983, 0x387];

fn opcodes(text: &[u8]) -> impl DoubleEndedIterator<Item = u16> + ExactSizeIterator {
    let low = |instruction: &[u8]| instruction.first_chunk().map_or(0, |low| u16::from_le_bytes(*low) & 0xfff);
    text.chunks_exact(INSTRUCTION_BYTES).map(low)
}

/// Without the NOPs that fill the section up behind the last instruction.
pub fn instructions(text: &[u8]) -> u32 {
    let padding = opcodes(text).rev().take_while(|opcode| *opcode == NOP).count();
    u32::try_from(opcodes(text).len() - padding).unwrap_or(u32::MAX)
}

/// The instructions that load from or store to local memory: spilled registers, and arrays that did not fit.
pub fn local_accesses(text: &[u8]) -> u32 {
    u32::try_from(opcodes(text).filter(|opcode| LOCAL.contains(opcode)).count()).unwrap_or(u32::MAX)
}

impl Kernel {
    /// What decides how the kernel runs: instructions, constants, registers and memory. Not its name, nor any path or time.
    /// Thirty-two hexadecimal digits.
    pub fn hash(&self, resources: &Resources) -> String {
        let mut hasher = Sha256::new();
        let mut add = |bytes: &[u8]| {
            hasher.update((bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        add(b"machine code 1");
        add(&self.text);
        for (bank, content) in &self.constants {
            add(bank.as_bytes());
            add(content);
        }
        for number in [resources.registers, resources.shared_bytes, resources.stack, resources.barriers] {
            add(&number.to_le_bytes());
        }
        hex(&hasher.finalize()[..16])
    }
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
