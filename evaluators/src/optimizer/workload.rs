//! Workloads: the training of one task taken apart, for measuring what it costs.
//!
//! Invariant: a step is made of the very phases that an evaluation goes through
//! ([`Training`](super::training::Training), [`Cohort`](super::lanes::Cohort)), so what is measured
//! is what a search pays. Clocks are the caller's: nothing in this crate reads one.

mod alone;
mod cohort;

use std::path::Path;

use candle_core::Result;
use evo_dsl::Program;

use self::alone::Alone;
use self::cohort::InLanes;
use super::lanes::{LaneTask, Lanes};
use super::proxy_task::{ProxyTask, Run};
use crate::{EvaluatorError, OptimizerConfig, TaskConfig};

/// A task whose training can be measured.
#[derive(Debug)]
pub struct Workload {
    pub(super) task: ProxyTask,
    pub(super) run: Run,
    /// The mean over the repeats.
    steps: u64,
    laned: Option<(LaneTask, Lanes)>,
}

/// One run on a [`Workload`], a phase at a time: [`draw`](Steps::draw),
/// [`forward`](Steps::forward), [`backward`](Steps::backward) and [`update`](Steps::update) make a
/// step, and only in this order.
pub struct Steps<'a>(Box<dyn Phases + 'a>);

/// The phases of training one candidate or many.
trait Phases {
    fn draw(&mut self) -> Result<()>;
    fn forward(&mut self) -> Result<()>;
    fn backward(&mut self) -> Result<()>;
    fn update(&mut self) -> Result<bool>;
    fn loss(&self) -> Result<f64>;
    fn validate(&self) -> Result<f64>;
    fn wait(&self) -> Result<()>;
}

impl Workload {
    /// Loads a task's data; relative paths start at `base_dir`. The learning rate is the task's, 1
    /// where it has none yet.
    ///
    /// # Errors
    /// A task that cannot be trained or data that cannot be read; keys start inside the task.
    pub fn load(
        config: &OptimizerConfig,
        task: &TaskConfig,
        base_dir: &Path,
    ) -> std::result::Result<Self, EvaluatorError> {
        let learning_rate = task.learning_rate.unwrap_or(1.0);
        let task = ProxyTask::load(task, base_dir, config.data_seed)?;
        let repeats = config.repeats.get();
        let mut runs = task.runs(learning_rate, &[1.0], 0..repeats, &config.scoring);
        let steps = runs.iter().map(|run| run.steps).sum::<u64>() / u64::from(repeats);
        Ok(Self { task, run: runs.swap_remove(0), steps, laned: None })
    }

    /// The same workload for a cohort with all its lanes in use.
    ///
    /// # Errors
    /// [`EvaluatorError::Internal`] when candle cannot use the device; so for all phases.
    pub fn with_lanes(mut self, lanes: Lanes) -> std::result::Result<Self, EvaluatorError> {
        self.laned = Some((LaneTask::new(&self.task, &lanes)?, lanes));
        Ok(self)
    }

    /// The task's name.
    pub fn name(&self) -> &str {
        &self.task.name
    }

    /// Parameters of the network.
    pub fn parameters(&self) -> usize {
        self.task.layout.len()
    }

    /// Steps of a run, the mean over the repeats where they are drawn.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Candidates that a step trains.
    pub fn candidates(&self) -> usize {
        self.laned.as_ref().map_or(1, |(_, lanes)| lanes.count.get())
    }

    /// Begins a run with a program in every lane: compiles it and draws the initial weights.
    ///
    /// # Errors
    /// As for [`Workload::with_lanes`].
    pub fn begin(&self, program: &Program) -> std::result::Result<Steps<'_>, EvaluatorError> {
        Ok(Steps(match &self.laned {
            None => Box::new(Alone::begin(&self.task, &self.run, program)?),
            Some((task, lanes)) => {
                Box::new(InLanes::begin(&self.task, task, &self.run, program, lanes)?)
            }
        }))
    }
}

impl Steps<'_> {
    /// Draws a batch.
    ///
    /// # Errors
    /// [`EvaluatorError::Internal`] when candle refuses an operation; so for all phases.
    pub fn draw(&mut self) -> std::result::Result<(), EvaluatorError> {
        Ok(self.0.draw()?)
    }

    /// Computes the loss of the batch.
    ///
    /// # Errors
    /// As for [`Steps::draw`].
    pub fn forward(&mut self) -> std::result::Result<(), EvaluatorError> {
        Ok(self.0.forward()?)
    }

    /// Computes the gradient of the loss and drops the graph.
    ///
    /// # Errors
    /// As for [`Steps::draw`].
    pub fn backward(&mut self) -> std::result::Result<(), EvaluatorError> {
        Ok(self.0.backward()?)
    }

    /// Moves the weights. False where an evaluation would end here; with lanes that is not looked
    /// at in every step, and not here.
    ///
    /// # Errors
    /// As for [`Steps::draw`].
    pub fn update(&mut self) -> std::result::Result<bool, EvaluatorError> {
        Ok(self.0.update()?)
    }

    /// The loss of the latest batch, in the first lane.
    ///
    /// # Errors
    /// As for [`Steps::draw`].
    pub fn loss(&self) -> std::result::Result<f64, EvaluatorError> {
        Ok(self.0.loss()?)
    }

    /// The mean loss over the validation data, in the first lane.
    ///
    /// # Errors
    /// As for [`Steps::draw`].
    pub fn validate(&self) -> std::result::Result<f64, EvaluatorError> {
        Ok(self.0.validate()?)
    }

    /// Waits until the device has done all that it was asked for.
    ///
    /// # Errors
    /// As for [`Steps::draw`].
    pub fn wait(&self) -> std::result::Result<(), EvaluatorError> {
        Ok(self.0.wait()?)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::Device;

    #[test]
    fn a_cohort_takes_the_steps_of_a_candidate_alone() {
        let options = ron::Options::default()
            .with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
        let text =
            "(name: \"mlp\", model: Mlp(hidden: [8]), data: Digits, batch_size: 16, steps: 9)";
        let task: TaskConfig = options.from_str(text).expect("a well-formed task");
        let config = OptimizerConfig::new(vec![task.clone()]);
        let load = || Workload::load(&config, &task, Path::new("")).expect("embedded data");
        let alone = load();
        let lanes = Lanes::new(Device::cpu(), NonZeroUsize::new(3).expect("not zero"));
        let cohort = load().with_lanes(lanes).expect("a CPU");
        assert_eq!((alone.candidates(), cohort.candidates()), (1, 3));
        let adamw = evo_dsl::zoo::get("adamw").expect("a zoo entry").program();
        let trained = |workload: &Workload| {
            let mut steps = workload.begin(&adamw).expect("candle works");
            let mut losses = Vec::new();
            for _ in 0..workload.steps() {
                steps.draw().and_then(|()| steps.forward()).expect("candle works");
                steps.backward().expect("candle works");
                assert!(steps.update().expect("candle works"));
                losses.push(steps.loss().expect("candle works"));
            }
            steps.wait().expect("a CPU does not keep one waiting");
            losses.push(steps.validate().expect("candle works"));
            losses
        };
        let (one, many) = (trained(&alone), trained(&cohort));
        assert!(one[8] < one[0], "{one:?}");
        let close = |(one, many): (&f64, &f64)| (one / many - 1.0).abs() < 1e-5;
        assert!(one.iter().zip(&many).all(close), "{one:?} and {many:?}");
        let recorded = alone.record(&adamw, 9).expect("candle works").losses;
        assert_eq!(recorded, one[..9], "a recording is of the same steps");
    }
}
