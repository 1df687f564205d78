//! Training with lanes: one task, one run, all lanes in lockstep.
//!
//! Invariant: nothing is read from the device inside a step; the losses of many steps are kept
//! there, read together, and only then does each lane's watch follow its own. Validation behind a
//! stated step is read at once; there are few of those. A lane that has ended
//! goes on computing, and nothing it does changes how it ended.

use std::sync::Arc;

use candle_core::{Result, Tensor};
use evo_dsl::Program;
use evo_hashes::StreamRng;

use super::super::partial::PartialLosses;
use super::super::proxy_task::{ProxyTask, Run};
use super::super::rates::joined;
use super::super::scoring::RunLoss;
use super::super::training::{Ending, Stop, Watch, Watching, read_out};
use super::super::units::Units;
use super::options::Lanes;
use super::update::LaneUpdate;
use crate::proxies::{Batch, LaneParameters, Proxy, initial_weights};
use crate::{EvaluatorError, Invalid, InvalidReason, TaskRuns};

/// Steps between two readings of the losses. Lanes that have all ended are noticed then; waiting
/// for the device more often leaves it idle.
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

/// What a part of the runs on a task comes to for one program.
#[derive(Debug)]
pub(in super::super) struct LaneRuns {
    /// Why they come to nothing where one is stopped: the first of them that is.
    pub(in super::super) runs: std::result::Result<TaskRuns, Invalid>,
    /// The mean of their partial losses at each share looked at, infinite once one is stopped.
    pub(in super::super) partial: Vec<f64>,
}

impl LaneRuns {
    /// What the parts of the runs on a task come to together; a partial loss is that of the best.
    pub(in super::super) fn joined(task: &str, parts: Vec<LaneRuns>) -> LaneRuns {
        let lower = |best: Vec<f64>, part: &LaneRuns| {
            best.iter().zip(&part.partial).map(|(a, b)| a.min(*b)).collect()
        };
        let none = vec![f64::INFINITY; parts.first().map_or(0, |part| part.partial.len())];
        let partial = parts.iter().fold(none, lower);
        LaneRuns { runs: joined(task, parts.into_iter().map(|part| part.runs)), partial }
    }
}

/// What `runs` come to for each program. There are at most as many programs as lanes.
///
/// # Errors
/// [`EvaluatorError::Internal`] when candle refuses an operation.
pub(in super::super) fn train_lanes(
    task: &ProxyTask,
    lane_task: &LaneTask,
    runs: &[Run],
    programs: &[&Program],
    lanes: &Lanes,
    watching: Watching<'_>,
) -> std::result::Result<Vec<LaneRuns>, EvaluatorError> {
    let none = || LaneRuns {
        runs: Ok(TaskRuns { task: task.name.clone(), runs: Vec::with_capacity(runs.len()) }),
        partial: vec![0.0; watching.within.len()],
    };
    let mut found: Vec<LaneRuns> = programs.iter().map(|_| none()).collect();
    for run in runs {
        // Partial losses are those of all runs, also before the share at which one is stopped.
        let is_left = |at: &usize| found[*at].runs.is_ok() || !watching.within.is_empty();
        let remaining: Vec<usize> = (0..programs.len()).filter(is_left).collect();
        let Some(&first) = remaining.first() else { break };
        let filled = remaining.iter().copied().chain(std::iter::repeat(first));
        let filled: Vec<&Program> = filled.take(lanes.count.get()).map(|at| programs[at]).collect();
        let cohort = Cohort::start(task, lane_task, run, &filled, lanes)?;
        let endings = cohort.train(remaining.len(), watching)?;
        for (at, (ending, partial)) in remaining.into_iter().zip(endings) {
            let LaneRuns { runs: found, partial: sums } = &mut found[at];
            sums.iter_mut().zip(partial).for_each(|(sum, loss)| *sum += loss);
            match (ending, &mut *found) {
                (Ending::Finished { loss, course }, Ok(found)) => {
                    found.runs.push(run.result(loss, course));
                }
                (Ending::Stopped(stop), Ok(_)) => *found = Err(stop.invalid(&task.name)),
                (_, Err(_)) => {}
            }
        }
    }
    let count = runs.len() as f64;
    found.iter_mut().flat_map(|it| &mut it.partial).for_each(|sum| *sum /= count);
    Ok(found)
}

/// The lanes of one run, a phase of a step at a time.
pub(in super::super) struct Cohort<'a> {
    task: &'a ProxyTask,
    run: &'a Run,
    lane_task: &'a LaneTask,
    options: &'a Lanes,
    parameters: LaneParameters,
    batches: StreamRng,
    update: Box<dyn LaneUpdate>,
    /// The weights that the last step was given, where a lane has a readout.
    before: Vec<Tensor>,
    reads_out: bool,
    /// Of each leaf, what its gradient is multiplied by.
    gradients: Option<Arc<[f32]>>,
}

