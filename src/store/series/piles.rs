//! The records of many series while they are gathered: a bounded number of them in memory, the others in a nameless file.
//!
//! They come in the order of notes and are wanted series by series. So whenever there are many, they are sorted by series and
//! written out as one batch; a series is then put together from its stretch of each batch. Where nothing can be written, all
//! stay in memory.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;

use super::stored::{CodeNumber, Figures, array};

/// So many are held: less than three megabytes of each thread.
const MOST_HELD: usize = 1 << 15;

/// One record that counts for a commit of the history. Numbers are those of the thread that read it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measured {
    pub(super) id: [u8; 16],
    pub(super) run: u32,
    /// The number of the note that it was read from.
    pub(super) note: u32,
    pub(super) dirty: bool,
    pub(super) barred: bool,
    /// The number of its metric among those of the series; 0 until the series is put together.
    pub(super) metric: u16,
    pub(super) code: CodeNumber,
    pub(super) figures: Figures,
}

/// The records of a series, by the number that the caller gave it.
type Pile = usize;

/// Records by their series.
pub(super) struct Piles<'a> {
    folder: &'a Path,
    most: usize,
    held: Vec<(Pile, Measured)>,
    /// Batches that could not be written, each sorted.
    kept: Vec<Vec<(Pile, Measured)>>,
    file: Option<File>,
    /// In the order of the file; once nothing more is added, in that of the piles.
    written: Vec<Stretch>,
}

/// Neighbouring records of one series in the file, by their numbers in it.
struct Stretch {
    pile: Pile,
    records: Range<u64>,
}

impl<'a> Piles<'a> {
    /// None yet. The file will be in `folder`.
    pub(super) fn new(folder: &'a Path) -> Self {
        Self { folder, most: MOST_HELD, held: Vec::new(), kept: Vec::new(), file: None, written: Vec::new() }
    }

    /// Adds a record to a pile.
    pub(super) fn add(&mut self, pile: Pile, record: Measured) {
        self.held.push((pile, record));
        if self.held.len() >= self.most {
            self.held.sort_unstable_by_key(|(pile, _)| *pile);
            match self.write_out() {
                Ok(()) => self.held.clear(),
                Err(_) => self.kept.push(std::mem::take(&mut self.held)),
            }
        }
    }

    /// No more will be added: memory for that is given back.
    pub(super) fn close(&mut self) {
        self.held.sort_unstable_by_key(|(pile, _)| *pile);
        self.held.shrink_to_fit();
        self.written.sort_by_key(|stretch| stretch.pile);
    }

    /// Hands over the records of a pile, in no order.
    pub(super) fn read(&mut self, pile: Pile, mut take: impl FnMut(Measured)) -> io::Result<()> {
        for batch in self.kept.iter().chain([&self.held]) {
            of_pile(batch, pile, |(other, _)| *other).iter().for_each(|(_, record)| take(*record));
        }
        let mut bytes = Vec::new();
        if let Some(file) = &mut self.file {
            for Stretch { records: range, .. } in of_pile(&self.written, pile, |stretch| stretch.pile) {
                bytes.resize((range.end - range.start) as usize * Measured::SIZE, 0);
                file.seek(SeekFrom::Start(range.start * Measured::SIZE as u64))?;
                file.read_exact(&mut bytes)?;
                bytes.chunks_exact(Measured::SIZE).map(Measured::from_bytes).for_each(&mut take);
            }
        }
        Ok(())
    }

    /// How many records a pile has.
    pub(super) fn len(&self, pile: Pile) -> usize {
        let in_memory = self.kept.iter().chain([&self.held]).map(|batch| of_pile(batch, pile, |(other, _)| *other).len());
        let written = of_pile(&self.written, pile, |stretch| stretch.pile).iter();
        in_memory.sum::<usize>() + written.map(|stretch| (stretch.records.end - stretch.records.start) as usize).sum::<usize>()
    }

    /// Writes what is held behind what was written before.
    fn write_out(&mut self) -> io::Result<()> {
        let mut next = self.written.last().map_or(0, |stretch| stretch.records.end);
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(self.folder)?),
        };
        file.seek(SeekFrom::Start(next * Measured::SIZE as u64))?;
        let mut out = BufWriter::with_capacity(1 << 16, file);
        self.held.iter().try_for_each(|(_, record)| out.write_all(&record.to_bytes()))?;
        out.flush()?;
        drop(out);
        for stretch in self.held.chunk_by(|one, other| one.0 == other.0) {
            let records = next..next + stretch.len() as u64;
            next = records.end;
            self.written.push(Stretch { pile: stretch[0].0, records });
        }
        Ok(())
    }
}

/// What is of one pile, of what is sorted by piles.
fn of_pile<T>(sorted: &[T], pile: Pile, pile_of: impl Fn(&T) -> Pile) -> &[T] {
    let behind = &sorted[sorted.partition_point(|one| pile_of(one) < pile)..];
    &behind[..behind.partition_point(|one| pile_of(one) == pile)]
}

impl Measured {
    const SIZE: usize = 32 + Figures::SIZE;

    fn to_bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..16].copy_from_slice(&self.id);
        bytes[16..20].copy_from_slice(&self.run.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.note.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.code.to_le_bytes());
        bytes[28..30].copy_from_slice(&[u8::from(self.dirty), u8::from(self.barred)]);
        bytes[32..].copy_from_slice(&self.figures.to_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Self {
        let number = |at: usize| u32::from_le_bytes(array(bytes, at));
        Self {
            id: array(bytes, 0),
            run: number(16),
            note: number(20),
            code: number(24),
            dirty: bytes.get(28) == Some(&1),
            barred: bytes.get(29) == Some(&1),
            metric: 0,
            figures: Figures::from_bytes(bytes.get(32..).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Summary;

    fn record(number: u32) -> Measured {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&number.to_le_bytes());
        let summary = Summary { n: 20, low: Some(0.5), ..Summary::single(f64::from(number)) };
        let (dirty, barred) = (number.is_multiple_of(2), number.is_multiple_of(3));
        let figures = Figures::of(&summary);
        Measured { id, run: number / 7, note: number / 9, dirty, barred, metric: 0, code: number % 5, figures }
    }

    /// NaN stands for what is not known, so bytes are compared.
    fn bytes_of(mut records: Vec<Measured>) -> Vec<Vec<u8>> {
        records.sort_by_key(|record| u32::from_le_bytes(array(&record.id, 0)));
        records.into_iter().map(|record| record.to_bytes().to_vec()).collect()
    }

    #[track_caller]
    fn check(folder: &Path, most: usize) {
        let mut piles = Piles { most, ..Piles::new(folder) };
        // Not every pile has records in every batch, and one has none at all.
        let pile_of = |number: u32| if number > 500 { 4 } else { (number % 3) as usize };
        (0..1000).for_each(|number| piles.add(pile_of(number), record(number)));
        piles.close();
        for pile in 0..6 {
            let expected: Vec<Measured> = (0..1000).filter(|number| pile_of(*number) == pile).map(record).collect();
            let mut read = Vec::new();
            piles.read(pile, |record| read.push(record)).unwrap();
            assert_eq!((piles.len(pile), bytes_of(read)), (expected.len(), bytes_of(expected)), "pile {pile}, batches of {most}");
        }
    }

    #[test]
    fn every_record_is_found_again_wherever_it_was() {
        let folder = tempfile::tempdir().unwrap();
        for most in [1, 7, 64, 1000, 5000] {
            check(folder.path(), most);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the files have no names");
        // Nothing can be written there.
        check(&folder.path().join("missing"), 64);
    }
}
