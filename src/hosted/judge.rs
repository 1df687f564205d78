//! Whoever scores the programs of a domain, and what a winner comes to by it.
//!
//! Invariant: an evaluator of a host gives the outcomes that the search of the same configuration
//! is told, to the bit: it is the same one, asked in the same way.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use evo_domain::{DependsOn, Domain, Evaluator, Outcome, Trial};
use evo_dsl::{Expressions, Learners, Optimizers};
use evo_evaluators::{GraphJudges, Judges, LearnerJudges};
use evo_graphs::Graphs;
use evo_search::{Champion, Evaluators, Search};
use serde_json::Value;

use super::program::Hostable;
use super::{HostError, HostErrorKind, HostedCandidate};
use crate::command::{expressions, graphs, learners, optimizers, run_directory::RunDirectory};
use crate::{Config, DomainName, ExpressionScorer, parallel_map};

/// What scores programs of a domain.
pub(crate) trait Judge<D: Domain>: Send + Sync {
    /// Works with the evaluators of a search.
    fn with(&self, work: &mut dyn FnMut(Evaluators<'_, D::Program>));

    /// What of a program its outcomes depend on.
    fn depends_on(&self) -> DependsOn {
        let mut depends_on = DependsOn::Text;
        self.with(&mut |evaluators| depends_on = evaluators.search.depends_on());
        depends_on
    }

    /// What a winner comes to, for the report of a run.
    fn verdict(
        &self,
        search: &Search<D>,
        best: &Champion<D::Program>,
        directory: &RunDirectory,
        threads: NonZeroUsize,
    ) -> anyhow::Result<Value>;
}

/// Judges of optimizers, with the configuration that they are of.
pub(crate) struct OptimizerJudge {
    pub(crate) config: Config,
    pub(crate) judges: Judges,
}

impl Judge<Optimizers> for OptimizerJudge {
    fn with(&self, work: &mut dyn FnMut(Evaluators<'_, <Optimizers as Domain>::Program>)) {
        let held_out = self.judges.held_out_together();
        let held_out = held_out.as_ref().map(|it| it as &dyn Evaluator<_>);
        work(Evaluators { search: &self.judges.search, held_out });
    }

    fn verdict(
        &self,
        _: &Search<Optimizers>,
        best: &Champion<<Optimizers as Domain>::Program>,
        _: &RunDirectory,
        threads: NonZeroUsize,
    ) -> anyhow::Result<Value> {
        let OptimizerJudge { config, judges } = self;
        let verdict = optimizers::verdict(config, judges, &best.individual.program, threads)?;
        Ok(serde_json::to_value(verdict)?)
    }
}

impl Judge<Expressions> for ExpressionScorer {
    fn with(&self, work: &mut dyn FnMut(Evaluators<'_, <Expressions as Domain>::Program>)) {
        let held_out = self.held_out();
        let held_out = held_out.as_ref().map(|it| it as &dyn Evaluator<_>);
        work(Evaluators { search: self.evaluator(), held_out });
    }

    fn verdict(
        &self,
        _: &Search<Expressions>,
        best: &Champion<<Expressions as Domain>::Program>,
        _: &RunDirectory,
        threads: NonZeroUsize,
    ) -> anyhow::Result<Value> {
        let verdict = expressions::verdict(self, &best.individual.program, threads)?;
        Ok(serde_json::to_value(verdict)?)
    }
}

impl Judge<Learners> for LearnerJudges {
    fn with(&self, work: &mut dyn FnMut(Evaluators<'_, <Learners as Domain>::Program>)) {
        work(Evaluators { search: &self.search, held_out: Some(&self.select) });
    }

    fn verdict(
        &self,
        search: &Search<Learners>,
        best: &Champion<<Learners as Domain>::Program>,
        directory: &RunDirectory,
        threads: NonZeroUsize,
    ) -> anyhow::Result<Value> {
        let verdict = learners::verdict(self, search, best, directory, threads)?;
        Ok(serde_json::to_value(verdict)?)
    }
}

impl Judge<Graphs> for GraphJudges {
    fn with(&self, work: &mut dyn FnMut(Evaluators<'_, <Graphs as Domain>::Program>)) {
        work(Evaluators { search: &self.search, held_out: Some(&self.held_out) });
    }

    fn verdict(
        &self,
        _: &Search<Graphs>,
        best: &Champion<<Graphs as Domain>::Program>,
        _: &RunDirectory,
        threads: NonZeroUsize,
    ) -> anyhow::Result<Value> {
        let verdict = graphs::verdict(self, &best.individual.program, threads)?;
        Ok(serde_json::to_value(verdict)?)
    }
}

/// The evaluator of a configuration.
pub trait HostedEvaluator: Send + Sync {
    /// One outcome for each, in order, on so many threads. `cancel` may be set by anyone: then no
    /// further evaluation is begun.
    ///
    /// # Errors
    /// A program of another domain, or one that asks for what is held out where nothing is; that it
    /// was cancelled.
    fn evaluate(
        &self,
        candidates: &[HostedCandidate],
        threads: NonZeroUsize,
        cancel: &AtomicBool,
    ) -> Result<Vec<Outcome>, HostError>;

    /// The domain of its programs.
    fn domain(&self) -> DomainName;

    /// What of a program its outcomes depend on.
    fn depends_on(&self) -> DependsOn;

    /// Of all that decides an outcome but the program and the CPU.
    fn fingerprint(&self) -> &str;

    /// The configuration with everything written out.
    fn config_text(&self) -> &str;
}

/// A judge with what a host asks of an evaluator.
pub(crate) struct Evaluating<D: Domain> {
    pub(crate) judge: Box<dyn Judge<D>>,
    pub(crate) fingerprint: String,
    pub(crate) config_text: String,
    pub(crate) name: DomainName,
}

impl<D: Hostable> HostedEvaluator for Evaluating<D> {
    fn evaluate(
        &self,
        candidates: &[HostedCandidate],
        threads: NonZeroUsize,
        cancel: &AtomicBool,
    ) -> Result<Vec<Outcome>, HostError> {
        let refused = |message: &str| HostError::new(HostErrorKind::Program, message);
        let mut result = Ok(Vec::new());
        self.judge.with(&mut |evaluators| {
            let outcome = |candidate: &HostedCandidate| {
                if cancel.load(Ordering::Relaxed) {
                    return Err(HostError::new(HostErrorKind::Other, "it was cancelled"));
                }
                let program = D::unwrap(&candidate.program).ok_or_else(|| {
                    let (of, needed) = (candidate.program.domain(), self.name);
                    refused(&format!("the program is of {of:?}, and one of {needed:?} is needed"))
                })?;
                let evaluator = match candidate.held_out {
                    false => evaluators.search,
                    true => evaluators.held_out.ok_or_else(|| refused("nothing is held out"))?,
                };
                let (hurdles, repeat) = (&candidate.hurdles[..], candidate.repeat);
                Ok(alone(evaluator, &Trial { program, hurdles, repeat }))
            };
            result = parallel_map(threads, candidates, outcome).into_iter().collect();
        });
        result
    }

    fn domain(&self) -> DomainName {
        self.name
    }

    fn depends_on(&self) -> DependsOn {
        self.judge.depends_on()
    }

    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn config_text(&self) -> &str {
        &self.config_text
    }
}

/// The outcome of one trial; a panic is ours.
fn alone<P>(evaluator: &dyn Evaluator<P>, trial: &Trial<'_, P>) -> Outcome {
    let failed = |message: &str| Outcome::Failed { message: message.to_owned() };
    // Nothing of ours is touched inside, and an evaluator that panics is used again by contract.
    let result = catch_unwind(AssertUnwindSafe(|| evaluator.evaluate(&[*trial])));
    match result {
        Ok(mut outcomes) => outcomes.pop().unwrap_or_else(|| failed("no outcome for a program")),
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|it| (*it).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            failed(&text.unwrap_or_else(|| "a panic without a message".to_owned()))
        }
    }
}
