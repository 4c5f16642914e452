//! Notes as text: how fast lines are written and read.

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]
#![allow(clippy::unwrap_used, reason = "a benchmark ends by panicking")]

#[path = "../examples/generate_repository/repository.rs"]
#[allow(dead_code, reason = "only the notes are used")]
mod repository;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use git_ratchet::codec::{Entry, Note};

const RECORDS: u64 = 1_000;

fn codec(criterion: &mut Criterion) {
    let id = "0123456789012345678901234567890123456789";
    let bytes = repository::note(id, id, 1, RECORDS).unwrap();
    let note = Note::decode(&bytes);
    let entries: Vec<Entry> = note.records.into_iter().map(Entry::Record).collect();
    let mut group = criterion.benchmark_group("codec");
    group.throughput(Throughput::Elements(RECORDS));
    group.bench_function("decode a note of 1,000 records", |bencher| bencher.iter(|| Note::decode(std::hint::black_box(&bytes))));
    group.bench_function("encode 1,000 records", |bencher| {
        bencher.iter_batched(|| (), |()| entries.iter().map(|entry| entry.encode().len()).sum::<usize>(), BatchSize::SmallInput)
    });
    group.finish();
}

criterion_group!(benches, codec);
criterion_main!(benches);
