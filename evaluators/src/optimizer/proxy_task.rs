//! Proxy tasks: task configurations with their data loaded and their network sized.
//!
//! Invariant: nothing here changes after it was built, so threads share it; all seeds come from the
//! task's name, the learning rate's place and the repeat, never from a program, so that a fitness
//! computed again equals the cached one.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use evo_dsl::{Layout, Program};
use evo_hashes::Seed;

use super::scoring::{Factor, Rates, Scoring, drawn_part};
use crate::data::Dataset;
use crate::layers::Function;
use crate::proxies::{Batch, Leaf, Proxy};
use crate::{EvaluatorError, RunResult, Schedule, TaskConfig};

/// The root mean square of a normalised update at a learning rate of 1, that of AdamW.
const NORMALISED: f64 = 0.001;

/// A task ready to be trained.
#[derive(Clone, Debug)]
pub(crate) struct ProxyTask {
    pub(crate) name: String,
    pub(crate) data: Arc<Dataset>,
    pub(crate) validation: Vec<Batch>,
    pub(crate) proxy: Proxy,
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) layout: Layout,
    pub(crate) batch_size: usize,
    pub(crate) steps: u64,
    pub(crate) schedule: Schedule,
    seed: Seed,
}

/// What tells one run on a task from another.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// Seed of its initial weights and batches.
    pub(crate) seed: Seed,
    /// What every update is multiplied by: the multiple of the task's learning rate.
    scale: f64,
    multiple: f64,
    repeat: u32,
    normalised: bool,
    /// Of each leaf, what the weights that a program sees are multiplied by to get the network's.
    pub(crate) units: Option<Arc<[f32]>>,
    /// Of each leaf, what its gradient by those weights is multiplied by, besides.
    pub(crate) gradients: Option<Arc<[f32]>>,
    /// How many steps it has, of those of the task.
    pub(crate) steps: u64,
    /// Examples a step.
    pub(crate) batch_size: usize,
    schedule: Schedule,
}

/// The first repeat of evaluations behind the first of a behaviour: far above those that judges and
/// studies train with.
const FIRST_ANEW: u32 = 10_000_000;

/// The repeats that an evaluation trains with that is not the first of its behaviour, from 1, where
/// each has so many. No two have one in common, as far as numbers go.
pub(crate) fn repeats_anew(evaluation: u32, repeats: u32) -> Range<u32> {
    let first = FIRST_ANEW.saturating_add((evaluation - 1).saturating_mul(repeats));
    let first = first.min(u32::MAX - repeats);
    first..first + repeats
}

impl Run {
    /// What trains in this run.
    ///
    /// The scale reaches the update and not the learning rate that a program is given: what it
    /// is given it can undo, as `sqrt(lr)` undoes half of any spread.
    pub(crate) fn program(&self, program: &Program) -> Program {
        match self.normalised {
            true => program.normalised(NORMALISED).scaled(self.scale),
            false => program.scaled(self.scale),
        }
    }

    /// The learning rate that programs are given at a step, counted from 0; behind the last it
    /// stays.
    pub(crate) fn learning_rate(&self, step: u64) -> f64 {
        self.schedule.factor(step.min(self.steps - 1), self.steps)
    }

    /// What it came to.
    pub(crate) fn result(&self, loss: f64, course: Vec<(u64, f64)>) -> RunResult {
        RunResult { multiple: self.multiple, repeat: self.repeat, loss, course }
    }
}

