//! Two notes become one: what every append and every merge does.

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]
#![allow(clippy::unwrap_used, reason = "a benchmark ends by panicking")]

#[path = "../examples/generate_repository/repository.rs"]
#[allow(dead_code, reason = "only the notes are used")]
mod repository;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use git_ratchet::codec::union;

fn unions(criterion: &mut Criterion) {
    let id = "0123456789012345678901234567890123456789";
    let one = repository::note(id, id, 1, 1_000).unwrap();
    let other = repository::note(id, id, 2, 1_000).unwrap();
    let mut group = criterion.benchmark_group("union");
    group.throughput(Throughput::Bytes((one.len() + other.len()) as u64));
    group.bench_function("of two notes of 1,000 records", |bencher| bencher.iter(|| union([one.as_slice(), other.as_slice()])));
    group.bench_function("of a note with itself", |bencher| bencher.iter(|| union([one.as_slice(), one.as_slice()])));
    group.finish();
}

criterion_group!(benches, unions);
criterion_main!(benches);
