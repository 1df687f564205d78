//! The programs that a search starts from, as a configuration names them.
//!
//! Invariant: one is written as a text, several as a list, and a list of one is that one, so a
//! configuration that names one program has the form it always had.

use std::fmt;
use std::path::Path;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where the programs of the first births come from, one or more, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Starts(Vec<String>);

impl Starts {
    /// The start of programs drawn at random, where a representation has such.
    pub(super) const RANDOM: &str = "random";

    /// Several; `None` of an empty list.
    pub fn new(sources: Vec<String>) -> Option<Starts> {
        (!sources.is_empty()).then_some(Starts(sources))
    }

    /// The first of them.
    pub fn first(&self) -> &str {
        &self.0[0]
    }

    /// All of them, in order of birth.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The same with other sources, each made from its number and the old one.
    #[must_use]
    pub fn map(&self, mut change: impl FnMut(usize, &str) -> String) -> Starts {
        Starts(self.iter().enumerate().map(|(index, source)| change(index, source)).collect())
    }

    /// The key of one of them.
    pub(super) fn key(&self, index: usize) -> String {
        if self.0.len() == 1 { "start".to_owned() } else { format!("start[{index}]") }
    }

    /// Whether a source is a path, and neither of the zoo nor the very text of a program.
    pub fn is_path(source: &str) -> bool {
        !source.starts_with("zoo:") && !source.contains("def ") && !source.contains('\n')
    }

    /// Whether a source is a file or a birth of a run, where `random` stands for what is drawn.
    pub(super) fn is_file(source: &str) -> bool {
        Starts::is_path(source) && source != Starts::RANDOM
    }

    /// The same with the paths that a file states starting at `base`, its folder; all others stay.
    pub(super) fn anchored(&self, base: &Path, file: &Starts) -> Starts {
        self.map(|index, source| match file.0.get(index) {
            Some(stated) if stated == source && Starts::is_path(source) => {
                base.join(source).to_string_lossy().into_owned()
            }
            _ => source.to_owned(),
        })
    }
}

impl From<&str> for Starts {
    fn from(source: &str) -> Starts {
        Starts(vec![source.to_owned()])
    }
}

impl Serialize for Starts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0[..] {
            [one] => serializer.serialize_str(one),
            several => serializer.collect_seq(several),
        }
    }
}

impl<'de> Deserialize<'de> for Starts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Starts, D::Error> {
        deserializer.deserialize_any(OneOrMore)
    }
}

struct OneOrMore;

impl<'de> Visitor<'de> for OneOrMore {
    type Value = Starts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a program, or a list of one or more")
    }

    fn visit_str<E: Error>(self, source: &str) -> Result<Starts, E> {
        Ok(source.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Starts, A::Error> {
        let mut sources = Vec::new();
        while let Some(source) = list.next_element()? {
            sources.push(source);
        }
        Starts::new(sources).ok_or_else(|| A::Error::invalid_length(0, &self))
    }
}
