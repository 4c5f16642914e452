//! Reading a CUBIN.
//!
//! It has a section `.text.NAME` for each entry point, functions that it calls included, its constant banks in
//! `.nv.constantN.NAME`, its static shared memory as the size of `.nv.shared.NAME`, and in `.nv.info` and `.nv.info.NAME` what the
//! loader is told: a list of attributes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use object::read::elf::{ElfFile64, FileHeader};
use object::{Endianness, Object, ObjectSection, ObjectSymbol, SymbolFlags, elf};

use super::CubinError;

/// The machine code for one architecture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cubin {
    /// Such as `sm_90a`.
    pub arch: String,
    /// The CUDA whose assembler wrote it, such as 13.5, where it says so.
    pub toolkit: Option<(u32, u32)>,
    /// Whether functions of other files are yet to be linked to it, so that registers and stack are not final.
    pub relocatable: bool,
    /// The entry points by their linkage names, in the order of these.
    pub kernels: BTreeMap<String, Kernel>,
}

/// An entry point.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kernel {
    /// What it says of itself.
    pub resources: Resources,
    /// Bytes of everything in the file that is this entry point's or nobody's own.
    pub bytes: u64,
    /// Its instructions.
    pub text: Vec<u8>,
    /// Bank (such as `.nv.constant0`) and content, in the order of the banks.
    pub constants: Vec<(String, Arc<[u8]>)>,
}

/// What an entry point takes of a multiprocessor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resources {
    /// Registers of a thread.
    pub registers: u32,
    /// Static shared memory of a block, in bytes.
    pub shared_bytes: u32,
    /// Stack of a thread, in bytes.
    pub stack: u32,
    /// Named barriers of a block; zero where it is not told.
    pub barriers: u32,
}

const TEXT: &str = ".text";
const CONSTANT: &str = ".nv.constant";
const SHARED: &str = ".nv.shared";
const GLOBAL: &str = ".nv.global";
const INFO: &str = ".nv.info";
/// Of a symbol's `st_other`: an entry point, no function that only others call.
const ENTRY: u8 = 0x10;
/// What the driver keeps for itself of every block's shared memory from 9.0 on; linked code counts it.
const RESERVED_SHARED: u64 = 1024;

/// Attributes of `.nv.info`.
mod attribute {
    pub(super) const MIN_STACK_SIZE: u8 = 0x12;
    pub(super) const REGISTER_COUNT: u8 = 0x2f;
    pub(super) const CUDA_VERSION: u8 = 0x37;
}

type File<'a> = ElfFile64<'a, Endianness>;

impl Cubin {
    /// Whether the bytes begin like a CUBIN.
    pub fn is_one(bytes: &[u8]) -> bool {
        bytes.starts_with(&elf::ELFMAG) && bytes.get(18..20) == Some(&elf::EM_CUDA.0.to_le_bytes())
    }

    /// Reads a CUBIN.
    ///
    /// # Errors
    /// [`CubinError::Damaged`] where it is no ELF file, or a part of it lies outside.
    pub fn read(bytes: &[u8]) -> Result<Self, CubinError> {
        let file = File::parse(bytes).map_err(CubinError::damaged)?;
        let mut cubin = Self {
            arch: arch(&file),
            toolkit: None,
            relocatable: file.elf_header().e_type(file.endian()) == elf::ET_REL,
            kernels: entries(&file),
        };
        cubin.read_sections(&file, bytes.len())?;
        cubin.read_attributes(&file);
        Ok(cubin)
    }

    /// Keeps no more than `most` bytes: a damaged file may name the same bytes many times.
    fn read_sections(&mut self, file: &File<'_>, most: usize) -> Result<(), CubinError> {
        let (mut shared_banks, mut global_bytes, mut left) = (Vec::new(), 0, most);
        for section in file.sections() {
            let Ok(name) = section.name() else { continue };
            let mut data = || {
                let data = section.data().map_err(|error| CubinError::damaged(format!("{name}: {error}")))?;
                left = left.checked_sub(data.len()).ok_or_else(|| CubinError::damaged("its sections overlap"))?;
                Ok(data)
            };
            if name.starts_with(GLOBAL) {
                global_bytes += section.data().map_or(0, <[u8]>::len) as u64;
            }
            // A bank without a function's name is shared by all of the file.
            if let Some(bank) = name.strip_prefix(CONSTANT)
                && !bank.contains('.')
            {
                shared_banks.push((name.to_owned(), Arc::from(data()?)));
            }
            let Some((kind, kernel)) = owner(name, &mut self.kernels) else { continue };
            if !name.starts_with(GLOBAL) {
                kernel.bytes += section.data().map_or(0, <[u8]>::len) as u64;
            }
            if kind.starts_with(CONSTANT) {
                kernel.constants.push((kind.to_owned(), Arc::from(data()?)));
            } else if kind == TEXT {
                kernel.text = data()?.to_vec();
            } else if kind == SHARED {
                let reserved = if self.relocatable || architecture_number(&self.arch) < 90 { 0 } else { RESERVED_SHARED };
                kernel.resources.shared_bytes = u32::try_from(section.size().saturating_sub(reserved)).unwrap_or(u32::MAX);
            }
        }
        for kernel in self.kernels.values_mut() {
            kernel.bytes += global_bytes;
            kernel.constants.extend(shared_banks.iter().cloned());
            kernel.constants.sort();
        }
        Ok(())
    }

