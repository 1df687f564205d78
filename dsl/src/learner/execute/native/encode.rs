//! An assembler for the few instructions of compiled learners, all on the vectors of one unit.
//!
//! Invariant: no byte is written outside the room it was given; an instruction for which there is
//! none sets [`Assembler::is_full`], and what was written is then of no use.
//!
//! Every instruction is a head of a few bytes in which operands flip bits, so that it is put
//! together with hardly a branch and written at once. With AVX-512 a place in memory within 127
//! vectors of its base, which most are, takes a byte, others four; with AVX2 hardly one is so near.

use super::unit::Unit;

/// What a place in memory is counted from: a register of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// What the learner keeps.
    Kept = 7,
    /// The rows of the example.
    Example = 6,
    /// The prediction of the example.
    Prediction = 2,
}

/// Where a vector stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum At {
    Register(u8),
    /// So many vectors behind a base.
    Memory(Base, i32),
}

/// What is done with vectors, as the heads of the instruction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Operation {
    evex: u64,
    vex: u64,
}

const fn packed(map: u64, code: u64) -> Operation {
    Operation {
        // Opmap with no register above 7; float64 and no second operand; 512 bits and no mask.
        evex: 0x62 | (0xF0 | map) << 8 | 0xFD << 16 | 0x48 << 24 | code << 32,
        // Opmap with no register above 7; no second operand, 256 bits.
        vex: 0xC4 | (0xE0 | map) << 8 | 0x7D << 16 | code << 24,
    }
}

impl Operation {
    pub(super) const ADD: Operation = packed(1, 0x58);
    pub(super) const MULTIPLY: Operation = packed(1, 0x59);
    pub(super) const SUBTRACT: Operation = packed(1, 0x5C);
    /// The second where either is NaN or they are equal.
    pub(super) const MIN: Operation = packed(1, 0x5D);
    pub(super) const DIVIDE: Operation = packed(1, 0x5E);
    /// As [`Operation::MIN`].
    pub(super) const MAX: Operation = packed(1, 0x5F);
    pub(super) const AND: Operation = packed(1, 0x54);
    const XOR: Operation = packed(1, 0xEF);
    const ROOT: Operation = packed(1, 0x51);
    const LOAD: Operation = packed(1, 0x28);
    const STORE: Operation = packed(1, 0x29);
    const COMPARE: Operation = packed(1, 0xC2);
    /// From a general register, with AVX2 from the first lane of a vector.
    const BROADCAST: Operation = Operation { evex: packed(2, 0x7C).evex, vex: packed(2, 0x59).vex };
    /// From a general register into the first lane.
    const MOVE: Operation = Operation { vex: packed(1, 0x6E).vex ^ 0x84 << 16, ..packed(1, 0x6E) };
    /// Loads where [`MASK`] is set, and zeros elsewhere.
    const LOAD_MASKED: Operation =
        Operation { evex: packed(1, 0x28).evex | 0x81 << 24, ..packed(1, 0x28) };

    /// Whether operands may change places, but for the bits within a NaN.
    pub(super) fn commutes(self) -> bool {
        self == Operation::ADD || self == Operation::MULTIPLY
    }
}

/// The mask register; with AVX2, which has none, the vector register of the same number.
const MASK: u8 = 1;

/// What a comparison with NaN is false for, and no exception.
#[derive(Clone, Copy)]
pub(super) enum Order {
    Less = 0x11,
    LessOrEqual = 0x12,
}

/// Writes instructions.
pub(super) struct Assembler<'c> {
    unit: Unit,
    room: &'c mut [u8],
    at: usize,
    is_full: bool,
}

