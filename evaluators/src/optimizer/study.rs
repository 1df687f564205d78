//! Studies: a program tuned on a task at a stated budget, and trained with its best setting.
//!
//! Invariant: a study is a function of program, task and configuration. Tuning sees other initial
//! weights and batches than the runs that are reported, so the luckiest of many settings is no
//! luckier there than any other; and all programs see the same.

mod config;
mod knobs;

use std::ops::Range;
use std::path::Path;

use evo_dsl::{Executor, Program};
use evo_hashes::Seed;
use serde::{Deserialize, Serialize};

pub use config::{StudyConfig, Tuning};
pub use knobs::{Knobs, Setting, WeightDecay};

use super::proxy_task::{ProxyTask, Run};
use super::scoring::{RunLoss, Scoring};
use super::training::{Ending, Watching, train};
use crate::{EvaluatorError, TaskConfig};

/// The repeats that tuning trains, the first of them; a search has none beyond some thousands.
const TUNING: u32 = 1_000_000;

/// Those that are reported.
const REPORTED: u32 = 2_000_000;

/// Factors of a learning rate that is known.
const NEAR: [f64; 3] = [0.5, 1.0, 2.0];

/// A task on which programs are studied.
#[derive(Debug)]
pub struct StudiedTask {
    task: ProxyTask,
    seed: Seed,
    tuning: Tuning,
    repeats: u32,
    divergence: f64,
    /// Where reported runs are validated on their way.
    stated: Vec<u64>,
}

/// What a study of a program on a task came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Study {
    /// The settings tried, in order.
    pub tried: Vec<Tried>,
    /// The one of the lowest loss, by its place; of several the first.
    pub best: usize,
    /// Whether a better learning rate may lie beyond those that were tried.
    pub at_edge: bool,
    /// The runs with it; the same initial weights and batches for every program.
    pub runs: Vec<StudyRun>,
}

/// A setting and its loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// The setting.
    pub setting: Setting,
    /// The mean validation loss over the tuning repeats; `None` where one of them was stopped.
    pub loss: Option<f64>,
}

/// A reported run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudyRun {
    /// Its number, from 0.
    pub seed: u32,
    /// The validation loss behind the last step; `None` where the run was stopped.
    pub loss: Option<f64>,
    /// The validation losses on its way, with the numbers of steps; empty where it was stopped.
    pub course: Vec<(u64, f64)>,
}

impl StudiedTask {
    /// Loads a task of the configuration; relative paths start at `base_dir`.
    ///
    /// # Errors
    /// A task that cannot be trained or data that cannot be read; keys start inside the task.
    pub fn load(
        config: &StudyConfig,
        task: &TaskConfig,
        base_dir: &Path,
    ) -> Result<StudiedTask, EvaluatorError> {
        let task = ProxyTask::load(task, base_dir, config.data_seed)?;
        let points = u64::from(config.points.get());
        let mut stated: Vec<u64> = (1..points)
            .map(|point| (point * task.steps).div_ceil(points))
            .filter(|&step| step < task.steps)
            .collect();
        stated.dedup();
        Ok(StudiedTask {
            seed: Seed(config.data_seed).derive(&format!("study {}", task.name)),
            tuning: config.tuning,
            repeats: config.repeats.get(),
            divergence: config.divergence,
            stated,
            task,
        })
    }

    /// Steps of a run.
    pub fn steps(&self) -> u64 {
        self.task.steps
    }

    /// Tunes a program and trains it with its best setting. One that no setting trains has the
    /// first one for its best, and no losses.
    ///
    /// # Errors
    /// [`EvaluatorError::Internal`] when candle refuses an operation.
    pub fn study(&self, program: &Program) -> Result<Study, EvaluatorError> {
        let knobs = Knobs::of(program, self.tuning.hyperparameters);
        let (tried, best) = self.tune(&knobs)?;
        let runs = self.reported(&knobs, &tried[best])?;
        let at_edge = Knobs::at_edge(&tried[best].setting, &learning_rates(&tried));
        Ok(Study { at_edge, runs, tried, best })
    }

    /// Trains a program near a setting that is known to be good for one like it: tuned among its
    /// learning rate, half of it and twice it, with its weight decay where both have one from the
    /// same place, and reported as any study.
    ///
    /// # Errors
    /// As [`StudiedTask::study`].
    pub fn study_near(
        &self,
        program: &Program,
        setting: &Setting,
    ) -> Result<Study, EvaluatorError> {
        let knobs = Knobs::of(program, 0);
        let weight_decay = knobs.decay_like(setting);
        let mut tried = Vec::new();
        for factor in NEAR {
            let learning_rate = setting.learning_rate * factor;
            let setting = Setting { learning_rate, weight_decay, hyperparameters: Vec::new() };
            let loss = self.tuned_loss(&knobs, &setting)?;
            tried.push(Tried { setting, loss });
        }
        let best = lowest(&tried);
        let runs = self.reported(&knobs, &tried[best])?;
        Ok(Study { at_edge: false, runs, tried, best })
    }

    /// The settings tried, and the place of the best.
    fn tune(&self, knobs: &Knobs) -> Result<(Vec<Tried>, usize), EvaluatorError> {
        let settings = self.tuning.settings.get();
        let first = match settings.div_ceil(4) {
            1 => vec![knobs.own()],
            spread => knobs.rates(spread, self.seed),
        };
        let mut tried: Vec<Tried> = Vec::new();
        for index in 0..settings {
            let setting = match first.get(index as usize) {
                Some(setting) => setting.clone(),
                None => self.next(knobs, &tried),
            };
            let loss = self.tuned_loss(knobs, &setting)?;
            tried.push(Tried { setting, loss });
        }
        let best = lowest(&tried);
        Ok((tried, best))
    }

