//! Other defaults of tunables in the text of a manifest: the values change where they stand, and nothing else does.

use std::collections::HashMap;
use std::ops::Range;

use serde::Deserialize;
use toml::{Spanned, Value};

use crate::cuda::Arch;
use crate::model::Config;

/// What is looked for in the text.
#[derive(Deserialize)]
struct Places {
    #[serde(default)]
    tunables: HashMap<String, Place>,
    #[serde(default)]
    variant: Vec<VariantPlaces>,
}

#[derive(Deserialize)]
struct VariantPlaces {
    arch: String,
    tunables: Option<HashMap<String, Place>>,
}

#[derive(Deserialize)]
struct Place {
    values: Vec<Spanned<Value>>,
    default: Spanned<Value>,
}

/// `text` with these defaults, in the variant for `variant` where that has tunables of its own, else in the base. A value is
/// written as it stands in the list of values. `None` where a tunable or its value is not there.
pub(super) fn replace(text: &str, variant: Option<Arch>, chosen: &Config) -> Option<String> {
    let places: Places = toml::from_str(text).ok()?;
    let is_wanted = |of: &&VariantPlaces| variant.is_some_and(|arch| of.arch == arch.to_string());
    let of_variant = places.variant.iter().find(is_wanted).and_then(|variant| variant.tunables.as_ref());
    let tunables = of_variant.unwrap_or(&places.tunables);
    let mut changes: Vec<(Range<usize>, &str)> = Vec::new();
    for (name, value) in chosen.iter() {
        let place = tunables.get(name)?;
        let is_chosen = |known: &&Spanned<Value>| text_of(known.as_ref()) == value;
        let written = text.get(place.values.iter().find(is_chosen)?.span())?;
        if text_of(place.default.as_ref()) != value {
            changes.push((place.default.span(), written));
        }
    }
    // From the end, so that the places before stay where they are.
    changes.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    let mut changed = text.to_owned();
    for (span, value) in changes {
        changed.replace_range(span, value);
    }
    Some(changed)
}

/// A value as a config has it.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
[tunables]
BLOCK = { values = [128, 256], default = 256 }   # kept
MODE = { values = ["a", 'b'], default = "a" }

[[variant]]
arch = "sm_90a"
tunables.BLOCK.values = [64, 128]
tunables.BLOCK.default = 64

[[variant]]
arch = "sm_100"
source = "other.cu"
"#;

    #[test]
    fn only_the_chosen_defaults_change() {
        let changed = replace(TEXT, None, &"BLOCK=128 MODE=b".parse().unwrap()).unwrap();
        let expected = TEXT.replace("default = 256", "default = 128").replace("default = \"a\"", "default = 'b'");
        assert_eq!(changed, expected);
        assert_eq!(replace(TEXT, None, &"BLOCK=256".parse().unwrap()).unwrap(), TEXT);
    }

    #[test]
    fn a_variant_with_tunables_of_its_own_is_changed_there() {
        let chosen = "BLOCK=128".parse().unwrap();
        let own = replace(TEXT, Some("sm_90a".parse().unwrap()), &chosen).unwrap();
        assert_eq!(own, TEXT.replace("default = 64", "default = 128"));
        let of_base = replace(TEXT, Some("sm_100".parse().unwrap()), &chosen).unwrap();
        assert_eq!(of_base, TEXT.replace("default = 256", "default = 128"));
    }

    #[test]
    fn what_is_not_there_is_not_written() {
        for chosen in ["BLOCK=512", "OTHER=1"] {
            assert_eq!(replace(TEXT, None, &chosen.parse().unwrap()), None, "{chosen}");
        }
        assert_eq!(replace("tunables = 3", None, &Config::empty()), None);
    }
}