impl ProxyTask {
    /// Checks the configuration and loads the data.
    ///
    /// # Errors
    /// A configuration that cannot be trained or data that cannot be read; keys start inside the
    /// task.
    pub(crate) fn load(
        config: &TaskConfig,
        base_dir: &Path,
        data_seed: u64,
    ) -> Result<Self, EvaluatorError> {
        config.check()?;
        let seed = Seed(data_seed).derive(&config.name);
        let mut data = Dataset::load(&config.data, base_dir, seed, config.model.window())?;
        if config.data_fraction < 1.0 {
            data.keep_share(config.data_fraction);
        }
        if config.label_noise > 0.0 {
            data.add_label_noise(config.label_noise, seed);
        }
        let reads = data.reads();
        config.check_network(&reads)?;
        let proxy = Proxy::new(&config.model, &data, seed)?;
        let leaves = proxy.leaves();
        Ok(Self {
            name: config.name.clone(),
            validation: Batch::validation(&data, config.validation_batch(&reads))?,
            layout: layout(&leaves),
            data: Arc::new(data),
            proxy,
            leaves,
            batch_size: config.batch_size.get(),
            steps: config.steps.get(),
            schedule: config.schedule,
            seed,
        })
    }

    /// The same task with an expression between the layers of its network. The data is shared, and
    /// so are the seeds: initial weights are the same draws at the size that goes with expressions.
    pub(crate) fn with_activation(&self, function: &Arc<Function>) -> ProxyTask {
        let proxy = self.proxy.with_activation(function);
        ProxyTask { leaves: proxy.leaves(), proxy, ..self.clone() }
    }

    /// The task of a network that no task configuration describes, its data at hand.
    pub(crate) fn of_network(
        name: String,
        proxy: Proxy,
        data: Arc<Dataset>,
        validation: Vec<Batch>,
        lengths: (usize, u64, Schedule),
        seed: Seed,
    ) -> ProxyTask {
        let (batch_size, steps, schedule) = lengths;
        let leaves = proxy.leaves();
        let layout = layout(&leaves);
        ProxyTask {
            name,
            data,
            validation,
            proxy,
            leaves,
            layout,
            batch_size,
            steps,
            schedule,
            seed,
        }
    }

    /// The same task with another network on the same data, from the same seeds.
    pub(crate) fn with_network(&self, proxy: Proxy) -> ProxyTask {
        let leaves = proxy.leaves();
        ProxyTask { layout: layout(&leaves), leaves, proxy, ..self.clone() }
    }

    /// The runs of a task at a learning rate: one for each multiple of it and repeat, what is drawn
    /// for a repeat being the same at all multiples but initial weights and batches. Where the best
    /// multiple counts, those are the same too: the least of several draws would be luck, and
    /// programs with different best multiples would be compared on different ones.
    pub(crate) fn runs(
        &self,
        learning_rate: f64,
        multiples: &[f64],
        repeats: Range<u32>,
        scoring: &Scoring,
    ) -> Vec<Run> {
        let draw = |factor: Option<Factor>, purpose, repeat| {
            factor.map(|factor| factor.draw(purpose, self.seed, repeat, &self.leaves))
        };
        let drawn = |shares: &[f64], whole, purpose, repeat| {
            drawn_part(shares, whole, purpose, self.seed, repeat)
        };
        let mut runs = Vec::new();
        for (place, &multiple) in multiples.iter().enumerate() {
            let place = match scoring.rates {
                Rates::Mean => place,
                Rates::Best => 0,
            };
            for repeat in repeats.clone() {
                runs.push(Run {
                    seed: self.seed.derive(&format!("run {place} {repeat}")),
                    scale: learning_rate * multiple,
                    multiple,
                    repeat,
                    normalised: scoring.normalise_updates,
                    units: draw(scoring.reparametrise, "units", repeat),
                    gradients: draw(scoring.scale_gradients, "gradients", repeat),
                    steps: drawn(&scoring.horizons, self.steps, "horizon", repeat),
                    batch_size: drawn(&scoring.batches, self.batch_size as u64, "batch", repeat)
                        as usize,
                    schedule: self.schedule,
                });
            }
        }
        runs
    }
}

/// Where the leaves lie in the flat vector.
fn layout(leaves: &[Leaf]) -> Layout {
    Layout::with_roles(leaves.iter().map(|leaf| (leaf.shape.clone(), leaf.role)))
}
