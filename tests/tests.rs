//! The `evo` binary as its users meet it, one module a theme.

mod harness;

#[path = "cli/ablate.rs"]
mod ablate;
#[path = "cli/activations.rs"]
mod activations;
#[path = "cli/audit.rs"]
mod audit;
#[path = "cli/baselines.rs"]
mod baselines;
#[path = "cli/bench.rs"]
mod bench;
#[path = "cli/cache.rs"]
mod cache;
#[path = "cli/cache_commands.rs"]
mod cache_commands;
#[path = "cli/cohorts.rs"]
mod cohorts;
#[path = "cli/compare.rs"]
mod compare;
#[path = "cli/config_errors.rs"]
mod config_errors;
#[path = "cli/configs.rs"]
mod configs;
#[path = "cli/crossover.rs"]
mod crossover;
#[path = "cli/enumerate.rs"]
mod enumerate;
#[path = "cli/expressions.rs"]
mod expressions;
#[path = "cli/funnel.rs"]
mod funnel;
#[path = "cli/graphs.rs"]
mod graphs;
#[path = "cli/held_out.rs"]
mod held_out;
#[path = "cli/hosted.rs"]
mod hosted;
#[path = "cli/learner_results.rs"]
mod learner_results;
#[path = "cli/learners.rs"]
mod learners;
#[path = "cli/limits.rs"]
mod limits;
#[path = "cli/moved.rs"]
mod moved;
#[path = "cli/old_probe.rs"]
mod old_probe;
#[path = "cli/partial_hurdles.rs"]
mod partial_hurdles;
#[path = "cli/policies.rs"]
mod policies;
#[path = "cli/programs.rs"]
mod programs;
#[path = "cli/reading.rs"]
mod reading;
#[path = "cli/readout.rs"]
mod readout;
#[path = "cli/recheck.rs"]
mod recheck;
#[path = "cli/report.rs"]
mod report;
#[path = "cli/resume.rs"]
mod resume;
#[path = "cli/search.rs"]
mod search;
#[path = "cli/simplify.rs"]
mod simplify;
#[path = "cli/starts.rs"]
mod starts;
