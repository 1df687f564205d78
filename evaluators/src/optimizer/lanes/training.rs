//! Training with lanes: one task, one run, all lanes in lockstep.
//!
//! Invariant: nothing is read from the device inside a step; the losses of many steps are kept there,
//! read together, and only then does each lane's watch follow its own. A lane that has ended goes on
//! computing, and nothing it does changes how it ended.

use candle_core::{Result, Tensor};
use evo_dsl::Program;

use super::super::proxy_task::{ProxyTask, Run};
use super::super::training::{Ending, Watch};
use super::options::Lanes;
use super::update::{LaneUpdate, lane_update};
use crate::proxies::{Batch, LaneParameters, Proxy, initial_weights};
use crate::{EvaluatorError, Invalid, InvalidReason};

/// Steps between two readings of the losses. Lanes that have all ended are noticed then; waiting for
/// the device more often leaves it idle.
const READING_INTERVAL: usize = 32;

/// A task with its network and validation data where lanes are trained.
#[derive(Debug)]
pub(in super::super) struct LaneTask {
    proxy: Proxy,
    validation: Vec<Batch>,
}

impl LaneTask {
    /// Copies what every run needs to the device.
    ///
    /// # Errors
    /// Candle refuses an operation.
    pub(in super::super) fn new(task: &ProxyTask, lanes: &Lanes) -> Result<Self> {
        let validation = task.validation.iter().map(|batch| batch.to_device(lanes.device.candle()));
        Ok(Self {
            proxy: task.proxy.to_device(lanes.device.candle())?,
            validation: validation.collect::<Result<_>>()?,
        })
    }
}

/// The mean validation loss over `runs` for each program, or why it has none: the first run that is
/// stopped decides. There are at most as many programs as lanes.
///
/// # Errors
/// [`EvaluatorError::Internal`] when candle refuses an operation.
pub(in super::super) fn mean_losses(
    task: &ProxyTask,
    lane_task: &LaneTask,
    runs: &[Run],
    programs: &[&Program],
    lanes: &Lanes,
    divergence: f64,
) -> std::result::Result<Vec<std::result::Result<f64, Invalid>>, EvaluatorError> {
    let mut found: Vec<std::result::Result<f64, Invalid>> = vec![Ok(0.0); programs.len()];
    for run in runs {
        let remaining: Vec<usize> = (0..programs.len()).filter(|&at| found[at].is_ok()).collect();
        let Some(&first) = remaining.first() else { break };
        let filled = remaining.iter().copied().chain(std::iter::repeat(first));
        let filled: Vec<&Program> = filled.take(lanes.count.get()).map(|at| programs[at]).collect();
        let mut update = lane_update(&filled, &task.layout, &lanes.device)?;
        let cohort = Cohort { task, lane_task, run, lanes: filled.len(), options: lanes };
        let endings = cohort.train(update.as_mut(), remaining.len(), divergence)?;
        for (at, ending) in remaining.into_iter().zip(endings) {
            match (ending, &mut found[at]) {
                (Ending::Finished { loss }, Ok(total)) => *total += loss,
                (Ending::Stopped { reason, step }, place) => {
                    let task = task.name.clone();
                    *place = Err(Invalid { reason, task, step, stages: Vec::new() });
                }
                (Ending::Finished { .. }, Err(_)) => unreachable!("only those left were trained"),
            }
        }
    }
    Ok(found.into_iter().map(|total| total.map(|total| total / runs.len() as f64)).collect())
}

/// The lanes of one run.
pub(super) struct Cohort<'a> {
    pub(super) task: &'a ProxyTask,
    pub(super) lane_task: &'a LaneTask,
    pub(super) run: &'a Run,
    pub(super) lanes: usize,
    pub(super) options: &'a Lanes,
}

