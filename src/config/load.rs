//! Loading: a RON file and overrides to a checked [`Config`], or one message that says where and
//! what.
//!
//! Invariant: data files are read and nothing is trained or created while loading, so a search
//! that starts has nothing left to refuse. Overrides replace text,
//! so they take RON values and are refused like them; a value that is not RON is taken as a string.

use std::path::{Path, PathBuf};

use ron::error::{Position, Span, SpannedError};
use ron::extensions::Extensions;
use thiserror::Error;

use evo_dsl::nearest_name;
use evo_evaluators::{DataConfig, EvaluatorError, OptimizerEvaluator};
use evo_search::SearchError;

use super::Config;
use super::outline::Node;
use crate::ProgramSourceError;

/// Why a configuration cannot be used, in one line that says where.
#[derive(Debug, Error)]
#[error("{place}{}{message}", if key.is_empty() { String::new() } else { format!("`{key}`: ") })]
pub struct ConfigError {
    /// `file:line:column: `, or the override at fault.
    place: String,
    /// Path of the key at fault; empty if it is none in particular.
    key: String,
    message: String,
}

impl ConfigError {
    fn new(key: impl Into<String>, message: impl Into<String>) -> ConfigError {
        ConfigError { place: String::new(), key: key.into(), message: message.into() }
    }

    pub(super) fn from_search(error: SearchError) -> ConfigError {
        match error {
            SearchError::Config { key, message } => ConfigError::new(key, message),
            other => ConfigError::new("", other.to_string()),
        }
    }

    pub(super) fn from_evaluator(error: EvaluatorError) -> ConfigError {
        match error {
            EvaluatorError::Config { key, message } => {
                ConfigError::new(format!("evaluation.{key}"), message)
            }
            EvaluatorError::Data { key, path, message } => ConfigError::new(
                format!("evaluation.{key}"),
                format!("{}: {message}", path.display()),
            ),
            other => ConfigError::new("evaluation", other.to_string()),
        }
    }

    pub(super) fn from_start(error: &ProgramSourceError) -> ConfigError {
        ConfigError::new("start", error.to_string())
    }
}

/// A configuration text and where it came from.
struct Source {
    path: PathBuf,
    text: String,
    /// The override last applied.
    set: Option<String>,
}

impl Config {
    /// Loads a configuration and applies overrides such as `stopping.candidates=3000`, in order.
    /// Paths in the configuration are relative to it, paths in overrides to the working directory.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line, column and key.
    pub fn load(path: &Path, overrides: &[String]) -> Result<Config, ConfigError> {
        let text = read(path)?;
        let mut source = Source { path: path.to_owned(), text, set: None };
        let mut config = source.parse()?;
        for set in overrides {
            config = source.apply(set)?;
        }
        config.anchor(path.parent().unwrap_or(Path::new("")));
        config.check().map_err(|error| source.locate(error))?;
        Ok(config)
    }

