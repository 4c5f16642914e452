use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher};

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench(sample_count = 5)]
fn plain() -> u64 {
    (0..divan::black_box(100_u64)).sum()
}

#[divan::bench(args = [64, 4096], sample_count = 5)]
fn copy(bencher: Bencher, size: usize) {
    let from = vec![1_u8; size];
    bencher.counter(BytesCount::new(size)).counter(ItemsCount::new(size)).bench(|| from.clone());
}

#[divan::bench(types = [u32, u64], consts = [8, 16], sample_count = 5)]
fn fill<T: Default + Clone, const N: usize>() -> Vec<T> {
    vec![T::default(); N]
}

#[divan::bench(ignore)]
fn ignored() {}

mod nested {
    #[divan::bench(name = "slow one", sample_count = 4, sample_size = 1)]
    fn slow() {
        std::thread::sleep(std::time::Duration::from_micros(300));
    }

    #[divan::bench(threads = [1, 2], sample_count = 4)]
    fn threads() -> usize {
        divan::black_box(1)
    }
}
