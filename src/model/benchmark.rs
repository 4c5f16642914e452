//! What is measured: a benchmark's name and the ordered parameters of one point of it.

use std::fmt;
use std::str::FromStr;

use super::{InvalidValue, check_name};

/// The name of a benchmark, as it stands in `ratchet.toml` or in another tool's results.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BenchmarkName(String);

impl BenchmarkName {
    /// Checks that `name` can be shown on one line and stored.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidValue> {
        let name = name.into();
        check_name("benchmark name", &name)?;
        Ok(Self(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BenchmarkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The parameters of one benchmark point, such as `B=32 H=8 S=512`.
///
/// The order they were given in is kept for display; two configs with the same parameters in another order are
/// the same point, so equality, ordering and hashing look at the parameters sorted by key.
#[derive(Debug, Clone, Default)]
pub struct Config {
    parameters: Vec<(String, String)>,
}

impl Config {
    /// The config of a benchmark without parameters.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Builds a config from parameters in display order. Values may be empty, keys may not.
    pub fn new<K, V>(parameters: impl IntoIterator<Item = (K, V)>) -> Result<Self, InvalidValue>
    where
        K: Into<String>,
        V: Into<String>,
    {
        let mut config = Self::default();
        for (key, value) in parameters {
            let (key, value) = (key.into(), value.into());
            check_name("parameter name", &key)?;
            if !value.is_empty() {
                check_name("parameter value", &value)?;
            }
            if config.get(&key).is_some() {
                return Err(InvalidValue::DuplicateParameter(key));
            }
            config.parameters.push((key, value));
        }
        Ok(config)
    }

    /// The parameters in display order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The value of one parameter.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter().find(|(k, _)| *k == key).map(|(_, value)| value)
    }

    /// Whether there are no parameters.
    pub fn is_empty(&self) -> bool {
        self.parameters.is_empty()
    }

    /// Whether every parameter of `filter` has the same value here: how `--config` selects points.
    pub fn contains(&self, filter: &Config) -> bool {
        filter.iter().all(|(key, value)| self.get(key) == Some(value))
    }

    fn sorted(&self) -> Vec<(&str, &str)> {
        let mut sorted: Vec<_> = self.iter().collect();
        sorted.sort_unstable();
        sorted
    }
}

impl PartialEq for Config {
    fn eq(&self, other: &Self) -> bool {
        self.parameters == other.parameters || self.sorted() == other.sorted()
    }
}

impl Eq for Config {}

impl PartialOrd for Config {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Config {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.sorted().cmp(&other.sorted())
    }
}

impl std::hash::Hash for Config {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.sorted().hash(state);
    }
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.iter().map(|(key, value)| quote(&format!("{key}={value}"))).collect();
        f.pad(&words.join(" "))
    }
}

/// Quotes a word only where splitting it again would need it.
fn quote(word: &str) -> String {
    if word.contains(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '\\')) {
        shell_words::quote(word).into_owned()
    } else {
        word.to_owned()
    }
}

impl FromStr for Config {
    type Err = InvalidValue;

    /// Parses `'B=32 H=8'`; words may be quoted as a shell does.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words = shell_words::split(text).map_err(|_| InvalidValue::NotAParameter(text.to_owned()))?;
        let parameters = words
            .into_iter()
            .map(|word| match word.split_once('=') {
                Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
                None => Err(InvalidValue::NotAParameter(word)),
            })
            .collect::<Result<Vec<_>, _>>()?;
        Self::new(parameters)
    }
}
