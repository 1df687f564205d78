//! The text of a configuration: read from a file, changed by overrides, and where in it an error
//! lies.
//!
//! Invariant: overrides replace text, so they take RON values and are refused like them; a value
//! that is not RON is taken as a string.

use std::path::{Path, PathBuf};

use ron::error::{Position, Span, SpannedError};
use ron::extensions::Extensions;
use serde::de::DeserializeOwned;

use evo_dsl::nearest_name;
use evo_evaluators::read_file;

use super::outline::Node;
use super::{ConfigError, ConfigText};
use crate::{shell_path, shell_word};

/// A configuration text and where it came from.
pub(super) struct Source {
    path: PathBuf,
    /// The file as it is.
    original: String,
    /// The file with the overrides applied.
    text: String,
    /// The overrides applied.
    sets: Vec<String>,
}

/// The largest configuration that is read, in bytes.
const LARGEST: u64 = 1 << 24;

/// The most brackets open at once; readers of nested text recurse.
const DEEPEST: usize = 100;

pub(super) fn read(path: &Path) -> Result<String, ConfigError> {
    let at = |place: &str, message: String| ConfigError {
        place: format!("{}{place}: ", path.display()),
        ..ConfigError::new("", message)
    };
    let bytes = read_file(path, LARGEST).map_err(|message| at("", message))?;
    let text = String::from_utf8(bytes).map_err(|_| at("", "not UTF-8 text".to_owned()))?;
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    check_text(path, &text)?;
    Ok(text)
}

/// Refuses a text that holds nothing, or that readers of nested text would not come through.
pub(super) fn check_text(path: &Path, text: &str) -> Result<(), ConfigError> {
    let at = |place: &str, message: String| ConfigError {
        place: format!("{}{place}: ", path.display()),
        ..ConfigError::new("", message)
    };
    if text.trim().is_empty() {
        return Err(at(
            ":1:1",
            "the file is empty; `start`, `strategy`, `evaluation` and `stopping` are needed"
                .to_owned(),
        ));
    }
    if let Some(line) = too_deep(text) {
        return Err(at(
            &format!(":{line}:1"),
            format!("more than {DEEPEST} brackets are open at once"),
        ));
    }
    Ok(())
}

/// The line, from 1, on which too many brackets are open.
fn too_deep(text: &str) -> Option<usize> {
    let mut open = 0usize;
    for (index, line) in text.lines().enumerate() {
        for byte in line.bytes() {
            match byte {
                b'(' | b'[' | b'{' => open += 1,
                b')' | b']' | b'}' => open = open.saturating_sub(1),
                _ => {}
            }
            if open > DEEPEST {
                return Some(index + 1);
            }
        }
    }
    None
}

fn parse<C: DeserializeOwned>(text: &str) -> Result<C, SpannedError> {
    ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME).from_str(text)
}

impl Source {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Source, ConfigError> {
        Ok(Source::of(&ConfigText::read(path)?))
    }

    /// Of a text, without overrides.
    pub(super) fn of(text: &ConfigText) -> Source {
        let (path, text) = (text.path.clone(), text.text.clone());
        Source { path, original: text.clone(), text, sets: Vec::new() }
    }

    /// Adds a key that the text does not state.
    pub(super) fn add(&mut self, key: &str, value: &str) {
        if let Some(text) = splice(&self.text, &Node::of(&self.text), key, value) {
            self.text = text;
        }
    }

    /// What the file says at a key, in the words of the file; `None` if it says nothing.
    pub(super) fn stated(&self, key: &str) -> Option<&str> {
        let outline = Node::of(&self.original);
        let (node, found) = outline.find(key);
        found.then(|| &self.original[node.span.clone()])
    }

    fn parse<C: DeserializeOwned>(&self) -> Result<C, ConfigError> {
        parse(&self.text).map_err(|error| self.spanned(&error))
    }

    /// The configuration as the file has it, and with overrides applied in order.
    pub(super) fn with_overrides<C: DeserializeOwned + Clone>(
        &mut self,
        overrides: &[String],
    ) -> Result<(C, C), ConfigError> {
        let file: C = self.parse()?;
        let mut config = file.clone();
        for set in overrides {
            config = self.apply(set)?;
        }
        Ok((file, config))
    }

    /// Replaces the text of one value.
    fn apply<C: DeserializeOwned>(&mut self, set: &str) -> Result<C, ConfigError> {
        let refused = |message: &str| ConfigError {
            place: format!("--set {set}: "),
            ..ConfigError::new("", message)
        };
        let (key, value) = set.split_once('=').ok_or_else(|| refused("expected KEY=VALUE"))?;
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() || value.is_empty() {
            return Err(refused("expected KEY=VALUE"));
        }
        if key.split('.').any(str::is_empty) || too_deep(value).is_some() {
            return Err(refused("there is no such place in the configuration"));
        }
        let outline = Node::of(&self.text);
        let splice = |value: &str| splice(&self.text, &outline, key, value);
        let no_place = || refused("there is no such place in the configuration");
        let quoted = splice(&format!("{value:?}")).ok_or_else(no_place)?;
        // What is not one RON value is a string.
        let one_value = Node::of(value).span == (0..value.len());
        let plain = splice(value).filter(|_| one_value).unwrap_or_else(|| quoted.clone());
        let (text, parsed) = match (parse(&plain), parse(&quoted)) {
            (Err(_), Ok(config)) => (quoted, Ok(config)),
            (parsed, _) => (plain, parsed),
        };
        self.text = text;
        self.sets.push(set.to_owned());
        parsed.map_err(|error| self.spanned(&error))
    }

