//! Making the file: every note is read once, on all cores, and what it measured is sorted into series.
//!
//! A history may have millions of records. What is held of each is what the file will have of it, and of most not even that:
//! they wait in another file ([`piles`](super::piles)).

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::path::Path;

use super::blocks::{Array, Writer};
use super::piles::{Measured, Piles};
use super::places::{Mentions, Places};
use super::stored::{CodeNumber, Directory, Figures, Instant, MADE_BY, Row, RunTime, StoredSeries, StoredUnit, id_sum, with_age};
use crate::codec::{Point, Skimmer};
use crate::judge::Digest;
use crate::model::{Excuse, LineId, Metric, ObjectId, Run, SeriesKey};
use crate::store::annotated::{readable, reading_order};
use crate::store::by_tree::Counts;
use crate::store::objects::theirs;
use crate::store::{History, Store, StoreError, decode};

/// Reads the notes and writes the file; what does not fit into memory meanwhile goes to `folder`. The outer error is the repository's,
/// the inner one the file's. The store is let go in between: by then all of its packs is mapped into memory.
pub(super) fn write(
    file: &File,
    folder: &Path,
    history: &History,
    store: Store,
    notes_tree: ObjectId,
) -> Result<io::Result<()>, StoreError> {
    let places = Places::of(history);
    let mut too_large = Vec::new();
    let notes = store.notes_in(theirs(notes_tree))?;
    let position = |age: u32| history.commits.len() - 1 - age as usize;
    let mut order = reading_order(&notes, |id| places.of_commit(*id).map(position));
    let worker = || Worker::new(&places, folder);
    let workers = decode::on_all_cores(readable(&order, &notes, &mut too_large), worker, Worker::take)?;
    drop(notes);
    drop(store);
    let gathered = Gathered::of(workers);
    // From here on a note's number is its place in the order.
    let mut left_out = too_large.iter().peekable();
    order.retain(|annotated| left_out.next_if(|left_out| *left_out == annotated).is_none());
    Ok(gathered.write(file, &places, (notes_tree, &order), &too_large))
}

/// Reads notes. The records are by testbed and point, whose numbers are this worker's own.
struct Worker<'a> {
    places: &'a Places<'a>,
    skimmer: Skimmer,
    codes: Codes,
    testbeds: Vec<String>,
    /// The numbers of the piles by testbed and point.
    series: HashMap<(usize, usize), usize>,
    records: Piles<'a>,
    /// When each run counts, with its own id.
    runs: Vec<Instant>,
    mentions: Mentions,
    excused: Vec<ObjectId>,
    counts: Counts,
}

/// A run of the note that is being read: where it stands, and whether it counts.
struct Placed {
    id: LineId,
    number: u32,
    testbed: usize,
    dirty: bool,
    counts: bool,
}

impl<'a> Worker<'a> {
    fn new(places: &'a Places<'a>, folder: &'a Path) -> Self {
        Self {
            places,
            skimmer: Skimmer::default(),
            codes: Codes::default(),
            testbeds: Vec::new(),
            series: HashMap::new(),
            records: Piles::new(folder),
            runs: Vec::new(),
            mentions: Mentions::default(),
            excused: Vec::new(),
            counts: Counts::default(),
        }
    }

    fn take(&mut self, number: usize, annotated: ObjectId, note: &[u8]) {
        let note_number = u32::try_from(number).unwrap_or(u32::MAX);
        let skimmed = self.skimmer.skim(note);
        let mut about: Vec<ObjectId> =
            skimmed.runs.iter().map(|run| run.tree).chain(skimmed.excuses.iter().map(|excuse: &Excuse| excuse.tree)).collect();
        about.sort_unstable();
        about.dedup();
        let runs: Vec<Placed> = skimmed.runs.iter().map(|run| self.place(run)).collect();
        let mut without_run = skimmed.profiled.iter().filter(|profiled| !runs.iter().any(|run| run.id == **profiled)).count();
        for record in skimmed.records {
            let Some(run) = runs.iter().find(|run| run.id == record.run) else {
                without_run += 1;
                continue;
            };
            if !run.counts {
                continue;
            }
            let next = self.series.len();
            let series = *self.series.entry((run.testbed, record.point)).or_insert(next);
            let measured = Measured {
                id: record.id.to_number().to_be_bytes(),
                run: run.number,
                note: note_number,
                dirty: run.dirty,
                barred: record.barred,
                metric: 0,
                code: record.machine_code.map_or(0, |code| self.codes.number(code)),
                figures: Figures::of(&record.summary),
            };
            self.records.add(series, measured);
        }
        if let Some(tree) = self.tree_of(annotated) {
            self.counts += Counts::of(skimmed.unreadable, about.iter().copied(), tree, without_run);
        }
        self.excused.extend((!skimmed.excuses.is_empty()).then_some(annotated));
        about.into_iter().for_each(|tree| self.mentions.add(tree, note_number, self.places));
    }

