use criterion::{criterion_group, criterion_main, BenchmarkId, Criterion, Throughput};
use std::time::Duration;

fn fib(n: u64) -> u64 {
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}

fn small(c: &mut Criterion) {
    c.bench_function("fib 8", |b| b.iter(|| fib(8)));
    let mut group = c.benchmark_group("fill");
    group.throughput(Throughput::Bytes(512));
    group.bench_with_input(BenchmarkId::new("zeros", 512), &512, |b, size| b.iter(|| vec![0u8; *size]));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(20)).measurement_time(Duration::from_millis(50));
    targets = small
}
criterion_main!(benches);
