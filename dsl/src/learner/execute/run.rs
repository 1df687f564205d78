//! The loops over examples.
//!
//! Invariant: what a task comes to is what the interpreter gives ([`LearnerTask::fitness`]), in
//! every lane. A lane whose error was too large goes on computing, to nobody's harm; when no other
//! is left the evaluation ends.
//!
//! [`LearnerTask::fitness`]: crate::LearnerTask::fitness

use evo_hashes::Hash;

use super::kernel::{Cursor, Row, map, run, splat, zip};
use super::lanes::{Group, LearnerTasks, Line, Rows};
use super::plan::Plan;
use crate::learner::task::sigmoid;
use crate::learner::{LearnerFunction, LearnerLoss, LearnerTraining};

/// Examples of each kind that are watched.
const WATCHED: usize = 10;

/// Examples from one look at whether any lane is left to the next.
const LOOK_EVERY: usize = 8;

/// Of eight lanes.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Digests([u64; Line::LANES]);

/// What is seen of a learner: for every task a digest of its first predictions, rounded.
#[derive(Debug, Default)]
pub(super) struct Watch {
    seen: [Digests; 2],
    bad: [bool; 2 * Line::LANES],
}

impl Watch {
    /// Notes a prediction for every task.
    #[inline(always)]
    fn note<const K: usize>(&mut self, predictions: &Row<K>) {
        for (seen, predictions) in self.seen.iter_mut().zip(predictions) {
            for (seen, prediction) in seen.0.iter_mut().zip(&predictions.0) {
                // Sixteen bits of mantissa, and no sign of 0: what differs by rounding is alike.
                let bits = (*prediction as f32 + 0.0).to_bits() >> 7;
                let mixed = (*seen ^ u64::from(bits)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                *seen = mixed ^ mixed >> 29;
            }
        }
    }

    /// The hash of what so many tasks have shown. A task on which training ends at once is known by
    /// that, however it came about: its fitness is 0.
    pub(super) fn hash(&self, tasks: usize) -> Hash {
        let mut bytes = [0; 1 + 4 * 2 * Line::LANES];
        // No other kind of content that is hashed begins with this letter.
        bytes[0] = b'b';
        let seen = self.seen.iter().flat_map(|line| line.0);
        for ((to, seen), bad) in bytes[1..].chunks_exact_mut(4).zip(seen).zip(self.bad) {
            // Half of the bits of each task: together they are more than a hash has.
            let half = (seen >> 32) as u32;
            to.copy_from_slice(&(if bad { 0 } else { half | 1 }).to_le_bytes());
        }
        Hash::of(&bytes[..1 + 4 * tasks])
    }

    /// Whether training has ended at once on all of so many tasks.
    pub(super) fn is_all_bad(&self, tasks: usize) -> bool {
        self.bad[..tasks].iter().all(|bad| *bad)
    }
}

/// What is done with examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Predicted, and learnt from.
    Train,
    /// Predicted, and the losses added up.
    Validate,
}

/// Adds the fitness on every task of a group.
pub(super) fn evaluate(
    plan: &Plan,
    group: &Group,
    tasks: &LearnerTasks,
    memory: &mut Vec<Line>,
    fitness: &mut Vec<f64>,
) {
    match group.lines() {
        1 => Pass::<1>::new(plan, group, tasks.training(), memory).evaluate(group, fitness),
        _ => Pass::<2>::new(plan, group, tasks.training(), memory).evaluate(group, fitness),
    }
}

/// Notes the first predictions on every task of a group.
pub(super) fn watch(
    plan: &Plan,
    group: &Group,
    tasks: &LearnerTasks,
    memory: &mut Vec<Line>,
    watch: &mut Watch,
) {
    match group.lines() {
        1 => Pass::<1>::new(plan, group, tasks.training(), memory).watch(group, watch),
        _ => Pass::<2>::new(plan, group, tasks.training(), memory).watch(group, watch),
    }
}

