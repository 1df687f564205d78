//! Learners drawn for tests, among few addresses so that statements meet.

use evo_hashes::{Seed, StreamRng};
use rand::RngExt;

use super::{LearnerOp, LearnerProgram, LearnerStatement, LearnerType};

/// A statement of an op, arguments below an address, constants as they are drawn.
pub(super) fn statement(
    op: LearnerOp,
    addresses: u8,
    constant: impl Fn(&mut StreamRng) -> f64,
    rng: &mut StreamRng,
) -> LearnerStatement {
    let shape = op.shape();
    let mut statement = LearnerStatement { op, ..LearnerStatement::NO_OP };
    for (ty, address) in shape.inputs.iter().zip(&mut statement.inputs) {
        if ty.is_some() {
            *address = rng.random_range(0..addresses);
        }
    }
    if let Some(ty) = shape.output {
        let least = u8::from(ty != LearnerType::Matrix);
        statement.output = rng.random_range(least..4);
    }
    for number in &mut statement.constants[..usize::from(shape.constants)] {
        *number = constant(rng);
    }
    statement
}

/// A learner of so many statements in each function.
pub(super) fn learner(
    seed: u64,
    lengths: [usize; 3],
    statement: impl Fn(&mut StreamRng) -> LearnerStatement,
) -> LearnerProgram {
    let mut rng = Seed(seed).stream("learner", 0);
    let functions = lengths.map(|length| (0..length).map(|_| statement(&mut rng)).collect());
    let [setup, predict, learn]: [Vec<LearnerStatement>; 3] = functions;
    LearnerProgram::new([&setup, &predict, &learn]).expect("statements are drawn sound")
}