    /// Makes paths independent of where the configuration stands.
    fn anchor(&mut self, base: &Path) {
        if !self.start.starts_with("zoo:") {
            self.start = base.join(&self.start).to_string_lossy().into_owned();
        }
        let evaluation = &mut self.evaluation;
        for task in evaluation.tasks.iter_mut().chain(&mut evaluation.held_out) {
            match &mut task.data {
                DataConfig::Idx { images, labels } => {
                    *images = base.join(&*images);
                    *labels = base.join(&*labels);
                }
                DataConfig::Text { path } => *path = base.join(&*path),
                _ => {}
            }
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.search()?;
        // Data does not depend on baselines, which would take training to find.
        let mut evaluation = self.evaluation.clone();
        for task in evaluation.tasks.iter_mut().chain(&mut evaluation.held_out) {
            task.learning_rate.get_or_insert(1.0);
            task.baseline_loss.get_or_insert(1.0);
        }
        let evaluator = OptimizerEvaluator::new(&evaluation, Path::new(""));
        evaluator.map(drop).map_err(ConfigError::from_evaluator)
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    let at = |message: String| ConfigError {
        place: format!("{}: ", path.display()),
        ..ConfigError::new("", message)
    };
    let bytes = std::fs::read(path).map_err(|error| at(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| at("not UTF-8 text".to_owned()))?;
    if text.trim().is_empty() {
        let message = "the file is empty; `configs/quickstart.ron` is an example to start from";
        return Err(ConfigError {
            place: format!("{}:1:1: ", path.display()),
            ..ConfigError::new("", message)
        });
    }
    Ok(text)
}

fn parse(text: &str) -> Result<Config, SpannedError> {
    ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME).from_str(text)
}

impl Source {
    fn parse(&self) -> Result<Config, ConfigError> {
        parse(&self.text).map_err(|error| self.spanned(&error))
    }

    /// Replaces the text of one value.
    fn apply(&mut self, set: &str) -> Result<Config, ConfigError> {
        let refused = |message: &str| ConfigError {
            place: format!("--set {set}: "),
            ..ConfigError::new("", message)
        };
        let (key, value) = set.split_once('=').ok_or_else(|| refused("expected KEY=VALUE"))?;
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() || value.is_empty() {
            return Err(refused("expected KEY=VALUE"));
        }
        let outline = Node::of(&self.text);
        let splice = |value: &str| splice(&self.text, &outline, key, value);
        let text =
            splice(value).ok_or_else(|| refused("there is no such place in the configuration"))?;
        let quoted = splice(&format!("{value:?}")).unwrap_or_default();
        let (text, parsed) = match parse(&text) {
            Err(error) => match parse(&quoted) {
                Ok(config) => (quoted, Ok(config)),
                Err(_) => (text, Err(error)),
            },
            parsed => (text, parsed),
        };
        self.text = text;
        self.set = Some(set.to_owned());
        parsed.map_err(|error| self.spanned(&error))
    }

    fn spanned(&self, error: &SpannedError) -> ConfigError {
        let Span { start, end } = &error.span;
        let outline = Node::of(&self.text);
        let (position, path) = match unknown_name(&error.code) {
            // The span ends behind the name that is not known.
            Some(name) => {
                let byte = self.byte(end);
                let byte = self.text[..byte].rfind(name).unwrap_or(byte);
                (self.position(byte), outline.path_at(byte))
            }
            None => {
                // The span may start in the blanks before the value, or behind its sign.
                let byte = self.byte(start);
                let path = outline.path_at(byte);
                let node = outline.find(&path).0;
                let start = node.span.start;
                let byte = if node.inside.is_some() { byte.max(start) } else { start };
                (self.position(byte), path)
            }
        };
        ConfigError { place: self.place(position), key: path, message: describe(&error.code) }
    }

    /// Adds the place of its key to an error.
    fn locate(&self, error: ConfigError) -> ConfigError {
        let outline = Node::of(&self.text);
        let (node, _) = outline.find(&error.key);
        ConfigError { place: self.place(self.position(node.span.start)), ..error }
    }

    fn place(&self, position: Position) -> String {
        match &self.set {
            Some(set) => format!("{} with --set {set}: ", self.path.display()),
            None => format!("{}:{}:{}: ", self.path.display(), position.line, position.col),
        }
    }

    fn position(&self, byte: usize) -> Position {
        let before = &self.text[..byte];
        let line = before.matches('\n').count() + 1;
        let col = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        Position { line, col }
    }

    fn byte(&self, position: &Position) -> usize {
        let lines = self.text.split_inclusive('\n').take(position.line - 1);
        let start: usize = lines.map(str::len).sum();
        let line = self.text[start..].char_indices().nth(position.col - 1);
        line.map_or(self.text.len(), |(offset, _)| start + offset)
    }
}

/// The text with the value at `key` replaced, or the key added to the struct it would stand in.
fn splice(text: &str, outline: &Node, key: &str, value: &str) -> Option<String> {
    let (node, found) = outline.find(key);
    if found {
        let span = node.span.clone();
        return Some(format!("{}{value}{}", &text[..span.start], &text[span.end..]));
    }
    let (parent, name) = key.rsplit_once('.').unwrap_or(("", key));
    let (parent, found) = outline.find(parent);
    if !found || name.contains(['[', ']']) {
        return None;
    }
    let inside = parent.inside?;
    Some(format!("{}{name}: {value}, {}", &text[..inside], &text[inside..]))
}

fn unknown_name(error: &ron::Error) -> Option<&str> {
    match error {
        ron::Error::NoSuchStructField { found, .. }
        | ron::Error::NoSuchEnumVariant { found, .. } => Some(found),
        _ => None,
    }
}

fn describe(error: &ron::Error) -> String {
    let (kind, found, expected) = match error {
        ron::Error::NoSuchStructField { found, expected, .. } => ("key", found, expected),
        ron::Error::NoSuchEnumVariant { found, expected, .. } => ("variant", found, expected),
        other => return other.to_string(),
    };
    match nearest_name(found, expected.iter().copied()) {
        Some(nearest) => format!("unknown {kind} `{found}`; did you mean `{nearest}`?"),
        None => format!("unknown {kind} `{found}`; expected one of {}", expected.join(", ")),
    }
}
