//! How far outputs lie from their reference, in parts and in threads: outputs may be gigabytes.

use super::DType;
use super::data::{decode, threads};

/// Fewer elements than this are not worth a thread.
const ELEMENTS_FOR_A_THREAD: usize = 64 << 10;

/// The largest difference and where it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Extreme {
    pub(super) index: u64,
    pub(super) found: f64,
    pub(super) expected: f64,
    pub(super) error: f64,
}

/// What a comparison has seen so far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Comparison {
    elements: u64,
    error_square: f64,
    reference_square: f64,
    /// The element that lies furthest from its reference.
    pub(super) worst: Option<Extreme>,
    /// How many elements are NaN.
    pub(super) nan: u64,
    /// The first of them.
    pub(super) first_nan: Option<u64>,
    /// The first element whose reference is NaN or infinite.
    pub(super) bad_reference: Option<u64>,
}

impl Comparison {
    /// Adds the next elements of both.
    pub(super) fn add(&mut self, (found_type, found): (DType, &[u8]), (expected_type, expected): (DType, &[u8])) {
        let (found_size, expected_size) = (found_type.size() as usize, expected_type.size() as usize);
        let share = (found.len() / found_size / threads()).max(ELEMENTS_FOR_A_THREAD);
        let parts = std::thread::scope(|scope| {
            let parts = found.chunks(share * found_size).zip(expected.chunks(share * expected_size)).enumerate();
            let first = self.elements;
            let working: Vec<_> = parts
                .map(|(number, (found, expected))| {
                    let first = first + (number * share) as u64;
                    scope.spawn(move || Self::of(first, (found_type, found), (expected_type, expected)))
                })
                .collect();
            // A thread that died leaves its part out; the count of elements then tells.
            working.into_iter().filter_map(|part| part.join().ok()).collect::<Vec<_>>()
        });
        parts.iter().for_each(|part| self.merge(part));
    }

    fn of(first: u64, (found_type, found): (DType, &[u8]), (expected_type, expected): (DType, &[u8])) -> Self {
        let mut seen = Self::default();
        let pairs = found.chunks_exact(found_type.size() as usize).zip(expected.chunks_exact(expected_type.size() as usize));
        let is_exact = found_type == expected_type && !found_type.is_float();
        for (index, (found, expected)) in (first..).zip(pairs) {
            seen.elements += 1;
            let (value, reference) = (decode(found_type, found), decode(expected_type, expected));
            if !reference.is_finite() {
                seen.bad_reference.get_or_insert(index);
                continue;
            }
            seen.reference_square += reference * reference;
            if value.is_nan() {
                seen.nan += 1;
                seen.first_nan.get_or_insert(index);
                continue;
            }
            let mut error = (value - reference).abs();
            if is_exact && error < 1.0 && found != expected {
                // Long integers that differ in digits which a double does not hold.
                error = 1.0;
            }
            seen.error_square += error * error;
            if error > seen.worst.map_or(0.0, |worst| worst.error) {
                seen.worst = Some(Extreme { index, found: value, expected: reference, error });
            }
        }
        seen
    }

    fn merge(&mut self, other: &Self) {
        let earlier = |a: Option<u64>, b: Option<u64>| a.into_iter().chain(b).min();
        self.elements += other.elements;
        self.error_square += other.error_square;
        self.reference_square += other.reference_square;
        self.nan += other.nan;
        self.first_nan = earlier(self.first_nan, other.first_nan);
        self.bad_reference = earlier(self.bad_reference, other.bad_reference);
        if let Some(worst) = other.worst.filter(|worst| worst.error > self.worst.map_or(0.0, |own| own.error)) {
            self.worst = Some(worst);
        }
    }

    /// How many elements were compared.
    pub(super) fn elements(&self) -> u64 {
        self.elements
    }

    /// ‖found − expected‖₂ / ‖expected‖₂; where the reference is all zeros, the norm of the error itself.
    pub(super) fn frobenius(&self) -> f64 {
        let error = self.error_square.sqrt();
        if self.reference_square > 0.0 { error / self.reference_square.sqrt() } else { error }
    }

    /// The largest |found − expected|.
    pub(super) fn largest(&self) -> f64 {
        self.worst.map_or(0.0, |worst| worst.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    fn compared(found: &[f32], expected: &[f32]) -> Comparison {
        let mut comparison = Comparison::default();
        comparison.add((DType::F32, &bytes(found)), (DType::F32, &bytes(expected)));
        comparison
    }

    #[test]
    fn errors_are_those_of_the_definitions() {
        let comparison = compared(&[3.0, 4.5, 0.0], &[3.0, 4.0, 0.0]);
        assert_eq!(comparison.frobenius(), 0.5 / 5.0);
        assert_eq!(comparison.worst, Some(Extreme { index: 1, found: 4.5, expected: 4.0, error: 0.5 }));
    }

    #[test]
    fn parts_and_threads_make_no_difference() {
        let expected: Vec<f32> = (0..300_000).map(|i| (i % 17) as f32).collect();
        let mut found = expected.clone();
        found[123_456] += 0.25;
        found[299_999] = f32::NAN;
        let whole = compared(&found, &expected);
        let mut parts = Comparison::default();
        for (found, expected) in found.chunks(70_000).zip(expected.chunks(70_000)) {
            parts.add((DType::F32, &bytes(found)), (DType::F32, &bytes(expected)));
        }
        assert_eq!(whole.worst.unwrap().index, 123_456);
        assert_eq!((whole.nan, whole.first_nan, whole.elements()), (1, Some(299_999), 300_000));
        assert_eq!((parts.worst, parts.nan, parts.elements()), (whole.worst, whole.nan, whole.elements()));
        assert!((parts.frobenius() - whole.frobenius()).abs() < 1e-12);
    }

    #[test]
    fn infinities_and_nan_are_seen_on_both_sides() {
        assert_eq!(compared(&[1.0, f32::INFINITY], &[1.0, 1.0]).largest(), f64::INFINITY);
        assert_eq!(compared(&[1.0, 1.0], &[1.0, f32::NAN]).bad_reference, Some(1));
        assert_eq!(compared(&[f32::NAN], &[1.0]).largest(), 0.0, "NaN is told apart");
    }

    #[test]
    fn types_may_differ_and_long_integers_are_exact() {
        let half: Vec<u8> = [1.5f32, -2.0].iter().flat_map(|value| half::f16::from_f32(*value).to_le_bytes()).collect();
        let mut comparison = Comparison::default();
        comparison.add((DType::F16, &half), (DType::F32, &bytes(&[1.5, -2.0])));
        assert_eq!((comparison.frobenius(), comparison.elements()), (0.0, 2));
        let long = |value: i64| value.to_le_bytes();
        let mut comparison = Comparison::default();
        comparison.add((DType::I64, &long(1 << 60)), (DType::I64, &long((1 << 60) + 1)));
        assert_eq!(comparison.largest(), 1.0);
    }
}
