//! A file of arrays in blocks, each with its checksum: what is read is checked, and only what is asked for is read.
//!
//! Block 0 holds the magic and where the directory stands. Every block is 4,092 bytes of whole elements, filled up with
//! zeros, and the CRC of those bytes and of the block's number. So a damaged, cut-off or foreign piece is noticed
//! where it is read, and reading twenty elements of millions costs one or two blocks.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

const BLOCK: usize = 4096;
const PAYLOAD: usize = BLOCK - 4;

/// So many are read by one call: they stay in the processor's cache while they are checked.
const BLOCKS_AT_ONCE: usize = 64;

/// Names the format. A change of anything that is stored is a new name.
const MAGIC: &[u8; 24] = b"git-ratchet series 0003\n";

/// The file does not say what was written to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Damaged;

/// Where an array of elements of equal size stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Array {
    block: u64,
    /// How many elements.
    pub(super) len: u64,
    /// Bytes of one.
    size: usize,
}

impl Array {
    fn per_block(&self) -> u64 {
        (PAYLOAD / self.size.clamp(1, PAYLOAD)) as u64
    }

    fn blocks(&self) -> u64 {
        self.len.div_ceil(self.per_block())
    }
}

/// Writes arrays one after the other.
pub(super) struct Writer<'a> {
    out: BufWriter<&'a File>,
    blocks: u64,
}

impl<'a> Writer<'a> {
    pub(super) fn new(file: &'a File) -> io::Result<Self> {
        let mut writer = Self { out: BufWriter::with_capacity(1 << 18, file), blocks: 0 };
        writer.block(&[])?;
        Ok(writer)
    }

    /// Writes elements of `size` bytes each.
    pub(super) fn array<E: AsRef<[u8]>>(&mut self, size: usize, elements: impl IntoIterator<Item = E>) -> io::Result<Array> {
        if size == 0 || size > PAYLOAD {
            return Err(io::Error::other("an element that no block can hold"));
        }
        let mut array = Array { block: self.blocks, len: 0, size };
        let most = array.per_block() as usize * size;
        let mut payload = Vec::with_capacity(PAYLOAD);
        for element in elements {
            let element = element.as_ref();
            if element.len() != size {
                return Err(io::Error::other("an element of another size"));
            }
            payload.extend_from_slice(element);
            array.len += 1;
            if payload.len() == most {
                self.block(&payload)?;
                payload.clear();
            }
        }
        if !payload.is_empty() {
            self.block(&payload)?;
        }
        Ok(array)
    }

    /// Writes the directory and the first block. Without that the file is none.
    pub(super) fn finish(mut self, directory: &[u8]) -> io::Result<()> {
        let directory = self.array(1, directory.iter().map(std::slice::from_ref))?;
        let mut first = MAGIC.to_vec();
        first.extend_from_slice(&directory.block.to_le_bytes());
        first.extend_from_slice(&directory.len.to_le_bytes());
        self.out.seek(SeekFrom::Start(0))?;
        self.blocks = 0;
        self.block(&first)?;
        self.out.flush()
    }

    fn block(&mut self, payload: &[u8]) -> io::Result<()> {
        let mut block = [0; BLOCK];
        block[..payload.len()].copy_from_slice(payload);
        let sum = checksum(&block[..PAYLOAD], self.blocks);
        block[PAYLOAD..].copy_from_slice(&sum.to_le_bytes());
        self.blocks += 1;
        self.out.write_all(&block)
    }
}

/// Reads what a [`Writer`] wrote.
#[derive(Debug)]
pub(super) struct Reader {
    /// Several threads read, and each has to move to its place first.
    file: Mutex<File>,
    blocks: u64,
}

impl Reader {
    /// Takes a file and gives its directory.
    pub(super) fn new(file: File) -> Result<(Self, Vec<u8>), Damaged> {
        let length = file.metadata().map_err(|_| Damaged)?.len();
        let reader = Self { file: Mutex::new(file), blocks: length / BLOCK as u64 };
        let mut first = Vec::new();
        reader.each_block(0..1, |payload| first.extend_from_slice(payload))?;
        let number = |at: usize| first.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
        if !first.starts_with(MAGIC) {
            return Err(Damaged);
        }
        let (block, len) = number(MAGIC.len()).zip(number(MAGIC.len() + 8)).ok_or(Damaged)?;
        let directory = reader.read(Array { block, len, size: 1 }, 0..len)?;
        Ok((reader, directory))
    }

