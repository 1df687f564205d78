//! Which program next: populations, strategies and the engine that drives them.
//!
//! # Overview
//! A [`Search`] is a state machine: [`ask`](Search::ask) it for a [`Candidate`], evaluate that in
//! whatever way, [`tell`](Search::tell) it the outcome. [`run`] does so with a pool of threads and
//! any [`Evaluator`](evo_domain::Evaluator), shows its progress to an [`Observer`] and ends for a
//! [`StopReason`]. A [`SearchConfig`] holds the settings: a strategy, the window, the level of
//! [`Deduplication`], [`Restarts`] and the limits. What was found is in the [`HallOfFame`].
//!
//! What is searched is a [`Domain`](evo_domain::Domain), of which the engine knows nothing more: a
//! representation of programs, with their mutation and their hashes.
//!
//! A run is a function of settings, seed, domain, start programs and evaluator: neither the number
//! of threads nor the order in which outcomes are told changes it.
//!
//! ```
//! use evo_domain::{
//!     DependsOn, Domain, Evaluator, Hash, Outcome, Score, Seed, Size, StreamRng, Trial,
//! };
//! use evo_search::{
//!     DeduplicationLevel, RunOptions, Search, SearchConfig, Stopping, StrategyConfig, run,
//! };
//! use rand::RngExt;
//!
//! /// Words of small letters.
//! #[derive(Clone, Debug)]
//! struct Words;
//!
//! impl Domain for Words {
//!     type Program = String;
//!     type Analysis = ();
//!     const NAME: &'static str = "words";
//!
//!     fn analyse(&self, _: &String) {}
//!     fn structure(&self, word: &String, (): &()) -> Hash {
//!         Hash::of(word.as_bytes())
//!     }
//!     /// A word does nothing that another does.
//!     fn behaviour(&self, _: &String, (): &()) -> Option<Hash> {
//!         None
//!     }
//!     fn probe(&self) -> &str {
//!         "none"
//!     }
//!     fn size(&self, word: &String, (): &()) -> Size {
//!         Size { length: word.len(), states: 0 }
//!     }
//!     fn mutations(&self) -> &'static [&'static str] {
//!         &["change"]
//!     }
//!     fn mutate(&self, parent: &String, rng: &mut StreamRng) -> (String, Option<usize>) {
//!         let place = rng.random_range(0..parent.len());
//!         let letter = char::from(rng.random_range(b'a'..=b'z'));
//!         let child = format!("{}{letter}{}", &parent[..place], &parent[place + 1..]);
//!         (child, Some(0))
//!     }
//!     fn encode(&self, word: &String) -> Vec<u8> {
//!         word.clone().into_bytes()
//!     }
//!     fn decode(&self, bytes: &[u8], _: &String) -> Option<String> {
//!         String::from_utf8(bytes.to_vec()).ok()
//!     }
//!     fn text(&self, word: &String) -> String {
//!         word.clone()
//!     }
//!     fn read(&self, text: &str) -> Result<String, String> {
//!         Ok(text.to_owned())
//!     }
//! }
//!
//! /// Counts the letters that differ from those of a word.
//! struct Like(&'static str);
//!
//! impl Evaluator<String> for Like {
//!     fn evaluate(&self, cohort: &[Trial<'_, String>]) -> Vec<Outcome> {
//!         let differ = |(a, b): &(char, char)| a != b;
//!         let count = |word: &str| word.chars().zip(self.0.chars()).filter(differ).count();
//!         let score = |loss: f64| Outcome::Scored(Score::new(-loss, vec![loss]));
//!         cohort.iter().map(|trial| score(count(trial.program) as f64)).collect()
//!     }
//!     fn depends_on(&self) -> DependsOn {
//!         DependsOn::Structure
//!     }
//! }
//!
//! let mut config: SearchConfig = SearchConfig::new(
//!     StrategyConfig::RegularizedEvolution { population: 20, tournament: 5 },
//!     Stopping { candidates: Some(20_000), fitness: Some(0.0), ..Stopping::default() },
//! );
//! config.deduplication = DeduplicationLevel::Structural.into();
//! let mut search = Search::new(&config, Seed(1), Words, "aaaaaaaa".to_owned())?;
//! run(&mut search, &Like("symbolic"), &mut (), &RunOptions::default())?;
//! assert_eq!(search.best().map(|best| best.individual.program.as_str()), Some("symbolic"));
//! # Ok::<(), evo_search::SearchError>(())
//! ```

mod ancestors;
mod breeding;
mod cache;
mod candidate;
mod checksum;
mod config;
mod counters;
mod deduplication;
mod driver;
mod error;
mod evolution;
mod generations;
mod hall_of_fame;
mod held_out;
mod hurdles;
mod identity;
mod keep;
mod limits;
mod lineage;
mod looking;
mod mutation_statistics;
mod noise;
mod observer;
mod outcomes;
mod partial_hurdles;
mod policy_counters;
mod population;
mod recheck;
mod restarts;
mod runner;
mod search;
mod selection;
mod stopping;
mod store;
mod strategy;
mod tabu;
mod window;

pub use ancestors::Ancestors;
pub use breeding::{Bred, Breeder, Conception};
pub use cache::{
    CacheContents, CacheKey, CacheUse, CachedEvaluator, CachedOutcome, OutcomeCache, Pruned,
    Pruning,
};
pub use candidate::Candidate;
pub use config::{SearchConfig, default_window};
pub use counters::Counters;
pub use deduplication::{Deduplication, DeduplicationLevel};
pub use driver::{Aside, Driver};
pub use error::SearchError;
pub use hall_of_fame::{Champion, HallOfFame};
pub use held_out::{HeldOutConfig, HeldOutCurve, HeldOutPoint};
pub use hurdles::HurdleConfig;
pub use keep::Keep;
pub use mutation_statistics::{MutationStatistics, MutationTally};
pub use noise::NoiseConfig;
pub use observer::Observer;
pub use partial_hurdles::{ERA, PartialHurdles, Reprieves};
pub use policy_counters::{COLLISION_TOLERANCES, Collisions, PolicyCounters};
pub use population::{Individual, Population};
pub use recheck::{RECHECK_TOLERANCE, RECHECK_WARNING, RecheckRate, outcomes_apart};
pub use restarts::{Restart, RestartFrom, RestartReason, Restarts};
pub use runner::{Evaluators, RunOptions, run, run_with};
pub use search::{AbsorbedBirth, BirthWatcher, Search};
pub use selection::Selection;
pub use stopping::{StopReason, Stopping};
pub use store::{
    Ancestor, Evaluated, FunctionalHit, KnownBirths, Store, StoredChampion, StoredRestart,
};
pub use strategy::StrategyConfig;
pub use tabu::TabuConfig;
