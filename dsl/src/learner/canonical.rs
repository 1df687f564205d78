//! The canonical form of a learner, and the hash of its structure.
//!
//! Invariant: learners with equal hashes make equal predictions, to the bit. The hash covers the
//! live statements in order, with values known by the statement that made them: the addresses
//! between, which may be any, do not count, and neither does the order of arguments that may change
//! places. Independent statements in another order give another hash: that costs an evaluation, and
//! putting them in one order would cost every birth.

use evo_hashes::Hash;

use super::live::Live;
use super::{LearnerFunction, LearnerProgram, LearnerStatement, LearnerType};

/// Changes whenever the content that is hashed changes.
pub(super) const VERSION: u32 = 1;

/// How a value is known: by a statement of the function, as what was there before the function
/// began, as given, or as a zero that nothing has ever overwritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name(u16);

impl Name {
    const ZERO: Name = Name(0xffff);
    const GIVEN: Name = Name(0xfffe);
    /// Of an argument that an op does not have.
    const NONE: Name = Name(0xfffd);
    const CARRIED: u16 = 0x8000;
}

/// What stands at the addresses while a function is gone through.
struct Names<'l> {
    live: &'l Live,
    function: LearnerFunction,
    /// For every address the statement that wrote it last, and 1; 0: none in this function.
    made: &'l mut [[u16; LearnerProgram::ADDRESSES as usize]; 3],
    carried: &'l Carried,
}

/// The addresses that are carried, numbered in the order in which statements first write them: the
/// order in which they are read would depend on that of arguments.
struct Carried {
    order: Vec<(LearnerType, u8)>,
    /// For every address its number.
    numbers: [[u8; LearnerProgram::ADDRESSES as usize]; 3],
}

impl Carried {
    fn of(program: &LearnerProgram, live: &Live) -> Carried {
        let numbers = [[u8::MAX; LearnerProgram::ADDRESSES as usize]; 3];
        let mut carried = Carried { order: Vec::with_capacity(16), numbers };
        // The task writes it where nothing else does.
        carried.note(LearnerType::Scalar, LearnerProgram::PREDICTION);
        let read = live.entry[0].union(live.entry[1]);
        for function in LearnerFunction::ALL {
            for statement in live.of_function(program, function) {
                let output = statement.op.shape().output;
                if let Some(ty) = output.filter(|ty| read.contains(*ty, statement.output)) {
                    carried.note(ty, statement.output);
                }
            }
        }
        carried
    }

    fn note(&mut self, ty: LearnerType, address: u8) {
        let number = &mut self.numbers[ty as usize][usize::from(address)];
        if *number == u8::MAX {
            *number = self.order.len() as u8;
            self.order.push((ty, address));
        }
    }
}

impl Names<'_> {
    fn of(&self, ty: LearnerType, address: u8) -> Name {
        let made = self.made[ty as usize][usize::from(address)];
        let given = ty != LearnerType::Matrix && address == LearnerProgram::GIVEN;
        match self.function {
            _ if made > 0 => Name(made - 1),
            // Nothing has been written, or given.
            LearnerFunction::Setup => Name::ZERO,
            LearnerFunction::Predict if given && ty == LearnerType::Scalar => Name::ZERO,
            _ if given => Name::GIVEN,
            _ if !self.live.written.contains(ty, address) => Name::ZERO,
            _ => {
                let number = self.carried.numbers[ty as usize][usize::from(address)];
                Name(Name::CARRIED | u16::from(number))
            }
        }
    }

    /// Adds a statement to what is hashed.
    fn note(&mut self, index: u16, statement: &LearnerStatement, bytes: &mut Vec<u8>) {
        let shape = statement.op.shape();
        let Some(output) = shape.output else { return };
        let name = |input: usize| {
            shape.inputs[input].map_or(Name::NONE, |ty| self.of(ty, statement.inputs[input]))
        };
        let (mut first, mut second) = (name(0), name(1));
        if shape.commutes && second < first {
            (first, second) = (second, first);
        }
        if shape.updates {
            first = self.of(output, statement.output);
        }
        let ([a, b], [c, d]) = (first.0.to_le_bytes(), second.0.to_le_bytes());
        bytes.extend([statement.op.number(), a, b, c, d]);
        let constants = &statement.constants[..usize::from(shape.constants)];
        constants.iter().for_each(|constant| bytes.extend(constant.to_bits().to_le_bytes()));
        self.made[output as usize][usize::from(statement.output)] = index + 1;
    }
}

/// The hash of the structure.
pub(super) fn structure(program: &LearnerProgram) -> Hash {
    let live = program.effects();
    let carried = Carried::of(program, live);
    let mut bytes = Vec::with_capacity(512);
    // No other kind of content that is hashed begins with this letter.
    bytes.push(b'l');
    let mut made = [[[0; LearnerProgram::ADDRESSES as usize]; 3]; 3];
    for function in LearnerFunction::ALL {
        let made = &mut made[function as usize];
        let mut names = Names { live, function, made, carried: &carried };
        for (index, statement) in (0..).zip(live.of_function(program, function)) {
            names.note(index, statement, &mut bytes);
        }
        bytes.push(b'|');
    }
    for function in LearnerFunction::ALL {
        let made = &made[function as usize];
        for (number, &(ty, address)) in (0_u16..).zip(&carried.order) {
            let made = made[ty as usize][usize::from(address)];
            // What the function leaves where it is read behind it.
            if made > 0 && live.exit[function as usize].contains(ty, address) {
                bytes.extend(number.to_le_bytes());
                bytes.extend((made - 1_u16).to_le_bytes());
            }
        }
        bytes.push(b'|');
    }
    Hash::of(&bytes)
}