    /// The tree of an annotated commit of the history.
    fn tree_of(&self, annotated: ObjectId) -> Option<ObjectId> {
        self.places.of_commit(annotated).map(|age| self.places.at(age).tree)
    }

    fn place(&mut self, run: &Run) -> Placed {
        let age = self.places.of_tree(run.tree);
        let key = run.testbed.key();
        let testbed = self.testbeds.iter().position(|known| known == key).unwrap_or_else(|| {
            self.testbeds.push(key.to_owned());
            self.testbeds.len() - 1
        });
        let number = self.runs.len() as u32;
        self.runs.extend(age.map(|age| Instant::new(age, run.time, run.id)));
        Placed { id: run.id, number, testbed, dirty: run.dirty, counts: age.is_some() }
    }
}

/// Numbers machine code from 1 on.
#[derive(Default)]
struct Codes {
    codes: Vec<String>,
    numbers: HashMap<String, CodeNumber>,
}

impl Codes {
    fn number(&mut self, code: String) -> CodeNumber {
        *self.numbers.entry(code).or_insert_with_key(|code| {
            self.codes.push(code.clone());
            self.codes.len() as CodeNumber
        })
    }
}

/// What all workers found.
#[derive(Default)]
struct Gathered<'a> {
    codes: Codes,
    series: BTreeMap<SeriesKey, Gathering>,
    parts: Vec<Part<'a>>,
    /// When each run counts, with its own id.
    runs: Vec<Instant>,
    mentions: Mentions,
    excused: Vec<ObjectId>,
    counts: Counts,
}

/// A series that is spread over the workers.
#[derive(Default)]
struct Gathering {
    /// The metrics that its records are in; nearly always there is one.
    metrics: Vec<Metric>,
    /// Where the records are: the number of the part and of the pile, and that of the metric.
    places: Vec<(usize, usize, u16)>,
}

/// The records that one worker found, and what its numbers mean to all.
struct Part<'a> {
    records: Piles<'a>,
    runs: Vec<u32>,
    codes: Vec<CodeNumber>,
}

impl<'a> Gathered<'a> {
    fn of(workers: Vec<Worker<'a>>) -> Self {
        let mut all = Self::default();
        all.runs.reserve_exact(workers.iter().map(|worker| worker.runs.len()).sum());
        for mut worker in workers {
            let first_run = all.runs.len() as u32;
            let runs = (first_run..first_run + worker.runs.len() as u32).collect();
            all.runs.append(&mut worker.runs);
            all.mentions.append(worker.mentions);
            all.excused.append(&mut worker.excused);
            all.counts += worker.counts;
            let codes = worker.codes.codes.into_iter().map(|code| all.codes.number(code)).collect();
            for ((testbed, point), pile) in worker.series {
                let Point { benchmark, config, metric } = worker.skimmer.points()[point].clone();
                let testbed = worker.testbeds[testbed].clone();
                let key = SeriesKey { benchmark, config, metric: metric.name.clone(), testbed };
                let Gathering { metrics, places } = all.series.entry(key).or_default();
                let number = metrics.iter().position(|known| *known == metric).unwrap_or_else(|| {
                    metrics.push(metric);
                    metrics.len() - 1
                });
                places.push((all.parts.len(), pile, number as u16));
            }
            worker.records.close();
            all.parts.push(Part { records: worker.records, runs, codes });
        }
        all.number_runs_by_age();
        all.excused.sort_unstable();
        all
    }

    /// The runs of the newest commits stand together at the end: a check reads those.
    fn number_runs_by_age(&mut self) {
        let mut order: Vec<u32> = (0..self.runs.len() as u32).collect();
        order.sort_unstable_by_key(|run| (self.runs[*run as usize].age, *run));
        let mut numbers = vec![0_u32; order.len()];
        order.iter().zip(0_u32..).for_each(|(run, number)| numbers[*run as usize] = number);
        self.parts.iter_mut().flat_map(|part| &mut part.runs).for_each(|run| *run = numbers[*run as usize]);
        self.runs = order.into_iter().map(|run| self.runs[run as usize]).collect();
    }

    /// The records of a series, with numbers that mean the same to all.
    fn records(&mut self, gathering: &Gathering) -> io::Result<Vec<Measured>> {
        let mut all =
            Vec::with_capacity(gathering.places.iter().map(|(part, pile, _)| self.parts[*part].records.len(*pile)).sum());
        for (part, pile, metric) in &gathering.places {
            let Part { records, runs, codes } = &mut self.parts[*part];
            records.read(*pile, |record| {
                let code = (record.code as usize).checked_sub(1).map_or(0, |code| codes[code]);
                all.push(Measured { run: runs[record.run as usize], code, metric: *metric, ..record });
            })?;
        }
        Ok(all)
    }

