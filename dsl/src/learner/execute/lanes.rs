//! Tasks side by side: for every number of an example one row, with a lane for each task.
//!
//! Invariant: lanes without a task of their own repeat the last task of their group, so they never
//! do what no task does, and what they come to is thrown away. One of them may be the *louder lane*
//! of a probe, which is looked at and never scored.

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

/// What features and labels of the louder lane are multiplied by.
const LOUDER: f64 = 8.0;

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
    /// Whether the lane behind those of the tasks is the louder one.
    louder: bool,
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
        LearnerTasks { id: next_id(), n, training, groups }
    }

    /// The same for a probe: where the first tasks leave a lane free, it has the first of them with
    /// features and labels eight times as large. What grows from example to example, and is lost in
    /// the rounding of something larger in the end, shows there first.
    pub(crate) fn with_louder_lane(mut self) -> LearnerTasks {
        self.id = next_id();
        self.groups[0].add_louder_lane();
        self
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

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
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
            louder: false,
            lines,
            examples,
            epochs,
            validation,
            uniform: (0..DRAWS).flat_map(|at| row(&|task| task.draws.uniform[at])).collect(),
            normal: (0..DRAWS).flat_map(|at| row(&|task| task.draws.normal[at])).collect(),
        }
    }

    fn add_louder_lane(&mut self) {
        let (line, lane) = (self.tasks / Line::LANES, self.tasks % Line::LANES);
        self.louder = line < self.lines;
        if !self.louder {
            return;
        }
        let rows =
            [(&mut self.examples, LOUDER), (&mut self.uniform, 1.0), (&mut self.normal, 1.0)];
        for (rows, factor) in rows {
            for row in rows.chunks_exact_mut(self.lines) {
                row[line].0[lane] = factor * row[0].0[0];
            }
        }
    }

    pub(super) fn tasks(&self) -> usize {
        self.tasks
    }

    /// The lanes that a probe looks at: those of the tasks, and the louder one.
    pub(super) fn watched(&self) -> usize {
        self.tasks + usize::from(self.louder)
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
