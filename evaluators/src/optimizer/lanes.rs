//! Lanes: a cohort trained as one batched network, for accelerators.
//!
//! Every candidate is a lane: all tensors have the lanes as their first dimension, and a step of
//! the whole cohort is about as many operations as a step of one candidate. All lanes read the same
//! batches, as runs of one task do; each has its own weights, program and loss.
//!
//! Invariant: a lane ends as its candidate would alone, for the same reason at the same step, and
//! whatever its place and neighbours. On a CPU its bits do not depend on how many lanes there are;
//! elsewhere a library may choose its kernels by that number, so it is always the same and lanes
//! that have no candidate repeat one. A lane's losses are those of the batched network: to
//! rounding, not to the bit, what training one after another gives.

mod host;
mod options;
mod training;
pub(crate) mod update;

pub use options::Lanes;
pub(super) use training::{Cohort, LaneRuns, LaneTask, train_lanes};
