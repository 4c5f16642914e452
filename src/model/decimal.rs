//! Decimal numbers as notes keep them, and the doubles nearest to them.
//!
//! A number that is written and read again must be the same to the last bit, on every computer: so these are the only ways
//! from decimal to binary, and each is rounded once.

/// The powers of ten that a double holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
    1e22,
];

/// Whole numbers below it are exact.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// How many significant digits are kept: finer than any clock.
const DIGITS: i32 = 12;

fn power_of_ten(exponent: i32) -> f64 {
    let exact = usize::try_from(exponent).ok().and_then(|exponent| POWERS.get(exponent));
    exact.copied().unwrap_or_else(|| 10_f64.powi(exponent))
}

/// Whether a note keeps it as a whole number.
pub fn is_whole(value: f64) -> bool {
    value.fract() == 0.0 && value.abs() < LARGEST_EXACT
}

/// `value` as a note keeps it: whole numbers as they are, others with twelve significant digits. Once is enough.
pub fn rounded(value: f64) -> f64 {
    if is_whole(value) {
        return value;
    }
    let digits_behind_the_point = DIGITS - 1 - value.abs().log10().floor() as i32;
    if let Some(scale) = usize::try_from(digits_behind_the_point).ok().and_then(|digits| POWERS.get(digits)) {
        let digits = (value * scale).round();
        // Two exact numbers: the quotient is the double nearest to the decimal number.
        if digits.abs() <= power_of_ten(DIGITS) {
            return digits / scale;
        }
    }
    format!("{value:.11e}").parse().unwrap_or(value)
}

/// The double nearest to `ticks · 10^exponent`.
pub(super) fn from_ticks(ticks: i64, exponent: i32) -> f64 {
    let scale = POWERS.get(exponent.unsigned_abs() as usize).filter(|_| ticks.unsigned_abs() < LARGEST_EXACT as u64);
    match scale {
        Some(scale) if exponent < 0 => ticks as f64 / scale,
        Some(scale) => ticks as f64 * scale,
        None => format!("{ticks}e{exponent}").parse().unwrap_or(f64::NAN),
    }
}

/// The whole number of ticks nearest to `value`.
pub(super) fn to_ticks(value: f64, exponent: i32) -> i64 {
    let scale = power_of_ten(exponent.abs());
    (if exponent < 0 { value * scale } else { value / scale }).round() as i64
}