/// A learner at work on a group of tasks.
struct Pass<'t, const K: usize> {
    plan: &'t Plan,
    training: LearnerTraining,
    memory: &'t mut [Row<K>],
    cursor: Cursor<'t, K>,
    /// 1 in the lanes in which an error was too large.
    bad: Row<K>,
    /// The losses in validation.
    sums: Row<K>,
}

impl<'t, const K: usize> Pass<'t, K> {
    /// Behind `Setup`.
    fn new(
        plan: &'t Plan,
        group: &'t Group,
        training: LearnerTraining,
        memory: &'t mut Vec<Line>,
    ) -> Pass<'t, K> {
        memory.clear();
        memory.resize(plan.rows * K, Line([0.0; Line::LANES]));
        let memory = memory.as_chunks_mut().0;
        let (uniform, normal) = (group.uniform.as_chunks().0, group.normal.as_chunks().0);
        let cursor = Cursor { uniform, normal, uniform_at: 0, normal_at: 0 };
        let (bad, sums) = (splat(0.0), splat(0.0));
        let mut pass = Pass { plan, training, memory, cursor, bad, sums };
        // Once, so not worth a version for every vector unit.
        run::<0, K>(plan.of(LearnerFunction::Setup), pass.memory, plan.n, &mut pass.cursor);
        pass
    }

    fn evaluate(mut self, group: &Group, fitness: &mut Vec<f64>) {
        let mut best = [0.0; 2 * Line::LANES];
        for epoch in &group.epochs {
            self.go(Phase::Train, epoch.lines.as_chunks().0, None);
            if self.is_over() {
                break;
            }
            self.go(Phase::Validate, group.validation.lines.as_chunks().0, None);
            let lanes = self.sums.iter().flat_map(|line| line.0).zip(self.bad_lanes());
            for (best, (sum, bad)) in best.iter_mut().zip(lanes).take(group.tasks()) {
                if !bad {
                    let fitness = self.training.loss.fitness(sum, group.validation.examples);
                    *best = f64::max(*best, fitness);
                }
            }
        }
        fitness.extend(&best[..group.tasks()]);
    }

    fn watch(mut self, group: &Group, watch: &mut Watch) {
        let n = self.plan.n;
        if let Some(epoch) = group.epochs.first() {
            self.go(Phase::Train, first(epoch, n), Some(watch));
        }
        watch.bad.iter_mut().zip(self.bad_lanes()).for_each(|(to, bad)| *to = bad);
        self.go(Phase::Validate, first(&group.validation, n), Some(watch));
    }

    fn go(&mut self, phase: Phase, examples: &[Row<K>], watch: Option<&mut Watch>) {
        self.sums = splat(0.0);
        match self.plan.n {
            4 => widest::<4, K>(self, phase, examples, watch),
            8 => widest::<8, K>(self, phase, examples, watch),
            16 => widest::<16, K>(self, phase, examples, watch),
            _ => widest::<0, K>(self, phase, examples, watch),
        }
    }

    /// Goes through examples, each so many rows of features and one of labels.
    #[inline(always)]
    fn examples<const N: usize>(
        &mut self,
        phase: Phase,
        examples: &[Row<K>],
        mut watch: Option<&mut Watch>,
    ) {
        let n = if N > 0 { N } else { self.plan.n };
        let predict = self.plan.of(LearnerFunction::Predict);
        let learn = self.plan.of(LearnerFunction::Learn);
        for (at, example) in examples.chunks_exact(n + 1).enumerate() {
            if let Some(place) = self.plan.features {
                self.memory[place as usize..][..n].copy_from_slice(&example[..n]);
            }
            run::<N, K>(predict, self.memory, n, &mut self.cursor);
            let label = &example[n];
            self.judge(phase, label, &mut watch);
            if at % LOOK_EVERY == 0 && self.is_over() {
                return;
            }
            if phase == Phase::Train {
                if let Some(place) = self.plan.label {
                    self.memory[place as usize] = *label;
                }
                run::<N, K>(learn, self.memory, n, &mut self.cursor);
            }
        }
    }

    /// Notes the errors of the predictions at hand.
    #[inline(always)]
    fn judge(&mut self, phase: Phase, label: &Row<K>, watch: &mut Option<&mut Watch>) {
        let LearnerTraining { loss, most_error } = self.training;
        if loss == LearnerLoss::Accuracy {
            self.judge_side(phase, label);
        } else {
            let prediction = &self.memory[self.plan.prediction as usize];
            for line in 0..K {
                let (label, prediction) = (&label[line].0, &prediction[line].0);
                let (bad, sums) = (&mut self.bad[line].0, &mut self.sums[line].0);
                for lane in 0..Line::LANES {
                    let error = label[lane] - prediction[lane];
                    bad[lane] = if error.abs() <= most_error { bad[lane] } else { 1.0 };
                    // In training too, where nobody asks for it: that is no branch.
                    sums[lane] += error * error;
                }
            }
        }
        if let Some(watch) = watch {
            watch.note(&self.memory[self.plan.prediction as usize]);
        }
    }

    /// The same where the side of one half counts.
    #[inline(never)]
    fn judge_side(&mut self, phase: Phase, label: &Row<K>) {
        let at = self.plan.prediction as usize;
        let most_error = self.training.most_error;
        let is_bad = |bad, error: f64| if error <= most_error { bad } else { 1.0 };
        let errors = if phase == Phase::Train {
            self.memory[at] = map(&self.memory[at], sigmoid);
            zip(label, &self.memory[at], |label, it| (label - it).abs())
        } else {
            zip(label, &self.memory[at], |label, it| LearnerLoss::Accuracy.of(label, it))
        };
        self.sums = zip(&self.sums, &errors, |sum, loss| sum + loss);
        self.bad = zip(&self.bad, &errors, is_bad);
    }

    fn bad_lanes(&self) -> impl Iterator<Item = bool> + use<K> {
        let bad = self.bad;
        (0..K * Line::LANES).map(move |lane| bad[lane / Line::LANES].0[lane % Line::LANES] > 0.0)
    }

    #[inline(always)]
    fn is_over(&self) -> bool {
        self.bad.iter().all(|line| line.0.iter().all(|bad| *bad > 0.0))
    }
}

