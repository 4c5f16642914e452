use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("copy");
    group.sample_size(10).warm_up_time(Duration::from_millis(20)).measurement_time(Duration::from_millis(50));
    let from = vec![1_u8; 4096];
    group.throughput(Throughput::Bytes(4096)).bench_function("bytes", |b| b.iter(|| from.clone()));
    group.throughput(Throughput::Elements(4096));
    group.bench_function("elements of a name too long for one line", |b| b.iter(|| from.clone()));
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
