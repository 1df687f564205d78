//! Judges: the evaluators that say what a program is worth, the search's and those no search sees.
//!
//! Invariant: each is an evaluator like any other, and whoever judges with it needs no more than
//! the trait; what it trains differs, and no method beside it. A held-out task and a fresh repeat
//! have an evaluator each, since a program that cannot train one is still judged by the others.
//! Those of fresh repeats share the tasks of the search's, data included.

use std::path::Path;

use super::config::keyed;
use super::evaluator::OptimizerEvaluator;
use crate::{EvaluatorError, Lanes, OptimizerConfig};

/// All that programs are judged by.
#[derive(Debug)]
pub struct Judges {
    /// The evaluator of the search.
    pub search: OptimizerEvaluator,
    /// One for each fresh repeat: the tasks of the search, with initial weights and batches of its
    /// own. On the CPU.
    pub fresh: Vec<OptimizerEvaluator>,
    /// One for each held-out task, in order. On the CPU.
    pub held_out: Vec<OptimizerEvaluator>,
}

impl Judges {
    /// Loads the data of every task; relative paths start at `base_dir`.
    ///
    /// # Errors
    /// As for [`OptimizerEvaluator::new`].
    pub fn new(config: &OptimizerConfig, base_dir: &Path) -> Result<Self, EvaluatorError> {
        let search = OptimizerEvaluator::new(config, base_dir)?;
        let repeats = config.repeats.get();
        let fresh = repeats..repeats.saturating_add(config.fresh_repeats);
        let held_out = keyed("held_out", &config.held_out).map(|(key, task)| {
            let evaluator = OptimizerEvaluator::of_task(task, config, base_dir);
            evaluator.map_err(|error| error.within(&key))
        });
        Ok(Self {
            fresh: fresh.map(|repeat| search.on_repeat(repeat)).collect(),
            held_out: held_out.collect::<Result<_, _>>()?,
            search,
        })
    }

    /// One evaluator of all held-out tasks, whose fitness is the mean over them, for the incumbents
    /// of a search; `None` where no task is held out. On the CPU, and it shares their data.
    pub fn held_out_together(&self) -> Option<OptimizerEvaluator> {
        OptimizerEvaluator::together(&self.held_out)
    }

    /// The same judges with the search's evaluator training with lanes.
    ///
    /// # Errors
    /// As for [`OptimizerEvaluator::with_lanes`].
    pub fn with_lanes(self, lanes: Lanes) -> Result<Self, EvaluatorError> {
        Ok(Self { search: self.search.with_lanes(lanes)?, ..self })
    }
}
