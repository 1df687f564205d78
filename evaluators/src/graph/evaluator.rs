//! The graph evaluator: minus the validation loss of the network that a cell is stacked into.
//!
//! Invariant: an outcome depends on the wiring of a graph and the configuration alone. The loss and
//! not the accuracy is the fitness: a few hundred images take a few hundred different accuracies,
//! which most of a population would share; tables have both.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use candle_core::{D, Tensor};
use evo_domain::Trial;
use evo_dsl::{Executor, Program};
use evo_graphs::Graph;
use evo_hashes::Seed;

use super::GraphConfig;
use crate::data::{Dataset, ImageShape};
use crate::optimizer::proxy_task::{ProxyTask, Run, repeats_anew};
use crate::optimizer::scoring::{RunLoss, Scoring};
use crate::optimizer::training::{Watching, train_runs, trained};
use crate::proxies::{Batch, CellNet, Proxy};
use crate::{DependsOn, Evaluator, EvaluatorError, Outcome, Score};

/// Scores compute graphs. The fitness is minus the mean over the repeats of the validation loss, a
/// cross-entropy in nats; 0 would be certainty of every label.
#[derive(Clone, Debug)]
pub struct GraphEvaluator {
    config: GraphConfig,
    image: ImageShape,
    classes: usize,
    /// With the smallest cell in its network.
    task: ProxyTask,
    runs: Vec<Run>,
    adamw: Program,
}

/// What a graph comes to on some images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeasuredGraph {
    /// The mean loss, in nats.
    pub loss: f64,
    /// The mean share of the images that are told right.
    pub accuracy: f64,
}

impl GraphEvaluator {
    /// The evaluator of these repeats on these validation images.
    pub(super) fn new(
        config: &GraphConfig,
        data: &Arc<Dataset>,
        validation: Vec<Batch>,
        repeats: Range<u32>,
    ) -> Result<Self, EvaluatorError> {
        let (image, classes) = images(data)?;
        let proxy = network(&Graph::default(), config, image, classes);
        let lengths = (config.batch_size.get(), config.steps.get(), config.schedule);
        let seed = Seed(config.data_seed).derive("graphs");
        let data = Arc::clone(data);
        let task = ProxyTask::of_network(config.name(), proxy, data, validation, lengths, seed);
        let runs = runs(&task, config.learning_rate, repeats);
        let adamw = evo_dsl::zoo::get("adamw").expect("AdamW is in the zoo").program();
        Ok(Self { config: config.clone(), image, classes, task, runs, adamw })
    }

    /// The shape of the images, and the number of their classes.
    pub(super) fn reads(&self) -> (ImageShape, usize) {
        (self.image, self.classes)
    }

    /// Number of weights that the network of a graph trains.
    pub fn weights(&self, graph: &Graph) -> usize {
        let leaves = self.task_of(graph).leaves;
        leaves.iter().map(|leaf| leaf.shape.iter().product::<usize>()).sum()
    }

    /// What a graph comes to; `None` where a training of it is stopped.
    ///
    /// # Errors
    /// [`EvaluatorError::Internal`] when candle refuses an operation.
    pub fn measure(&self, graph: &Graph) -> Result<Option<MeasuredGraph>, EvaluatorError> {
        let task = self.task_of(graph);
        let Proxy::Cell(network) = &task.proxy else { unreachable!("it was made so") };
        let (mut loss, mut accuracy) = (0.0, 0.0);
        for run in &self.runs {
            let mut update = self.update(&task, run);
            let Ok(training) = trained(&task, run, &mut update, self.watching())? else {
                return Ok(None);
            };
            let found = training.validate(&update)?;
            if !found.is_finite() {
                return Ok(None);
            }
            loss += found;
            accuracy += share_right(network, training.leaves()?, &task.validation)?;
        }
        let count = self.runs.len() as f64;
        Ok(Some(MeasuredGraph { loss: loss / count, accuracy: accuracy / count }))
    }

    fn outcome(&self, trial: &Trial<'_, Graph>) -> Result<Outcome, EvaluatorError> {
        let task = self.task_of(trial.program);
        let runs = self.runs(trial.repeat);
        let runs = train_runs(&task, &runs, self.watching(), |run| self.update(&task, run))?;
        Ok(match runs {
            Ok(runs) => {
                let loss = runs.loss();
                let score = Score::new(-loss, vec![loss]);
                Outcome::Scored(Score { runs: vec![runs], ..score })
            }
            Err(invalid) => Outcome::Invalid(invalid),
        })
    }

    /// The runs of an evaluation: those of the first, or as many with other repeats.
    fn runs(&self, evaluation: u32) -> Cow<'_, [Run]> {
        if evaluation == 0 {
            return Cow::Borrowed(&self.runs);
        }
        let repeats = u32::try_from(self.runs.len()).expect("a configuration states it as one");
        let repeats = repeats_anew(evaluation, repeats);
        Cow::Owned(runs(&self.task, self.config.learning_rate, repeats))
    }

    fn task_of(&self, graph: &Graph) -> ProxyTask {
        self.task.with_network(network(graph, &self.config, self.image, self.classes))
    }

    fn update(&self, task: &ProxyTask, run: &Run) -> Executor {
        Executor::new(&run.program(&self.adamw), &task.layout)
    }

    fn watching(&self) -> Watching<'_> {
        let divergence = self.config.divergence;
        Watching { divergence, stated: &[], within: &[], loss: RunLoss::Final }
    }
}

impl Evaluator<Graph> for GraphEvaluator {
    fn evaluate(&self, cohort: &[Trial<'_, Graph>]) -> Vec<Outcome> {
        let failed = |error: EvaluatorError| Outcome::Failed { message: error.to_string() };
        cohort.iter().map(|it| self.outcome(it).unwrap_or_else(failed)).collect()
    }

    /// What a graph computes from its initial weights, and those are known by role: the probe, of
    /// the same roles, finds two graphs equal only where their weights begin alike. Their outcomes
    /// are equal up to rounding then, which training may amplify, as of optimizers of one
    /// behaviour.
    fn depends_on(&self) -> DependsOn {
        DependsOn::Behaviour
    }
}

fn runs(task: &ProxyTask, learning_rate: f64, repeats: Range<u32>) -> Vec<Run> {
    task.runs(learning_rate, &[1.0], repeats, &Scoring::default())
}

/// The shape and the number of classes of images.
pub(super) fn images(data: &Dataset) -> Result<(ImageShape, usize), EvaluatorError> {
    match data {
        Dataset::Rows(rows) => rows.image.map(|image| (image, rows.classes)),
        _ => None,
    }
    .ok_or_else(|| EvaluatorError::config("data", "holds no images, and cells read images"))
}

fn network(graph: &Graph, config: &GraphConfig, image: ImageShape, classes: usize) -> Proxy {
    Proxy::Cell(CellNet::new(graph.wiring(), config.network, image, classes))
}

/// The share of the images whose largest logit is that of their class.
fn share_right(
    network: &CellNet,
    leaves: &[Tensor],
    batches: &[Batch],
) -> Result<f64, EvaluatorError> {
    let (mut right, mut all) = (0_usize, 0);
    for batch in batches {
        let Batch::Rows { features, labels } = batch else { unreachable!("images are rows") };
        let told = network.logits::<f32>(leaves, features)?.argmax(D::Minus1)?.to_vec1::<u32>()?;
        right += told.iter().zip(&labels[..]).filter(|(told, label)| told == label).count();
        all += labels.len();
    }
    Ok(right as f64 / all as f64)
}
