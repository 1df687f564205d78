//! What is run of a learner: its live statements, with places in a memory of rows.
//!
//! Invariant: a place belongs to one address, as far as it is read or written by a live statement.
//! What the tasks set has places of its own where it is set: in `Setup`, and the label in
//! `Predict`, is a zero that nothing writes.

use crate::learner::live::Live;
use crate::learner::{LearnerFunction, LearnerOp, LearnerProgram, LearnerStatement, LearnerType};

/// A live statement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instruction {
    pub(super) op: LearnerOp,
    /// The first row of each argument, and of the result.
    pub(super) a: u32,
    pub(super) b: u32,
    pub(super) out: u32,
    pub(super) constants: [f64; 3],
}

/// The instructions of a learner.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    instructions: Vec<Instruction>,
    ends: [usize; 2],
    pub(super) n: usize,
    /// Rows of memory, the zeros and a matrix to compute in included.
    pub(super) rows: usize,
    /// Where the features go, where a live statement reads them.
    pub(super) features: Option<u32>,
    /// Where the label goes, where one reads it.
    pub(super) label: Option<u32>,
    pub(super) prediction: u32,
    /// For each type its places by address, with 1 added; 0: none.
    places: Vec<u32>,
    /// Places of the zeros that stand for what is given in other functions.
    zeros: [Option<u32>; 2],
}

impl Plan {
    /// The plan of a learner for so many features.
    pub(super) fn make(&mut self, program: &LearnerProgram, live: &Live, n: usize) {
        self.n = n;
        self.instructions.clear();
        self.places.clear();
        self.places.resize(3 * usize::from(LearnerProgram::ADDRESSES), 0);
        // The first matrix is to compute in, for ops whose result may stand where they read.
        self.rows = n * n;
        (self.features, self.label, self.zeros) = (None, None, [None; 2]);
        self.prediction = self.place(LearnerType::Scalar, LearnerProgram::PREDICTION);
        for function in LearnerFunction::ALL {
            for statement in live.of_function(program, function) {
                let instruction = self.instruction(function, statement);
                self.instructions.push(instruction);
            }
            if function != LearnerFunction::Learn {
                self.ends[function as usize] = self.instructions.len();
            }
        }
    }

    fn instruction(
        &mut self,
        function: LearnerFunction,
        statement: &LearnerStatement,
    ) -> Instruction {
        let shape = statement.op.shape();
        let mut read = |index: usize| match shape.inputs[index] {
            Some(ty) => self.argument(function, ty, statement.inputs[index]),
            None => 0,
        };
        let (a, b) = (read(0), read(1));
        let out = shape.output.map_or(0, |ty| self.place(ty, statement.output));
        Instruction { op: statement.op, a, b, out, constants: statement.constants }
    }

    fn argument(&mut self, function: LearnerFunction, ty: LearnerType, address: u8) -> u32 {
        if address != LearnerProgram::GIVEN || ty == LearnerType::Matrix {
            return self.place(ty, address);
        }
        let given = match (ty, function) {
            (LearnerType::Scalar, LearnerFunction::Learn) => true,
            (LearnerType::Scalar, _) => false,
            (_, function) => function != LearnerFunction::Setup,
        };
        if !given {
            let known = self.zeros[ty as usize];
            let place = known.unwrap_or_else(|| self.take(ty));
            self.zeros[ty as usize] = Some(place);
            return place;
        }
        let place = self.place(ty, address);
        match ty {
            LearnerType::Scalar => self.label = Some(place),
            _ => self.features = Some(place),
        }
        place
    }

    fn place(&mut self, ty: LearnerType, address: u8) -> u32 {
        let at = ty as usize * usize::from(LearnerProgram::ADDRESSES) + usize::from(address);
        if self.places[at] == 0 {
            self.places[at] = self.take(ty) + 1;
        }
        self.places[at] - 1
    }

    fn take(&mut self, ty: LearnerType) -> u32 {
        let place = self.rows;
        self.rows += ty.size(self.n);
        u32::try_from(place).expect("64 matrices of some thousand features are beyond any memory")
    }

    /// The instructions of a function.
    pub(super) fn of(&self, function: LearnerFunction) -> &[Instruction] {
        let [setup, predict] = self.ends;
        match function {
            LearnerFunction::Setup => &self.instructions[..setup],
            LearnerFunction::Predict => &self.instructions[setup..predict],
            LearnerFunction::Learn => &self.instructions[predict..],
        }
    }
}
