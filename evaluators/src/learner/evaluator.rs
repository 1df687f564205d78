//! The learner evaluator: the mean fitness over the tasks of a set.
//!
//! Invariant: an outcome depends on what a learner predicts and on the tasks alone. A learner that
//! runs away on a task has fitness 0 there, as in AutoML-Zero, so there is no invalid one.

use std::cell::RefCell;
use std::path::Path;

use evo_dsl::{LearnerDraws, LearnerExecutor, LearnerProgram, LearnerTask, LearnerTasks};
use evo_hashes::{Hash, Seed, StreamRng};

use super::classes::Classes;
use super::regression::{Model, epochs};
use super::{LearnerConfig, LearnerProblem, LearnerSet};
use crate::{DependsOn, Evaluator, EvaluatorError, Outcome, Score};

/// Scores learners on a set of tasks. Fitness is from 0 to 1; of a score, `losses` has for each
/// task what its fitness lacks of 1.
#[derive(Clone, Debug)]
pub struct LearnerEvaluator {
    tasks: LearnerTasks,
    fingerprint: Hash,
}

/// The evaluators of the three sets.
#[derive(Clone, Debug)]
pub struct LearnerJudges {
    /// What is searched for, in words.
    pub name: String,
    /// Of the search.
    pub search: LearnerEvaluator,
    /// By which finds are selected.
    pub select: LearnerEvaluator,
    /// By which a winner is judged.
    pub last: LearnerEvaluator,
}

thread_local! {
    /// An executor and what it has found, kept from learner to learner.
    static EXECUTOR: RefCell<(LearnerExecutor, Vec<f64>)> = RefCell::default();
}

impl LearnerJudges {
    /// Makes the tasks of all sets; relative paths start at `base_dir`.
    ///
    /// # Errors
    /// [`EvaluatorError::Config`] or [`EvaluatorError::Data`], with a key path that starts in
    /// `config`.
    pub fn new(config: &LearnerConfig, base_dir: &Path) -> Result<LearnerJudges, EvaluatorError> {
        config.check()?;
        let seed = Seed(config.data_seed);
        let classes = match &config.problem {
            LearnerProblem::Classes { data, held_out_pairs } => {
                let classes = Classes::load(data, held_out_pairs, base_dir, seed.derive("data"));
                Some(classes.map_err(|error| error.within("problem.Classes"))?)
            }
            _ => None,
        };
        let [search, select, last] = config.sets().map(|(name, set)| {
            LearnerEvaluator::new(
                config,
                name == "final",
                &set,
                seed.derive(name),
                classes.as_ref(),
            )
        });
        Ok(LearnerJudges { name: config.name(), search, select, last })
    }

    /// A hash of all tasks.
    pub fn fingerprint(&self) -> Hash {
        let all = [&self.search, &self.select, &self.last];
        Hash::of(&all.map(|evaluator| evaluator.fingerprint.0).concat())
    }
}

impl LearnerEvaluator {
    fn new(
        config: &LearnerConfig,
        last: bool,
        set: &LearnerSet,
        seed: Seed,
        classes: Option<&Classes>,
    ) -> LearnerEvaluator {
        let n = config.features.get();
        let mut set = *set;
        if let Some(classes) = classes {
            let most = classes.validated().min(set.validation.get());
            set.validation = most.try_into().expect("pairs of classes have examples");
        }
        let draws = seed.purpose("draws");
        let task = |index: u64| {
            let rng: &mut StreamRng = &mut seed.stream("task", index);
            let (epochs, validation) = match classes {
                Some(classes) => classes.task(last, n, &set, rng),
                None => {
                    let model = Model::new(&config.problem, n, rng);
                    let first = model.examples(set.examples.get(), rng);
                    let validation = model.examples(set.validation.get(), rng);
                    (epochs(first, n, &set, rng), validation)
                }
            };
            let draws = LearnerDraws::new(&mut draws.stream(index));
            LearnerTask { n, epochs, validation, draws }
        };
        let tasks: Vec<LearnerTask> = (0..set.tasks.get() as u64).map(task).collect();
        let fingerprint = fingerprint(&tasks, config);
        LearnerEvaluator { tasks: LearnerTasks::new(&tasks, config.training()), fingerprint }
    }

    /// The tasks.
    pub fn tasks(&self) -> &LearnerTasks {
        &self.tasks
    }

    /// The mean fitness of a learner, and that on each task.
    pub fn fitness(&self, program: &LearnerProgram) -> (f64, Vec<f64>) {
        EXECUTOR.with_borrow_mut(|(executor, fitness)| {
            fitness.clear();
            executor.evaluate(program, &self.tasks, fitness);
            (fitness.iter().sum::<f64>() / fitness.len() as f64, fitness.clone())
        })
    }

    fn outcome(&self, program: &LearnerProgram) -> Outcome {
        let (mean, mut losses) = self.fitness(program);
        losses.iter_mut().for_each(|fitness| *fitness = 1.0 - *fitness);
        Outcome::Scored(Score::new(mean, losses))
    }
}

/// A hash of every example, what random ops draw left out: it follows from the same seed.
fn fingerprint(tasks: &[LearnerTask], config: &LearnerConfig) -> Hash {
    let mut bytes = format!("learner tasks, 1, {:?}", config.training()).into_bytes();
    for task in tasks {
        for examples in task.epochs.iter().chain([&task.validation]) {
            for number in examples.features.iter().chain(&examples.labels) {
                bytes.extend(number.to_bits().to_le_bytes());
            }
        }
    }
    Hash::of(&bytes)
}

/// All that is drawn belongs to the tasks, which are made once, so all repeats of a learner have
/// one outcome.
impl Evaluator<LearnerProgram> for LearnerEvaluator {
    fn evaluate(&self, cohort: &[evo_domain::Trial<'_, LearnerProgram>]) -> Vec<Outcome> {
        cohort.iter().map(|trial| self.outcome(trial.program)).collect()
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Behaviour
    }
}

#[cfg(test)]
mod tests;
