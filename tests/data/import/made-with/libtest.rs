#![feature(test)]
extern crate test;
use test::Bencher;

#[bench]
fn sum(b: &mut Bencher) {
    b.iter(|| (0..test::black_box(1000_u64)).fold(0, |a, b| a ^ b));
}

mod copies {
    use super::*;

    #[bench]
    fn slow(b: &mut Bencher) {
        let from = vec![1_u8; 4096];
        b.bytes = 4096;
        b.iter(|| std::thread::sleep(std::time::Duration::from_micros(from.len() as u64 / 4)));
    }

    #[bench]
    fn copy(b: &mut Bencher) {
        let from = vec![1_u8; 4096];
        b.bytes = 4096;
        b.iter(|| from.clone());
    }

    #[bench]
    #[ignore]
    fn later(b: &mut Bencher) {
        b.iter(|| 1);
    }
}

#[test]
fn a_test() {}
