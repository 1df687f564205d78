//! The numbers that words for a device are made of: kinds of operands, instructions, sizes.
//!
//! Invariant: the kernel never states one of them. [`definitions`] writes all of them as C macros
//! in front of its text, so the encoder and the kernel cannot disagree.

use std::fmt::Write as _;

use crate::matrix::{Quintic, Schedule};
use crate::reduce::LANES;
use crate::{GUARD, Op, Type};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $value:expr;)*) => {
        $($(#[$doc])* pub(super) const $name: u32 = $value;)*

        const CODES: &[(&str, u32)] = &[$((stringify!($name), $name)),*];
    };
}

codes! {
    /// Threads of a block.
    THREADS = 512;
    /// Threads that run in step.
    WARP = 32;
    /// Elements that one thread works on for each instruction it decodes.
    PER_THREAD = 4;
    /// Elements of a unit: what a warp takes at a time. All of them belong to one leaf.
    UNIT = WARP * PER_THREAD;
    /// Registers held in shared memory at most, 8 KiB each: two blocks of an H100's processor then
    /// fit beside each other. Further registers are in device memory.
    SHARED_REGISTERS = 12;

    /// Words of the header of all words: leaves, units, elements of a tree.
    HEADER = 3;
    /// Words for each leaf: its place in a tree, rows, columns, those of the leaves before it, and
    /// its first unit.
    LEAF = 6;
    /// Words for each unit: leaf, first element in it, elements.
    PART = 3;
    /// Words of the header of a program: stages, where its small values, trees, partial sums,
    /// matrices, registers and step's values lie, and how many of the last there are.
    PROGRAM = 8;
    /// Words of the header of a stage: how many small instructions, orthogonalizations,
    /// instructions, sums and means follow.
    STAGE = 5;
    /// Words of an instruction on small values: code, whether to wait for the one before, and type
    /// and place of result and arguments.
    SMALL_INSTRUCTION = 10;
    /// Words of an orthogonalization: the tree of the result, the operand, and the schedule.
    ORTHOGONALIZATION = 3;
    /// Words of an instruction: code and target, operands in use, three operands of two words.
    INSTRUCTION = 8;
    /// Words of a mean: type and place of the result, the operand.
    MEAN = 3;

    /// Of an operand's first word: the kind, the modifier above it, and the number above both.
    KIND_MASK = 15;
    MODIFIER_SHIFT = 4;
    MODIFIER_MASK = 15;
    /// The small value of an operand differs from leaf to leaf.
    LEAFWISE = 1 << 8;
    /// Of an instruction's first word: the code, and a target that is a tree, not a register.
    CODE_MASK = 255;
    TARGET_TREE = 1 << 8;
    NUMBER_SHIFT = 9;

    /// An operand in a register.
    REGISTER = 0;
    /// A state or a spill.
    TREE = 1;
    WEIGHT = 2;
    GRADIENT = 3;
    /// A small value that is the same for all elements of a leaf.
    EVEN = 4;
    ROWS = 5;
    COLUMNS = 6;
    /// The number 1.
    ONE = 7;

    PLAIN = 0;
    SQUARE = 1;
    ROOT = 2;
    SCALE = 3;
    ROOT_OF_SCALED = 4;

    // Instructions beyond the elementwise ops; those are the numbers of `Op`.
    COPY = 64;
    REDUCE = 65;
    SUBTRACT = 66;
    SUBTRACT_DECAYED = 67;

    // Small instructions beyond the elementwise ops.
    SPREAD = 64;
    TOTAL = 65;
    LEAF_TOTAL = 66;
    LEAF_MEAN = 67;
    COSINE = 68;
    CLIP_FACTOR = 69;
    BIAS_CORRECTION = 70;
}

/// All codes, ops and types as C macros.
pub(super) fn definitions() -> String {
    let mut text = String::new();
    let mut define = |name: &str, value: u32| {
        let name = name.to_uppercase();
        writeln!(text, "#define {name} {value}u").expect("writing to a string cannot fail");
    };
    for (name, value) in CODES {
        define(name, *value);
    }
    for op in Op::all() {
        define(&format!("OP_{op:?}"), op as u32);
    }
    for (name, ty) in [
        ("TYPE_SCALAR", Type::Scalar),
        ("TYPE_LEAF", Type::PerLeaf),
        ("TYPE_ROW", Type::PerRow),
        ("TYPE_COLUMN", Type::PerColumn),
    ] {
        define(name, ty as u32);
    }
    define("SUM_LANES", LANES as u32);
    writeln!(text, "#define GUARD {GUARD:e}").expect("writing to a string cannot fail");
    text + &schedules()
}

/// The schedules of orthogonalizations, by number: how many steps, by what norms are multiplied, and
/// the quintics, filled up to as many as the longest has.
fn schedules() -> String {
    let of_all = |text: &dyn Fn(Schedule) -> String| Schedule::ALL.map(text).join(", ");
    let longest = Schedule::ALL.map(|schedule| schedule.steps().len()).into_iter().max();
    let quintics = |schedule: Schedule| {
        let of_step = |[a, b, c]: &Quintic| format!("{{{a:e}, {b:e}, {c:e}}}");
        format!("{{{}}}", schedule.steps().iter().map(of_step).collect::<Vec<_>>().join(", "))
    };
    format!(
        "#define SCHEDULES {}u\n#define MOST_STEPS {}u\n#define SCHEDULE_STEPS {{{}}}\n\
         #define SCHEDULE_MARGINS {{{}}}\n#define SCHEDULE_QUINTICS {{{}}}\n",
        Schedule::ALL.len(),
        longest.expect("there are some"),
        of_all(&|schedule| format!("{}u", schedule.steps().len())),
        of_all(&|schedule| format!("{:e}", schedule.margin())),
        of_all(&quintics),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_op_has_the_code_of_another_instruction() {
        assert!(Op::all().all(|op| (op as u32) < COPY.min(SPREAD)));
    }
}
