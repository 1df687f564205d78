//! What stands for the compiler of learners where there is none: every plan is run by the loop over
//! statements.

use super::kernel::Rows;
use super::plan::Plan;
use super::run::Part;

/// No vector unit is compiled for.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(super) enum Unit {}

#[cfg(test)]
impl Unit {
    pub(super) const ALL: [Unit; 0] = [];

    pub(super) fn is_there(self) -> bool {
        match self {}
    }
}

/// Compiles nothing.
#[derive(Debug, Default)]
pub(super) struct Native(());

impl Native {
    pub(super) fn new() -> Native {
        Native(())
    }

    #[cfg(test)]
    pub(super) fn for_unit(unit: Unit) -> Native {
        match unit {}
    }

    #[cfg(test)]
    pub(super) fn compiled(&self) -> u64 {
        0
    }

    pub(super) fn begin(&mut self, _tasks: usize) {}

    /// Runs nothing.
    pub(super) fn run<const K: usize>(
        &mut self,
        _: &Plan,
        _trains: bool,
        _: &Rows<K>,
        Part { first: _first, examples: _examples, left: _left }: Part,
    ) -> bool {
        false
    }
}
