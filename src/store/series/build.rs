//! Making the file: every note is read once, on all cores, and what it measured is sorted into series.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;

use super::blocks::{Array, Writer};
use super::stored::{CodeNumber, Directory, Figures, Instant, MADE_BY, Row, RunTime, StoredSeries, StoredUnit, id_sum, with_age};
use crate::codec::{Point, Skimmer};
use crate::judge::Digest;
use crate::model::{Excuse, LineId, Metric, ObjectId, Run, SeriesKey};
use crate::store::annotated::{Counts, readable, reading_order};
use crate::store::{History, Notes, StoreError, decode};

/// Reads the notes and writes the file. The outer error is the repository's, the inner one the file's.
pub(super) fn write(
    file: &File,
    history: &History,
    notes: &Notes<'_>,
    notes_tree: ObjectId,
) -> Result<io::Result<()>, StoreError> {
    let places = Places::of(history);
    let mut too_large = Vec::new();
    let order = reading_order(notes, |id| places.commits.get(id).map(|age| history.commits.len() - 1 - *age as usize));
    let worker = || Worker { places: Some(&places), history: Some(history), ..Worker::default() };
    let workers = decode::on_all_cores(readable(&order, notes, &mut too_large), worker, Worker::take)?;
    let gathered = Gathered::of(workers);
    drop((order, places));
    Ok(gathered.write(file, history, notes_tree, &too_large))
}

/// Where commits and trees stand in the history.
struct Places {
    commits: HashMap<ObjectId, u32>,
    /// The newest commit with each tree.
    trees: HashMap<ObjectId, u32>,
}

impl Places {
    fn of(history: &History) -> Self {
        let oldest_first = || (0_u32..).zip(history.commits.iter().rev());
        Self {
            commits: oldest_first().map(|(age, commit)| (commit.id, age)).collect(),
            trees: oldest_first().map(|(age, commit)| (commit.tree, age)).collect(),
        }
    }
}

/// One record that counts for a commit of the history.
struct Measured {
    id: [u8; 16],
    age: u32,
    run: u32,
    /// The number of the note that it was read from.
    note: u32,
    /// The number of its metric among those of the series.
    metric: u16,
    dirty: bool,
    barred: bool,
    code: CodeNumber,
    figures: Figures,
}

/// Reads notes. The records are by testbed and point, whose numbers are this worker's own.
#[derive(Default)]
struct Worker<'a> {
    places: Option<&'a Places>,
    history: Option<&'a History>,
    skimmer: Skimmer,
    codes: Codes,
    testbeds: Vec<String>,
    records: HashMap<(usize, usize), Vec<Measured>>,
    runs: Vec<RunTime>,
    mentions: Vec<(ObjectId, ObjectId)>,
    excused: Vec<ObjectId>,
    counts: Counts,
}

/// A run of the note that is being read: where it stands, and when it counts.
struct Placed {
    id: LineId,
    number: u32,
    testbed: usize,
    dirty: bool,
    age: Option<u32>,
}