impl<'a> Cohort<'a> {
    /// The networks of `run`, one for each program, with its initial weights.
    ///
    /// # Errors
    /// Candle refuses an operation; so for all phases.
    pub(in super::super) fn start(
        task: &'a ProxyTask,
        lane_task: &'a LaneTask,
        run: &'a Run,
        programs: &[&Program],
        options: &'a Lanes,
    ) -> Result<Self> {
        let mut weights = initial_weights(&task.leaves, &mut run.seed.stream("weights", 0));
        Units::of(task, run).express(&mut weights);
        let (products, device) = (options.products(), options.device.candle());
        let count = programs.len();
        let scaled: Vec<Program> = programs.iter().map(|program| run.program(program)).collect();
        Ok(Self {
            task,
            run,
            lane_task,
            options,
            parameters: LaneParameters::new(&task.leaves, &weights, count, products, device)?
                .in_units(run.units.clone()),
            gradients: run.gradients.clone(),
            batches: run.seed.stream("batches", 0),
            update: options.update(&scaled.iter().collect::<Vec<_>>(), &task.layout)?,
            before: Vec::new(),
            reads_out: scaled.iter().any(|program| program.readout().is_some()),
        })
    }

    /// Draws the next batch and sends it to the device.
    pub(in super::super) fn draw(&mut self) -> Result<Batch> {
        let batch = Batch::draw(&self.task.data, self.run.batch_size, &mut self.batches)?;
        batch.to_device(self.options.device.candle())
    }

    /// The loss of every lane on a batch, with the graph behind them.
    pub(in super::super) fn forward(&self, batch: &Batch) -> Result<Tensor> {
        self.lane_task.proxy.loss::<f32>(&self.parameters.trained()?, batch)
    }

    /// The gradients of every lane's loss with respect to its leaves.
    pub(in super::super) fn backward(&self, losses: &Tensor) -> Result<Vec<Tensor>> {
        let gradients = self.parameters.gradients(losses)?;
        let Some(factors) = &self.gradients else { return Ok(gradients) };
        let scaled = gradients.iter().zip(factors.iter());
        scaled.map(|(gradient, factor)| gradient.affine(f64::from(*factor), 0.0)).collect()
    }

    /// Moves the weights of all lanes at a step, counted from 0.
    pub(in super::super) fn update(&mut self, gradients: &[Tensor], step: u64) -> Result<()> {
        let learning_rate = self.run.learning_rate(step);
        if self.reads_out {
            self.before = self.parameters.copies()?;
        }
        self.update.step(self.parameters.variables(), gradients, learning_rate)
    }

    /// The mean loss over the validation data of every lane.
    pub(in super::super) fn validate(&self) -> Result<Vec<f64>> {
        let (weights, broken) = self.read_out()?;
        let batches = &self.lane_task.validation;
        let losses = batches.iter().map(|batch| self.lane_task.proxy.loss::<f32>(&weights, batch));
        let losses = Tensor::stack(&losses.collect::<Result<Vec<_>>>()?, 0)?.to_vec2::<f32>()?;
        let (mut totals, mut predictions) = (vec![0.0; losses.first().map_or(0, Vec::len)], 0);
        for (batch, losses) in batches.iter().zip(losses) {
            for (total, loss) in totals.iter_mut().zip(losses) {
                *total += f64::from(loss) * batch.predictions() as f64;
            }
            predictions += batch.predictions();
        }
        let totals = totals.into_iter().zip(broken.into_iter().chain(std::iter::repeat(false)));
        let mean = |(total, broken)| if broken { f64::NAN } else { total / predictions as f64 };
        Ok(totals.map(mean).collect())
    }

    /// The weights to validate with, and which lanes have one among them that is not finite.
    fn read_out(&self) -> Result<(Vec<Tensor>, Vec<bool>)> {
        if self.before.is_empty() {
            return Ok((self.parameters.fixed()?, Vec::new()));
        }
        let readouts = self.update.readouts()?;
        let mut broken = vec![false; readouts.len()];
        let mut leaves = Vec::with_capacity(self.before.len());
        let now = self.parameters.variables();
        for ((leaf, now), before) in self.task.layout.leaves().iter().zip(now).zip(&self.before) {
            let mut numbers = now.flatten_all()?.to_vec1::<f32>()?;
            let before = before.flatten_all()?.to_vec1::<f32>()?;
            let range = leaf.range();
            let lanes = numbers.chunks_exact_mut(range.len()).zip(before.chunks_exact(range.len()));
            for ((lane, before), (readout, broken)) in lanes.zip(readouts.iter().zip(&mut broken)) {
                let Some(readout) = readout else { continue };
                let read = read_out(before, &readout[range.clone()]);
                lane.iter_mut().zip(read).for_each(|(number, read)| *number = read);
                *broken |= !lane.iter().all(|weight| weight.is_finite());
            }
            leaves.push(numbers);
        }
        Ok((self.parameters.fixed_at(leaves)?, broken))
    }

