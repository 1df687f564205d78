//! What is run of a learner: its live statements, with places in a memory of rows.
//!
//! Invariant: a place belongs to one address, as far as it is read or written by a live statement.
//! What the tasks give is read where the examples stand; where it is not given, in `Setup`, and the
//! label in `Predict`, it is a zero that nothing writes.

use super::LearnerTasks;
use crate::learner::live::Addresses;
use crate::learner::{
    LearnerFunction, LearnerLoss, LearnerOp, LearnerProgram, LearnerStatement, LearnerType,
};

/// What is done: what a live statement says, or what is done with predictions in training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Op(LearnerOp),
    /// Makes a probability of a logit.
    Squash,
    /// Keeps a prediction until it is judged.
    Keep,
}

/// What a row is counted from.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Origin {
    #[default]
    Memory,
    /// The first row of the example: what is given stands there.
    Example,
    /// The number of the example in its block.
    Block,
}

/// A step of the plan.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instruction {
    pub(super) action: Action,
    /// The first row of each argument, and of the result.
    pub(super) a: u32,
    pub(super) b: u32,
    pub(super) out: u32,
    pub(super) origins: [Origin; 3],
    /// From the rows of one example to those of the next, of each argument and of the result, where
    /// `Predict` is run for a block of them.
    pub(super) strides: [u32; 3],
    /// The first row of a matrix to compute in.
    pub(super) scratch: u32,
    pub(super) constants: [f64; 3],
}

/// The instructions of a learner.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    instructions: Vec<Instruction>,
    /// Where the functions end, `Predict` without what is done behind it in training.
    ends: [usize; 3],
    /// Whether predictions are made probabilities in training.
    squashes: bool,
    pub(super) n: usize,
    /// The first row of its memory: a matrix to compute in.
    scratch: usize,
    /// The row behind the last.
    pub(super) end: usize,
    /// The row of the prediction, and behind it those of a block.
    pub(super) prediction: usize,
    /// Whether `Predict` makes its prediction without looking at what it has left of another
    /// example, and without drawing: then it may be run for a block of them at once.
    pub(super) in_blocks: bool,
    /// What `Predict` writes.
    made: Addresses,
    /// For each type its places by address, with 1 added; 0: none.
    places: Vec<u32>,
    /// Places of the zeros that stand for what is given in other functions.
    zeros: [Option<u32>; 2],
}

/// Examples of a block: they are judged together.
pub(super) const BLOCK: usize = 8;

/// Where an argument stands.
#[derive(Default)]
struct Place {
    row: u32,
    origin: Origin,
    stride: u32,
}

impl Plan {
    /// The plan of a learner for tasks, in memory that begins at a row.
    pub(super) fn make(&mut self, program: &LearnerProgram, tasks: &LearnerTasks, first: usize) {
        let (live, n) = (program.effects(), tasks.n());
        self.n = n;
        self.instructions.clear();
        self.places.clear();
        self.places.resize(3 * usize::from(LearnerProgram::ADDRESSES), 0);
        self.scratch = first;
        self.end = first + n * n;
        self.zeros = [None; 2];
        self.made = live.made(program);
        let (scalar, prediction) = (LearnerType::Scalar, LearnerProgram::PREDICTION);
        self.prediction = self.take(scalar, 1 + BLOCK) as usize;
        self.places[usize::from(prediction)] = self.prediction as u32 + 1;
        let draws =
            live.of_function(program, LearnerFunction::Predict).any(|it| it.op.shape().draws);
        let carries = self.made.meets(live.entry[0]);
        self.in_blocks = !draws && !carries && self.made.contains(scalar, prediction);
        for function in LearnerFunction::ALL {
            for statement in live.of_function(program, function) {
                let instruction = self.instruction(function, statement);
                self.instructions.push(instruction);
            }
            self.ends[function as usize] = self.instructions.len();
            if function == LearnerFunction::Predict {
                self.handle_prediction(tasks.training().loss);
            }
        }
        if !self.in_blocks {
            self.instructions.extend_from_within(self.ends[0]..self.ends[1]);
        }
        self.instructions.push(self.keep());
    }

    fn instruction(
        &mut self,
        function: LearnerFunction,
        statement: &LearnerStatement,
    ) -> Instruction {
        let shape = statement.op.shape();
        let mut read = |index: usize| match shape.inputs[index] {
            Some(ty) => self.argument(function, ty, statement.inputs[index]),
            None => Place::default(),
        };
        let (a, b) = (read(0), read(1));
        let out = shape.output.map_or_else(Place::default, |ty| self.kept(ty, statement.output));
        Instruction {
            action: Action::Op(statement.op),
            a: a.row,
            b: b.row,
            out: out.row,
            origins: [a.origin, b.origin, out.origin],
            strides: [a.stride, b.stride, out.stride],
            scratch: self.scratch as u32,
            constants: statement.constants,
        }
    }

