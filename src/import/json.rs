//! JSON with a memory of where it stands, so that every complaint can name the place.

use serde_json::Value;

use super::ImportError;

/// Parses a whole text; literals such as `NaN`, which Python and C++ tools write, are named as what they are.
pub(super) fn parse(text: &str) -> Result<Value, ImportError> {
    serde_json::from_str(text).map_err(|error| explain(text, &error))
}

/// The error for a text that serde_json refused.
pub(super) fn explain(text: &str, error: &serde_json::Error) -> ImportError {
    let (line, column) = (error.line(), error.column());
    let line_text = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    match literal_near(line_text, column) {
        Some((start, literal)) => ImportError::NotANumber { line, column: start + 1, literal },
        None => ImportError::NotJson { message: error.to_string() },
    }
}

/// The parser stops on the first or second character of such a literal.
fn literal_near(line: &str, column: usize) -> Option<(usize, &'static str)> {
    const LITERALS: [&str; 7] = ["-Infinity", "-nan", "-inf", "NaN", "Infinity", "nan", "inf"];
    (column.saturating_sub(3)..=column)
        .filter_map(|start| Some((start, line.get(start..)?)))
        .find_map(|(start, rest)| Some((start, LITERALS.into_iter().find(|literal| rest.starts_with(literal))?)))
}

/// The text with `null` for the literals that Python writes where there is no number; `None` where it has none of them.
pub(super) fn without_literals(text: &str) -> Option<String> {
    const LITERALS: [&str; 3] = ["NaN", "-Infinity", "Infinity"];
    let (mut rest, mut clean, mut found) = (text, String::new(), false);
    while let Some(start) = rest.find(['"', 'N', '-', 'I']) {
        clean.push_str(&rest[..start]);
        rest = &rest[start..];
        let literal = LITERALS.into_iter().find(|literal| rest.starts_with(literal));
        found |= literal.is_some();
        let length = literal.map_or_else(|| if rest.starts_with('"') { string_length(rest) } else { 1 }, str::len);
        clean.push_str(if literal.is_some() { "null" } else { &rest[..length] });
        rest = &rest[length..];
    }
    clean.push_str(rest);
    found.then_some(clean)
}

/// The bytes of the string that a text begins with, its quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    });
    end.map_or(text.len(), |end| end + 2)
}

/// A JSON value and its place in the file.
#[derive(Debug, Clone)]
pub(super) struct Node<'a> {
    /// The value.
    pub value: &'a Value,
    /// Its place, such as `results[3].times`; empty for the whole file.
    pub at: String,
}

impl<'a> Node<'a> {
    /// The whole file, or a line of it that `at` names.
    pub fn root(value: &'a Value, at: impl Into<String>) -> Self {
        Self { value, at: at.into() }
    }

    /// The field `key`; `None` where it is absent or null.
    pub fn get(&self, key: &str) -> Option<Self> {
        self.value.get(key).filter(|value| !value.is_null()).map(|value| self.field(key, value))
    }

    /// The field `key`, which has to be there.
    pub fn need(&self, key: &'static str) -> Result<Self, ImportError> {
        self.get(key).ok_or_else(|| ImportError::Unexpected {
            at: self.place(),
            expected: "an object with more fields",
            found: format!("no field `{key}`"),
        })
    }

    /// The first of several spellings of a field.
    pub fn first_of(&self, keys: &[&str]) -> Option<Self> {
        keys.iter().find_map(|key| self.get(key))
    }

    /// The fields of an object, in the order of the file.
    pub fn fields(&self) -> Result<impl Iterator<Item = (&'a str, Self)> + use<'a>, ImportError> {
        let object = self.value.as_object().ok_or_else(|| self.unexpected("an object"))?;
        let parent = self.clone();
        Ok(object.iter().map(move |(key, value)| (key.as_str(), parent.field(key, value))))
    }

    /// The elements of an array.
    pub fn items(&self) -> Result<impl Iterator<Item = Self> + use<'a>, ImportError> {
        let items = self.value.as_array().ok_or_else(|| self.unexpected("an array"))?;
        let at = self.at.clone();
        Ok(items.iter().enumerate().map(move |(i, value)| Self { value, at: format!("{at}[{i}]") }))
    }

    /// The element of an array at a place, where there is one.
    pub fn item(&self, index: usize) -> Option<Self> {
        let value = self.value.as_array()?.get(index)?;
        Some(Self { value, at: format!("{}[{index}]", self.at) })
    }

    /// A number.
    pub fn number(&self) -> Result<f64, ImportError> {
        self.value.as_f64().ok_or_else(|| self.unexpected("a number"))
    }

    /// The number in field `key`, where there is one.
    pub fn number_at(&self, key: &str) -> Result<Option<f64>, ImportError> {
        self.get(key).map(|node| node.number()).transpose()
    }

    /// A count.
    pub fn count(&self) -> Result<u64, ImportError> {
        self.value.as_u64().ok_or_else(|| self.unexpected("a count"))
    }

    /// All numbers of an array.
    pub fn numbers(&self) -> Result<Vec<f64>, ImportError> {
        let items = self.value.as_array().ok_or_else(|| self.unexpected("an array of numbers"))?;
        let number = |(i, value): (usize, &'a Value)| {
            value.as_f64().ok_or_else(|| Self { value, at: format!("{}[{i}]", self.at) }.unexpected("a number"))
        };
        items.iter().enumerate().map(number).collect()
    }

    /// A text.
    pub fn text(&self) -> Result<&'a str, ImportError> {
        self.value.as_str().ok_or_else(|| self.unexpected("a text"))
    }

    /// The text in field `key`, where there is one.
    pub fn text_at(&self, key: &str) -> Option<&'a str> {
        self.value.get(key).and_then(Value::as_str)
    }

    /// A text, number or truth value as the text of a parameter; `None` for arrays, objects and null.
    pub fn scalar(&self) -> Option<String> {
        match self.value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// The fields of an object that can be parameters, those of `keys` in their order; what is absent or null is left out.
    pub fn parameters_of(&self, keys: &[&str]) -> Vec<(String, String)> {
        keys.iter().filter_map(|key| Some(((*key).to_owned(), self.get(key)?.scalar()?))).collect()
    }

    /// An object of parameters, each of them a scalar.
    pub fn parameters(&self) -> Result<Vec<(String, String)>, ImportError> {
        self.fields()?
            .map(|(key, node)| {
                let value = node.scalar().ok_or_else(|| node.unexpected("a text, a number, true or false"))?;
                Ok((key.to_owned(), value))
            })
            .collect()
    }

    /// The complaint that something else should stand here.
    pub fn unexpected(&self, expected: &'static str) -> ImportError {
        ImportError::Unexpected { at: self.place(), expected, found: describe(self.value) }
    }

    fn field(&self, key: &str, value: &'a Value) -> Self {
        let dot = if self.at.is_empty() { "" } else { "." };
        Self { value, at: format!("{}{dot}{}", self.at, short(key)) }
    }

    fn place(&self) -> String {
        if self.at.is_empty() { "the file".to_owned() } else { self.at.clone() }
    }
}

/// The start of a text from a file, fit for a message: control characters escaped, 60 characters at most.
pub(super) fn short(text: &str) -> String {
    let mut shown: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().nth(60).is_some() {
        shown.push('…');
    }
    shown
}

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text \"{}\"", short(text)),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
