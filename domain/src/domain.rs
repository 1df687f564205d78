//! The domain: what an engine needs of a representation.
//!
//! Invariant: all of it is pure. A child is a function of its parent and the stream, an identity
//! one of the program, so any of it may run on any thread. A domain is a value that carries its
//! settings, so two searches may use one representation in two ways.

use std::fmt;

use evo_hashes::{Hash, StreamRng};

use crate::line_edit;

/// A representation of programs, with its settings.
pub trait Domain: Clone + fmt::Debug + Send + Sync + 'static {
    /// A program. What is cloned with it, and compared, is the engine's business alone.
    type Program: Clone + fmt::Debug + Send + Sync + 'static;

    /// What is worked out of a program once and serves both hashes and the size; `()` where nothing
    /// needs to be.
    type Analysis;

    /// The name of the representation, part of every store.
    const NAME: &'static str;

    /// The version of [`Domain::structure`]: hashes of two versions are never compared. To be
    /// raised with whatever gives any program another hash, or its hash another meaning; outcomes
    /// that were kept under the old one are then never found.
    const STRUCTURE_VERSION: u32 = 1;

    /// Works out what hashes and size need.
    fn analyse(&self, program: &Self::Program) -> Self::Analysis;

    /// The hash of what makes outcomes equal to the bit. Programs with equal hashes may share
    /// outcomes without a doubt.
    fn structure(&self, program: &Self::Program, analysis: &Self::Analysis) -> Hash;

    /// The hash of what a program does; `None` for one whose behaviour cannot be told, which is
    /// known by its structure alone. Asked of new structures only.
    fn behaviour(&self, program: &Self::Program, analysis: &Self::Analysis) -> Option<Hash>;

    /// The name of what [`Domain::behaviour`] looks at, with all it depends on: behaviours of two
    /// names are never compared.
    fn probe(&self) -> &str;

    /// How large a program is.
    fn size(&self, program: &Self::Program, analysis: &Self::Analysis) -> Size;

    /// The parts of a program, those without an effect among them, as [`Size::length`] counts those
    /// with one.
    fn parts(&self, program: &Self::Program) -> usize {
        self.size(program, &self.analyse(program)).length
    }

    /// The names of the kinds of mutation.
    fn mutations(&self) -> &'static [&'static str];

    /// A child, with the index of its kind among [`Domain::mutations`]; the parent itself and no
    /// kind where nothing can be changed.
    fn mutate(&self, parent: &Self::Program, rng: &mut StreamRng)
    -> (Self::Program, Option<usize>);

    /// The index among [`Domain::mutations`] of the kind that takes a second parent; `None` where
    /// children come of one, and no second parent is ever chosen.
    fn crossover(&self) -> Option<usize> {
        None
    }

    /// As [`Domain::mutate`], where a mutation of the kind [`Domain::crossover`] may take a part of
    /// a second program. The child descends from `parent`: what mutation leaves alone is that
    /// one's.
    fn cross(
        &self,
        parent: &Self::Program,
        mate: &Self::Program,
        rng: &mut StreamRng,
    ) -> (Self::Program, Option<usize>) {
        let _ = mate;
        self.mutate(parent, rng)
    }

    /// How often a child that behaves like its parent is thrown away and made again; the last one
    /// stays, whatever it is.
    fn neutral_retries(&self) -> u32 {
        0
    }

    /// The same domain, mutating the constants of programs and nothing else.
    ///
    /// # Errors
    /// Why there is nothing to tune in `start`.
    fn tuner(&self, start: &Self::Program) -> Result<Self, SettingError> {
        let _ = start;
        let message = format!("there are no constants to tune in {}", Self::NAME);
        Err(SettingError { key: "strategy".to_owned(), message })
    }

    /// The program with what it does multiplied by 1 + `by`; `None` where that means nothing. With
    /// a `by` of a few roundings it tells a fitness that rounding decides from one that the program
    /// does.
    fn nudged(&self, program: &Self::Program, by: f64) -> Option<Self::Program> {
        let _ = (program, by);
        None
    }

    /// A program as bytes, all of it that mutation can see.
    fn encode(&self, program: &Self::Program) -> Vec<u8>;

    /// The program with these bytes, that descends from `start`; `None` if there is none. A search
    /// may begin with several programs: what mutation leaves alone is that of the one asked with.
    fn decode(&self, bytes: &[u8], start: &Self::Program) -> Option<Self::Program>;

    /// A program as text, for people and for process borders.
    fn text(&self, program: &Self::Program) -> String;

    /// The text without what has no effect.
    fn live_text(&self, program: &Self::Program) -> String {
        self.text(program)
    }

    /// The program that a text states.
    ///
    /// # Errors
    /// What is wrong with the text.
    fn read(&self, text: &str) -> Result<Self::Program, String>;

    /// What leads from a parent to its child, as text.
    fn edit(&self, parent: &Self::Program, child: &Self::Program) -> String {
        line_edit::between(&self.text(parent), &self.text(child))
    }

    /// The text of the child that an edit leads to from the text of its parent; `None` for an edit
    /// that does not fit.
    fn apply(&self, parent: &str, edit: &str) -> Option<String> {
        line_edit::apply(parent, edit)
    }
}

/// How large a program is: what a Pareto selection keeps small, and the rows of the hall of fame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Parts that have an effect, such as live statements.
    pub length: usize,
    /// State carried from step to step, such as live state slots; 0 where there is none.
    pub states: usize,
}

/// A setting of a domain that cannot be searched with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingError {
    /// Path of the offending key, from the search configuration.
    pub key: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl SettingError {
    /// An error about a key.
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> SettingError {
        SettingError { key: key.into(), message: message.into() }
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.message)
    }
}

impl std::error::Error for SettingError {}
