//! The loops over examples.
//!
//! Invariant: what a task comes to is what the interpreter gives ([`LearnerTask::fitness`]), in
//! every lane. A lane whose error was too large goes on computing, to nobody's harm; when no other
//! is left the evaluation ends.
//!
//! [`LearnerTask::fitness`]: crate::LearnerTask::fitness

use super::cursor::Cursor;
use super::judge::Verdict;
use super::kernel::{Rows, run};
use super::lanes::{Group, LearnerTasks, Line, Span};
use super::memory::Memory;
use super::native::Native;
use super::plan::{BLOCK, Plan};
use super::watch::Watch;
use crate::learner::LearnerTraining;

/// What is done with examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Predicted, and learnt from.
    Train,
    /// Predicted, and the losses added up.
    Validate,
}

/// Examples that are run together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// The row at which the first begins.
    pub(super) first: usize,
    pub(super) examples: usize,
    /// How many are left of its kind, themselves included.
    pub(super) left: usize,
}

/// Adds the fitness on every task of a group.
pub(super) fn evaluate(
    plan: &Plan,
    group: &Group,
    tasks: &LearnerTasks,
    (memory, native): (&mut Memory, &mut Native),
    fitness: &mut Vec<f64>,
) {
    let (training, state) = (tasks.training(), (memory, native));
    match group.lines() {
        1 => Pass::<1>::new(plan, group, training, state).evaluate(group, fitness),
        _ => Pass::<2>::new(plan, group, training, state).evaluate(group, fitness),
    }
}

/// Notes the first predictions on every task of a group.
pub(super) fn watch(
    plan: &Plan,
    group: &Group,
    tasks: &LearnerTasks,
    (memory, native): (&mut Memory, &mut Native),
    watch: &mut Watch,
) {
    let (training, state) = (tasks.training(), (memory, native));
    match group.lines() {
        1 => Pass::<1>::new(plan, group, training, state).watch(group, watch),
        _ => Pass::<2>::new(plan, group, training, state).watch(group, watch),
    }
}

/// A learner at work on a group of tasks.
struct Pass<'t, const K: usize> {
    plan: &'t Plan,
    training: LearnerTraining,
    memory: &'t Rows<K>,
    native: &'t mut Native,
    cursor: Cursor<'t, K>,
    verdict: Verdict<K>,
}

