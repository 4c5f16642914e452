//! A series in one line of text.

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// One bar per value, scaled between the smallest and the largest; `width` most recent values at most. Values that
/// are not finite leave a gap.
pub fn sparkline(values: &[f64], width: usize) -> String {
    let shown = &values[values.len().saturating_sub(width)..];
    let finite = || shown.iter().copied().filter(|value| value.is_finite());
    let low = finite().fold(f64::INFINITY, f64::min);
    let high = finite().fold(f64::NEG_INFINITY, f64::max);
    shown.iter().map(|&value| bar(value, low, high)).collect()
}

fn bar(value: f64, low: f64, high: f64) -> char {
    if !value.is_finite() {
        return ' ';
    }
    if high <= low {
        return BARS[3];
    }
    let height = (value - low) / (high - low) * (BARS.len() - 1) as f64;
    BARS[height.round() as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_follow_the_values() {
        assert_eq!(sparkline(&[1.0, 2.0, 8.0], 10), "▁▂█");
        assert_eq!(sparkline(&[5.0, 5.0], 10), "▄▄");
        assert_eq!(sparkline(&[9.0, 1.0, f64::NAN, 2.0], 3), "▁ █");
        assert_eq!(sparkline(&[], 5), "");
    }
}