impl Worker<'_> {
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
            let Some(age) = run.age else { continue };
            self.records.entry((run.testbed, record.point)).or_default().push(Measured {
                id: record.id.to_number().to_be_bytes(),
                age,
                run: run.number,
                note: note_number,
                metric: 0,
                dirty: run.dirty,
                barred: record.barred,
                code: record.machine_code.map_or(0, |code| self.codes.number(code)),
                figures: Figures::of(&record.summary),
            });
        }
        if let Some(tree) = self.tree_of(annotated) {
            self.counts += Counts::of(skimmed.unreadable, about.iter().copied(), tree, without_run);
        }
        self.excused.extend((!skimmed.excuses.is_empty()).then_some(annotated));
        self.mentions.extend(about.into_iter().map(|tree| (tree, annotated)));
    }

    /// The tree of an annotated commit of the history.
    fn tree_of(&self, annotated: ObjectId) -> Option<ObjectId> {
        let age = *self.places?.commits.get(&annotated)?;
        let commits = &self.history?.commits;
        commits.get(commits.len() - 1 - age as usize).map(|commit| commit.tree)
    }

    fn place(&mut self, run: &Run) -> Placed {
        let age = self.places.and_then(|places| places.trees.get(&run.tree)).copied();
        let key = run.testbed.key();
        let testbed = self.testbeds.iter().position(|known| known == key).unwrap_or_else(|| {
            self.testbeds.push(key.to_owned());
            self.testbeds.len() - 1
        });
        let number = self.runs.len() as u32;
        if age.is_some() {
            self.runs.push(RunTime { id: run.id, time: run.time });
        }
        Placed { id: run.id, number, testbed, dirty: run.dirty, age }
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
struct Gathered {
    codes: Codes,
    /// The records of each series, with the metrics that they are in.
    series: BTreeMap<SeriesKey, (Vec<Metric>, Vec<Measured>)>,
    runs: Vec<RunTime>,
    mentions: Vec<(ObjectId, ObjectId)>,
    excused: Vec<ObjectId>,
    counts: Counts,
}

impl Gathered {
    fn of(workers: Vec<Worker<'_>>) -> Self {
        let mut all = Self::default();
        for worker in workers {
            let first_run = all.runs.len() as u32;
            all.runs.extend(worker.runs);
            all.mentions.extend(worker.mentions);
            all.excused.extend(worker.excused);
            all.counts += worker.counts;
            let codes: Vec<CodeNumber> = worker.codes.codes.into_iter().map(|code| all.codes.number(code)).collect();
            for ((testbed, point), mut records) in worker.records {
                let Point { benchmark, config, metric } = worker.skimmer.points()[point].clone();
                let testbed = worker.testbeds[testbed].clone();
                let key = SeriesKey { benchmark, config, metric: metric.name.clone(), testbed };
                let (metrics, together) = all.series.entry(key).or_default();
                let number = metrics.iter().position(|known| *known == metric).unwrap_or_else(|| {
                    metrics.push(metric);
                    metrics.len() - 1
                });
                for record in &mut records {
                    (record.run, record.metric) = (record.run + first_run, number as u16);
                    record.code = (record.code as usize).checked_sub(1).map_or(0, |code| codes[code]);
                }
                if together.is_empty() { *together = records } else { together.append(&mut records) }
            }
        }
        all.number_runs_by_age();
        all.mentions.sort_unstable();
        all.excused.sort_unstable();
        all
    }

    /// The runs of the newest commits stand together at the end: a check reads those.
    fn number_runs_by_age(&mut self) {
        let mut ages = vec![0_u32; self.runs.len()];
        let records = || self.series.values().flat_map(|(_, records)| records);
        records().for_each(|record| ages[record.run as usize] = record.age);
        let mut order: Vec<u32> = (0..self.runs.len() as u32).collect();
        order.sort_unstable_by_key(|run| (ages[*run as usize], *run));
        let mut numbers = vec![0_u32; order.len()];
        order.iter().zip(0_u32..).for_each(|(run, number)| numbers[*run as usize] = number);
        let records = self.series.values_mut().flat_map(|(_, records)| records);
        records.for_each(|record| record.run = numbers[record.run as usize]);
        self.runs = order.into_iter().map(|run| self.runs[run as usize]).collect();
    }

    fn write(mut self, file: &File, history: &History, notes_tree: ObjectId, too_large: &[ObjectId]) -> io::Result<()> {
        let mut out = Writer::new(file)?;
        let mut series = Vec::new();
        // The largest part first, and each series is let go once it is written.
        while let Some((key, (metrics, records))) = self.series.pop_first() {
            series.push(self.write_series(&mut out, &key, &metrics, records)?);
        }
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
            mentions: out
                .array(2 * hash, self.mentions.iter().map(|(tree, note)| [tree.as_bytes(), note.as_bytes()].concat()))?,
            runs: out.array(RunTime::SIZE, self.runs.iter().map(|run| run.to_bytes()))?,
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
        // A record that was copied counts once, at the newest commit.
        records.sort_unstable_by_key(|record| (record.id, Reverse(record.age), record.note));
        records.dedup_by_key(|record| record.id);
        let mut ids: Vec<[u8; 4]> =
            records.iter().map(|record| id_sum(LineId::from_number(u128::from_be_bytes(record.id)))).collect();
        ids.sort_unstable();
        let ids = out.array(4, ids)?;
        let instant = |record: &Measured| {
            let time = self.runs[record.run as usize].time;
            Instant::new(record.age, time, LineId::from_number(u128::from_be_bytes(record.id)))
        };
        records.sort_unstable_by_key(instant);
        let newest = records.last().ok_or_else(|| io::Error::other("a series without records"))?;
        let mut units: Vec<&str> = metrics.iter().map(|metric| metric.unit.symbol()).collect();
        units.sort_unstable();
        units.dedup();
        let units = units.into_iter().map(|unit| {
            let in_unit = || records.iter().filter(|record| metrics[usize::from(record.metric)].unit.symbol() == unit);
            let may_bind = |record: &&Measured| !record.dirty && !record.barred;
            let row = |record: &Measured| {
                Row { age: record.age, run: record.run, code: record.code, id: record.id, figures: record.figures }.to_bytes()
            };
            let rows: Array = out.array(Row::SIZE, in_unit().filter(may_bind).map(row))?;
            let better = metrics.iter().find(|metric| metric.unit.symbol() == unit).map(|metric| metric.better);
            let values: Vec<(u32, f64)> =
                in_unit().filter(may_bind).map(|record| (record.age, record.figures.median())).collect();
            let words = better.and_then(|better| Digest::of(better, &values)).map_or(Vec::new(), |digest| digest.words());
            let digest = out.array(8, words.into_iter().map(u64::to_le_bytes))?;
            let dirty = in_unit().filter(|record| record.dirty).count();
            let barred = in_unit().filter(|record| record.barred && !record.dirty).count();
            Ok(StoredUnit { unit: unit.to_owned(), rows, digest, dirty, barred })
        });
        let units = units.collect::<io::Result<_>>()?;
        Ok(StoredSeries::new(key, &metrics[usize::from(newest.metric)], instant(newest), ids, units))
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
