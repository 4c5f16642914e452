//! What buffers hold: made from a seed, the same on every computer, in as many threads as there are.
//!
//! An element depends on the seed, the round and its own number alone, so any part of a buffer can be made by itself
//! and a buffer never has to fit into the host's memory. Another round gives other contents: kernels that remember
//! what they saw are found out.

use std::sync::LazyLock;

use half::{bf16, f16};

use super::DType;
use super::plan::{Buffer, Fill};
use crate::stats::distribution;

/// Bytes that are made, copied or compared at a time.
pub(super) const CHUNK: usize = 32 << 20;

/// Fewer bytes than this are not worth a thread.
const BYTES_FOR_A_THREAD: usize = 256 << 10;

/// What outputs hold before they are written: NaN in every floating type.
pub(super) const POISON: u8 = 0xFF;
/// The same for whole numbers, where all bits set is a common result.
pub(super) const POISON_WHOLE: u8 = 0xA5;

/// The byte that poisons a type.
pub(super) fn poison(dtype: DType) -> u8 {
    if dtype.is_float() { POISON } else { POISON_WHOLE }
}

/// The byte that a buffer is filled with, where it is one byte for all.
pub(super) fn uniform_byte(buffer: &Buffer) -> Option<u8> {
    match buffer.fill {
        Fill::Zeros => Some(0),
        Fill::Poison => Some(poison(buffer.dtype)),
        Fill::Uniform { .. } | Fill::Normal { .. } => None,
    }
}

/// Writes the bytes of `buffer` from `first_byte` on, which is a multiple of eight, for this round.
pub(super) fn write(buffer: &Buffer, round: u64, first_byte: u64, into: &mut [u8]) {
    if let Some(byte) = uniform_byte(buffer) {
        into.fill(byte);
        return;
    }
    let share = (into.len() / threads()).next_multiple_of(8).max(BYTES_FOR_A_THREAD);
    std::thread::scope(|scope| {
        for (part, bytes) in into.chunks_mut(share).enumerate() {
            let first = (first_byte + (part * share) as u64) / buffer.dtype.size();
            scope.spawn(move || write_elements(buffer, round, first, bytes));
        }
    });
}

/// How many threads work on host data.
pub(super) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(32)
}

fn write_elements(buffer: &Buffer, round: u64, first: u64, into: &mut [u8]) {
    let draw = Draw::of(buffer.fill, round);
    let size = buffer.dtype.size() as usize;
    for (index, place) in (first..).zip(into.chunks_exact_mut(size)) {
        encode(buffer.dtype, draw.value(index, buffer.dtype.is_float()), place);
    }
}

/// How elements are drawn.
enum Draw {
    Uniform { low: f64, width: f64, seed: u64 },
    Normal { mean: f64, deviation: f64, seed: u64 },
    Nothing,
}

impl Draw {
    fn of(fill: Fill, round: u64) -> Self {
        let seeded = |seed: u64| mix(seed.wrapping_add(mix(round)));
        match fill {
            Fill::Uniform { low, high, seed } => Self::Uniform { low, width: high - low, seed: seeded(seed) },
            Fill::Normal { mean, deviation, seed } => Self::Normal { mean, deviation, seed: seeded(seed) },
            Fill::Zeros | Fill::Poison => Self::Nothing,
        }
    }

    fn value(&self, index: u64, is_float: bool) -> f64 {
        match *self {
            Self::Uniform { low, width, seed } => {
                let value = low + width * unit(draw_bits(seed, index));
                if is_float { value } else { value.floor() }
            }
            Self::Normal { mean, deviation, seed } => mean + deviation * standard_normal(draw_bits(seed, index)),
            Self::Nothing => 0.0,
        }
    }
}

