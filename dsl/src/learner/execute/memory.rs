//! The memory of an executor: the examples of a group of tasks, and behind them what learners keep.
//!
//! Invariant: examples stay as they were loaded, from learner to learner, so that a statement reads
//! features where they stand and an example costs no copy. What learners keep is zero when they
//! begin.

use std::cell::Cell;

use super::kernel::{Row, Rows};
use super::lanes::{LearnerTasks, Line};

/// See above.
#[derive(Debug, Default)]
pub(super) struct Memory {
    lines: Vec<Line>,
    /// The tasks, and the group of them, whose examples stand in the first lines.
    loaded: Option<(u64, usize)>,
    examples: usize,
}

impl Memory {
    /// Loads the examples of a group; how many rows they are.
    pub(super) fn load(&mut self, tasks: &LearnerTasks, group: usize) -> usize {
        let examples = &tasks.groups()[group].examples;
        if self.loaded != Some((tasks.id(), group)) {
            self.lines.clear();
            self.lines.extend(examples);
            self.loaded = Some((tasks.id(), group));
            self.examples = examples.len();
        }
        self.examples / tasks.groups()[group].lines()
    }

    /// All rows, so many in number, behind the examples zero.
    pub(super) fn rows<const K: usize>(&mut self, rows: usize) -> &Rows<K> {
        self.lines.truncate(self.examples);
        self.lines.resize(rows * K, Line([0.0; Line::LANES]));
        let rows: &mut [Row<K>] = self.lines.as_chunks_mut().0;
        Cell::from_mut(rows).as_slice_of_cells()
    }
}