    /// The bytes of some elements of an array.
    pub(super) fn read(&self, array: Array, range: Range<u64>) -> Result<Vec<u8>, Damaged> {
        // Before anything is allocated: a number that somebody changed must not ask for all the memory there is.
        if range.end > array.len || array.block.saturating_add(array.blocks()) > self.blocks {
            return Err(Damaged);
        }
        let mut read = Vec::with_capacity((range.end - range.start.min(range.end)) as usize * array.size);
        self.each(array, range, |elements| read.extend_from_slice(elements))?;
        Ok(read)
    }

    /// Some elements of an array, by their numbers in it.
    pub(super) fn part(&self, array: Array, range: Range<u64>) -> Result<Part, Damaged> {
        Ok(Part { first: range.start, size: array.size, bytes: self.read(array, range)? })
    }

    /// Hands over some elements of an array, in order, as the bytes of many at a time.
    fn each(&self, array: Array, range: Range<u64>, mut take: impl FnMut(&[u8])) -> Result<(), Damaged> {
        if range.is_empty() {
            return Ok(());
        }
        if range.end > array.len || array.size == 0 || array.size > PAYLOAD {
            return Err(Damaged);
        }
        let per_block = array.per_block();
        let end = array.block.checked_add(range.end.div_ceil(per_block)).ok_or(Damaged)?;
        let mut first = range.start / per_block * per_block;
        self.each_block(array.block + range.start / per_block..end, |payload| {
            let skipped = range.start.saturating_sub(first).min(per_block) as usize;
            let wanted = (range.end - first).min(per_block) as usize;
            take(&payload[skipped * array.size..wanted * array.size]);
            first += per_block;
        })
    }

    /// Every element of an array.
    pub(super) fn all(&self, array: Array) -> Result<Vec<u8>, Damaged> {
        self.read(array, 0..array.len)
    }

    /// The elements of a sorted array that begin with `key`, as a range of their numbers.
    pub(super) fn find(&self, array: Array, key: &[u8]) -> Result<Range<u64>, Damaged> {
        let start = self.partition_point(array, |element| &element[..key.len().min(element.len())] < key)?;
        let end = self.partition_point(array, |element| &element[..key.len().min(element.len())] <= key)?;
        Ok(start..end)
    }

    /// How many of the first elements hold `before`: whole blocks are halved, so that few are read.
    fn partition_point(&self, array: Array, before: impl Fn(&[u8]) -> bool) -> Result<u64, Damaged> {
        let per_block = array.per_block();
        let (mut low, mut high) = (0, array.blocks());
        while high > low {
            let middle = low + (high - low) / 2;
            let first = middle * per_block;
            let elements = self.read(array, first..(first + per_block).min(array.len))?;
            let holding = elements.chunks(array.size).take_while(|element| before(element)).count();
            if holding == 0 {
                high = middle;
            } else if holding == elements.len() / array.size {
                low = middle + 1;
            } else {
                return Ok(first + holding as u64);
            }
        }
        Ok((low * per_block).min(array.len))
    }

    /// Hands over the payloads of some blocks, each of them checked before.
    fn each_block(&self, range: Range<u64>, mut take: impl FnMut(&[u8])) -> Result<(), Damaged> {
        if range.start >= range.end || range.end > self.blocks {
            return Err(Damaged);
        }
        let mut file = self.file.lock().map_err(|_| Damaged)?;
        file.seek(SeekFrom::Start(range.start * BLOCK as u64)).map_err(|_| Damaged)?;
        let mut buffer = vec![0; ((range.end - range.start) as usize).min(BLOCKS_AT_ONCE) * BLOCK];
        let mut number = range.start;
        while number < range.end {
            let blocks = buffer.len().min((range.end - number) as usize * BLOCK);
            file.read_exact(&mut buffer[..blocks]).map_err(|_| Damaged)?;
            for block in buffer[..blocks].chunks_exact(BLOCK) {
                let (payload, sum) = block.split_at(PAYLOAD);
                if checksum(payload, number).to_le_bytes() != sum {
                    return Err(Damaged);
                }
                take(payload);
                number += 1;
            }
        }
        Ok(())
    }
}