fn draw_bits(seed: u64, index: u64) -> u64 {
    mix(seed.wrapping_add(index.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
}

/// The output function of SplitMix64 (Steele, Lea and Flood 2014).
fn mix(bits: u64) -> u64 {
    let mut mixed = bits.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// Cells of equal probability that the standard normal distribution is cut into, as a power of two.
const CELL_BITS: u32 = 12;
const CELLS: usize = 1 << CELL_BITS;

/// Where the cells end. Between two ends the quantile is taken as a straight line, which no mean or deviation shows.
static QUANTILES: LazyLock<Vec<f64>> = LazyLock::new(|| (0..=CELLS).map(|end| quantile(end as f64 / CELLS as f64)).collect());

fn quantile(p: f64) -> f64 {
    distribution::normal_quantile(p).unwrap_or(0.0)
}

/// By the quantile of a uniform number, most of them from a table: gigabytes of these are made before a kernel is timed,
/// and a logarithm and a cosine for each would take longer than all the rest.
fn standard_normal(bits: u64) -> f64 {
    let cell = (bits >> (64 - CELL_BITS)) as usize;
    let within = unit(bits << CELL_BITS);
    match QUANTILES.get(cell..=cell + 1) {
        Some(&[low, high]) if low.is_finite() && high.is_finite() => low + (high - low) * within,
        // The tails, which have no end; never exactly 0 or 1.
        _ => {
            let tail = quantile((1.0 - within) / CELLS as f64);
            if cell == 0 { tail } else { -tail }
        }
    }
}

/// Uniform in [0, 1).
fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

fn encode(dtype: DType, value: f64, into: &mut [u8]) {
    match dtype {
        DType::F64 => into.copy_from_slice(&value.to_le_bytes()),
        DType::F32 => into.copy_from_slice(&(value as f32).to_le_bytes()),
        DType::F16 => into.copy_from_slice(&f16::from_f64(value).to_le_bytes()),
        DType::BF16 => into.copy_from_slice(&bf16::from_f64(value).to_le_bytes()),
        DType::I64 => into.copy_from_slice(&(value as i64).to_le_bytes()),
        DType::I32 => into.copy_from_slice(&(value as i32).to_le_bytes()),
        DType::U32 => into.copy_from_slice(&(value as u32).to_le_bytes()),
        DType::I8 => into.copy_from_slice(&(value as i8).to_le_bytes()),
        DType::U8 => into.copy_from_slice(&(value as u8).to_le_bytes()),
    }
}

/// An element as a number. Whole numbers beyond 2⁵³ lose their last digits.
pub(super) fn decode(dtype: DType, bytes: &[u8]) -> f64 {
    fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
        let mut array = [0; N];
        array.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
        array
    }
    match dtype {
        DType::F64 => f64::from_le_bytes(array(bytes)),
        DType::F32 => f32::from_le_bytes(array(bytes)).into(),
        DType::F16 => f16::from_le_bytes(array(bytes)).into(),
        DType::BF16 => bf16::from_le_bytes(array(bytes)).into(),
        DType::I64 => i64::from_le_bytes(array(bytes)) as f64,
        DType::I32 => i32::from_le_bytes(array(bytes)).into(),
        DType::U32 => u32::from_le_bytes(array(bytes)).into(),
        DType::I8 => i8::from_le_bytes(array(bytes)).into(),
        DType::U8 => u8::from_le_bytes(array(bytes)).into(),
    }
}

/// Digits of π.
const BEGINNING: u64 = 0x243F_6A88_85A3_08D3;

/// A fingerprint of bytes that are given in parts: equal bytes give equal numbers, and unequal ones almost never do.
/// Not for what an adversary chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint(u64);

impl Fingerprint {
    /// Of nothing.
    pub(super) fn new() -> Self {
        Self(BEGINNING)
    }

    /// Adds the next part. Its blocks are looked at in as many threads as there are: buffers of gigabytes are read again
    /// and again while a kernel is verified.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        let share = bytes.len().div_ceil(threads()).next_multiple_of(BYTES_FOR_A_THREAD).max(BYTES_FOR_A_THREAD);
        let of_share = |share: &[u8]| share.chunks(BYTES_FOR_A_THREAD).map(of_block).collect::<Vec<u64>>();
        let blocks = match bytes.len() <= BYTES_FOR_A_THREAD {
            true => vec![of_block(bytes)],
            false => std::thread::scope(|scope| {
                let working: Vec<_> = bytes.chunks(share).map(|share| scope.spawn(move || of_share(share))).collect();
                working
                    .into_iter()
                    .flat_map(|share| share.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                    .collect()
            }),
        };
        self.0 = mix(blocks.into_iter().fold(self.0, step) ^ bytes.len() as u64);
    }
}

/// The fingerprint of one block, which does not depend on how many threads there are.
fn of_block(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let state = words.iter().map(|word| u64::from_le_bytes(*word)).fold(BEGINNING, step);
    mix(rest.iter().map(|byte| u64::from(*byte)).fold(state, step))
}

fn step(state: u64, word: u64) -> u64 {
    (state.rotate_left(23) ^ word).wrapping_mul(0x9FB2_1C65_1E98_DF25)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cuda::plan::Role;

    fn buffer(dtype: DType, elements: u64, fill: Fill) -> Buffer {
        Buffer { dtype, shape: vec![elements], fill, role: Role::Input }
    }

    fn values(buffer: &Buffer, round: u64) -> Vec<f64> {
        let mut bytes = vec![0; buffer.bytes() as usize];
        write(buffer, round, 0, &mut bytes);
        bytes.chunks_exact(buffer.dtype.size() as usize).map(|element| decode(buffer.dtype, element)).collect()
    }

    #[test]
    fn normal_numbers_have_their_mean_and_deviation_in_every_floating_type() {
        for dtype in [DType::F64, DType::F32, DType::F16, DType::BF16] {
            let drawn = values(&buffer(dtype, 200_000, Fill::Normal { mean: 1.0, deviation: 0.5, seed: 7 }), 0);
            let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
            let variance = drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / drawn.len() as f64;
            assert!((mean - 1.0).abs() < 0.01, "{dtype}: {mean}");
            assert!((variance.sqrt() - 0.5).abs() < 0.01, "{dtype}: {variance}");
        }
    }

    #[test]
    fn normal_numbers_are_as_frequent_as_the_distribution_says_out_into_the_tails() {
        let mut drawn = values(&buffer(DType::F64, 1 << 20, Fill::Normal { mean: 0.0, deviation: 1.0, seed: 3 }), 0);
        drawn.sort_by(f64::total_cmp);
        for p in [1e-5, 1e-4, 3e-4, 0.01, 0.3, 0.5, 0.9, 0.9995, 0.9999, 0.99999] {
            let found = distribution::normal_cdf(drawn[(p * drawn.len() as f64) as usize]);
            // Five standard errors of an empirical quantile, and one for the rank.
            let error = 5.0 * (p * (1.0 - p) / drawn.len() as f64).sqrt() + 1.0 / drawn.len() as f64;
            assert!((found - p).abs() < error, "{p}: {found}");
        }
        assert!(drawn.iter().all(|value| value.is_finite()));
        for bits in [0, u64::MAX, u64::MAX << (64 - CELL_BITS), u64::MAX >> CELL_BITS] {
            assert!((3.0..10.0).contains(&standard_normal(bits).abs()), "{bits:#x}");
        }
    }

    #[test]
    fn uniform_numbers_fill_their_range() {
        let drawn = values(&buffer(DType::I32, 10_000, Fill::Uniform { low: -3.0, high: 3.0, seed: 1 }), 0);
        for whole in -3..3 {
            assert!(drawn.contains(&f64::from(whole)), "{whole}");
        }
        assert!(drawn.iter().all(|value| (-3.0..3.0).contains(value) && value.fract() == 0.0));
    }

    #[test]
    fn a_part_is_the_same_as_that_part_of_the_whole() {
        let buffer = buffer(DType::F16, 1 << 20, Fill::Uniform { low: 0.0, high: 1.0, seed: 3 });
        let mut whole = vec![0; buffer.bytes() as usize];
        write(&buffer, 5, 0, &mut whole);
        let mut part = vec![0; 4096];
        write(&buffer, 5, 1 << 20, &mut part);
        assert_eq!(part, whole[1 << 20..(1 << 20) + 4096]);
    }

    #[test]
    fn rounds_and_seeds_differ() {
        let of_seed = |seed| buffer(DType::F32, 64, Fill::Uniform { low: 0.0, high: 1.0, seed });
        assert_ne!(values(&of_seed(1), 0), values(&of_seed(1), 1));
        assert_ne!(values(&of_seed(1), 0), values(&of_seed(2), 0));
        assert_eq!(values(&of_seed(1), 1), values(&of_seed(1), 1));
    }

    #[test]
    fn poison_is_not_a_number() {
        for dtype in [DType::F64, DType::F32, DType::F16, DType::BF16] {
            assert!(decode(dtype, &[poison(dtype); 8]).is_nan(), "{dtype}");
        }
    }

    #[test]
    fn a_fingerprint_sees_every_byte_and_its_place() {
        let of = |bytes: &[u8]| {
            let mut print = Fingerprint::new();
            print.add(bytes);
            print
        };
        let bytes: Vec<u8> = (0..100).collect();
        for place in 0..100 {
            let mut other = bytes.clone();
            other[place] ^= 1;
            assert_ne!(of(&bytes), of(&other), "{place}");
        }
        let mut swapped = bytes.clone();
        swapped.swap(8, 16);
        assert_ne!(of(&bytes), of(&swapped));
        // Several blocks and threads: the same block at two places, exchanged with its neighbour, is another buffer.
        let blocks: Vec<u8> = (0..4).flat_map(|block| vec![block; BYTES_FOR_A_THREAD]).chain([7; 13]).collect();
        let mut exchanged = blocks.clone();
        exchanged[..2 * BYTES_FOR_A_THREAD].rotate_left(BYTES_FOR_A_THREAD);
        assert_eq!(of(&blocks), of(&blocks.clone()));
        assert_ne!(of(&blocks), of(&exchanged));
        for place in [0, BYTES_FOR_A_THREAD, blocks.len() - 14, blocks.len() - 1] {
            let mut other = blocks.clone();
            other[place] ^= 0x80;
            assert_ne!(of(&blocks), of(&other), "{place}");
        }
    }
}