    fn read_attributes(&mut self, file: &File<'_>) {
        let names: HashMap<u32, &str> =
            file.symbols().filter_map(|symbol| Some((u32::try_from(symbol.index().0).ok()?, symbol.name().ok()?))).collect();
        for section in file.sections() {
            let is_info = section.name().is_ok_and(|name| name.starts_with(INFO));
            for (attribute, value) in attributes(if is_info { section.data().unwrap_or_default() } else { &[] }) {
                let word = |number: usize| value.get(4 * number..)?.first_chunk().copied().map(u32::from_le_bytes);
                if attribute == attribute::CUDA_VERSION {
                    self.toolkit = word(0).map(|version| (version / 10, version % 10)).max(self.toolkit);
                }
                let kernel = word(0).and_then(|symbol| self.kernels.get_mut(*names.get(&symbol)?));
                let (Some(kernel), Some(number)) = (kernel, word(1)) else { continue };
                match attribute {
                    attribute::REGISTER_COUNT => kernel.resources.registers = number,
                    attribute::MIN_STACK_SIZE => kernel.resources.stack = number,
                    _ => {}
                }
            }
        }
    }
}

fn entries(file: &File<'_>) -> BTreeMap<String, Kernel> {
    let is_entry = |flags| matches!(flags, SymbolFlags::Elf { st_info, st_other } if st_info.st_type() == elf::STT_FUNC && st_other.0 & ENTRY != 0);
    let entries = file.symbols().filter(|symbol| is_entry(symbol.flags()) && symbol.is_definition());
    entries.filter_map(|symbol| Some((symbol.name().ok()?.to_owned(), Kernel::default()))).collect()
}

/// The kernel that a section is of, and what stands before its name: `.text` and `f` of `.text.f`. Names may have dots.
fn owner<'n, 'k>(section: &'n str, kernels: &'k mut BTreeMap<String, Kernel>) -> Option<(&'n str, &'k mut Kernel)> {
    let mut splits = section.match_indices('.').skip(1).map(|(dot, _)| (&section[..dot], &section[dot + 1..]));
    let (kind, name) = splits.find(|(_, name)| kernels.contains_key(*name))?;
    Some((kind, kernels.get_mut(name)?))
}

/// The attributes of a section `.nv.info`: a byte for the form, one for the attribute; then two bytes of value, or where the form
/// says so two bytes of length and the value.
fn attributes(mut data: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    const SIZED: u8 = 4;
    std::iter::from_fn(move || {
        let (&[form, attribute, low, high], rest) = data.split_first_chunk()?;
        let length = if form == SIZED { usize::from(u16::from_le_bytes([low, high])) } else { 0 };
        let (value, rest) = rest.split_at_checked(length)?;
        data = rest;
        Some((attribute, value))
    })
}

/// The architecture: what the assembler was asked for where it left a note, else the flags of the file.
fn arch(file: &File<'_>) -> String {
    const ASKED: &[u8] = b"-arch sm_";
    let note = file.section_by_name(".note.nv.tkinfo").and_then(|note| note.data().ok()).unwrap_or_default();
    let asked = note.windows(ASKED.len()).position(|window| window == ASKED).map(|start| &note[start + ASKED.len()..]);
    let asked: String =
        asked.unwrap_or_default().iter().map(|byte| char::from(*byte)).take_while(char::is_ascii_alphanumeric).collect();
    if !asked.is_empty() {
        return format!("sm_{asked}");
    }
    let (header, flags) = (file.elf_header(), file.elf_header().e_flags(file.endian()).0);
    let (number, specific) = match header.e_ident().abi_version {
        ..=7 => (flags & 0xff, flags & 0x800 != 0),
        _ => (flags >> 8 & 0xff, flags & 8 != 0),
    };
    format!("sm_{number}{}", if specific { "a" } else { "" })
}

/// 90 of `sm_90a`.
pub fn architecture_number(arch: &str) -> u32 {
    arch.trim_start_matches("sm_").trim_end_matches(char::is_alphabetic).parse().unwrap_or(0)
}
