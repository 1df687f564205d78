//! Judges of activations: the search's evaluator, and those with what no search sees.
//!
//! Invariant: each is an evaluator like any other. Those for judging train all fresh repeats in
//! one evaluation, since a learning rate is chosen for all repeats together.

use std::path::Path;

use super::config::ActivationConfig;
use super::evaluator::ActivationEvaluator;
use crate::EvaluatorError;
use crate::optimizer::config::keyed;

/// All that activations are judged by.
#[derive(Debug)]
pub struct ActivationJudges {
    /// The evaluator of the search.
    pub search: ActivationEvaluator,
    /// The tasks of the search, with the fresh repeats.
    pub fresh: ActivationEvaluator,
    /// One for each held-out task, in order, with the fresh repeats.
    pub held_out: Vec<ActivationEvaluator>,
    /// All held-out tasks as one, with the repeats of the search, for its incumbents; `None` where
    /// no task is held out.
    pub held_out_together: Option<ActivationEvaluator>,
    /// Of every task, those held out behind the others: what decides the losses on it.
    pub fingerprints: Vec<String>,
}

impl ActivationJudges {
    /// Loads the data of every task and trains nothing; relative paths start at `base_dir`.
    ///
    /// # Errors
    /// As for [`ActivationEvaluator::new`].
    pub fn new(config: &ActivationConfig, base_dir: &Path) -> Result<Self, EvaluatorError> {
        let search = ActivationEvaluator::new(config, base_dir)?;
        let repeats = config.repeats.get();
        let fresh = repeats..repeats.saturating_add(config.fresh_repeats.get());
        let held_out = keyed("held_out", &config.held_out).map(|(key, task)| {
            let evaluator = ActivationEvaluator::of_task(task, config, fresh.clone(), base_dir);
            evaluator.map_err(|error| error.within(&key))
        });
        let held_out: Vec<ActivationEvaluator> = held_out.collect::<Result<_, _>>()?;
        Ok(Self {
            held_out_together: ActivationEvaluator::together(&held_out, config, 0..repeats),
            held_out,
            fresh: search.on_repeats(config, fresh),
            fingerprints: config.fingerprints(base_dir)?,
            search,
        })
    }
}
