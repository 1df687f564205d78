//! `evo` evolves programs: optimizers written in a small typed language, mutated by a parallel
//! reproducible search, deduplicated by functional hashing, scored by training small real networks.
//!
//! This is the facade for embedding; the command line stands on it. A [`Config`] says
//! what to search for; [`Config::search`] and [`Config::evaluator`] make the two halves, and
//! [`run`] drives them:
//!
//! ```no_run
//! use evo::{Config, RunOptions, run};
//!
//! let config = Config::load_with_baselines("configs/quickstart.ron".as_ref(), &[])?;
//! let evaluator = config.evaluator()?;
//! let mut search = config.search()?;
//! let reason = run(&mut search, &evaluator, &mut (), &RunOptions::default())?;
//! let best = search.best().expect("the start program trains");
//! println!("{reason}; best:\n{}", best.individual.program);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What most users need has its name here; all else is in the crates, which are the modules
//! [`domain`], [`dsl`], [`graphs`], [`search`], [`evaluators`], [`hashes`], [`statistics`] and
//! [`mod@export`].

// The command line is written as any other user of the library would write it.
extern crate self as evo;

mod args;
mod audit;
mod command;
mod command_line;
mod config;
mod exit_code;
mod funnel;
#[doc(hidden)]
pub mod hosted;
mod output;
mod program_source;
mod reductions;
mod run_kind;
mod shell;
mod standings;

// The crates, whole, as modules of their names; below, what most users need of them.
pub use {
    evo_domain as domain, evo_dsl as dsl, evo_evaluators as evaluators, evo_export as export,
    evo_graphs as graphs, evo_hashes as hashes, evo_search as search, evo_statistics as statistics,
};

#[doc(hidden)]
pub use command_line::command_line;
pub use exit_code::ExitCode;

pub use audit::{AuditedWay, TOP as AUDIT_TOP, TaskGains, Trust};
pub use config::{
    Baselines, Config, ConfigError, ConfigText, DomainName, EnumeratedSearch, ExpressionEvaluation,
    ExpressionHeldOut, ExpressionScorer, ExpressionSearch, GraphSearch, HashingConfig,
    LearnerSearch, MeasuredBaseline, RunConfig, ScoredBy, Starts, load_funnel, load_studies,
    states_funnel, states_studies,
};
pub use evo_domain::{
    DependsOn, Domain, EndReason, Ended, Evaluator, Invalid, InvalidReason, Outcome, RunResult,
    Score, SettingError, Size, Stopped, TaskRuns, Trial,
};
pub use evo_dsl::{
    Dataflow, Executor, ExpressionMutation, ExpressionProbe, Expressions, FunctionalHasher,
    Interpreter, Layout, LearnerExecutor, LearnerFunction, LearnerInterpreter, LearnerMutation,
    LearnerOp, LearnerOpInfo, LearnerProgram, LearnerTasks, LearnerZooEntry, Learners, Liveness,
    MutationConfig, MutationWeights, NewConstant, Note, Op, OpChoice, OpSet, OptimizerProbe,
    Optimizers, ParseError, Probe, Program, Rounding, Simplified, Space, SpaceConfig, Type,
    nearest_name, simplify, structural_hash, zoo,
};
pub use evo_evaluators::{
    Activation, ActivationConfig, ActivationEvaluator, ActivationJudges, AtMultiple, Baseline,
    Device, Enumerated, EnumeratedConfig, Equation, EquationInput, EvaluatorError,
    ExpressionConfig, ExpressionData, ExpressionEvaluator, ExpressionLoss, ExpressionTask, Factor,
    GraphConfig, GraphEvaluator, GraphJudges, GraphNetwork, Grid, HeldOutPoints, Judges, Knobs,
    Lanes, LearnerConfig, LearnerEvaluator, LearnerJudges, LearnerProblem, LearnerSet,
    MeasuredGraph, OptimizerConfig, OptimizerEvaluator, Rates, RunLoss, Scoring, Setting, SpaceRow,
    SpaceTable, Steps, StudiedTask, Study, StudyConfig, StudyRun, TaskConfig, Tried, TrueFitness,
    Tuning, WeightDecay, Workload, known_activations, parallel_map, pin_inner_threads, tuned_runs,
};
pub use evo_export::{ExportTarget, LearnerTarget, TableRow, export, export_learner, latex_table};
pub use evo_graphs::{
    Graph, GraphError, GraphFault, GraphMutation, GraphOp, GraphProbe, GraphWeights, GraphZooEntry,
    Graphs,
};
pub use evo_hashes::{EvaluationCache, Hash, Observations, Seed, StreamRng};
pub use evo_search::{
    AbsorbedBirth, Ancestor, Ancestors, Aside, BirthWatcher, Bred, Breeder, COLLISION_TOLERANCES,
    CacheContents, CacheKey, CacheUse, CachedEvaluator, CachedOutcome, Candidate, Champion,
    Collisions, Conception, Counters, Deduplication, DeduplicationLevel, Driver, Evaluated,
    Evaluators, FunctionalHit, HallOfFame, HeldOutConfig, HeldOutCurve, HeldOutPoint, HurdleConfig,
    Individual, Keep, KnownBirths, MutationStatistics, MutationTally, NoiseConfig, Observer,
    OutcomeCache, PartialHurdles, PolicyCounters, Population, Pruned, Pruning, RECHECK_TOLERANCE,
    RecheckRate, Reprieves, Restart, RestartFrom, RestartReason, Restarts, RunOptions, Search,
    SearchConfig, SearchError, Selection, StopReason, Stopping, Store, StoredChampion,
    StoredRestart, StrategyConfig, TabuConfig, outcomes_apart, run, run_with,
};
pub use evo_statistics::{
    Bootstrap, Estimate, Interval, Profile, ProfileError, ProfileStep, holm, kendall,
    kendall_interval, sign_test, top_k_regret, wilcoxon,
};
pub use funnel::{FunnelConfig, FunnelStage, Gains, Race, mean as funnel_mean};
pub use program_source::{
    ProgramSourceError, is_graph, is_learner, load_any_program, load_graph, load_learner,
    load_program,
};
pub use reductions::{LearnerReduction, Reduction, learner_reductions, reductions};
pub use run_kind::{holds_graphs, holds_learners, keeps_births};
pub use shell::{shell_path, shell_word};
pub use standings::{
    Compared, Duel, DuelOnTask, OnTask, Standing, Standings, Verdict, fewest_seeds,
};