    /// The notes were read in the order given.
    fn write(
        mut self,
        file: &File,
        places: &Places<'_>,
        (notes_tree, order): (ObjectId, &[ObjectId]),
        too_large: &[ObjectId],
    ) -> io::Result<()> {
        let history = places.history;
        let mut out = Writer::new(file)?;
        let mut series = Vec::new();
        while let Some((key, gathering)) = self.series.pop_first() {
            let records = self.records(&gathering)?;
            series.push(self.write_series(&mut out, &key, &gathering.metrics, records)?);
        }
        self.parts = Vec::new();
        let tip = history.commits.first().map(|commit| commit.id).unwrap_or(ObjectId::ZERO);
        let hash = tip.as_bytes().len();
        let oldest_first = || (0_u32..).zip(history.commits.iter().rev());
        let directory = Directory {
            made_by: MADE_BY.to_owned(),
            tip: tip.to_string(),
            notes_tree: notes_tree.to_string(),
            commits: out.array(hash, oldest_first().map(|(_, commit)| commit.id.as_bytes().to_vec()))?,
            by_commit: out.array(hash + 4, sorted(oldest_first().map(|(age, commit)| (commit.id, age))))?,
            by_tree: out.array(hash + 4, sorted(oldest_first().map(|(age, commit)| (commit.tree, age))))?,
            mentions: out.array(2 * hash, self.mentions.in_full(places, order))?,
            runs: out.array(RunTime::SIZE, self.runs.iter().map(|run| run.run_time().to_bytes()))?,
            codes: write_codes(&mut out, &self.codes.codes)?,
            excused: self.excused.iter().map(ToString::to_string).collect(),
            too_large: too_large.iter().map(ToString::to_string).collect(),
            counts: self.counts,
            series,
        };
        out.finish(&serde_json::to_vec(&directory)?)
    }

    fn write_series(
        &self,
        out: &mut Writer<'_>,
        key: &SeriesKey,
        metrics: &[Metric],
        mut records: Vec<Measured>,
    ) -> io::Result<StoredSeries> {
        let age_of = |record: &Measured| self.runs[record.run as usize].age;
        // A record that was copied counts once, at the newest commit.
        records.sort_unstable_by_key(|record| (record.id, Reverse(age_of(record)), record.note));
        records.dedup_by_key(|record| record.id);
        let mut ids: Vec<[u8; 4]> =
            records.iter().map(|record| id_sum(LineId::from_number(u128::from_be_bytes(record.id)))).collect();
        ids.sort_unstable();
        let ids = out.array(4, ids)?;
        let instant = |record: &Measured| Instant { id: record.id, ..self.runs[record.run as usize] };
        records.sort_unstable_by_key(instant);
        let newest = records.last().ok_or_else(|| io::Error::other("a series without records"))?;
        let mut units: Vec<&str> = metrics.iter().map(|metric| metric.unit.symbol()).collect();
        units.sort_unstable();
        units.dedup();
        let units = units.into_iter().map(|unit| self.write_unit(out, unit, metrics, &records)).collect::<io::Result<_>>()?;
        Ok(StoredSeries::new(key, &metrics[usize::from(newest.metric)], instant(newest), ids, units))
    }

    /// What of a series is in one unit: the records that may bind as rows, the others by their number.
    fn write_unit(&self, out: &mut Writer<'_>, unit: &str, metrics: &[Metric], records: &[Measured]) -> io::Result<StoredUnit> {
        let in_unit = || records.iter().filter(|record| metrics[usize::from(record.metric)].unit.symbol() == unit);
        let binding = || in_unit().filter(|record| !record.dirty && !record.barred);
        let age_of = |record: &Measured| self.runs[record.run as usize].age;
        let row = |record: &Measured| {
            let (age, run) = (age_of(record), record.run);
            Row { age, run, code: record.code, id: record.id, figures: record.figures }.to_bytes()
        };
        let rows = out.array(Row::SIZE, binding().map(row))?;
        let better = metrics.iter().find(|metric| metric.unit.symbol() == unit).map(|metric| metric.better);
        let values: Vec<(u32, f64)> = binding().map(|record| (age_of(record), record.figures.median())).collect();
        let words = better.and_then(|better| Digest::of(better, &values)).map_or(Vec::new(), |digest| digest.words());
        let digest = out.array(8, words.into_iter().map(u64::to_le_bytes))?;
        let dirty = in_unit().filter(|record| record.dirty).count();
        let barred = in_unit().filter(|record| record.barred && !record.dirty).count();
        Ok(StoredUnit { unit: unit.to_owned(), rows, digest, dirty, barred })
    }
}

fn write_codes(out: &mut Writer<'_>, codes: &[String]) -> io::Result<Array> {
    let longest = codes.iter().map(String::len).max().unwrap_or(0);
    let filled_up = |code: &String| {
        let mut bytes = code.as_bytes().to_vec();
        bytes.resize(longest, 0);
        bytes
    };
    out.array(longest.max(1), codes.iter().map(filled_up))
}

/// Ids and their ages as elements, sorted.
fn sorted(ids: impl Iterator<Item = (ObjectId, u32)>) -> impl Iterator<Item = Vec<u8>> {
    let mut ids: Vec<(ObjectId, u32)> = ids.collect();
    ids.sort_unstable();
    ids.into_iter().map(|(id, age)| with_age(id, age))
}
