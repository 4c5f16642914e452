//! Finding CUBINs: in fatbins, and in the objects, static libraries, shared libraries and programs of the host.
//!
//! A fatbin begins with a header of 16 bytes: a magic number, a version, the size of the header, the size of what follows. Then come
//! entries, each with a header of its own: what it is (PTX or ELF), the sizes of header and content, flags that say how it is
//! packed, and its size when unpacked. Linkers lay fatbins one after the other, with padding between.

use std::borrow::Cow;
use std::io::Read;

use object::read::archive::ArchiveFile;
use object::{Object, ObjectSection};

use super::{Cubin, CubinError};

/// The most that the CUBINs of one file may have in all, unpacked.
pub const MAX_UNPACKED_BYTES: u64 = 512 << 20;

const ARCHIVE: &[u8] = b"!<arch>\n";
const FATBIN: &[u8] = &[0x50, 0xed, 0x55, 0xba];
const FATBIN_HEADER: usize = 16;
/// Fatbins lie at multiples of this many bytes.
const ALIGNMENT: usize = 8;
/// Sections of host code that hold fatbins. Those of code that is not linked yet have a name of their own.
const SECTIONS: [&str; 2] = [".nv_fatbin", "__nv_relfatbin"];

/// The kinds of entries.
const PTX: u16 = 1;
const ELF: u16 = 2;
/// Of an entry's flags: how it is packed.
const LZ4: u64 = 0x2000;
const ZSTD: u64 = 0x8000;

/// What a file holds beside the CUBINs that were handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Skipped {
    /// Entries of PTX: what they become is decided by the driver that loads them.
    pub ptx: usize,
}

/// Whether bytes may hold CUBINs, judged by how they begin: no text begins so.
pub fn is_binary(bytes: &[u8]) -> bool {
    [&object::elf::ELFMAG[..], ARCHIVE, FATBIN].iter().any(|magic| bytes.starts_with(magic))
}

/// Hands on every CUBIN in the content of a file, in the order in which they lie there.
///
/// # Errors
/// [`CubinError`] where the file is damaged or unpacks to too much, and whatever `take` returns.
pub fn each_cubin(bytes: &[u8], mut take: impl FnMut(&[u8]) -> Result<(), CubinError>) -> Result<Skipped, CubinError> {
    let mut search = Search { left: MAX_UNPACKED_BYTES, skipped: Skipped::default(), take: &mut take };
    if bytes.starts_with(ARCHIVE) {
        let archive = ArchiveFile::parse(bytes).map_err(CubinError::damaged)?;
        for member in archive.members() {
            let member = member.and_then(|member| member.data(bytes)).map_err(CubinError::damaged)?;
            // An archive may also have an index, or what is no object.
            if is_binary(member) {
                search.file(member)?;
            }
        }
    } else {
        search.file(bytes)?;
    }
    Ok(search.skipped)
}

struct Search<'t> {
    /// How many bytes may still be unpacked.
    left: u64,
    skipped: Skipped,
    take: &'t mut dyn FnMut(&[u8]) -> Result<(), CubinError>,
}

impl Search<'_> {
    fn file(&mut self, bytes: &[u8]) -> Result<(), CubinError> {
        if Cubin::is_one(bytes) {
            return (self.take)(bytes);
        }
        if bytes.starts_with(FATBIN) {
            return self.fatbins(bytes);
        }
        let host = object::File::parse(bytes).map_err(CubinError::damaged)?;
        for section in host.sections().filter(|section| section.name().is_ok_and(|name| SECTIONS.contains(&name))) {
            self.fatbins(section.data().map_err(CubinError::damaged)?)?;
        }
        Ok(())
    }

    fn fatbins(&mut self, bytes: &[u8]) -> Result<(), CubinError> {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| rest.len() >= FATBIN_HEADER) {
            if !rest.starts_with(FATBIN) {
                at += ALIGNMENT;
                continue;
            }
            let cut_off = || CubinError::damaged(format!("the fatbin at byte {at} is cut off"));
            let header = usize::from(number::<2>(rest, 6).ok_or_else(cut_off)? as u16);
            let size = size(number::<8>(rest, 8)).ok_or_else(cut_off)?;
            let entries = rest.get(header..).and_then(|rest| rest.get(..size)).ok_or_else(cut_off)?;
            self.entries(entries)?;
            at += (header + size).max(FATBIN_HEADER).next_multiple_of(ALIGNMENT);
        }
        Ok(())
    }

    fn entries(&mut self, mut rest: &[u8]) -> Result<(), CubinError> {
        while !rest.is_empty() {
            let cut_off = || CubinError::damaged("an entry of a fatbin is cut off");
            let header = size(number::<4>(rest, 4)).filter(|header| *header >= 16).ok_or_else(cut_off)?;
            let length = size(number::<8>(rest, 8)).ok_or_else(cut_off)?;
            let (head, behind) = rest.split_at_checked(header).ok_or_else(cut_off)?;
            let (content, behind) = behind.split_at_checked(length).ok_or_else(cut_off)?;
            match number::<2>(head, 0).unwrap_or(0) as u16 {
                ELF => {
                    let cubin = self.unpacked(head, content)?;
                    (self.take)(&cubin)?;
                }
                PTX => self.skipped.ptx += 1,
                _ => {}
            }
            rest = behind;
        }
        Ok(())
    }

    fn unpacked<'c>(&mut self, head: &[u8], content: &'c [u8]) -> Result<Cow<'c, [u8]>, CubinError> {
        let flags = number::<8>(head, 40).unwrap_or(0);
        if flags & (LZ4 | ZSTD) == 0 {
            return Ok(Cow::Borrowed(content));
        }
        // What is packed is padded.
        let packed = size(number::<4>(head, 16)).and_then(|length| content.get(..length)).unwrap_or(content);
        let whole = number::<8>(head, 56).unwrap_or(0);
        self.left = self.left.checked_sub(whole).ok_or(CubinError::TooLarge)?;
        let unpacked = if flags & ZSTD != 0 { unpack_zstd(packed, whole)? } else { unpack_lz4(packed, whole)? };
        if unpacked.len() as u64 == whole {
            Ok(Cow::Owned(unpacked))
        } else {
            Err(CubinError::damaged("machine code unpacks to less than it should"))
        }
    }
}

fn unpack_zstd(packed: &[u8], whole: u64) -> Result<Vec<u8>, CubinError> {
    let mut unpacked = Vec::new();
    let decoder = ruzstd::decoding::StreamingDecoder::new(packed).map_err(CubinError::damaged)?;
    decoder.take(whole).read_to_end(&mut unpacked).map_err(CubinError::damaged)?;
    Ok(unpacked)
}

fn unpack_lz4(packed: &[u8], whole: u64) -> Result<Vec<u8>, CubinError> {
    /// What a byte of LZ4 becomes at the most.
    const MOST: u64 = 255;
    let whole = usize::try_from(whole).ok().filter(|whole| *whole as u64 <= MOST * (packed.len() as u64 + 1));
    let whole = whole.ok_or_else(|| CubinError::damaged("machine code that says of itself that it is larger than it can be"))?;
    lz4_flex::block::decompress(packed, whole).map_err(CubinError::damaged)
}

/// The number of `N` bytes, low ones first, at `at`.
fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..)?.first_chunk::<N>()?;
    Some(field.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn size(number: Option<u64>) -> Option<usize> {
    number.and_then(|number| usize::try_from(number).ok())
}