impl Cohort<'_> {
    /// Trains all lanes and tells how the first `watched` ended.
    pub(super) fn train(
        &self,
        update: &mut dyn LaneUpdate,
        watched: usize,
        divergence: f64,
    ) -> Result<Vec<Ending>> {
        let (task, device) = (self.task, self.options.device.candle());
        let weights = initial_weights(&task.leaves, &mut self.run.seed.stream("weights", 0));
        let products = self.options.products();
        let parameters = LaneParameters::new(&task.leaves, &weights, self.lanes, products, device)?;
        let mut batches = self.run.seed.stream("batches", 0);
        let mut fates: Vec<Fate> = (0..watched).map(|_| Fate::new(divergence)).collect();
        let mut unread = Vec::with_capacity(READING_INTERVAL);
        for step in 0..task.steps {
            let batch = Batch::draw(&task.data, task.batch_size, &mut batches)?;
            let batch = batch.to_device(device)?;
            let losses = self.lane_task.proxy.loss::<f32>(&parameters.trained()?, &batch)?;
            let gradients = parameters.gradients(&losses)?;
            unread.push(losses.detach());
            let learning_rate = self.run.learning_rate * task.schedule.factor(step, task.steps);
            update.step(parameters.variables(), &gradients, learning_rate)?;
            if unread.len() == READING_INTERVAL || step + 1 == task.steps {
                follow(&mut fates, &unread, &update.first_non_finite()?, step + 1)?;
                unread.clear();
                if fates.iter().all(|fate| fate.stopped.is_some()) {
                    break;
                }
            }
        }
        if let Some(stopped) = fates.iter().map(|fate| fate.stopped).collect() {
            return Ok(stopped);
        }
        let losses = self.validation_losses(&parameters)?;
        Ok(fates.iter().zip(losses).map(|(fate, loss)| fate.ending(loss, task.steps)).collect())
    }

    /// The mean loss over the validation data of every lane.
    fn validation_losses(&self, parameters: &LaneParameters) -> Result<Vec<f64>> {
        let weights = parameters.fixed()?;
        let batches = &self.lane_task.validation;
        let losses = batches.iter().map(|batch| self.lane_task.proxy.loss::<f32>(&weights, batch));
        let losses = Tensor::stack(&losses.collect::<Result<Vec<_>>>()?, 0)?.to_vec2::<f32>()?;
        let (mut totals, mut predictions) = (vec![0.0; self.lanes], 0);
        for (batch, losses) in batches.iter().zip(losses) {
            for (total, loss) in totals.iter_mut().zip(losses) {
                *total += f64::from(loss) * batch.predictions() as f64;
            }
            predictions += batch.predictions();
        }
        Ok(totals.into_iter().map(|total| total / predictions as f64).collect())
    }
}

/// What is known of a lane.
struct Fate {
    watch: Watch,
    stopped: Option<Ending>,
}

impl Fate {
    fn new(divergence: f64) -> Self {
        Self { watch: Watch::new(divergence), stopped: None }
    }

    /// Follows losses from step `first` on; a weight was not finite after step `non_finite`.
    fn follow(&mut self, losses: impl Iterator<Item = f32>, first: u64, non_finite: Option<u64>) {
        if self.stopped.is_some() {
            return;
        }
        for (step, loss) in (first..).zip(losses) {
            // A step's loss is looked at before its update is made.
            let reason = self.watch.reason_to_stop(f64::from(loss));
            let broken = (non_finite == Some(step)).then_some(InvalidReason::NonFinite);
            if let Some(reason) = reason.or(broken) {
                self.stopped = Some(Ending::Stopped { reason, step });
                return;
            }
        }
    }

    fn ending(&self, loss: f64, steps: u64) -> Ending {
        match self.stopped {
            Some(stopped) => stopped,
            None if loss.is_finite() => Ending::Finished { loss },
            None => Ending::Stopped { reason: InvalidReason::NonFinite, step: steps },
        }
    }
}

/// Lets each lane follow the losses not read yet, the last of which is that of step `last`.
fn follow(
    fates: &mut [Fate],
    unread: &[Tensor],
    non_finite: &[Option<u64>],
    last: u64,
) -> Result<()> {
    let losses = Tensor::stack(unread, 0)?.to_vec2::<f32>()?;
    let first = last + 1 - losses.len() as u64;
    for (lane, (fate, non_finite)) in fates.iter_mut().zip(non_finite).enumerate() {
        fate.follow(losses.iter().map(|losses| losses[lane]), first, *non_finite);
    }
    Ok(())
}
