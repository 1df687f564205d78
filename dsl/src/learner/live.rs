//! What of a learner has an effect.
//!
//! Invariant: a statement is live if a prediction of this or a later example may depend on it.
//! Memory is carried from example to example and from function to function, so liveness is a least
//! fixpoint: what `Predict` reads from before it may come from `Setup`, from `Learn`, or in
//! validation from the `Predict` of the example before.
//!
//! Addresses are below 64, so a set of them is three words, which stay in registers, and a pass
//! over a learner a few operations a statement.

use super::functions::Functions;
use super::{LearnerFunction, LearnerProgram, LearnerStatement, LearnerType};

/// A set of addresses, a word for each type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Addresses([u64; 3]);

impl Addresses {
    /// The prediction alone.
    fn prediction() -> Addresses {
        let mut prediction = Addresses::default();
        prediction.insert(LearnerType::Scalar, LearnerProgram::PREDICTION);
        prediction
    }

    /// The address alone, or none; by the words of its type, where that is one.
    fn one([scalars, vectors, matrices]: [u64; 3], address: u8) -> Addresses {
        let bit = 1 << address;
        Addresses([scalars & bit, vectors & bit, matrices & bit])
    }

    pub(super) fn contains(self, ty: LearnerType, address: u8) -> bool {
        self.0[ty as usize] >> address & 1 == 1
    }

    pub(super) fn insert(&mut self, ty: LearnerType, address: u8) {
        self.0[ty as usize] |= 1 << address;
    }

    fn zip(self, other: Addresses, f: impl Fn(u64, u64) -> u64) -> Addresses {
        let ([a, b, c], [d, e, g]) = (self.0, other.0);
        Addresses([f(a, d), f(b, e), f(c, g)])
    }

    pub(super) fn union(self, other: Addresses) -> Addresses {
        self.zip(other, |a, b| a | b)
    }

    pub(super) fn meets(self, other: Addresses) -> bool {
        let [scalars, vectors, matrices] = self.zip(other, |a, b| a & b).0;
        scalars | vectors | matrices != 0
    }

    pub(super) fn len(self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Without label and features, which are given anew before every function but `Setup`.
    fn without_given(self) -> Addresses {
        let given = !(1 << LearnerProgram::GIVEN);
        let [scalars, vectors, matrices] = self.0;
        Addresses([scalars & given, vectors & given, matrices])
    }
}

/// What of a learner is live.
#[derive(Clone, Debug)]
pub(super) struct Live {
    /// Of every statement.
    pub(super) statements: Vec<bool>,
    /// What `Predict` and `Learn` read from before they began, label and features left out.
    pub(super) entry: [Addresses; 2],
    /// What live statements write, and the prediction: the task may write that.
    pub(super) written: Addresses,
    /// What is read behind each function.
    pub(super) exit: [Addresses; 3],
}

impl Live {
    pub(super) fn of(functions: &Functions) -> Live {
        let all = functions.statements();
        let mut statements = vec![false; all.len()];
        let [setup, predict, learn] = LearnerFunction::ALL.map(|it| &all[functions.range(it)]);
        let (setup_marks, marks) = statements.split_at_mut(setup.len());
        let (predict_marks, learn_marks) = marks.split_at_mut(predict.len());
        let (mut into_predict, mut into_learn) = (Addresses::default(), Addresses::default());
        // The marks of the last pass are those of the fixpoint.
        let behind_predict = loop {
            let behind_predict = Addresses::prediction().union(into_learn).union(into_predict);
            let before = (into_predict, into_learn);
            into_predict = marked(predict, predict_marks, behind_predict).without_given();
            into_learn = marked(learn, learn_marks, into_predict).without_given();
            if before == (into_predict, into_learn) {
                break behind_predict;
            }
        };
        marked(setup, setup_marks, into_predict);
        let exit = [into_predict, behind_predict, into_predict];
        let mut written = Addresses::prediction();
        for (statement, live) in all.iter().zip(&statements) {
            if *live {
                written =
                    written.union(Addresses::one(statement.op.shape().masks[2], statement.output));
            }
        }
        Live { statements, entry: [into_predict, into_learn], written, exit }
    }

