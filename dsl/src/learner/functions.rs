//! The statements of a learner, function by function, as they are put together and edited.
//!
//! Invariant: whoever edits them writes sound statements alone. The statements of all functions lie
//! in one list, because a learner is copied for every birth; it is shared until it is changed, so a
//! child that is its parent costs no copy.

use std::ops::Range;
use std::sync::Arc;

use super::{LearnerFunction, LearnerStatement};

/// Statements, and the function each belongs to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Functions {
    statements: Arc<[LearnerStatement]>,
    /// Where `Setup` and `Predict` end.
    ends: [u16; 2],
}

impl Functions {
    pub(super) fn of(functions: [&[LearnerStatement]; 3]) -> Functions {
        let setup = functions[0].len();
        let ends = [setup as u16, (setup + functions[1].len()) as u16];
        Functions { statements: functions.concat().into(), ends }
    }

    /// All statements, function by function.
    pub(super) fn statements(&self) -> &[LearnerStatement] {
        &self.statements
    }

    /// The statements, to be changed in place.
    pub(super) fn statements_mut(&mut self) -> &mut [LearnerStatement] {
        Arc::make_mut(&mut self.statements)
    }

    /// A copy with a statement in place of another. Nothing is shared with it: to count who shares
    /// would cost a thread that breeds from what another bred more than to copy.
    pub(super) fn with(&self, at: usize, statement: LearnerStatement) -> Functions {
        let mut statements: Arc<[LearnerStatement]> = Arc::from(self.statements());
        let own = Arc::get_mut(&mut statements).expect("nobody else has heard of it");
        own[at] = statement;
        Functions { statements, ends: self.ends }
    }

    /// Where the statements of a function are among all.
    pub(super) fn range(&self, function: LearnerFunction) -> Range<usize> {
        let [setup, predict] = self.ends.map(usize::from);
        match function {
            LearnerFunction::Setup => 0..setup,
            LearnerFunction::Predict => setup..predict,
            LearnerFunction::Learn => predict..self.statements.len(),
        }
    }

    /// The function that a statement belongs to.
    pub(super) fn function_at(&self, at: usize) -> LearnerFunction {
        let [setup, predict] = self.ends.map(usize::from);
        match at {
            _ if at < setup => LearnerFunction::Setup,
            _ if at < predict => LearnerFunction::Predict,
            _ => LearnerFunction::Learn,
        }
    }

    /// Puts a statement before the one at a place in a function.
    pub(super) fn insert(
        &mut self,
        function: LearnerFunction,
        at: usize,
        statement: LearnerStatement,
    ) {
        let at = self.range(function).start + at;
        self.splice(at..at, Some(statement));
        self.move_ends(function, 1);
    }

    /// Takes the statement at a place in a function away.
    pub(super) fn remove(&mut self, function: LearnerFunction, at: usize) {
        let at = self.range(function).start + at;
        self.splice(at..at + 1, None);
        self.move_ends(function, -1);
    }

    fn splice(&mut self, range: Range<usize>, by: Option<LearnerStatement>) {
        let (before, behind) = (&self.statements[..range.start], &self.statements[range.end..]);
        let all = before.iter().copied().chain(by).chain(behind.iter().copied());
        self.statements = all.collect();
    }

    fn move_ends(&mut self, function: LearnerFunction, by: i16) {
        for end in &mut self.ends[(function as usize).min(2)..] {
            *end = end.wrapping_add_signed(by);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inserting_and_removing_moves_the_functions_behind() {
        let lengths =
            |functions: &Functions| LearnerFunction::ALL.map(|it| functions.range(it).len());
        let mut functions = Functions::of([&[]; 3]);
        for function in LearnerFunction::ALL.into_iter().rev() {
            functions.insert(function, 0, LearnerStatement::NO_OP);
            functions.insert(function, 1, LearnerStatement::NO_OP);
        }
        assert_eq!(lengths(&functions), [2, 2, 2]);
        functions.remove(LearnerFunction::Setup, 1);
        functions.remove(LearnerFunction::Learn, 0);
        assert_eq!(lengths(&functions), [1, 2, 1]);
        let of = |at| functions.function_at(at);
        assert_eq!([of(0), of(2), of(3)], LearnerFunction::ALL);
    }
}