impl<'t, const K: usize> Pass<'t, K> {
    /// Behind `Setup`.
    fn new(
        plan: &'t Plan,
        group: &'t Group,
        training: LearnerTraining,
        (memory, native): (&'t mut Memory, &'t mut Native),
    ) -> Pass<'t, K> {
        let memory = memory.rows(plan.end);
        let (uniform, normal) = (group.uniform.as_chunks().0, group.normal.as_chunks().0);
        let mut cursor = Cursor { uniform, normal, uniform_at: 0, normal_at: 0 };
        // Once, so not worth a version for every vector unit.
        run::<0, K, false>(plan.setup(), memory, plan.n, 0, 1, &mut cursor);
        native.begin(group.tasks());
        let verdict = Verdict::new(group.tasks());
        Pass { plan, training, memory, native, cursor, verdict }
    }

    fn evaluate(mut self, group: &Group, fitness: &mut Vec<f64>) {
        let mut best = [0.0; 2 * Line::LANES];
        for epoch in &group.epochs {
            self.go(Phase::Train, *epoch, None);
            if self.verdict.is_over() {
                break;
            }
            self.go(Phase::Validate, group.validation, None);
            let lanes = best.iter_mut().zip(self.verdict.lanes()).take(group.tasks());
            for (best, (sum, bad)) in lanes {
                if !bad {
                    let fitness = self.training.loss.fitness(sum, group.validation.examples);
                    *best = f64::max(*best, fitness);
                }
            }
        }
        fitness.extend(&best[..group.tasks()]);
    }

    fn watch(mut self, group: &Group, watch: &mut Watch) {
        if let Some(epoch) = group.epochs.first() {
            self.go(Phase::Train, Watch::first(*epoch), Some(watch));
        }
        watch.note_bad(self.verdict.lanes().map(|(_, bad)| bad));
        self.go(Phase::Validate, Watch::first(group.validation), Some(watch));
    }

    fn go(&mut self, phase: Phase, span: Span, watch: Option<&mut Watch>) {
        self.verdict.begin();
        match self.plan.n {
            4 => widest::<4, K>(self, phase, span, watch),
            8 => widest::<8, K>(self, phase, span, watch),
            16 => widest::<16, K>(self, phase, span, watch),
            _ => widest::<0, K>(self, phase, span, watch),
        }
    }

    /// Goes through examples, each so many rows of features and one of labels, in blocks.
    #[inline(always)]
    fn examples<const N: usize>(
        &mut self,
        phase: Phase,
        span: Span,
        mut watch: Option<&mut Watch>,
    ) {
        let Pass { plan, memory, ref mut cursor, ref mut native, .. } = *self;
        let n = if N > 0 { N } else { plan.n };
        let rows = n + 1;
        let trains = phase == Phase::Train;
        let at_once = plan.in_blocks && (!trains || plan.learns_nothing());
        let (mut first, end) = (span.first, span.first + span.examples * rows);
        while first < end {
            let examples = ((end - first) / rows).min(BLOCK);
            let part = Part { first, examples, left: (end - first) / rows };
            let compiled = native.run(plan, trains, memory, part);
            // Machine code takes one example after another.
            let kept = plan.prediction + usize::from(compiled || !at_once);
            if !compiled && at_once {
                let instructions = plan.at_once(trains);
                run::<N, K, true>(instructions, memory, n, first, examples, cursor);
            } else if !compiled {
                let instructions = if trains { plan.train() } else { plan.validate() };
                run::<N, K, false>(instructions, memory, n, first, examples, cursor);
            }
            let predictions = &memory[kept..][..examples];
            let labels = memory[first..].chunks_exact(rows).map(|example| &example[n]);
            self.verdict.judge(phase, self.training, labels, predictions, &mut watch);
            if self.verdict.is_over() {
                return;
            }
            first += examples * rows;
        }
    }
}

/// Whether the CPU has all of AVX-512 that learners are run with.
#[cfg(target_arch = "x86_64")]
pub(super) fn has_avx512() -> bool {
    std::arch::is_x86_feature_detected!("avx512f")
        && std::arch::is_x86_feature_detected!("avx512vl")
        && std::arch::is_x86_feature_detected!("avx512dq")
}

/// The loop compiled for the widest vector unit the CPU has; the versions differ in the width of
/// registers alone, and nothing is fused.
fn widest<const N: usize, const K: usize>(
    pass: &mut Pass<'_, K>,
    phase: Phase,
    span: Span,
    watch: Option<&mut Watch>,
) {
    #[cfg(target_arch = "x86_64")]
    {
        if has_avx512() {
            #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx2")]
            fn with_avx512<const N: usize, const K: usize>(
                pass: &mut Pass<'_, K>,
                phase: Phase,
                span: Span,
                watch: Option<&mut Watch>,
            ) {
                pass.examples::<N>(phase, span, watch);
            }
            #[allow(unsafe_code)]
            // SAFETY: the CPU was just found to have all the features the callee needs.
            return unsafe { with_avx512::<N, K>(pass, phase, span, watch) };
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            #[target_feature(enable = "avx2")]
            fn with_avx2<const N: usize, const K: usize>(
                pass: &mut Pass<'_, K>,
                phase: Phase,
                span: Span,
                watch: Option<&mut Watch>,
            ) {
                pass.examples::<N>(phase, span, watch);
            }
            #[allow(unsafe_code)]
            // SAFETY: as above.
            return unsafe { with_avx2::<N, K>(pass, phase, span, watch) };
        }
    }
    pass.examples::<0>(phase, span, watch);
}
