//! A file of results as the importers see it: text, JSON where it is JSON, and the folder it lies in.

use std::cell::OnceCell;
use std::path::Path;

use serde_json::Value;

use super::json::{Node, explain, parse, without_literals};
use super::{Format, ImportError, collect::Collector};

/// One format. Implemented by one type for each file of this module.
pub(super) trait Importer {
    /// The format that this reads.
    fn format(&self) -> Format;

    /// Whether the content is of this format, judged by what no other format has.
    fn recognizes(&self, source: &Source<'_>) -> bool;

    /// Hands everything that the content holds to the collector.
    fn read(&self, source: &Source<'_>, into: &mut Collector<'_>) -> Result<(), ImportError>;
}

/// The content of a file, parsed as JSON at most once.
pub(super) struct Source<'a> {
    /// The text, without a byte order mark.
    pub text: &'a str,
    /// The folder that the file lies in, for formats with files beside it; unknown for standard input.
    pub folder: Option<&'a Path>,
    json: Option<Result<Value, serde_json::Error>>,
    /// The content with `null` in the place of `NaN` and its like, parsed once somebody asks.
    tolerant: OnceCell<Option<Value>>,
    first_line: OnceCell<Option<Value>>,
}

impl<'a> Source<'a> {
    /// Checks that the bytes are text.
    pub fn new(bytes: &'a [u8], folder: Option<&'a Path>) -> Result<Self, ImportError> {
        let text = std::str::from_utf8(bytes).map_err(|error| ImportError::NotText { offset: error.valid_up_to() })?;
        let text = text.trim_start_matches('\u{FEFF}');
        if text.trim().is_empty() {
            return Err(ImportError::Empty);
        }
        let json = text.trim_start().starts_with(['{', '[']).then(|| serde_json::from_str(text));
        Ok(Self { text, folder, json, tolerant: OnceCell::new(), first_line: OnceCell::new() })
    }

    /// The content as JSON, for recognizing it.
    pub fn value(&self) -> Option<&Value> {
        self.json.as_ref().and_then(|parsed| parsed.as_ref().ok())
    }

    /// The content as JSON, for reading it.
    pub fn root(&self) -> Result<Node<'_>, ImportError> {
        match &self.json {
            Some(Ok(value)) => Ok(Node::root(value, "")),
            Some(Err(error)) => Err(explain(self.text, error)),
            None => Err(ImportError::NotJson { message: "it does not start with { or [".to_owned() }),
        }
    }

    /// The content as JSON with `null` for `NaN` and infinities, for formats in which they mean that there is no value.
    pub fn tolerant_value(&self) -> Option<&Value> {
        let parse = || without_literals(self.text).and_then(|text| serde_json::from_str(&text).ok());
        match self.json.as_ref()? {
            Ok(value) => Some(value),
            Err(_) => self.tolerant.get_or_init(parse).as_ref(),
        }
    }

    /// As [`Self::tolerant_value`], for reading it.
    pub fn tolerant_root(&self) -> Result<Node<'_>, ImportError> {
        self.tolerant_value().map_or_else(|| self.root(), |value| Ok(Node::root(value, "")))
    }

    /// Hands on every JSON document: the whole content, or each line of JSON Lines, where a list counts as its elements.
    pub fn each_document(&self, mut take: impl FnMut(&Node<'_>) -> Result<(), ImportError>) -> Result<(), ImportError> {
        let mut take_all = |root: &Node<'_>| match root.value {
            Value::Array(_) => root.items()?.try_for_each(|node| take(&node)),
            _ => take(root),
        };
        if let Some(value) = self.value() {
            return take_all(&Node::root(value, ""));
        }
        for (number, line) in self.lines() {
            let value = parse(line.trim()).map_err(|error| error.in_line(number))?;
            take_all(&Node::root(&value, format!("line {number}")))?;
        }
        Ok(())
    }

    /// Whether the first JSON document, as [`Self::each_document`] counts them, is of a kind.
    pub fn first_document_is(&self, of_the_kind: impl Fn(&Value) -> bool) -> bool {
        let first = |value: &Value| match value {
            Value::Array(list) => list.first().is_some_and(&of_the_kind),
            _ => of_the_kind(value),
        };
        match &self.json {
            None => false,
            Some(Ok(value)) => first(value),
            Some(Err(_)) => self.first_line().is_some_and(first),
        }
    }

    /// What is wrong with content that begins like JSON and is none.
    pub fn syntax_error(&self) -> Option<ImportError> {
        self.json.as_ref().and_then(|parsed| parsed.as_ref().err()).map(|error| explain(self.text, error))
    }

    /// The lines that are not blank, with their numbers from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &'a str)> + use<'a> {
        self.text.lines().enumerate().map(|(i, line)| (i + 1, line)).filter(|(_, line)| !line.trim().is_empty())
    }

    /// The first line as JSON, for recognizing JSON Lines.
    pub fn first_line(&self) -> Option<&Value> {
        let parse = || self.lines().next().and_then(|(_, line)| parse(line.trim()).ok());
        self.first_line.get_or_init(parse).as_ref()
    }
}