    fn spanned(&self, error: &SpannedError) -> ConfigError {
        let Span { start, end } = &error.span;
        let outline = Node::of(&self.text);
        let (byte, key) = match &error.code {
            ron::Error::MissingStructField { field, .. } => {
                let (node, path) = outline.around(self.byte(end));
                let dot = if path.is_empty() { "" } else { "." };
                (node.span.start, format!("{path}{dot}{field}"))
            }
            // The span ends behind the name that is not known.
            ron::Error::NoSuchStructField { found, .. }
            | ron::Error::NoSuchEnumVariant { found, .. } => {
                let byte = self.byte(end);
                let byte = self.text[..byte].rfind(found).unwrap_or(byte);
                (byte, outline.path_at(byte))
            }
            // The span may start in the blanks before the value, or behind its sign.
            _ => {
                let byte = self.byte(start);
                let path = outline.path_at(byte);
                let node = outline.find(&path).0;
                let value = node.span.start;
                (if node.inside.is_some() { byte.max(value) } else { value }, path)
            }
        };
        let place = match self.sets.last() {
            Some(set) => self.overridden(set),
            None => self.place(&self.text, byte),
        };
        ConfigError { place, message: describe(&error.code, &key), key }
    }

    /// Adds the place of its key to an error: the override that set it, or else where it stands in
    /// the file.
    pub(super) fn locate(&self, error: ConfigError) -> ConfigError {
        let covers = |set: &&String| {
            let key = set.split('=').next().unwrap_or_default().trim();
            error.key.starts_with(key) || key.starts_with(&error.key)
        };
        let place = match self.sets.iter().rev().find(covers) {
            Some(set) => self.overridden(set),
            None => {
                let outline = Node::of(&self.original);
                self.place(&self.original, outline.find(&error.key).0.span.start)
            }
        };
        ConfigError { place, ..error }
    }

    /// The command that measures the baselines, with the overrides they depend on.
    pub(super) fn baseline_command(&self) -> String {
        let mut command = format!("evo baseline {}", shell_path(&self.path));
        for set in self.sets.iter().filter(|set| set.trim_start().starts_with("evaluation")) {
            command.push_str(&format!(" --set {}", shell_word(set)));
        }
        command
    }

    fn overridden(&self, set: &str) -> String {
        format!("{} with --set {set}: ", self.path.display())
    }

    /// `file:line:column: ` of a byte.
    fn place(&self, text: &str, byte: usize) -> String {
        let before = &text[..byte];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        format!("{}:{line}:{column}: ", self.path.display())
    }

    fn byte(&self, position: &Position) -> usize {
        let lines = self.text.split_inclusive('\n').take(position.line - 1);
        let start: usize = lines.map(str::len).sum();
        let line = self.text[start..].char_indices().nth(position.col - 1);
        line.map_or(self.text.len(), |(offset, _)| start + offset)
    }
}

/// The text with the value at `key` replaced, or the key added to the struct it would stand in,
/// which is added itself where it was left out.
fn splice(text: &str, outline: &Node, key: &str, value: &str) -> Option<String> {
    let (node, found) = outline.find(key);
    if found {
        let span = node.span.clone();
        return Some(format!("{}{value}{}", &text[..span.start], &text[span.end..]));
    }
    let (parent, name) = key.rsplit_once('.').unwrap_or(("", key));
    if name.contains(['[', ']']) {
        return None;
    }
    let (node, found) = outline.find(parent);
    if !found {
        return splice(text, outline, parent, &format!("({name}: {value})"));
    }
    let inside = node.inside?;
    Some(format!("{}{name}: {value}, {}", &text[..inside], &text[inside..]))
}

fn describe(error: &ron::Error, key: &str) -> String {
    use ron::Error;
    let unknown = |kind: &str, found: &str, expected: &[&'static str]| match nearest_name(
        found,
        expected.iter().copied(),
    ) {
        Some(nearest) => format!("unknown {kind}; did you mean `{nearest}`?"),
        None => format!("unknown {kind}; expected one of {}", expected.join(", ")),
    };
    match error {
        Error::NoSuchStructField { found, expected, .. } => unknown("key", found, expected),
        Error::NoSuchEnumVariant { found, expected, .. } => {
            unknown(&format!("variant `{found}`"), found, expected)
        }
        Error::MissingStructField { .. } => "is missing".to_owned(),
        Error::DuplicateStructField { field, .. } => format!("`{field}` is given twice"),
        Error::IntegerOutOfBounds => "the number is negative or too large".to_owned(),
        Error::InvalidValueForType { expected, .. } if expected.contains("nonzero") => {
            "must be 1 or more".to_owned()
        }
        Error::ExpectedIdentifier if key == "mutation.ops" => {
            "expected `Lion45`, `Modern`, `Wide` or a list such as `List([\"+\", \"sign\"])`"
                .to_owned()
        }
        _ if key == "deduplication" => {
            "expected a level, as in `(level: Functional)`, or a share, as in `(recheck: 0.05)`"
                .to_owned()
        }
        Error::ExpectedComma => "expected a comma; counts are whole numbers".to_owned(),
        other => other.to_string(),
    }
}
