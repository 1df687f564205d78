//! The reference engine of learners: every statement, in order, one task at a time, in float64.
//!
//! Invariant: it is the documented meaning. A random op that has no effect draws nothing, so that
//! numbers drawn by the others do not depend on what is dead.

use super::{Draw, LearnerFunction, LearnerProgram, LearnerStatement, LearnerType};

/// A learner with its memory.
#[derive(Clone, Debug)]
pub struct LearnerInterpreter<'p> {
    program: &'p LearnerProgram,
    live: Vec<bool>,
    n: usize,
    /// For each type the values at its addresses, one behind the other.
    memory: [Vec<f64>; 3],
}

impl<'p> LearnerInterpreter<'p> {
    /// A learner for `n` features, its memory zero.
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn new(program: &'p LearnerProgram, n: usize) -> LearnerInterpreter<'p> {
        assert!(n > 0, "there must be a feature");
        let addresses = usize::from(LearnerProgram::ADDRESSES);
        let memory = LearnerType::ALL.map(|ty| vec![0.0; addresses * ty.size(n)]);
        LearnerInterpreter { program, live: program.liveness(), n, memory }
    }

    /// The value at an address.
    ///
    /// # Panics
    /// If there is no such address.
    pub fn value(&self, ty: LearnerType, address: u8) -> &[f64] {
        let size = ty.size(self.n);
        &self.memory[ty as usize][usize::from(address) * size..][..size]
    }

    fn value_mut(&mut self, ty: LearnerType, address: u8) -> &mut [f64] {
        let size = ty.size(self.n);
        &mut self.memory[ty as usize][usize::from(address) * size..][..size]
    }

    /// Sets the features.
    ///
    /// # Panics
    /// If there are not as many as the learner is for.
    pub fn set_features(&mut self, features: &[f64]) {
        self.value_mut(LearnerType::Vector, LearnerProgram::GIVEN).copy_from_slice(features);
    }

    /// Sets the label, 0 where it is to be predicted.
    pub fn set_label(&mut self, label: f64) {
        self.value_mut(LearnerType::Scalar, LearnerProgram::GIVEN)[0] = label;
    }

    /// The prediction.
    pub fn prediction(&self) -> f64 {
        self.value(LearnerType::Scalar, LearnerProgram::PREDICTION)[0]
    }

    /// Puts another number where the prediction stands.
    pub fn set_prediction(&mut self, prediction: f64) {
        self.value_mut(LearnerType::Scalar, LearnerProgram::PREDICTION)[0] = prediction;
    }

    /// Runs a function.
    pub fn run(&mut self, function: LearnerFunction, draw: &mut dyn Draw) {
        for index in self.program.range(function) {
            let statement = self.program.statements()[index];
            if self.live[index] || !statement.op.shape().draws {
                self.execute(&statement, draw);
            }
        }
    }

    fn execute(&mut self, statement: &LearnerStatement, draw: &mut dyn Draw) {
        let info = statement.op.info();
        let Some(output) = info.output else { return };
        let inputs: Vec<Vec<f64>> = info
            .inputs
            .iter()
            .zip(statement.inputs)
            .map(|(ty, address)| self.value(*ty, address).to_vec())
            .collect();
        let inputs: Vec<&[f64]> = inputs.iter().map(Vec::as_slice).collect();
        let constants = &statement.constants[..info.constants.count()];
        let n = self.n;
        let out = self.value_mut(output, statement.output);
        statement.op.apply(n, &inputs, constants, draw, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts what is drawn.
    struct Count(f64);

    impl Draw for Count {
        fn uniform(&mut self) -> f64 {
            self.0 += 1.0;
            0.5
        }

        fn normal(&mut self) -> f64 {
            self.0 += 1.0;
            self.0
        }
    }

    #[test]
    fn a_linear_model_learns_by_gradient_descent() {
        let text = "def Setup():\n  s2 = 0.5\ndef Predict():\n  s1 = dot(v1, v0)\ndef Learn():\n  \
                    s3 = s0 - s1\n  s3 = s2 * s3\n  v2 = s3 * v0\n  v1 = v1 + v2\n";
        let program = LearnerProgram::parse(text).expect("it is one");
        let mut learner = LearnerInterpreter::new(&program, 2);
        let mut draw = Count(0.0);
        learner.run(LearnerFunction::Setup, &mut draw);
        for (features, label) in [([1.0, 0.0], 3.0), ([0.0, 2.0], -1.0), ([1.0, 0.0], 3.0)] {
            learner.set_features(&features);
            learner.set_label(0.0);
            learner.run(LearnerFunction::Predict, &mut draw);
            learner.set_label(label);
            learner.run(LearnerFunction::Learn, &mut draw);
        }
        assert_eq!(learner.value(LearnerType::Vector, 1), [2.25, -1.0]);
        assert_eq!((learner.prediction(), draw.0), (1.5, 0.0));
    }

    #[test]
    fn a_random_op_without_an_effect_draws_nothing() {
        let text = "def Setup():\n  v2 = gaussian(0.0, 1.0, n_features)\n  \
                    s2 = gaussian(0.0, 1.0)\ndef Predict():\n  s1 = s2 + s0\ndef Learn():\n";
        let program = LearnerProgram::parse(text).expect("it is one");
        let mut learner = LearnerInterpreter::new(&program, 3);
        learner.run(LearnerFunction::Setup, &mut Count(0.0));
        assert_eq!(learner.value(LearnerType::Scalar, 2), [1.0]);
        assert_eq!(learner.value(LearnerType::Vector, 2), [0.0; 3]);
    }
}
