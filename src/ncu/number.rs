//! Numbers as Nsight Compute prints them: with the thousands separator and the decimal sign of somebody's locale.
//!
//! `1,234` is a thousand in one locale and one and a quarter in another, and a single value does not tell. So all
//! values of a document are looked at first; where none of them tells, the C locale is assumed, which is the one that
//! we ask for.

/// Which sign separates the whole from the fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Decimal {
    /// `1,234.5`
    #[default]
    Point,
    /// `1.234,5`
    Comma,
}

impl Decimal {
    /// Finds the sign from all values of a document.
    pub(super) fn of<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let (mut point, mut comma) = (0_usize, 0_usize);
        for value in values {
            match told_by(&without_padding(value)) {
                Some(Self::Point) => point += 1,
                Some(Self::Comma) => comma += 1,
                None => {}
            }
        }
        if comma > point { Self::Comma } else { Self::Point }
    }

    /// Reads one value; `None` for `n/a`, nothing, lists of instances, and what is no finite number.
    pub(super) fn read(self, text: &str) -> Option<f64> {
        // A metric with instances may carry them in parentheses behind its value.
        let text = without_padding(text.split(" (").next().unwrap_or_default());
        let (thousands, decimal) = match self {
            Self::Point => (',', '.'),
            Self::Comma => ('.', ','),
        };
        let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '+' | '-' | 'e' | 'E');
        if text.is_empty() || !text.chars().all(is_number) {
            return None;
        }
        let plain: String = text.chars().filter(|c| *c != thousands).map(|c| if c == decimal { '.' } else { c }).collect();
        plain.parse::<f64>().ok().filter(|value| value.is_finite())
    }
}

/// Without the spaces and apostrophes that group digits in some locales.
fn without_padding(text: &str) -> String {
    text.trim().chars().filter(|c| !matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\'' | '’' | '%')).collect()
}

/// What one value says for certain.
fn told_by(value: &str) -> Option<Decimal> {
    if !value.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+' | 'e' | 'E')) {
        return None;
    }
    let last = value.rfind(['.', ','])?;
    let sign = if value[last..].starts_with('.') { Decimal::Point } else { Decimal::Comma };
    let other = match sign {
        Decimal::Point => Decimal::Comma,
        Decimal::Comma => Decimal::Point,
    };
    let here = value[last..].chars().next()?;
    let count_here = value.matches(here).count();
    let is_mixed = value.contains(if here == '.' { ',' } else { '.' });
    if count_here > 1 {
        // A sign that stands several times groups digits.
        return Some(other);
    }
    if is_mixed {
        return Some(sign);
    }
    let after = value[last + 1..].chars().take_while(char::is_ascii_digit).count();
    let before = value[..last].trim_start_matches(['-', '+']);
    let may_group = after == 3 && (1..=3).contains(&before.len()) && !before.starts_with('0');
    (!may_group).then_some(sign)
}
