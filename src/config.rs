//! The configuration of a run, as a RON file states it.
//!
//! Invariant: a [`Config`] that was loaded has been checked as far as that goes without training:
//! the start program parses, every op exists, every count makes sense, all data is there. What is
//! left out has the default stated at its field, and [`Config::to_ron`] writes everything out.

mod baselines;
mod cache_key;
mod enumerated;
mod error;
mod evaluation;
mod expressions;
mod flat;
mod graphs;
mod learners;
mod load;
mod outline;
mod paths;
mod source;
mod starts;
mod studies;
mod text;

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use evo_domain::Domain;
use evo_dsl::{FunctionalHasher, MutationConfig, OptimizerProbe, Optimizers, Probe, Program};
use evo_evaluators::{
    EvaluatorError, Judges, OptimizerConfig, OptimizerEvaluator, Rates, TaskConfig,
};
use evo_hashes::{Seed, StreamRng};
use evo_search::{Search, SearchConfig, SearchError, StrategyConfig};

pub use baselines::{Baselines, MeasuredBaseline};
pub use enumerated::EnumeratedSearch;
pub use error::ConfigError;
pub use evaluation::{ExpressionEvaluation, ExpressionHeldOut, ExpressionScorer};
pub use expressions::ExpressionSearch;
use flat::Flat;
pub use graphs::GraphSearch;
pub use learners::LearnerSearch;
pub use starts::Starts;
pub use studies::{load_funnel, load_studies, states_funnel, states_studies};
pub use text::ConfigText;

/// What to search for, and how: the settings of the engine, and those that belong to what is
/// searched. `S` says what a search starts from, `M` how children are made, `E` how programs are
/// scored.
///
/// In a file all keys stand side by side, those of [`SearchConfig`] too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "Flat<S, M, E>", from = "Flat<S, M, E>")]
#[serde(bound(
    serialize = "RunConfig<S, M, E>: Clone, Flat<S, M, E>: Serialize",
    deserialize = "Flat<S, M, E>: Deserialize<'de>, RunConfig<S, M, E>: From<Flat<S, M, E>>"
))]
pub struct RunConfig<S, M, E> {
    /// The representation that is searched.
    pub domain: DomainName,
    /// Seed of the search: breeding depends on it and nothing else does. Default: 0.
    pub seed: u64,
    /// The programs to start from: one, or a list, which are the first births in order.
    pub start: S,
    /// The settings of the engine.
    pub settings: SearchConfig<M>,
    /// The functional hash.
    pub hashing: HashingConfig,
    /// How programs are scored.
    pub evaluation: E,
}

/// A search of optimizers, each start `zoo:NAME`, a file or `RUN_DIR:BIRTH`, relative to the
/// configuration.
pub type Config = RunConfig<Starts, MutationConfig, OptimizerConfig>;

/// The representations that a configuration can name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DomainName {
    /// Optimizers, scored by training networks with them: a [`Config`].
    #[default]
    Optimizers,
    /// Expressions, scored by their error on data or as activations of networks: an
    /// [`ExpressionSearch`].
    Expressions,
    /// Learning algorithms, scored by training them on tasks from nothing: a [`LearnerSearch`].
    Learners,
    /// Optimizers of a space that is written out, scored by looking them up: an
    /// [`EnumeratedSearch`].
    Enumerated,
    /// Compute graphs, scored by training networks of them on images: a [`GraphSearch`].
    Graphs,
}

/// Who scores the programs of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoredBy {
    /// The evaluation that the configuration states.
    Evaluation,
    /// An objective, which has stages and held-out parts of its own, unknown to the configuration.
    /// An evaluation that is stated says what programs are compared on and what inputs they have.
    Objective,
}

impl DomainName {
    /// The representation that a file names; that of optimizers where it names none of these.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn stated_in(path: &Path) -> Result<DomainName, ConfigError> {
        Ok(ConfigText::read(path)?.domain())
    }
}

/// The settings of the functional hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashingConfig {
    /// Leading bits of each float32's mantissa that count, 1 to 23; of the
    /// weights after a training seven more. Default: 8.
    pub mantissa_bits: u32,
}

impl Default for HashingConfig {
    fn default() -> HashingConfig {
        HashingConfig { mantissa_bits: 8 }
    }
}

impl HashingConfig {
    fn hasher(&self, probe: impl Probe + 'static) -> Result<FunctionalHasher, SearchError> {
        let bits = self.mantissa_bits;
        FunctionalHasher::with_probe(bits, Arc::new(probe)).ok_or_else(|| self.refused())
    }

