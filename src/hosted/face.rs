//! The face of a run: what a host sees of one, whatever its domain.
//!
//! Invariant: nothing here names a domain, so that a binding is written once; what is behind it is
//! in `run.rs`.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use evo_domain::{DependsOn, Outcome};
use evo_search::{Counters, StopReason};

use super::{AnyProgram, HostError};
use crate::DomainName;

/// A candidate of any domain.
#[derive(Clone, Debug)]
pub struct HostedCandidate {
    /// Its birth.
    pub birth: u64,
    /// The program.
    pub program: AnyProgram,
    /// As of [`Candidate`](evo_search::Candidate).
    pub hurdles: Arc<[f64]>,
    /// As of [`Candidate`](evo_search::Candidate).
    pub repeat: u32,
    /// As of [`Candidate`](evo_search::Candidate).
    pub held_out: bool,
}

/// A champion of any domain.
#[derive(Clone, Debug)]
pub struct HostedChampion {
    /// Its birth.
    pub birth: u64,
    /// Its program without what has no effect.
    pub program: AnyProgram,
    /// Its fitness.
    pub fitness: f64,
    /// Its fitness on what is held out, if that was asked for.
    pub held_out_fitness: Option<f64>,
    /// Live parts.
    pub length: usize,
    /// Live state slots.
    pub states: usize,
    /// Its loss on each task.
    pub losses: Vec<f64>,
}

/// An evaluation of a run.
#[derive(Clone, Debug)]
pub struct HostedEvaluation {
    /// The birth it was of.
    pub birth: u64,
    /// The program.
    pub program: AnyProgram,
    /// What came of it.
    pub outcome: Outcome,
}

/// What can be seen of a run at any time.
pub trait RunView {
    /// How much has been done.
    fn counters(&self) -> Counters;
    /// The fittest so far.
    fn best(&self) -> Option<HostedChampion>;
}

/// A run of any domain.
pub trait HostedRun: RunView + Send {
    /// As [`Driver::ask`](evo_search::Driver::ask).
    ///
    /// # Errors
    /// When the store cannot be read or written.
    fn ask(&mut self, most: usize) -> Result<Vec<HostedCandidate>, HostError>;
    /// The program of a candidate that was asked for and not told yet.
    fn awaited(&self, birth: u64) -> Option<AnyProgram>;
    /// Takes in the outcome of the candidate of this birth.
    ///
    /// # Errors
    /// When none is awaited, or the store cannot be written.
    fn tell(&mut self, birth: u64, outcome: Outcome) -> Result<(), HostError>;
    /// As [`Driver::commit`](evo_search::Driver::commit).
    ///
    /// # Errors
    /// When the store cannot be written.
    fn commit(&mut self) -> Result<(), HostError>;
    /// Searches to the end with the evaluator of the configuration; `look` is called behind every
    /// outcome.
    ///
    /// # Errors
    /// When there is no such evaluator, candidates are in flight, or the run fails.
    fn run(
        &mut self,
        threads: NonZeroUsize,
        look: &mut dyn FnMut(&dyn RunView),
    ) -> Result<StopReason, HostError>;
    /// Ends the run and has its results written.
    ///
    /// # Errors
    /// When something cannot be written.
    fn finish(&mut self, threads: NonZeroUsize) -> Result<StopReason, HostError>;
    /// Candidates asked and not yet told.
    fn in_flight(&self) -> usize;
    /// Births that may be under way.
    fn window(&self) -> usize;
    /// Whether all is absorbed and nothing will be bred.
    fn is_finished(&self) -> bool;
    /// Why the run ended, or was cancelled.
    fn stop_reason(&self) -> Option<StopReason>;
    /// The champions, shortest first.
    fn hall_of_fame(&self) -> Vec<HostedChampion>;
    /// Every evaluation that the store holds.
    ///
    /// # Errors
    /// Without a store, or when it cannot be read.
    fn evaluations(&self) -> Result<Vec<HostedEvaluation>, HostError>;
    /// As [`Search::digest`](evo_search::Search::digest).
    fn digest(&self) -> String;
    /// The same, to look at.
    fn view(&self) -> &dyn RunView;
    /// What is known of the run from its beginning.
    fn about(&self) -> &About;
}

/// What does not change in a run.
#[derive(Clone, Debug)]
pub struct About {
    /// The domain.
    pub domain: DomainName,
    /// The seed.
    pub seed: u64,
    /// The name of an evaluator that is not ours.
    pub objective: Option<String>,
    /// What outcomes depend on.
    pub depends_on: DependsOn,
    /// The configuration with everything written out.
    pub config_text: String,
    /// The run directory.
    pub directory: Option<String>,
    /// Set by anyone to breed no more.
    pub cancel: Arc<AtomicBool>,
    /// Whether incumbents are asked for on what is held out.
    pub holds_out: bool,
    /// Whether births can be shown.
    pub(crate) keeps_births: bool,
}