    /// Trains all lanes and tells how the first `watched` ended, with their partial losses.
    fn train(mut self, watched: usize, watching: Watching<'_>) -> Result<Vec<Watched>> {
        let steps = self.run.steps;
        let fate = |_| Fate::new(watching.divergence, PartialLosses::new(watching.within, steps));
        let mut fates: Vec<Fate> = (0..watched).map(fate).collect();
        let mut unread = Vec::with_capacity(READING_INTERVAL);
        for step in 0..steps {
            let batch = self.draw()?;
            let losses = self.forward(&batch)?;
            let gradients = self.backward(&losses)?;
            unread.push(losses.detach());
            self.update(&gradients, step)?;
            if unread.len() == READING_INTERVAL || step + 1 == steps {
                follow(&mut fates, &unread, &self.update.first_non_finite()?, step + 1)?;
                unread.clear();
                if fates.iter().all(|fate| fate.stopped.is_some()) {
                    break;
                }
            }
            if watching.stated.contains(&(step + 1)) {
                for (fate, loss) in fates.iter_mut().zip(self.validate()?) {
                    fate.course.push((step + 1, loss));
                }
            }
        }
        let losses = match watching.loss {
            // Nothing is validated that has ended.
            _ if fates.iter().all(|fate| fate.stopped.is_some()) => vec![f64::NAN; fates.len()],
            RunLoss::Final => self.validate()?,
            RunLoss::MeanTraining => fates.iter().map(|fate| fate.total / steps as f64).collect(),
        };
        let ended = fates.into_iter().zip(losses);
        Ok(ended.map(|(fate, loss)| fate.ending(loss, steps)).collect())
    }
}

/// How a lane ended, with its partial losses at the shares looked at.
type Watched = (Ending, Vec<f64>);

/// What is known of a lane.
struct Fate {
    watch: Watch,
    stopped: Option<Stop>,
    course: Vec<(u64, f64)>,
    /// Of the training losses.
    total: f64,
    partial: PartialLosses,
}

impl Fate {
    fn new(divergence: f64, partial: PartialLosses) -> Self {
        let watch = Watch::new(divergence);
        Self { watch, stopped: None, course: Vec::new(), total: 0.0, partial }
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
                self.stopped = Some(Stop { reason, step });
                return;
            }
            self.total += f64::from(loss);
            self.partial.note(step, f64::from(loss));
        }
    }

    fn ending(self, loss: f64, steps: u64) -> Watched {
        let partial = self.partial.iter().map(|(step, loss)| match self.stopped {
            Some(stop) if stop.step <= step => f64::INFINITY,
            _ => loss,
        });
        let partial = partial.collect();
        let ending = match self.stopped {
            Some(stop) => Ending::Stopped(stop),
            None => Ending::of(loss, self.course, steps),
        };
        (ending, partial)
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

#[cfg(test)]
mod tests {
    use super::*;

    const CLIMB: [f32; 11] = [1.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0];

    /// How a lane ends whose losses are read in parts, with a weight that is not finite after a
    /// step.
    fn end(parts: &[&[f32]], non_finite: Option<u64>) -> Option<Stop> {
        let mut fate = Fate::new(4.0, PartialLosses::new(&[], 1));
        let mut first = 1;
        for part in parts {
            let last = first + part.len() as u64 - 1;
            let known = non_finite.filter(|&step| step <= last);
            fate.follow(part.iter().copied(), first, known);
            first = last + 1;
        }
        fate.stopped
    }

    #[test]
    fn a_lane_ends_with_what_came_first_wherever_losses_were_read() {
        let stopped = |reason, step| Some(Stop { reason, step });
        let (diverged, broken) = (InvalidReason::Diverged, InvalidReason::NonFinite);
        for cut in 1..CLIMB.len() {
            let (early, late) = CLIMB.split_at(cut);
            let end = |non_finite| end(&[early, late], non_finite);
            assert_eq!(end(None), stopped(diverged, 11));
            assert_eq!(end(Some(5)), stopped(broken, 5));
            // A step's loss is known before its update breaks anything.
            assert_eq!(end(Some(11)), stopped(diverged, 11));
        }
        assert_eq!(end(&[&[1.0, f32::NAN, 1.0]], Some(3)), stopped(broken, 2));
        assert_eq!(end(&[&CLIMB[..10]], None), None);
    }
}