    /// That there is no hash of so many bits.
    fn refused(&self) -> SearchError {
        SearchError::Config {
            key: "hashing.mantissa_bits".to_owned(),
            message: format!("must be 1 to 23, not {}", self.mantissa_bits),
        }
    }
}

/// Steps of a task in which a program that runs away is all but certainly found out.
const GIVEN_UP_AFTER: u64 = 50;

impl<S, M, E> RunConfig<S, M, E> {
    /// Refuses to evaluate incumbents on what is held out where nothing is; `what` would be.
    fn check_held_out(&self, exists: bool, what: &str) -> Result<(), ConfigError> {
        if self.settings.held_out.every.is_none() || exists {
            return Ok(());
        }
        let message = format!("needs {what}, and there are none");
        Err(ConfigError::new("held_out.every", message))
    }

    /// As many random programs as the populations can begin with, each from a stream of its own.
    /// What is wrong with the settings, such as a population that memory does not hold, is told
    /// before as many are drawn as they ask for: by a search of `one`.
    fn random_starts<D: Domain>(
        &self,
        domain: &D,
        one: D::Program,
        mut draw: impl FnMut(&mut StreamRng) -> D::Program,
    ) -> Result<Vec<D::Program>, ConfigError>
    where
        M: Clone,
    {
        let search =
            Search::from_starts(&self.settings, Seed(self.seed), domain.clone(), vec![one]);
        search.map_err(ConfigError::from_search)?;
        let beginnings = match self.settings.strategy {
            StrategyConfig::RegularizedEvolution { population, .. } => population as u64,
            StrategyConfig::Islands { islands, .. } => islands as u64,
            _ => 1,
        };
        let stream = Seed(self.seed).purpose("random start");
        Ok((0..beginnings).map(|index| draw(&mut stream.stream(index))).collect())
    }

    /// Refuses hurdles that no evaluation would ever meet, behind tasks or inside of them.
    fn check_hurdles(&self, stages: &[usize]) -> Result<(), ConfigError> {
        if self.settings.hurdles.partial.is_some() {
            let message = "is tested while optimizers are trained on a task of this configuration";
            return Err(ConfigError::new("hurdles.partial", message));
        }
        self.check_hurdles_between(stages)
    }

    /// Refuses hurdles behind tasks that no evaluation would ever meet.
    fn check_hurdles_between(&self, stages: &[usize]) -> Result<(), ConfigError> {
        if self.settings.hurdles.percentile.is_none() || !stages.is_empty() {
            return Ok(());
        }
        let message = "is tested behind the stages of an evaluation, and `evaluation` has none";
        Err(ConfigError::new("hurdles.percentile", message))
    }
}

impl<S, M, E> RunConfig<S, M, E>
where
    RunConfig<S, M, E>: Serialize,
{
    /// The configuration written out in full.
    pub fn to_ron(&self) -> String {
        let pretty =
            ron::ser::PrettyConfig::new().extensions(ron::extensions::Extensions::IMPLICIT_SOME);
        let text = ron::ser::to_string_pretty(self, pretty);
        text.expect("a configuration has no value that RON cannot write") + "\n"
    }
}

impl Config {
    /// The search this configuration describes, before its first candidate.
    ///
    /// # Errors
    /// A setting that cannot be searched with; none for a loaded configuration, unless its start
    /// program has been removed since.
    pub fn search(&self) -> Result<Search<Optimizers>, ConfigError> {
        self.search_from(self.start_programs()?)
    }

    /// As [`Config::search`], from programs at hand.
    ///
    /// # Errors
    /// A setting that cannot be searched with.
    pub fn search_from(&self, starts: Vec<Program>) -> Result<Search<Optimizers>, ConfigError> {
        self.try_search_from(starts).map_err(ConfigError::from_search)
    }

    /// The evaluator of the search that this configuration describes. Loads the data of its tasks,
    /// and tunes AdamW on each task without a baseline (see [`Config::load_with_baselines`]).
    ///
    /// # Errors
    /// Data that is missing or damaged, or a task that cannot be trained.
    pub fn evaluator(&self) -> Result<OptimizerEvaluator, ConfigError> {
        let evaluation = self.resolved_evaluation().map_err(ConfigError::from_evaluator)?;
        let base = std::path::Path::new("");
        let evaluator = OptimizerEvaluator::new(&evaluation, base);
        let evaluator = evaluator.and_then(|it| it.within(self.partial_places()));
        evaluator.map_err(ConfigError::from_evaluator)
    }

    /// The same evaluator with those of held-out tasks and fresh repeats.
    ///
    /// # Errors
    /// As [`Config::evaluator`].
    pub fn judges(&self) -> Result<Judges, ConfigError> {
        let evaluation = self.resolved_evaluation().map_err(ConfigError::from_evaluator)?;
        self.judges_by(&evaluation)
    }

