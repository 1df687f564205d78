//! The text of the kernel: the update of a whole cohort in one launch, a block of threads for each
//! candidate, interpreting its program.
//!
//! It is CUDA C, and C99 just as well: so a host's compiler takes the same text, and tests compare
//! it with the executor on a machine without a device. Codes and sizes are macros written in front
//! of it.
//!
//! **Work** within a block goes in phases, with a barrier behind each. A pass over the parameters
//! is cut into units of elements of one leaf, a warp for each; a thread works on several elements,
//! a warp's width apart, for every instruction it decodes, and meets no other thread until the pass
//! ends. Registers of the program are in shared memory, where neighbouring threads use neighbouring
//! words.
//!
//! **Bound**: memory. A pass reads weights, gradients and states once and writes what changed,
//! neighbouring threads at neighbouring numbers: AdamW moves 28 bytes for each parameter (reads w,
//! g, m, v, writes w, m, v), Lion 20, SGD 12; what several instructions read comes from the cache
//! after the first. Each further pass, behind a norm or a mean, reads its trees again. Orthogonal
//! matrices are bound by arithmetic instead, their products being plain loops.
//!
//! **Results** do not depend on timing: sums are taken unit by unit in a fixed tree, and the units'
//! in a fixed order. They depend neither on the neighbours nor on a candidate's place: the order
//! follows from layout and program alone. The functions of float32 are those of `math.rs`,
//! operation by operation, so they must be compiled without contraction to fused multiply-adds.

use super::codes::definitions;

/// The parts of the text, each after what it uses.
const PARTS: [&str; 10] = [
    include_str!("kernel/threads.cu"),
    include_str!("kernel/functions.cu"),
    include_str!("kernel/small.cu"),
    include_str!("kernel/block.cu"),
    include_str!("kernel/sums.cu"),
    include_str!("kernel/pass.cu"),
    include_str!("kernel/means.cu"),
    include_str!("kernel/prologue.cu"),
    include_str!("kernel/matrices.cu"),
    include_str!("kernel/step.cu"),
];

/// The text of the kernel, in CUDA C and C99. Its function is `evo_update`.
pub fn device_kernel() -> String {
    definitions() + &PARTS.join("\n")
}