/// The examples that are watched.
fn first<const K: usize>(rows: &Rows, n: usize) -> &[Row<K>] {
    let rows: &[Row<K>] = rows.lines.as_chunks().0;
    &rows[..rows.len().min(WATCHED * (1 + n))]
}

/// The loop compiled for the widest vector unit the CPU has; the versions differ in the width of
/// registers alone, and nothing is fused.
fn widest<const N: usize, const K: usize>(
    pass: &mut Pass<'_, K>,
    phase: Phase,
    examples: &[Row<K>],
    watch: Option<&mut Watch>,
) {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512vl")
            && std::arch::is_x86_feature_detected!("avx512dq")
        {
            #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx2")]
            fn with_avx512<const N: usize, const K: usize>(
                pass: &mut Pass<'_, K>,
                phase: Phase,
                examples: &[Row<K>],
                watch: Option<&mut Watch>,
            ) {
                pass.examples::<N>(phase, examples, watch);
            }
            #[allow(unsafe_code)]
            // SAFETY: the CPU was just found to have all the features the callee needs.
            return unsafe { with_avx512::<N, K>(pass, phase, examples, watch) };
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            #[target_feature(enable = "avx2")]
            fn with_avx2<const N: usize, const K: usize>(
                pass: &mut Pass<'_, K>,
                phase: Phase,
                examples: &[Row<K>],
                watch: Option<&mut Watch>,
            ) {
                pass.examples::<N>(phase, examples, watch);
            }
            #[allow(unsafe_code)]
            // SAFETY: as above.
            return unsafe { with_avx2::<N, K>(pass, phase, examples, watch) };
        }
    }
    pass.examples::<0>(phase, examples, watch);
}
