//! Which program next: mutation, populations, strategies and the engine that drives them.
//!
//! # Overview
//! A [`Search`] is a state machine: [`ask`](Search::ask) it for a [`Candidate`], evaluate that in
//! whatever way, [`tell`](Search::tell) it the outcome. [`run`] does so with a pool of threads and
//! any [`Evaluator`](evo_evaluators::Evaluator), shows its progress to an [`Observer`] and ends for
//! a [`StopReason`]. A [`SearchConfig`] holds the settings: a strategy, a [`MutationConfig`], the
//! window, the level of [`Deduplication`], [`Restarts`] and the limits. What was found is in the
//! [`HallOfFame`].
//!
//! A run is a function of settings, seed, start program and evaluator: neither the number of
//! threads nor the order in which outcomes are told changes it.
//!
//! ```
//! use evo_dsl::Program;
//! use evo_evaluators::{DependsOn, Evaluator, Outcome, Score, Trial};
//! use evo_hashes::{FunctionalHasher, Seed};
//! use evo_search::{
//!     DeduplicationLevel, RunOptions, Search, SearchConfig, Stopping, StrategyConfig, run,
//! };
//!
//! /// Likes programs of twelve live statements.
//! struct Twelve;
//!
//! impl Evaluator for Twelve {
//!     fn evaluate(&self, cohort: &[Trial<'_>]) -> Vec<Outcome> {
//!         let distance = |program: &Program| program.live_length().abs_diff(12) as f64;
//!         let score = |loss: f64| Outcome::Scored(Score::new(-loss, vec![loss]));
//!         cohort.iter().map(|trial| score(distance(trial.program))).collect()
//!     }
//!
//!     /// Of two programs that behave alike, one may be longer.
//!     fn depends_on(&self) -> DependsOn {
//!         DependsOn::Structure
//!     }
//! }
//!
//! let mut config = SearchConfig::new(
//!     StrategyConfig::RegularizedEvolution { population: 100, tournament: 5 },
//!     Stopping { candidates: Some(20_000), fitness: Some(0.0), ..Default::default() },
//! );
//! config.deduplication = DeduplicationLevel::Structural.into();
//! let start = Program::parse("def train(w, g, lr):\n  x = g * lr\n  return x\n")?;
//! let hasher = FunctionalHasher::new(8).expect("8 is between 1 and 23");
//! let mut search = Search::new(&config, Seed(1), start, hasher)?;
//! run(&mut search, &Twelve, &mut (), &RunOptions::default())?;
//! assert_eq!(search.best().map(|best| best.length), Some(12));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod breeding;
mod config;
mod counters;
mod deduplication;
mod error;
mod generations;
mod hall_of_fame;
mod hurdles;
mod lineage;
mod mutate;
mod mutation_statistics;
mod observer;
mod population;
mod recheck;
mod restarts;
mod runner;
mod search;
mod selection;
mod stopping;
mod store;
mod strategy;
mod window;

pub use config::SearchConfig;
pub use counters::Counters;
pub use deduplication::{Deduplication, DeduplicationLevel};
pub use error::SearchError;
pub use hall_of_fame::{Champion, HallOfFame};
pub use hurdles::HurdleConfig;
pub use mutate::{MutationConfig, MutationWeights, Mutator, NewConstant, OpSet};
pub use mutation_statistics::{MutationStatistics, MutationTally};
pub use observer::Observer;
pub use population::{Individual, Population};
pub use recheck::{RECHECK_TOLERANCE, RECHECK_WARNING, RecheckRate, outcomes_apart};
pub use restarts::{Restart, RestartFrom, RestartReason, Restarts};
pub use runner::{RunOptions, run};
pub use search::{Candidate, OutcomeCache, Search};
pub use selection::Selection;
pub use stopping::{StopReason, Stopping};
pub use store::{Ancestor, FunctionalHit, Store};
pub use strategy::StrategyConfig;