/// The end of an array, read once for all who ask for parts of it.
#[derive(Debug)]
pub(super) struct Tail {
    array: Array,
    read: Mutex<Arc<Part>>,
}

/// Some neighbouring elements.
#[derive(Debug)]
pub(super) struct Part {
    first: u64,
    size: usize,
    bytes: Vec<u8>,
}

impl Tail {
    pub(super) fn new(array: Array) -> Self {
        Self { array, read: Mutex::new(Arc::new(Part { first: array.len, size: array.size, bytes: Vec::new() })) }
    }

    /// The elements from this one on, and perhaps older ones.
    pub(super) fn from(&self, reader: &Reader, first: u64) -> Result<Arc<Part>, Damaged> {
        let mut known = self.read.lock().map_err(|_| Damaged)?;
        if known.first > first {
            *known = Arc::new(reader.part(self.array, first..self.array.len)?);
        }
        Ok(Arc::clone(&known))
    }
}

impl Part {
    /// One element, by its number in the array.
    pub(super) fn get(&self, number: u64) -> Option<&[u8]> {
        let start = usize::try_from(number.checked_sub(self.first)?).ok()?.checked_mul(self.size)?;
        self.bytes.get(start..start.checked_add(self.size)?)
    }
}

fn checksum(payload: &[u8], number: u64) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(payload);
    hasher.update(&number.to_le_bytes());
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(elements: &[[u8; 12]]) -> (tempfile::NamedTempFile, Array) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut writer = Writer::new(file.as_file()).unwrap();
        let array = writer.array(12, elements).unwrap();
        writer.finish(b"the directory").unwrap();
        (file, array)
    }

    fn elements() -> Vec<[u8; 12]> {
        // Each value twice, so that a range of equals is found whole.
        (0_u32..2000)
            .map(|number| {
                let mut element = [0; 12];
                element[..4].copy_from_slice(&(number / 2).to_be_bytes());
                element[4..8].copy_from_slice(&number.to_be_bytes());
                element
            })
            .collect()
    }

    #[test]
    fn ranges_and_keys_are_found_across_blocks() {
        let all = elements();
        let (file, array) = written(&all);
        let (reader, directory) = Reader::new(file.reopen().unwrap()).unwrap();
        assert_eq!(directory, b"the directory");
        for (start, end) in [(0, 1), (340, 343), (0, 2000), (1999, 2000), (5, 5)] {
            assert_eq!(reader.read(array, start..end).unwrap(), all[start as usize..end as usize].concat());
        }
        for key in [0_u32, 170, 171, 999] {
            let (first, next) = (u64::from(key) * 2, u64::from(key) * 2 + 2);
            assert_eq!(reader.find(array, &key.to_be_bytes()).unwrap(), first..next);
        }
        assert_eq!(reader.find(array, &1000_u32.to_be_bytes()).unwrap(), 2000..2000);
        assert_eq!(reader.read(array, 0..2001), Err(Damaged));
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_noticed() {
        let (file, array) = written(&elements());
        let whole = std::fs::read(file.path()).unwrap();
        let read = |bytes: &[u8]| {
            std::fs::write(file.path(), bytes).unwrap();
            let (reader, directory) = Reader::new(file.reopen().unwrap())?;
            Ok::<_, Damaged>((reader.all(array)?, directory))
        };
        let right = read(&whole).unwrap();
        for at in (0..whole.len()).step_by(97) {
            let mut changed = whole.clone();
            changed[at] ^= 0x40;
            assert_eq!(read(&changed), Err(Damaged), "byte {at}");
            assert_ne!(read(&whole[..at]).ok(), Some(right.clone()), "cut at {at}");
        }
        let mut swapped = whole.clone();
        swapped[BLOCK..3 * BLOCK].rotate_left(BLOCK);
        assert_eq!(read(&swapped), Err(Damaged));
    }
}
