//! Runs in the hands of a program of another language: any domain behind one type.
//!
//! Invariant: it decides nothing. What a run is, is read by the code of the command line, and what
//! it does is the engine's; here the four domains become one type each for a program, a run and an
//! evaluator, so that a binding is written once. Traits over the domain, and no code a domain
//! again, because the engine is generic in it already.

mod error;
mod face;
mod judge;
mod open;
mod program;
mod run;

pub use error::{HostError, HostErrorKind};
pub use face::{About, HostedCandidate, HostedChampion, HostedEvaluation, HostedRun, RunView};
pub use judge::HostedEvaluator;
pub use open::{BeginOptions, Out, ResumeOptions, begin, evaluator, resume};
pub use program::AnyProgram;

/// The kind of CPU as far as the bits of an outcome depend on it.
pub fn cpu() -> String {
    crate::command::cpu::description()
}

/// Threads as asked, or one for each core.
pub fn cores(asked: Option<std::num::NonZeroUsize>) -> std::num::NonZeroUsize {
    crate::command::place::cores(asked)
}
