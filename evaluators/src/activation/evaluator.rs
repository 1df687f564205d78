//! The activation evaluator: trains networks with an expression between their layers, by AdamW.
//!
//! Invariant: evaluating changes nothing but what is remembered of baselines, which is the same
//! whoever measures it; an outcome depends on the values and the slopes of the expression alone.
//! A cohort is trained one after another: its networks differ in what they compute.

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use evo_dsl::{ExpressionProbe, Expressions, Program};

use super::config::ActivationConfig;
use crate::layers::Function;
use crate::optimizer::config::keyed;
use crate::optimizer::progress::Progress;
use crate::optimizer::proxy_task::{ProxyTask, Run, repeats_anew};
use crate::optimizer::rates::Trained;
use crate::optimizer::scoring::{Rates, RunLoss, Scoring};
use crate::optimizer::training::Watching;
use crate::{
    DependsOn, Evaluator, EvaluatorError, Invalid, InvalidReason, Outcome, TaskConfig, Trial,
};

/// What an activation is given: sums of a layer, of about unit size.
const RANGE: (f64, f64) = (-4.0, 4.0);

/// Scores expressions of one input by the networks that train with them as their activation.
///
/// The fitness is the mean over the tasks of ln(baseline loss / loss), at most 2 for each. A loss
/// is the mean validation loss over the repeats with the best of the learning rate multiples, and
/// the baseline's is that of the very same runs with the activation that the network states.
/// Initial weights have the size that goes with relu.
#[derive(Debug)]
pub struct ActivationEvaluator {
    contests: Vec<Contest>,
    stages: Vec<usize>,
    divergence: f64,
    /// Factors of each task's learning rate.
    multiples: Vec<f64>,
    adamw: Program,
}

/// A task, the runs on it, and the loss to beat.
#[derive(Debug)]
struct Contest {
    task: ProxyTask,
    learning_rate: f64,
    /// The repeats with each multiple, one multiple after another.
    runs: Vec<Run>,
    repeats: usize,
    baseline_loss: OnceLock<f64>,
}

impl ActivationEvaluator {
    /// The evaluator of the tasks that a search sees. Loads their data and trains nothing; relative
    /// paths start at `base_dir`.
    ///
    /// # Errors
    /// [`EvaluatorError::Config`] or [`EvaluatorError::Data`], with a key path that starts in
    /// `config`.
    pub fn new(config: &ActivationConfig, base_dir: &Path) -> Result<Self, EvaluatorError> {
        config.check()?;
        let repeats = 0..config.repeats.get();
        let contests = keyed("tasks", &config.tasks).map(|(key, task)| {
            let contest = Contest::load(task, config, repeats.clone(), base_dir);
            contest.map_err(|error| error.within(&key))
        });
        let stages = config.stages.clone();
        Ok(Self { stages, ..Self::of(contests.collect::<Result<_, _>>()?, config) })
    }

    /// The evaluator of one task with these repeats, in one stage; errors name keys inside the
    /// task.
    pub(super) fn of_task(
        task: &TaskConfig,
        config: &ActivationConfig,
        repeats: Range<u32>,
        base_dir: &Path,
    ) -> Result<Self, EvaluatorError> {
        Ok(Self::of(vec![Contest::load(task, config, repeats, base_dir)?], config))
    }

    /// The evaluator of the same tasks with other repeats, in one stage.
    pub(super) fn on_repeats(&self, config: &ActivationConfig, repeats: Range<u32>) -> Self {
        let contests = self.contests.iter();
        Self::of(contests.map(|it| it.on_repeats(config, repeats.clone())).collect(), config)
    }

    /// The evaluator of the tasks of all these with other repeats, in one stage; `None` of none.
    pub(super) fn together(
        evaluators: &[Self],
        config: &ActivationConfig,
        repeats: Range<u32>,
    ) -> Option<Self> {
        let contests = evaluators.iter().flat_map(|evaluator| &evaluator.contests);
        let contests = contests.map(|it| it.on_repeats(config, repeats.clone()));
        (!evaluators.is_empty()).then(|| Self::of(contests.collect(), config))
    }

    fn of(contests: Vec<Contest>, config: &ActivationConfig) -> Self {
        let adamw = evo_dsl::zoo::get("adamw").expect("AdamW is in the zoo").program();
        let multiples = config.learning_rate_multiples.clone();
        Self { contests, stages: Vec::new(), divergence: config.divergence, multiples, adamw }
    }

    /// The names of the tasks, in order.
    pub fn tasks(&self) -> impl Iterator<Item = &str> {
        self.contests.iter().map(|contest| contest.task.name.as_str())
    }

    /// Trains every network with its own activation. Who evaluates needs not call it: what is not
    /// measured yet is when it is asked for. But errors are better told before a search begins.
    ///
    /// # Errors
    /// [`EvaluatorError::NoBaseline`] where no multiple of the learning rate trains a network.
    pub fn measure(&self) -> Result<(), EvaluatorError> {
        self.contests.iter().try_for_each(|contest| self.baseline_loss(contest).map(drop))
    }