    /// Whether a statement is dead, and another in its place would be: nothing behind it reads what
    /// that writes. Then the fixpoint is the same, as no pass on the way to it reads more.
    pub(super) fn is_dead_with(
        &self,
        functions: &Functions,
        at: usize,
        statement: &LearnerStatement,
    ) -> bool {
        if self.statements[at] {
            return false;
        }
        let function = functions.function_at(at);
        let behind = at + 1..functions.range(function).end;
        let behind = functions.statements()[behind].iter();
        let read = behind.rev().fold(self.exit[function as usize], |it, next| before(next, it).0);
        !read.meets(Addresses::one(statement.op.shape().masks[2], statement.output))
    }

    /// The statements of a function that are live.
    pub(super) fn of_function<'p>(
        &'p self,
        program: &'p LearnerProgram,
        function: LearnerFunction,
    ) -> impl Iterator<Item = &'p LearnerStatement> {
        let range = program.range(function);
        let statements = program.statements()[range.clone()].iter();
        statements.zip(&self.statements[range]).filter(|(_, live)| **live).map(|(it, _)| it)
    }
}

/// What is read before statements behind which this is read; marks those that are live.
fn marked(statements: &[LearnerStatement], marks: &mut [bool], mut read: Addresses) -> Addresses {
    for (statement, mark) in statements.iter().zip(marks).rev() {
        (read, *mark) = before(statement, read);
    }
    read
}

/// What is read before a statement behind which this is read, and whether it is live. Without a
/// branch, which could not be foretold.
#[inline(always)]
fn before(statement: &LearnerStatement, read: Addresses) -> (Addresses, bool) {
    let shape = statement.op.shape();
    let [first, second, output] = shape.masks;
    let output = Addresses::one(output, statement.output);
    let inputs = Addresses::one(first, statement.inputs[0])
        .union(Addresses::one(second, statement.inputs[1]));
    let is_live = read.meets(output);
    let live = u64::from(is_live).wrapping_neg();
    let overwritten = live & u64::from(!shape.updates).wrapping_neg();
    let left = read.zip(output, |read, output| read & !(output & overwritten));
    (left.zip(inputs, |left, input| left | input & live), is_live)
}

impl LearnerProgram {
    /// Of every statement, function by function, whether a prediction may depend on it.
    pub fn liveness(&self) -> Vec<bool> {
        self.effects().statements.clone()
    }

    /// The learner without the statements that have no effect.
    #[must_use]
    pub fn live(&self) -> LearnerProgram {
        let live = self.effects();
        let of = |function| live.of_function(self, function).copied().collect::<Vec<_>>();
        let [setup, predict, learn] = LearnerFunction::ALL.map(of);
        LearnerProgram::of_valid([&setup, &predict, &learn])
    }

    /// What memory has to hold from function to function: the addresses that a live statement reads
    /// of `Predict` or `Learn` from before that began, label and features left out, in order.
    pub fn carried(&self) -> Vec<(LearnerType, u8)> {
        let live = self.effects();
        let read = live.entry[0].union(live.entry[1]);
        let of = |ty| (0..LearnerProgram::ADDRESSES).map(move |address| (ty, address));
        let all = LearnerType::ALL.into_iter().flat_map(of);
        all.filter(|(ty, address)| read.contains(*ty, *address)).collect()
    }

    /// Whether a prediction in validation may depend on the examples before it: `Predict` reads
    /// what it has left behind.
    pub fn carries_in_validation(&self) -> bool {
        let live = self.effects();
        live.made(self).meets(live.entry[0])
    }
}

impl Live {
    /// What live statements of `Predict` write.
    pub(super) fn made(&self, program: &LearnerProgram) -> Addresses {
        let mut made = Addresses::default();
        for statement in self.of_function(program, LearnerFunction::Predict) {
            if let Some(ty) = statement.op.shape().output {
                made.insert(ty, statement.output);
            }
        }
        made
    }
}

#[cfg(test)]
mod tests {
    use evo_hashes::Seed;
    use rand::RngExt;

    use super::*;
    use crate::learner::mutate::{LearnerMemory, LearnerMutation, LearnerMutator};

    fn live(text: &str) -> String {
        LearnerProgram::parse(text).expect("the tests hold learners").live().to_string()
    }

