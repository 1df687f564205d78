//! The text of a configuration before it is read: that of a file, or one that a program holds.
//!
//! Invariant: both are read by the same code and refused in the same words. A text in memory has a
//! folder, to which its paths are relative, and a name in place of that of a file.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::source::{Source, check_text, read};
use super::{Config, ConfigError, DomainName, ExpressionSearch, GraphSearch, LearnerSearch};

/// The name of a text that is no file.
const NAME: &str = "<config>";

/// The text of a configuration and where it is from.
#[derive(Clone, Debug)]
pub struct ConfigText {
    /// The file, or the name in the folder of one that is in memory.
    pub(super) path: PathBuf,
    pub(super) text: String,
    in_memory: bool,
    /// Whether an evaluation of no tasks was put in for one that JSON did not state.
    pub(super) lacks_evaluation: bool,
}

impl ConfigText {
    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read, or holds no text.
    pub fn read(path: &Path) -> Result<ConfigText, ConfigError> {
        let (path, text) = (path.to_owned(), read(path)?);
        Ok(ConfigText { path, text, in_memory: false, lacks_evaluation: false })
    }

    /// A text in memory; paths in it are relative to `base`.
    ///
    /// # Errors
    /// One that holds nothing.
    pub fn in_memory(text: &str, base: &Path) -> Result<ConfigText, ConfigError> {
        let path = base.join(NAME);
        check_text(&path, text)?;
        let text = text.to_owned();
        Ok(ConfigText { path, text, in_memory: true, lacks_evaluation: false })
    }

    /// A configuration written in JSON, with the names that it has in RON: an enum is its name, or
    /// an object of its name alone.
    ///
    /// # Errors
    /// What the keys do not hold, named by its key.
    pub fn from_json(json: &str, base: &Path) -> Result<ConfigText, ConfigError> {
        let stated: serde_json::Value = parsed(json)?;
        let mut lacks_evaluation = false;
        let text = match stated.get("domain").and_then(|domain| domain.as_str()) {
            Some("Expressions") => parsed::<ExpressionSearch>(json)?.to_ron(),
            Some("Learners") => parsed::<LearnerSearch>(json)?.to_ron(),
            Some("Graphs") => parsed::<GraphSearch>(json)?.to_ron(),
            _ => {
                lacks_evaluation = stated.get("evaluation").is_none();
                optimizers(stated)?
            }
        };
        Ok(ConfigText { lacks_evaluation, ..ConfigText::in_memory(&text, base)? })
    }

    /// The representation that it names; that of optimizers where it names none of the others.
    pub fn domain(&self) -> DomainName {
        match Source::of(self).stated("domain") {
            Some("Expressions") => DomainName::Expressions,
            Some("Learners") => DomainName::Learners,
            Some("Enumerated") => DomainName::Enumerated,
            Some("Graphs") => DomainName::Graphs,
            _ => DomainName::Optimizers,
        }
    }

    /// The folder that paths in it are relative to.
    pub fn base(&self) -> &Path {
        self.path.parent().unwrap_or("".as_ref())
    }

    /// What the run directory of a search with it is named after.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is no file.
    pub fn is_in_memory(&self) -> bool {
        self.in_memory
    }
}

/// A configuration of optimizers, which states no evaluation where an objective takes its place.
fn optimizers(mut stated: serde_json::Value) -> Result<String, ConfigError> {
    if let Some(keys) = stated.as_object_mut()
        && !keys.contains_key("evaluation")
    {
        keys.insert("evaluation".to_owned(), serde_json::json!({ "tasks": [] }));
    }
    Ok(parsed::<Config>(&stated.to_string())?.to_ron())
}

fn parsed<C: DeserializeOwned>(json: &str) -> Result<C, ConfigError> {
    let mut reader = serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let key = error.path().to_string().replace('?', "").trim_end_matches('.').to_owned();
        let message = error.inner().to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        let missing = message.strip_prefix("missing field `").and_then(|it| it.strip_suffix('`'));
        let (key, message) = match missing {
            Some(name) if key.is_empty() => (name.to_owned(), "is missing"),
            Some(name) => (format!("{key}.{name}"), "is missing"),
            None => (key, message),
        };
        ConfigError::at(format!("{NAME}: "), format!("`{key}`: {message}"))
    })
}
