//! Evaluating a cohort, whatever the evaluator does.
//!
//! Invariant: there is one outcome for each candidate. A panic, or a wrong number of outcomes, is a
//! failure of the culprit alone.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use evo_domain::{Domain, Evaluator, Outcome, Trial};

use crate::Candidate;

/// One outcome for each candidate.
///
/// After a panic, or a wrong number of outcomes, the members are evaluated one by one, so that only
/// the culprit fails.
pub(super) fn evaluate<D: Domain>(
    domain: &D,
    evaluator: &dyn Evaluator<D::Program>,
    cohort: &[Candidate<D::Program>],
) -> Vec<Outcome> {
    let trials: Vec<Trial<'_, D::Program>> = cohort.iter().map(Candidate::trial).collect();
    match attempt(evaluator, &trials) {
        Ok(outcomes) => outcomes,
        Err(message) if cohort.len() == 1 => {
            vec![failure(&message, &domain.text(trials[0].program))]
        }
        Err(_) => cohort.chunks(1).flat_map(|alone| evaluate(domain, evaluator, alone)).collect(),
    }
}

fn attempt<P>(
    evaluator: &dyn Evaluator<P>,
    trials: &[Trial<'_, P>],
) -> Result<Vec<Outcome>, String> {
    // Nothing of ours is touched inside, and an evaluator that panics is used again by contract.
    let result = catch_unwind(AssertUnwindSafe(|| evaluator.evaluate(trials)));
    let outcomes = result.map_err(|panic| panic_text(&*panic))?;
    if outcomes.len() != trials.len() {
        return Err(format!("{} outcomes for {} programs", outcomes.len(), trials.len()));
    }
    Ok(outcomes)
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

fn failure(message: &str, program: &str) -> Outcome {
    Outcome::Failed { message: format!("{message}\nwhile evaluating\n{program}") }
}
