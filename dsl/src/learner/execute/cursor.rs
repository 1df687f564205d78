//! What random ops draw.
//!
//! Invariant: the operations of [`LearnerOp::apply`](crate::LearnerOp::apply) on the numbers of
//! each task, in the order in which the interpreter comes to them.

use super::kernel::{Row, Rows, map, splat};
use crate::learner::task::DRAWS;

/// Where random ops have come to in the sequences of the tasks.
pub(super) struct Cursor<'t, const K: usize> {
    pub(super) uniform: &'t [Row<K>],
    pub(super) normal: &'t [Row<K>],
    pub(super) uniform_at: usize,
    pub(super) normal_at: usize,
}

impl<const K: usize> Cursor<'_, K> {
    pub(super) fn uniform(&mut self, out: &Rows<K>, low: f64, high: f64) {
        let range = high - low;
        if !(range > 0.0 && range.is_finite()) {
            return out.iter().for_each(|out| out.set(splat(low)));
        }
        for out in out {
            let drawn = &self.uniform[self.uniform_at % DRAWS];
            out.set(map(drawn, |x| (low + range * x).clamp(low, high)));
            self.uniform_at += 1;
        }
    }

    pub(super) fn normal(&mut self, out: &Rows<K>, mean: f64, deviation: f64) {
        for out in out {
            let drawn = &self.normal[self.normal_at % DRAWS];
            out.set(map(drawn, |x| mean + deviation * x));
            self.normal_at += 1;
        }
    }
}
