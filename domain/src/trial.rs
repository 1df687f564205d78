//! Trials: what an evaluator is handed, a program, the hurdles it has to clear, and which of its
//! evaluations this is.
//!
//! Invariant: hurdles decide how much of an evaluation is done and never what any part of it gives.
//! A program that clears all of them gets the outcome it gets without any, so an outcome with its
//! stages can stand in for an evaluation under any hurdles ([`Outcome::stopped_by`]). The repeat
//! decides what is drawn and nothing else, so an outcome stays a function of program, hurdles,
//! repeat and configuration.
//!
//! [`Outcome::stopped_by`]: crate::Outcome::stopped_by

/// A program to evaluate and the hurdles it has to clear on the way.
#[derive(Debug)]
pub struct Trial<'a, P> {
    /// The program.
    pub program: &'a P,
    /// The least fitness with which to go on behind each stage; a stage behind the last one given
    /// has no hurdle, and a hurdle behind the last stage is never met. An evaluator without stages
    /// does not look at them.
    pub hurdles: &'a [f64],
    /// Which evaluation of this behaviour it is, from 0. An evaluator that draws initial weights,
    /// batches or data draws others for each, all seeded by its configuration and the repeat; one
    /// that draws nothing gives the same outcome for all.
    pub repeat: u32,
}

impl<P> Clone for Trial<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Trial<'_, P> {}

impl<'a, P> Trial<'a, P> {
    /// The first trial of a program, without hurdles.
    pub fn of(program: &'a P) -> Trial<'a, P> {
        Trial { program, hurdles: &[], repeat: 0 }
    }

    /// Whether the evaluation ends behind a stage, counted from 0, with this fitness so far.
    pub fn stops(&self, stage: usize, fitness: f64) -> bool {
        stops(self.hurdles, stage, fitness)
    }
}

/// Whether a fitness is below the hurdle behind a stage; NaN is below every number.
pub(crate) fn stops(hurdles: &[f64], stage: usize, fitness: f64) -> bool {
    hurdles.get(stage).is_some_and(|hurdle| fitness.max(f64::NEG_INFINITY) < *hurdle)
}