    #[test]
    fn memory_is_carried_from_function_to_function_and_example_to_example() {
        let text = "def Setup():
  s2 = 0.1
  s3 = 0.2
  s4 = 0.3
  v1[0.5] = 1.0
def Predict():
  s4 = s5 + s5
  s1 = dot(v1, v0)
  s6 = s6 + s7
def Learn():
  s7 = s0 - s1
  s3 = s0 - s1
  v2 = s3 * v0
  v1 = v1 + v2
  s5 = s2 * s2
";
        // s6 only keeps itself; s4 and s5 feed nothing; s3 is overwritten before it is read.
        let expected = "def Setup():
  v1[0.5] = 1.0
def Predict():
  s1 = dot(v1, v0)
def Learn():
  s3 = s0 - s1
  v2 = s3 * v0
  v1 = v1 + v2
";
        assert_eq!(live(text), expected);
        assert_eq!(live(expected), expected);
    }

    #[test]
    fn what_predict_leaves_behind_may_reach_the_next_prediction() {
        let counts = "def Setup():\n  s2 = 1.0\ndef Predict():\n  s1 = s3 * s2\n  s3 = s3 + s2\n\
                      def Learn():\n";
        assert_eq!(live(counts), counts);
        let learner = LearnerProgram::parse(counts).expect("it is one");
        assert!(learner.carries_in_validation());
        let keeps = "def Setup():\ndef Predict():\n  s1 = s1 + s0\ndef Learn():\n  s1 = s0 + s0\n";
        assert_eq!(live(keeps), keeps);
        let plain = "def Setup():\ndef Predict():\n  s1 = dot(v1, v0)\ndef Learn():\n";
        assert!(!LearnerProgram::parse(plain).expect("it is one").carries_in_validation());
    }

    #[test]
    fn what_is_carried_is_read_before_it_is_written() {
        let text = "def Setup():\n  s2 = 0.1\n  s7 = 0.5\n  v4 = bcast(s7)\ndef Predict():\n  \
                    v2 = v4 + v5\n  s1 = dot(v2, v0)\ndef Learn():\n  s3 = s0 - s1\n  \
                    s3 = s2 * s3\n  v4 = s3 * v0\n";
        let (s, v) = (LearnerType::Scalar, LearnerType::Vector);
        let carried = LearnerProgram::parse(text).expect("it is one").carried();
        assert_eq!(carried, [(s, 1), (s, 2), (v, 4), (v, 5)]);
    }

    #[test]
    fn what_follows_from_a_parent_is_what_follows_from_the_child() {
        let memory = LearnerMemory { scalars: 3, vectors: 2, matrices: 1 };
        let config = LearnerMutation { memory, ..LearnerMutation::default() };
        let mutator = LearnerMutator::new(&config).expect("it can be searched with");
        let mut inherited = 0;
        for index in 0..2_000 {
            let rng = &mut Seed(9).stream("inherited", index);
            let mut draw = || mutator.statement(LearnerFunction::Learn, rng);
            let drawn = [(); 3].map(|()| [(); 6].map(|()| draw()));
            let parent = LearnerProgram::of_valid(drawn.each_ref().map(|it| it.as_slice()));
            parent.structural_hash();
            let at = rng.random_range(0..18);
            let child = parent.with(at, mutator.statement(LearnerFunction::Learn, rng));
            let functions = LearnerFunction::ALL.map(|it| child.function(it));
            let anew = LearnerProgram::of_valid(functions);
            assert_eq!(child.liveness(), anew.liveness(), "{parent}{child}");
            assert_eq!(child.structural_hash(), anew.structural_hash(), "{parent}{child}");
            inherited += usize::from(std::ptr::eq(child.effects(), parent.effects()));
        }
        assert!((200..1_800).contains(&inherited), "{inherited}");
    }

    #[test]
    fn one_place_of_a_vector_leaves_the_others() {
        let text = "def Setup():\n  v1 = bcast(s1)\n  v1[0.1] = 1.0\n  v1[0.9] = 2.0\n\
                    def Predict():\n  s1 = norm(v1)\ndef Learn():\n";
        assert_eq!(live(text), text);
    }
}
