//! A long history: walking 20,000 commits, listing their notes, and joining the two.

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]
#![allow(clippy::unwrap_used, reason = "a benchmark ends by panicking")]

#[path = "../examples/generate_repository/repository.rs"]
#[allow(dead_code, reason = "not every bench uses all of it")]
mod repository;

use criterion::{Criterion, criterion_group, criterion_main};
use git_ratchet::store::{OpenOptions, Store, Walk};

fn walk(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("repository");
    repository::generate(&dir, repository::Plan { commits: 20_000, records: 1, every: 1 }).unwrap();
    let store = Store::open(&OpenOptions { dir: Some(dir), ..OpenOptions::default() }).unwrap();
    let head = store.head().unwrap();
    let history = store.history(&[head], Walk::FirstParent).unwrap();
    let mut group = criterion.benchmark_group("20,000 commits");
    group.sample_size(10);
    group.bench_function("first-parent history", |bencher| bencher.iter(|| store.history(&[head], Walk::FirstParent)));
    group.bench_function("whole history", |bencher| bencher.iter(|| store.history(&[head], Walk::All)));
    group.bench_function("list of notes", |bencher| bencher.iter(|| store.notes().unwrap().len()));
    group.bench_function("annotated history", |bencher| {
        bencher.iter(|| store.annotated_history(&history, &store.notes().unwrap()).unwrap().commits.len())
    });
    group.finish();
}

criterion_group!(benches, walk);
criterion_main!(benches);
