//! The simplifier of learners: the same predictions, to the bit, by fewer statements.
//!
//! Invariant: a shorter learner is taken only once it has been proved equal to the one before
//! ([`equal`]): on every task, for any number of features, every prediction has the same bits (one
//! NaN being as good as another), and the same random numbers are drawn. The result is a function
//! of the learner, never longer than what of it is live, and in canonical form.
//!
//! It does not go through the e-graph of optimizers (`simplify/` of the crate). The terms there
//! broadcast, divide with a guard and round trees to float32, so of the rules none could be taken
//! over as it is; and what makes learners long is memory: copies by way of a zero, addresses that
//! hold the same from example to example, values made again. So values are numbered across
//! functions and examples, and an e-graph would add the reordering of sums and products alone,
//! which is not exact.

mod equal;
mod proposal;
mod value;

use super::{LearnerProgram, LearnerStatement};
use equal::Trace;

/// The most live statements of a learner that is looked at; of a longer one only what is dead is
/// removed.
const MOST_STATEMENTS: usize = 200;

impl LearnerProgram {
    /// The learner in as few statements as are found to make the same predictions, to the bit.
    ///
    /// ```
    /// use evo_dsl::LearnerProgram;
    ///
    /// // s5 is never written, so it is zero, and norms are never -0.
    /// let text = "def Predict():\n  s2 = norm(v0)\n  s3 = s2 + s5\n  s1 = s3 * s2\n";
    /// let simplified = LearnerProgram::parse(text)?.simplified();
    /// assert!(simplified.to_string().contains("  s2 = norm(v0)\n  s1 = s2 * s2\n"));
    /// # Ok::<(), evo_dsl::ParseError>(())
    /// ```
    #[must_use]
    pub fn simplified(&self) -> LearnerProgram {
        let mut best = self.canonical();
        if best.statements().len() > MOST_STATEMENTS {
            return best;
        }
        while let Some(shorter) = shorter(&best) {
            best = shorter;
        }
        best
    }

    /// Whether two learners are found to make the same predictions, to the bit, on every task. Some
    /// that do are not found to.
    pub fn is_same_as(&self, other: &LearnerProgram) -> bool {
        Trace::of_both(&self.live(), &other.live()).is_some()
    }
}

/// The first proposal that costs less and is the same.
fn shorter(program: &LearnerProgram) -> Option<LearnerProgram> {
    let trace = Trace::of_both(program, program).expect("a learner is the same as itself");
    let cost = cost(program);
    proposal::all(program, &trace)
        .map(|it| it.canonical())
        .find(|proposed| self::cost(proposed) < cost && Trace::of_both(program, proposed).is_some())
}

/// Statements, and what they read: a constant is simpler than what computes it.
fn cost(program: &LearnerProgram) -> (usize, usize) {
    let reads = |statement: &LearnerStatement| statement.op.info().inputs.len();
    (program.statements().len(), program.statements().iter().map(reads).sum())
}

#[cfg(test)]
mod tests;
