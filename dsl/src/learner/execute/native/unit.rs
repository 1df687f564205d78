//! The vector units that learners are compiled for, and how rows are cut into their vectors.

use super::super::lanes::Line;
use super::super::run::has_avx512;

/// A vector unit, the narrower first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Unit {
    /// 16 registers of 256 bits.
    Avx2,
    /// 32 registers of 512 bits, and masks.
    Avx512,
}

impl Unit {
    pub(in super::super) const ALL: [Unit; 2] = [Unit::Avx2, Unit::Avx512];

    /// Whether the CPU has it.
    pub(in super::super) fn is_there(self) -> bool {
        match self {
            Unit::Avx2 => std::arch::is_x86_feature_detected!("avx2"),
            Unit::Avx512 => has_avx512(),
        }
    }

    /// Bytes of a vector.
    pub(super) fn bytes(self) -> usize {
        match self {
            Unit::Avx2 => 32,
            Unit::Avx512 => 64,
        }
    }

    /// How many vectors its registers hold.
    pub(super) fn registers(self) -> u8 {
        match self {
            Unit::Avx2 => 16,
            Unit::Avx512 => 32,
        }
    }
}

/// A row in vectors. Those behind the last task are computed by nobody: what stands there is never
/// looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    /// Vectors with a task.
    pub(super) vectors: usize,
    /// Vectors from the beginning of a row to that of the next.
    pub(super) stride: usize,
}

impl Cut {
    /// Rows of so many lines, for so many tasks.
    pub(super) fn new(unit: Unit, lines: usize, tasks: usize) -> Cut {
        let stride = lines * size_of::<Line>() / unit.bytes();
        let vectors = tasks.div_ceil(unit.bytes() / size_of::<f64>());
        assert!(vectors <= stride, "more tasks than a row has lanes");
        Cut { vectors, stride }
    }
}