impl LearnerProgram {
    /// The live statements, addresses of each type numbered in the order in which they appear, and
    /// arguments that may change places in order.
    #[must_use]
    pub fn canonical(&self) -> LearnerProgram {
        let mut live = self.live().functions();
        // The given ones and the prediction stay where they are.
        let mut order: [Vec<u8>; 3] = [vec![0, LearnerProgram::PREDICTION], vec![0], Vec::new()];
        let mut renamed = |ty: LearnerType, address: u8| {
            let order = &mut order[ty as usize];
            let known = order.iter().position(|it| *it == address);
            known.unwrap_or_else(|| {
                order.push(address);
                order.len() - 1
            }) as u8
        };
        for statement in live.statements_mut() {
            let shape = statement.op.shape();
            for (address, ty) in statement.inputs.iter_mut().zip(shape.inputs) {
                if let Some(ty) = ty {
                    *address = renamed(ty, *address);
                }
            }
            if shape.commutes {
                statement.inputs.sort_unstable();
            }
            if let Some(ty) = shape.output {
                statement.output = renamed(ty, statement.output);
            }
        }
        LearnerProgram::deriving(live)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learner(text: &str) -> LearnerProgram {
        LearnerProgram::parse(text).expect("the tests hold learners")
    }

    const SGD: &str = "def Setup():\n  s2 = 0.1\ndef Predict():\n  s1 = dot(v1, v0)\n\
                       def Learn():\n  s3 = s0 - s1\n  s3 = s2 * s3\n  v2 = s3 * v0\n  \
                       v1 = v1 + v2\n";

    #[test]
    fn addresses_dead_statements_and_the_order_of_arguments_do_not_count() {
        let same = "def Setup():\n  s9 = 0.5\n  s7 = 0.1\ndef Predict():\n  s1 = dot(v0, v5)\n\
                    def Learn():\n  s4 = s0 - s1\n  s8 = s4 * s7\n  v9 = s8 * v0\n  \
                    v5 = v9 + v5\n  s2 = s8 + s8\n";
        let (one, other) = (learner(SGD), learner(same));
        assert_eq!(one.structural_hash(), other.structural_hash());
        assert_eq!(one.canonical().structural_hash(), one.structural_hash());
        assert_eq!(other.canonical().structural_hash(), one.structural_hash());
        assert_eq!(one.canonical().canonical(), one.canonical());
    }

    #[test]
    fn neither_does_the_order_of_two_values_that_are_read_for_the_first_time() {
        let text = "def Setup():\n  v1[0.1] = 1.0\n  v2[0.1] = 2.0\ndef Predict():\n  \
                    v3 = v1 + v2\n  s1 = dot(v3, v1)\n";
        let turned = text.replace("v1 + v2", "v2 + v1").replace("dot(v3, v1)", "dot(v1, v3)");
        assert_eq!(learner(text).structural_hash(), learner(&turned).structural_hash());
    }

    #[test]
    fn what_has_an_effect_counts() {
        let base = learner(SGD).structural_hash();
        for (from, to) in [
            ("0.1", "0.2"),
            ("s0 - s1", "s1 - s0"),
            ("s3 * v0", "s2 * v0"),
            ("dot(v1, v0)", "dot(v1, v1)"),
            ("v1 = v1 + v2", "v1 = v1 - v2"),
            ("v1 = v1 + v2", "v1 = v2 + v2"),
            ("def Learn():", "  s1 = s1 + s2\ndef Learn():"),
            ("s2 = 0.1", "s2 = 0.1\n  v1 = bcast(s2)"),
        ] {
            let changed = learner(&SGD.replace(from, to));
            assert_ne!(changed.structural_hash(), base, "{from} -> {to}");
        }
    }

    #[test]
    fn zeros_are_one_value_wherever_they_are_read() {
        let of = |zero: &str| {
            let text =
                "def Setup():\ndef Predict():\n  s2 = norm(v0)\n  s1 = s2 + ZERO\ndef Learn():\n";
            learner(&text.replace("ZERO", zero)).structural_hash()
        };
        assert_eq!(of("s5"), of("s0"));
        assert_eq!(of("s5"), of("s7"));
        assert_ne!(of("s5"), of("s2"));
        // What Predict writes behind is no zero in the next example.
        assert_ne!(of("s5"), of("s1"));
    }

    #[test]
    fn which_of_two_carried_values_is_kept_counts() {
        let swap = |text: &str| learner(text).structural_hash();
        let kept =
            "def Setup():\n  s2 = 1.0\n  s3 = 2.0\ndef Predict():\n  s1 = s2 - s3\ndef Learn():\n";
        let swapped = kept.replace("s2 = 1.0\n  s3 = 2.0", "s3 = 1.0\n  s2 = 2.0");
        assert_ne!(swap(kept), swap(&swapped));
    }
}
