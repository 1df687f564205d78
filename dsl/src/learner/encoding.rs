//! Learners as bytes: what a snapshot holds.
//!
//! Invariant: all of it that mutation sees is there, the dead statements with their addresses.

use serde::{Deserialize, Serialize};

use super::{LearnerFunction, LearnerOp, LearnerProgram, LearnerStatement};

#[derive(Serialize, Deserialize)]
struct Encoded {
    /// Its number, which is the paper's and for good.
    op: u8,
    inputs: [u8; 2],
    output: u8,
    /// As many as the op has.
    constants: Vec<f64>,
}

pub(super) fn encode(program: &LearnerProgram) -> Vec<u8> {
    let encoded = |statement: &LearnerStatement| {
        let constants = usize::from(statement.op.shape().constants);
        Encoded {
            op: statement.op.number(),
            inputs: statement.inputs,
            output: statement.output,
            constants: statement.constants[..constants].to_vec(),
        }
    };
    let functions: [Vec<Encoded>; 3] = LearnerFunction::ALL
        .map(|function| program.function(function).iter().map(encoded).collect());
    postcard::to_stdvec(&functions).expect("plain data can be serialised")
}

/// `None` for bytes that are no learner.
pub(super) fn decode(bytes: &[u8]) -> Option<LearnerProgram> {
    let functions: [Vec<Encoded>; 3] = postcard::from_bytes(bytes).ok()?;
    let statement = |encoded: &Encoded| {
        let op = LearnerOp::all().nth(usize::from(encoded.op))?;
        let mut statement = LearnerStatement { op, ..LearnerStatement::NO_OP };
        (statement.inputs, statement.output) = (encoded.inputs, encoded.output);
        let count = encoded.constants.len();
        if count != usize::from(op.shape().constants) {
            return None;
        }
        statement.constants[..count].copy_from_slice(&encoded.constants);
        Some(statement)
    };
    let [setup, predict, learn] =
        functions.map(|function| function.iter().map(statement).collect::<Option<Vec<_>>>());
    LearnerProgram::new([&setup?, &predict?, &learn?]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_hold_the_whole_learner_and_others_are_refused() {
        let text = "def Setup():\n  m1[0.1, 0.2] = -0.30000000000000004\n  NoOp()\n\
                    def Predict():\n  s1 = uniform(0.5, -0.5)\ndef Learn():\n  v1 = s63 * v0\n";
        let learner = LearnerProgram::parse(text).expect("it is one");
        let bytes = encode(&learner);
        assert_eq!(decode(&bytes), Some(learner));
        for length in 0..bytes.len() {
            assert_eq!(decode(&bytes[..length]), None);
        }
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0xff;
            // Whatever it holds can be run.
            drop(decode(&damaged).map(|learner| learner.to_string()));
        }
    }
}