impl<'c> Assembler<'c> {
    pub(super) fn new(unit: Unit, room: &'c mut [u8]) -> Assembler<'c> {
        Assembler { unit, room, at: 0, is_full: false }
    }

    /// Bytes written.
    pub(super) fn length(&self) -> usize {
        self.at
    }

    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Writes up to 16 bytes; those behind the length are overwritten by what follows.
    #[inline(always)]
    fn put(&mut self, bytes: u128, length: usize) {
        match self.room.get_mut(self.at..self.at + 16) {
            Some(to) => {
                to.copy_from_slice(&bytes.to_le_bytes());
                self.at += length;
            }
            None => self.is_full = true,
        }
    }

    /// `to = first operation second` and its length; an operation of one operand has no `first`,
    /// which is 0.
    #[inline(always)]
    fn encode(&self, operation: Operation, to: u8, first: u8, second: At) -> (u128, usize) {
        // The head, and where in it the byte of operands stands. What flips for registers above 15
        // flips nothing with AVX2, which has none.
        let (mut head, place) = match self.unit {
            Unit::Avx2 => (operation.vex, 4),
            Unit::Avx512 => (operation.evex, 5),
        };
        let [to, first] = [to, first].map(u64::from);
        head ^= (to >> 3 & 1) << 15 | (to >> 4) << 12 | (to & 7) << (8 * place + 3);
        head ^= (first & 15) << 19 | (first >> 4) << 27;
        match second {
            At::Register(second) => {
                let second = u64::from(second);
                head ^= (second >> 3 & 1) << 13 | (second >> 4) << 14;
                head ^= (second & 7 | 0xC0) << (8 * place);
                (u128::from(head), place + 1)
            }
            At::Memory(base, vectors) => {
                let bytes = vectors * self.unit.bytes() as i32;
                // One byte counts bytes, and with AVX-512 vectors.
                let near = if self.unit == Unit::Avx512 { vectors } else { bytes };
                let (mode, offset, length) = match i8::try_from(near) {
                    Ok(near) => (0x40, u32::from(near as u8), place + 2),
                    Err(_) => (0x80, bytes as u32, place + 5),
                };
                head |= (base as u64 | mode) << (8 * place);
                (u128::from(head) | u128::from(offset) << (8 * (place + 1)), length)
            }
        }
    }

    /// `to = first operation second`.
    #[inline(always)]
    pub(super) fn compute(&mut self, operation: Operation, to: u8, first: u8, second: At) {
        let (bytes, length) = self.encode(operation, to, first, second);
        self.put(bytes, length);
    }

    pub(super) fn root(&mut self, to: u8, of: u8) {
        self.compute(Operation::ROOT, to, 0, At::Register(of));
    }

    #[inline(always)]
    pub(super) fn load(&mut self, to: u8, from: At) {
        self.compute(Operation::LOAD, to, 0, from);
    }

    #[inline(always)]
    pub(super) fn store(&mut self, from: u8, to: At) {
        self.compute(Operation::STORE, from, 0, to);
    }

    /// Notes the lanes in which `first` is so ordered before `second`, in [`MASK`].
    pub(super) fn compare(&mut self, order: Order, first: u8, second: At) {
        let (bytes, length) = self.encode(Operation::COMPARE, MASK, first, second);
        self.put(bytes | (order as u128) << (8 * length), length + 1);
    }

    /// `from` in the lanes that were noted, 0 in the others.
    pub(super) fn load_where(&mut self, to: u8, from: u8) {
        let from = At::Register(from);
        match self.unit {
            Unit::Avx2 => self.compute(Operation::AND, to, MASK, from),
            Unit::Avx512 => self.compute(Operation::LOAD_MASKED, to, 0, from),
        }
    }

    pub(super) fn zero(&mut self, to: u8) {
        self.compute(Operation::XOR, to, to, At::Register(to));
    }

    /// The number of these bits in all lanes.
    pub(super) fn splat(&mut self, to: u8, bits: u64) {
        // To rax, which is register 0, and from there.
        self.put(0xB848 | u128::from(bits) << 16, 10);
        let mut from = 0;
        if self.unit == Unit::Avx2 {
            self.compute(Operation::MOVE, to, 0, At::Register(from));
            from = to;
        }
        self.compute(Operation::BROADCAST, to, 0, At::Register(from));
    }

    /// Moves a base by vectors.
    pub(super) fn advance(&mut self, base: Base, vectors: usize) {
        let add = 0x48 | 0x81 << 8 | (0xC0 | base as u128) << 16;
        self.put(add | ((vectors * self.unit.bytes()) as u128) << 24, 7);
    }

    /// Counts down, and goes on at a place before while there is something left.
    pub(super) fn repeat_from(&mut self, start: usize) {
        // dec rcx
        self.put(0x00C9_FF48, 3);
        let distance = start as i64 - (self.at as i64 + 6);
        // jnz
        self.put(0x850F | u128::from(distance as i32 as u32) << 16, 6);
    }

    /// Returns, with the upper parts of registers clean for code of other vector units.
    pub(super) fn finish(&mut self) {
        // vzeroupper, ret
        self.put(0xC3_77_F8_C5, 4);
    }
}
