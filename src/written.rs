//! What the TOML files of users have in common: values and tables as serde reads them, before anything is checked.
//!
//! `ratchet.toml` and the manifests of kernels are read by modules that do not know each other, and both take parameters of
//! every kind and in the order in which they are written. This is not a place for the keys of either file.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

/// A single value.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged, expecting = "expected a text, a number or a boolean")]
pub enum Scalar {
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a point.
    Float(f64),
    /// A text.
    Text(String),
}

impl Scalar {
    /// The value as a parameter of a config, and as it goes into a command. Floating-point numbers keep their point: `1.0` is
    /// not `1`.
    pub fn to_text(&self) -> String {
        match self {
            Self::Boolean(value) => value.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::Float(value) => format!("{value:?}"),
            Self::Text(value) => value.clone(),
        }
    }
}

/// The values of one parameter of a matrix: one or a list of them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged, expecting = "expected a value (a text, a number or a boolean) or a list of values")]
pub enum Scalars {
    /// A value that stands alone.
    One(Scalar),
    /// A list.
    Many(Vec<Scalar>),
}

impl Scalars {
    /// As a list.
    pub fn as_slice(&self) -> &[Scalar] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

/// A table in the order in which it is written.
#[derive(Debug, Clone)]
pub struct Ordered<V>(pub Vec<(String, V)>);

impl<V> Default for Ordered<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Ordered<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OrderedVisitor(PhantomData))
    }
}

struct OrderedVisitor<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for OrderedVisitor<V> {
    type Value = Ordered<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Ordered(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_keep_their_order_and_values_their_spelling() {
        let table: Ordered<Scalars> = toml::from_str("z = 1.0\na = [true, 'f16', 7]\nm = 1").unwrap();
        let names: Vec<&str> = table.0.iter().map(|(name, _)| name.as_str()).collect();
        let texts: Vec<String> = table.0.iter().flat_map(|(_, values)| values.as_slice()).map(Scalar::to_text).collect();
        assert_eq!(names, ["z", "a", "m"]);
        assert_eq!(texts, ["1.0", "true", "f16", "7", "1"]);
    }

    #[test]
    fn what_is_no_value_is_refused_in_words() {
        let refused = toml::from_str::<Ordered<Scalars>>("a = { b = 1 }").unwrap_err().to_string();
        assert!(refused.contains("expected a value (a text, a number or a boolean) or a list of values"), "{refused}");
    }
}