    /// What is done with a prediction in training.
    fn handle_prediction(&mut self, loss: LearnerLoss) {
        let keep = self.keep();
        self.squashes = loss == LearnerLoss::Accuracy;
        if self.squashes {
            let memory = [Origin::Memory; 3];
            let squash =
                Instruction { action: Action::Squash, out: keep.a, origins: memory, ..keep };
            self.instructions.push(squash);
        }
        self.instructions.push(keep);
    }

    fn keep(&self) -> Instruction {
        let row = self.prediction as u32;
        Instruction {
            action: Action::Keep,
            a: row,
            b: 0,
            out: row + 1,
            origins: [Origin::Memory, Origin::Memory, Origin::Block],
            strides: [1, 0, 1],
            scratch: 0,
            constants: [0.0; 3],
        }
    }

    fn argument(&mut self, function: LearnerFunction, ty: LearnerType, address: u8) -> Place {
        if address != LearnerProgram::GIVEN || ty == LearnerType::Matrix {
            return self.kept(ty, address);
        }
        let stride = self.n as u32 + 1;
        match (ty, function) {
            (LearnerType::Scalar, LearnerFunction::Learn) => {
                Place { row: self.n as u32, origin: Origin::Example, stride }
            }
            (LearnerType::Vector, LearnerFunction::Predict | LearnerFunction::Learn) => {
                Place { row: 0, origin: Origin::Example, stride }
            }
            _ => {
                let known = self.zeros[ty as usize];
                let row = known.unwrap_or_else(|| self.take(ty, 1));
                self.zeros[ty as usize] = Some(row);
                Place { row, ..Place::default() }
            }
        }
    }

    /// What `Predict` writes there is for each example of a block.
    fn kept(&mut self, ty: LearnerType, address: u8) -> Place {
        let row = self.place(ty, address);
        let stride = if self.made.contains(ty, address) { ty.size(self.n) as u32 } else { 0 };
        Place { row, origin: Origin::Memory, stride }
    }

    fn place(&mut self, ty: LearnerType, address: u8) -> u32 {
        let at = ty as usize * usize::from(LearnerProgram::ADDRESSES) + usize::from(address);
        if self.places[at] == 0 {
            let examples = if self.made.contains(ty, address) { BLOCK } else { 1 };
            self.places[at] = self.take(ty, examples) + 1;
        }
        self.places[at] - 1
    }

    /// Rows for so many values of a type.
    fn take(&mut self, ty: LearnerType, count: usize) -> u32 {
        let place = self.end;
        self.end += count * ty.size(self.n);
        u32::try_from(place).expect("examples and matrices of so many rows are beyond any memory")
    }

    pub(super) fn setup(&self) -> &[Instruction] {
        &self.instructions[..self.ends[0]]
    }

    /// `Predict` for all examples of a block at once, in training with what is done there.
    pub(super) fn at_once(&self, trains: bool) -> &[Instruction] {
        let squash = usize::from(trains && self.squashes);
        &self.instructions[self.ends[0]..self.ends[1] + squash]
    }

    /// `Predict`, what is done with the prediction, and `Learn`.
    pub(super) fn train(&self) -> &[Instruction] {
        &self.instructions[self.ends[0]..self.ends[2]]
    }

    /// `Predict`, one example after another: of a learner that is not run [`Plan::at_once`].
    pub(super) fn validate(&self) -> &[Instruction] {
        &self.instructions[self.ends[2]..]
    }

    /// What is run of every example of a phase when they are run one after another: `Predict`, and
    /// what is done with the prediction.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    pub(super) fn of_phase(&self, trains: bool) -> impl Iterator<Item = &Instruction> {
        let end = self.ends[if trains { 2 } else { 1 }];
        let keep = if trains { None } else { self.instructions.last() };
        self.instructions[self.ends[0]..end].iter().chain(keep)
    }

    /// The row of the first value of a learner.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    pub(super) fn first(&self) -> usize {
        self.scratch
    }

    /// Whether there is nothing to do in `Learn`.
    pub(super) fn learns_nothing(&self) -> bool {
        self.instructions[self.ends[2] - 1].action == Action::Keep
    }
}
