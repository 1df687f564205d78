//! The compiled executor: a program as bytecode over cache-sized blocks.
//!
//! Invariant: it gives the bits of the float32 [`Interpreter`](crate::Interpreter), for live
//! code, whatever the block length and the vector unit. A step allocates nothing. Values live in
//! registers of one block, so a stretch of elementwise statements reads the weights, gradient and
//! states once and writes them once; only a whole-tree reduction ends a stretch.

mod allocate;
mod compile;
mod device;
mod fuse;
mod given;
mod kernels;
mod machine;
mod plan;
mod quotient;
mod reductions;

pub use device::{DEVICE_THREADS, DeviceCohort, DeviceError, DeviceMemory, device_kernel};
pub use machine::Executor;