    /// The expression to start from where none is given: its input.
    pub fn start() -> Program {
        Expressions::start(&["x"]).expect("one input with a name that the language takes")
    }

    /// The probe for activations: values and slopes where the sums of a layer lie.
    pub fn probe() -> ExpressionProbe {
        ExpressionProbe::new(&[RANGE]).with_slopes()
    }

    fn baseline_loss(&self, contest: &Contest) -> Result<f64, EvaluatorError> {
        if let Some(loss) = contest.baseline_loss.get() {
            return Ok(*loss);
        }
        match self.train(contest, &contest.runs, &contest.task)? {
            Ok(runs) => Ok(*contest.baseline_loss.get_or_init(|| Rates::Best.measure()(&runs))),
            Err(_) => Err(EvaluatorError::NoBaseline { task: contest.task.name.clone() }),
        }
    }

    /// The runs of a contest on a variant of its task, those of a multiple that one of them is
    /// stopped with left out; the first stop where none are left.
    fn train(&self, contest: &Contest, runs: &[Run], task: &ProxyTask) -> Trained {
        let watching = Watching {
            divergence: self.divergence,
            stated: &[],
            within: &[],
            loss: RunLoss::Final,
        };
        Rates::Best.train(task, &self.adamw, (runs, contest.repeats), watching)
    }

    /// The runs of an evaluation on a task: those of the first, or as many with other repeats.
    fn runs<'a>(&self, contest: &'a Contest, evaluation: u32) -> Cow<'a, [Run]> {
        if evaluation == 0 {
            return Cow::Borrowed(&contest.runs);
        }
        let repeats = u32::try_from(contest.repeats).expect("a configuration states it as one");
        let (rate, repeats) = (contest.learning_rate, repeats_anew(evaluation, repeats));
        Cow::Owned(contest.task.runs(rate, &self.multiples, repeats, &Scoring::default()))
    }

    fn outcome(&self, trial: Trial<'_>) -> Result<Outcome, EvaluatorError> {
        let found = trial.program.signature().inputs();
        if found != 1 {
            let message = format!("an activation has one input, and the program {found}");
            return Ok(Outcome::Failed { message });
        }
        let Some(function) = Function::new(trial.program) else {
            return Ok(Outcome::Invalid(self.no_derivative()));
        };
        let function = Arc::new(function);
        let mut progress = Progress::new(trial, Rates::Best.measure());
        for contest in &self.contests {
            let task = contest.task.with_activation(&function);
            let runs = self.train(contest, &self.runs(contest, trial.repeat), &task)?;
            if let Some(outcome) = progress.absorb(runs, self.baseline_loss(contest)?, &self.stages)
            {
                return Ok(outcome);
            }
        }
        Ok(progress.score())
    }

    fn no_derivative(&self) -> Invalid {
        let task = self.contests.first().map_or(String::new(), |it| it.task.name.clone());
        Invalid { reason: InvalidReason::NoDerivative, task, step: 0, stages: Vec::new() }
    }
}

impl Evaluator<Program> for ActivationEvaluator {
    fn evaluate(&self, cohort: &[Trial<'_>]) -> Vec<Outcome> {
        let failed = |error: EvaluatorError| Outcome::Failed { message: error.to_string() };
        cohort.iter().map(|&trial| self.outcome(trial).unwrap_or_else(failed)).collect()
    }

    /// Slopes are behaviour too: the probe sees them, at zero as well, where those of activations
    /// with equal values may differ.
    fn depends_on(&self) -> DependsOn {
        DependsOn::Behaviour
    }
}

impl Contest {
    fn load(
        config: &TaskConfig,
        all: &ActivationConfig,
        repeats: Range<u32>,
        base_dir: &Path,
    ) -> Result<Self, EvaluatorError> {
        let learning_rate = config
            .learning_rate
            .ok_or_else(|| EvaluatorError::Internal("a checked task has a rate".to_owned()))?;
        let task = ProxyTask::load(config, base_dir, all.data_seed)?;
        Ok(Self::new(task, learning_rate, all, repeats))
    }

    /// The same task with other repeats, its baseline not measured yet.
    fn on_repeats(&self, all: &ActivationConfig, repeats: Range<u32>) -> Self {
        Self::new(self.task.clone(), self.learning_rate, all, repeats)
    }

    fn new(
        task: ProxyTask,
        learning_rate: f64,
        all: &ActivationConfig,
        repeats: Range<u32>,
    ) -> Self {
        let (multiples, scoring) = (&all.learning_rate_multiples, Scoring::default());
        let runs = task.runs(learning_rate, multiples, repeats.clone(), &scoring);
        let baseline_loss = OnceLock::new();
        Self { task, learning_rate, runs, repeats: repeats.len(), baseline_loss }
    }
}
