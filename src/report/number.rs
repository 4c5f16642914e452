//! Numbers for people: scaled units, four significant digits, signed changes.

use crate::model::Unit;

/// A unit scaled to suit one value, so that a baseline and a candidate are printed in the same unit.
#[derive(Debug, Clone)]
pub struct Scale {
    divisor: f64,
    suffix: String,
}

impl Scale {
    /// The scale that suits `value` of base unit `unit`.
    pub fn for_value(value: f64, unit: &Unit) -> Self {
        let (divisor, suffix) = unit.scaled_for(value);
        Self { divisor, suffix }
    }

    /// `value` (base unit) with four significant digits and the scaled unit: `12.30 ms`.
    pub fn show(&self, value: f64) -> String {
        let number = self.number(value);
        if self.suffix.is_empty() { number } else { format!("{number} {}", self.suffix) }
    }

    /// `value` (base unit) without the unit.
    pub fn number(&self, value: f64) -> String {
        significant(value / self.divisor, 4)
    }

    /// `value` (base unit) in the scaled unit, to be drawn: what would be infinite there is as large as can be drawn.
    pub fn scaled(&self, value: f64) -> f64 {
        const MOST: f64 = 1e300;
        (value / self.divisor).clamp(-MOST, MOST)
    }

    /// The scaled unit.
    pub fn unit(&self) -> &str {
        &self.suffix
    }
}

/// `value` of base unit `unit`, scaled: `12.30 ms`, `640.0 GB/s`, `42`.
pub fn quantity(value: f64, unit: &Unit) -> String {
    Scale::for_value(value, unit).show(value)
}

/// `value` with `digits` significant digits and no exponent; whole numbers below a million stay whole.
pub fn significant(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    // Scaling leaves the last bits of a double behind; twelve digits are more than anything here is known to.
    let whole = value.round();
    if (value - whole).abs() <= 1e-12 * value.abs() && whole.abs() < 1e6 {
        return format!("{whole}");
    }
    let magnitude = value.abs().log10().floor();
    let decimals = (digits as f64 - 1.0 - magnitude).clamp(0.0, 12.0) as usize;
    format!("{value:.decimals$}")
}

/// `1 run`, `2 runs`: a count with its noun.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// A change in percent with its sign: `+13.4 %`; positive is better.
pub fn change(percent: f64) -> String {
    if percent.is_infinite() {
        return if percent > 0.0 { "+∞ %".to_owned() } else { "−∞ %".to_owned() };
    }
    // A change that rounds to nothing has no direction.
    if percent.abs() < 0.005 {
        return "0 %".to_owned();
    }
    let decimals = if percent.abs() < 0.1 { 2 } else { 1 };
    let text = format!("{percent:+.decimals$} %");
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_scaled_to_read_well() {
        for (value, unit, shown) in [
            (0.0123, Unit::SECOND, "12.30 ms"),
            (1.5e-7, Unit::SECOND, "150 ns"),
            (90.0, Unit::SECOND, "90 s"),
            (2.0 * 1024.0 * 1024.0, Unit::BYTE, "2 MiB"),
            (6.4e11, Unit::BYTE_PER_SECOND, "640 GB/s"),
            (42.0, Unit::ONE, "42"),
            (0.0, Unit::BYTE, "0 B"),
            (1236.0, Unit::PER_SECOND, "1.236 k/s"),
        ] {
            assert_eq!(quantity(value, &unit), shown);
        }
    }

    #[test]
    fn changes_carry_their_sign() {
        assert_eq!(change(13.44), "+13.4 %");
        assert_eq!(change(-3.0), "−3.0 %");
        assert_eq!(change(0.02), "+0.02 %");
        assert_eq!(change(-0.001), "0 %");
        assert_eq!(change(f64::NEG_INFINITY), "−∞ %");
    }
}