    /// The judges by an evaluation without gaps, the search's looking where there are hurdles.
    fn judges_by(&self, evaluation: &OptimizerConfig) -> Result<Judges, ConfigError> {
        let judges = Judges::new(evaluation, std::path::Path::new("")).and_then(|judges| {
            Ok(Judges { search: judges.search.within(self.partial_places())?, ..judges })
        });
        judges.map_err(ConfigError::from_evaluator)
    }

    /// The shares of a task's steps behind which there are hurdles.
    fn partial_places(&self) -> &[f64] {
        self.settings.hurdles.partial.as_ref().map_or(&[], |partial| &partial.at)
    }

    /// The same configuration with every baseline tuned that was left out.
    ///
    /// # Errors
    /// As [`Config::evaluator`].
    pub fn resolved(&self) -> Result<Config, ConfigError> {
        let evaluation = self.resolved_evaluation().map_err(ConfigError::from_evaluator)?;
        Ok(Config { evaluation, ..self.clone() })
    }

    /// The programs the search starts from, in order.
    ///
    /// # Errors
    /// When a file is missing or not a program, or a run has no such birth.
    pub fn start_programs(&self) -> Result<Vec<Program>, ConfigError> {
        let load = |(index, source)| {
            let program = crate::load_program(source, std::path::Path::new(""));
            program.map_err(|error| ConfigError::new(self.start.key(index), error.to_string()))
        };
        self.start.iter().enumerate().map(load).collect()
    }

    fn resolved_evaluation(&self) -> Result<OptimizerConfig, EvaluatorError> {
        let mut evaluation = self.evaluation.clone();
        evaluation.resolve_baselines(std::path::Path::new(""))?;
        Ok(evaluation)
    }

    fn try_search_from(&self, starts: Vec<Program>) -> Result<Search<Optimizers>, SearchError> {
        let starts = starts.into_iter().map(|start| self.prepared(start));
        let starts = starts.collect::<Result<Vec<Program>, SearchError>>()?;
        let count = starts.iter().map(|start| start.statements().len()).max().unwrap_or(0);
        let limit = self.settings.mutation.max_statements;
        if count > limit {
            return Err(SearchError::Config {
                key: "mutation.max_statements".to_owned(),
                message: format!("is {limit}, below the {count} statements of the start program"),
            });
        }
        let search = Search::from_starts(&self.settings, Seed(self.seed), self.domain()?, starts)?;
        let partial_stages = self.evaluation.partial_stages(self.partial_places().len());
        Ok(search.with_partial_stages(partial_stages))
    }

    /// A start program as it is bred from.
    fn prepared(&self, start: Program) -> Result<Program, SearchError> {
        if !self.settings.mutation.readout {
            return Ok(start);
        }
        start.with_readout().map_err(|error| SearchError::Config {
            key: "mutation.readout".to_owned(),
            message: error.to_string(),
        })
    }

    /// The representation that is searched, with its settings.
    ///
    /// # Errors
    /// A setting that cannot be searched with.
    pub fn domain(&self) -> Result<Optimizers, SearchError> {
        Ok(Optimizers::new(&self.settings.mutation, self.hasher()?)?)
    }

    /// The functional hash of this configuration: its probe has the lowest learning rate of the
    /// tasks, and trains as they do.
    ///
    /// # Errors
    /// When `hashing.mantissa_bits` is not 1 to 23.
    pub fn hasher(&self) -> Result<FunctionalHasher, SearchError> {
        self.hashing.of_optimizers(&self.evaluation)
    }
}

impl HashingConfig {
    /// The functional hash of optimizers that are scored in this way.
    fn of_optimizers(&self, evaluation: &OptimizerConfig) -> Result<FunctionalHasher, SearchError> {
        let rates = evaluation.tasks.iter().filter_map(|task| task.learning_rate);
        // Where the best of the multiples counts, what runs away at one may train at the lowest.
        let multiples = evaluation.learning_rate_multiples.iter().copied();
        let lowest = match evaluation.scoring.rates {
            Rates::Mean => 1.0,
            Rates::Best => multiples.fold(1.0, f64::min),
        };
        let rate = rates.reduce(f64::min).map(|rate| rate * lowest);
        let probe = rate.map_or_else(OptimizerProbe::default, OptimizerProbe::new);
        let shortest = |task: &TaskConfig| evaluation.scoring.shortest(task.steps.get());
        let tasks = &evaluation.tasks;
        let probe = match tasks.iter().all(|task| shortest(task) >= GIVEN_UP_AFTER) {
            true => probe.that_gives_up(),
            false => probe,
        };
        self.hasher(probe)
    }
}
