//! Reading a CUBIN: the instructions and constants of one entry point.
//!
//! A CUBIN is an ELF file with a section `.text.NAME` for each entry point, functions that it calls included, and its
//! constant banks in `.nv.constantN.NAME`. From 7.0 on an instruction has 16 bytes.

use object::read::elf::ElfFile64;
use object::{Endianness, Object, ObjectSection};
use sha2::{Digest, Sha256};

use super::log::Resources;
use crate::cuda::MachineCode;

/// What a CUBIN has under the name that was asked for.
pub(super) enum Found {
    Entry(Sections),
    /// It is not there; these are.
    Others(Vec<String>),
}

/// The parts of an entry point.
pub(super) struct Sections {
    text: Vec<u8>,
    /// Bank (such as `.nv.constant0`) and content, in the order of the banks.
    constants: Vec<(String, Vec<u8>)>,
    /// Bytes of everything in the file that is this entry point's or nobody's own.
    bytes: u64,
}

const TEXT: &str = ".text.";
const CONSTANT: &str = ".nv.constant";
const GLOBAL: &str = ".nv.global";

pub(super) fn read(cubin: &[u8], entry: &str) -> Result<Found, String> {
    let file = ElfFile64::<Endianness>::parse(cubin).map_err(|error| error.to_string())?;
    let mut text = None;
    let mut constants = Vec::new();
    let mut others = Vec::new();
    let mut bytes = 0;
    let own_suffix = format!(".{entry}");
    for section in file.sections() {
        let Ok(name) = section.name() else { continue };
        if name.ends_with(&own_suffix) || name.starts_with(GLOBAL) {
            bytes += section.data().map_or(0, |data| data.len() as u64);
        }
        let data = || section.data().map(<[u8]>::to_vec).map_err(|error| format!("{name}: {error}"));
        if let Some(function) = name.strip_prefix(TEXT) {
            if function == entry {
                text = Some(data()?);
            } else {
                others.push(function.to_owned());
            }
        } else if let Some(bank) = name.strip_prefix(CONSTANT).map(|rest| rest.split_once('.')) {
            // A bank without a function's name is shared by all of the file.
            let own = bank.is_none_or(|(_, function)| function == entry);
            if own {
                let bank = bank.map_or(name.to_owned(), |(number, _)| format!("{CONSTANT}{number}"));
                constants.push((bank, data()?));
            }
        }
    }
    constants.sort();
    Ok(match text {
        Some(text) => Found::Entry(Sections { text, constants, bytes }),
        None => Found::Others(others),
    })
}

const INSTRUCTION_BYTES: usize = 16;
/// The opcode of NOP, in the lowest 12 bits of an instruction.
const NOP: u16 = 0x918;

/// What is known of an entry point from its sections and from the log.
pub(super) fn machine_code(sections: &Sections, resources: &Resources) -> MachineCode {
    MachineCode {
        registers: resources.registers,
        spill_stores: resources.spill_stores,
        spill_loads: resources.spill_loads,
        stack: resources.stack,
        shared_bytes: resources.shared_bytes,
        barriers: resources.barriers,
        instructions: instructions(&sections.text),
        cubin_bytes: sections.bytes,
        hash: hash(sections, resources),
    }
}

/// Without the NOPs that fill the section up behind the last instruction.
fn instructions(text: &[u8]) -> u32 {
    let is_nop = |instruction: &[u8]| instruction.first_chunk().is_some_and(|low| u16::from_le_bytes(*low) & 0xfff == NOP);
    let all: Vec<&[u8]> = text.chunks_exact(INSTRUCTION_BYTES).collect();
    let padding = all.iter().rev().take_while(|instruction| is_nop(instruction)).count();
    u32::try_from(all.len() - padding).unwrap_or(u32::MAX)
}

/// What decides how the kernel runs: instructions, constants, registers and memory. Not its name, nor any path or time.
fn hash(sections: &Sections, resources: &Resources) -> String {
    let mut hasher = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hasher.update((bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    add(b"machine code 1");
    add(&sections.text);
    for (bank, content) in &sections.constants {
        add(bank.as_bytes());
        add(content);
    }
    for number in [resources.registers, resources.shared_bytes, resources.stack, resources.barriers] {
        add(&number.to_le_bytes());
    }
    hex(&hasher.finalize()[..16])
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
