//! Candidates: what whoever asks a search is handed.

use std::sync::Arc;

use evo_domain::Trial;

/// A program to evaluate.
#[derive(Clone, Debug)]
pub struct Candidate<P> {
    /// The number of its birth, to tell its outcome by.
    pub birth: u64,
    /// The program.
    pub program: Arc<P>,
    /// The hurdles that were up at its birth.
    pub hurdles: Arc<[f64]>,
    /// Which evaluation of its behaviour is asked for.
    pub repeat: u32,
    /// Whether the outcome asked for is that on what is held out of the search
    /// ([`HeldOutConfig`](crate::HeldOutConfig)); never where nothing is.
    pub held_out: bool,
}

impl<P> Candidate<P> {
    /// What an evaluator is handed of it.
    pub fn trial(&self) -> Trial<'_, P> {
        Trial { program: &self.program, hurdles: &self.hurdles, repeat: self.repeat }
    }
}