    /// What to try next: a learning rate nearer to the best, or behind half of the settings, and
    /// where others are near enough, the best with all its knobs varied.
    fn next(&self, knobs: &Knobs, tried: &[Tried]) -> Setting {
        let best = &tried[lowest(tried)].setting;
        let nearer = match 2 * tried.len() < self.tuning.settings.get() as usize {
            true => Knobs::between(best, &learning_rates(tried)),
            false => None,
        };
        nearer.unwrap_or_else(|| knobs.varied(best, tried.len() as u32, self.seed))
    }

    /// The mean loss of a setting over the tuning repeats; `None` where one is stopped.
    fn tuned_loss(&self, knobs: &Knobs, setting: &Setting) -> Result<Option<f64>, EvaluatorError> {
        let repeats = self.tuning.repeats.get();
        let mut total = 0.0;
        for run in self.runs(setting, TUNING..TUNING + repeats) {
            match self.train(knobs, setting, &run, &[])? {
                Ending::Finished { loss, .. } => total += loss,
                Ending::Stopped(_) => return Ok(None),
            }
        }
        Ok(Some(total / f64::from(repeats)))
    }

    /// The reported runs with a setting, all stopped where tuning's were.
    fn reported(&self, knobs: &Knobs, tried: &Tried) -> Result<Vec<StudyRun>, EvaluatorError> {
        let setting = &tried.setting;
        if tried.loss.is_none() {
            return Ok((0..self.repeats).map(StudyRun::stopped).collect());
        }
        let runs = self.runs(setting, REPORTED..REPORTED + self.repeats);
        let ended = runs.iter().zip(0..).map(|(run, seed)| {
            Ok(match self.train(knobs, setting, run, &self.stated)? {
                Ending::Finished { loss, mut course } => {
                    course.push((self.task.steps, loss));
                    StudyRun { seed, loss: Some(loss), course }
                }
                Ending::Stopped(_) => StudyRun::stopped(seed),
            })
        });
        ended.collect()
    }

    fn runs(&self, setting: &Setting, repeats: Range<u32>) -> Vec<Run> {
        self.task.runs(setting.learning_rate, &[1.0], repeats, &Scoring::default())
    }

    fn train(
        &self,
        knobs: &Knobs,
        setting: &Setting,
        run: &Run,
        stated: &[u64],
    ) -> Result<Ending, EvaluatorError> {
        let program = run.program(&knobs.program(setting));
        let mut executor = Executor::new(&program, &self.task.layout);
        let watching =
            Watching { divergence: self.divergence, stated, within: &[], loss: RunLoss::Final };
        Ok(train(&self.task, run, &mut executor, watching)?)
    }
}

impl StudyRun {
    fn stopped(seed: u32) -> StudyRun {
        StudyRun { seed, loss: None, course: Vec::new() }
    }
}

impl Study {
    /// The mean loss of the runs; `None` where one was stopped.
    pub fn loss(&self) -> Option<f64> {
        let losses: Option<Vec<f64>> = self.runs.iter().map(|run| run.loss).collect();
        losses.map(|losses| mean(&losses))
    }

    /// ln(the other's loss / loss) by seed; `None` where a run of one of them was stopped.
    pub fn gains_over(&self, other: &Study) -> Option<Vec<f64>> {
        let pairs = self.runs.iter().zip(&other.runs);
        pairs.map(|(own, other)| Some(libm::log(other.loss? / own.loss?))).collect()
    }

    /// By seed, the mean of ln(the other's loss / loss) over the stated steps from half of the run
    /// on, the last included: who gets to a loss in fewer steps gains here. `None` as for the end.
    pub fn gains_on_the_way_over(&self, other: &Study) -> Option<Vec<f64>> {
        let gains = |(own, other): (&StudyRun, &StudyRun)| {
            let half = own.course.last()?.0.div_ceil(2);
            let points = own.course.iter().zip(&other.course);
            let later = points.filter(|((step, _), _)| *step >= half);
            let gains: Vec<f64> = later.map(|(own, other)| libm::log(other.1 / own.1)).collect();
            other.loss.map(|_| mean(&gains))
        };
        self.runs.iter().zip(&other.runs).map(gains).collect()
    }

    /// The mean losses of these runs (a seed may be named more than once) at every stated step, in
    /// order; empty where one was stopped.
    pub fn mean_course(&self, seeds: &[usize]) -> Vec<(u64, f64)> {
        let courses: Vec<&[(u64, f64)]> =
            seeds.iter().map(|&seed| &self.runs[seed].course[..]).collect();
        let shortest = courses.iter().map(|course| course.len()).min().unwrap_or(0);
        let at = |point: usize| {
            let losses: Vec<f64> = courses.iter().map(|course| course[point].1).collect();
            (courses[0][point].0, mean(&losses))
        };
        (0..shortest).map(at).collect()
    }

    /// The first stated step at which the mean loss of these runs is at or below `target`.
    pub fn steps_to(&self, target: f64, seeds: &[usize]) -> Option<u64> {
        let course = self.mean_course(seeds);
        course.into_iter().find(|(_, loss)| *loss <= target).map(|(step, _)| step)
    }
}

/// The place of the setting with the lowest loss; of several the first, and of none the first.
fn lowest(tried: &[Tried]) -> usize {
    let loss = |it: &Tried| it.loss.unwrap_or(f64::INFINITY);
    let places = (0..tried.len()).min_by(|&a, &b| loss(&tried[a]).total_cmp(&loss(&tried[b])));
    places.unwrap_or(0)
}

fn learning_rates(tried: &[Tried]) -> Vec<f64> {
    tried.iter().map(|it| it.setting.learning_rate).collect()
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}
