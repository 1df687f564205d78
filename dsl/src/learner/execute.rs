//! The fast engine of learners: live statements only, the tasks side by side in vector lanes.
//!
//! Invariant: every fitness has the bits that the interpreter gives. A lane computes what the
//! interpreter does for its task, operation by operation in the same order, and no lane looks at
//! another, so neither the width of the vector unit nor the company of a task moves a bit.
//!
//! Nothing is allocated for a learner once an executor has seen a longer one.

mod cursor;
mod judge;
mod kernel;
mod lanes;
mod memory;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod native;
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
#[path = "execute/no_native.rs"]
mod native;
mod plan;
mod run;
mod watch;

use evo_hashes::Hash;

pub use lanes::LearnerTasks;

use super::LearnerProgram;
#[cfg(test)]
use super::{LearnerTask, LearnerTraining};
use memory::Memory;
use native::Native;
#[cfg(test)]
use native::Unit;
use plan::Plan;
use watch::Watch;

/// Runs learners on tasks.
#[derive(Debug)]
pub struct LearnerExecutor {
    plan: Plan,
    memory: Memory,
    native: Native,
}

impl Default for LearnerExecutor {
    fn default() -> LearnerExecutor {
        LearnerExecutor::new()
    }
}

impl LearnerExecutor {
    /// Without memory yet.
    pub fn new() -> LearnerExecutor {
        LearnerExecutor { native: Native::new(), ..LearnerExecutor::without_native() }
    }

    /// One that compiles no learner to machine code, for a comparison: the fitness is the same.
    pub fn without_native() -> LearnerExecutor {
        LearnerExecutor {
            plan: Plan::default(),
            memory: Memory::default(),
            native: Native::default(),
        }
    }

    /// All engines of this machine: without machine code, and with that for each vector unit.
    #[cfg(test)]
    fn of_each_kind() -> Vec<LearnerExecutor> {
        let units = Unit::ALL.into_iter().filter(|unit| unit.is_there()).map(Native::for_unit);
        let natives = std::iter::once(Native::default()).chain(units);
        natives
            .map(|native| LearnerExecutor { native, ..LearnerExecutor::without_native() })
            .collect()
    }

    /// Adds the fitness of a learner on each of the tasks, in order.
    pub fn evaluate(
        &mut self,
        program: &LearnerProgram,
        tasks: &LearnerTasks,
        fitness: &mut Vec<f64>,
    ) {
        for (index, group) in tasks.groups().iter().enumerate() {
            let first = self.memory.load(tasks, index);
            self.plan.make(program, tasks, first);
            run::evaluate(&self.plan, group, tasks, (&mut self.memory, &mut self.native), fitness);
        }
    }

    /// The hash of what a learner predicts for the first examples of the first tasks; `None` for
    /// one that ends at once on all of them where there are others.
    pub(super) fn behaviour(
        &mut self,
        program: &LearnerProgram,
        tasks: &LearnerTasks,
    ) -> Option<Hash> {
        let first = self.memory.load(tasks, 0);
        self.plan.make(program, tasks, first);
        let group = tasks.groups().first()?;
        let mut watch = Watch::default();
        run::watch(&self.plan, group, tasks, (&mut self.memory, &mut self.native), &mut watch);
        // Of other tasks nothing has been seen.
        let known = tasks.groups().len() == 1 || !watch.is_all_bad(group.tasks());
        known.then(|| watch.hash(group.tasks()))
    }
}

impl LearnerTasks {
    /// The fitness of a learner on each of the tasks, by an executor of its own.
    pub fn fitness(&self, program: &LearnerProgram) -> Vec<f64> {
        let mut fitness = Vec::new();
        LearnerExecutor::new().evaluate(program, self, &mut fitness);
        fitness
    }
}

#[cfg(test)]
mod tests;
