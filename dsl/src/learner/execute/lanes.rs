//! Tasks side by side: for every number of an example one row, with a lane for each task.
//!
//! Invariant: lanes without a task of their own repeat the last task of their group, so they never
//! do what no task does, and what they come to is thrown away.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::learner::task::DRAWS;
use crate::learner::{LearnerExamples, LearnerTask, LearnerTraining};

/// Eight lanes: one register of the widest vector units.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Line(pub(super) [f64; 8]);

impl Line {
    pub(super) const LANES: usize = 8;
}

/// Tasks packed for the executor, all of one number of features and examples.
#[derive(Clone, Debug)]
pub struct LearnerTasks {
    /// Tells these tasks from all others of the process: what an executor has loaded.
    id: u64,
    n: usize,
    training: LearnerTraining,
    groups: Vec<Group>,
}

/// Up to 16 tasks.
#[derive(Clone, Debug)]
pub(super) struct Group {
    tasks: usize,
    /// Lines of a row: 1 or 2.
    lines: usize,
    /// All examples, each `n` rows of features and one of labels.
    pub(super) examples: Vec<Line>,
    pub(super) epochs: Vec<Span>,
    pub(super) validation: Span,
    pub(super) uniform: Vec<Line>,
    pub(super) normal: Vec<Line>,
}

/// Examples of a group, one behind the other.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    /// The row at which the first begins.
    pub(super) first: usize,
    pub(super) examples: usize,
}

impl LearnerTasks {
    /// Packs tasks.
    ///
    /// # Panics
    /// If there is no task, or two of them differ in features, epochs or examples.
    pub fn new(tasks: &[LearnerTask], training: LearnerTraining) -> LearnerTasks {
        let n = tasks.first().expect("there must be a task").n;
        let most = 2 * Line::LANES;
        let groups = tasks.chunks(most).map(|tasks| Group::new(tasks, n)).collect();
        static NEXT: AtomicU64 = AtomicU64::new(0);
        LearnerTasks { id: NEXT.fetch_add(1, Ordering::Relaxed), n, training, groups }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// The number of features.
    pub fn n(&self) -> usize {
        self.n
    }

    /// How many tasks there are.
    pub fn len(&self) -> usize {
        self.groups.iter().map(|group| group.tasks).sum()
    }

    /// Whether there is none, which cannot be.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    pub(super) fn training(&self) -> LearnerTraining {
        self.training
    }

    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }
}

impl Group {
    fn new(tasks: &[LearnerTask], n: usize) -> Group {
        let lines = tasks.len().div_ceil(Line::LANES);
        let epochs = tasks[0].epochs.len();
        assert!(tasks.iter().all(|task| task.epochs.len() == epochs), "epochs of two tasks differ");
        let mut examples = Vec::new();
        let mut span = |of: &dyn Fn(&LearnerTask) -> &LearnerExamples| {
            let first = examples.len() / lines;
            let of: Vec<&LearnerExamples> = tasks.iter().map(of).collect();
            Span { first, examples: add(&of, n, lines, &mut examples) }
        };
        let epochs = (0..epochs).map(|epoch| span(&|task| &task.epochs[epoch])).collect();
        let validation = span(&|task| &task.validation);
        let row = |of: &dyn Fn(&LearnerTask) -> f64| pack(tasks, lines, of);
        Group {
            tasks: tasks.len(),
            lines,
            examples,
            epochs,
            validation,
            uniform: (0..DRAWS).flat_map(|at| row(&|task| task.draws.uniform[at])).collect(),
            normal: (0..DRAWS).flat_map(|at| row(&|task| task.draws.normal[at])).collect(),
        }
    }

    pub(super) fn tasks(&self) -> usize {
        self.tasks
    }

    pub(super) fn lines(&self) -> usize {
        self.lines
    }
}

/// Adds the rows of examples of each task; how many examples there are.
fn add(tasks: &[&LearnerExamples], n: usize, lines: usize, rows: &mut Vec<Line>) -> usize {
    let examples = tasks[0].labels.len();
    for task in tasks {
        let sizes = (task.labels.len(), task.features.len());
        assert_eq!(sizes, (examples, examples * n), "examples of two tasks differ");
    }
    for at in 0..examples {
        for feature in 0..n {
            rows.extend(pack(tasks, lines, &|task| task.features[at * n + feature]));
        }
        rows.extend(pack(tasks, lines, &|task| task.labels[at]));
    }
    examples
}

/// One row: a number of each task.
fn pack<T>(tasks: &[T], lines: usize, of: &dyn Fn(&T) -> f64) -> Vec<Line> {
    let lane = |lane: usize| of(&tasks[lane.min(tasks.len() - 1)]);
    let line = |line: usize| Line(std::array::from_fn(|at| lane(line * Line::LANES + at)));
    (0..lines).map(line).collect()
}
