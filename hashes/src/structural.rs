//! The structural hash: programs with one live dataflow graph have one hash.
//!
//! Invariant: names, dead statements, the order of independent statements and the order of the
//! arguments of commutative ops do not count; ops, constants (to the bit), the roles of inputs
//! and the wiring do. Programs with equal structural hashes give equal bits, because commutative
//! ops are commutative to the bit; so this hash has no false hits, only misses.

use evo_dsl::{Dataflow, Program, Role, Signature, Value};

use crate::Hash;

/// Changes whenever the content that is hashed changes.
const VERSION: u8 = 1;

/// The structural hash of a program.
pub fn structural_hash(program: &Program) -> Hash {
    structural_hash_of(program.signature(), &Dataflow::of(program))
}

/// The structural hash of a program by its signature and dataflow, for those who have it at hand.
pub fn structural_hash_of(signature: &Signature, flow: &Dataflow) -> Hash {
    let mut nodes: Vec<Hash> = Vec::with_capacity(flow.nodes().len());
    for node in flow.nodes() {
        let mut args = [Hash([0; 16]); 3];
        let args = &mut args[..node.args().len()];
        for (arg, value) in args.iter_mut().zip(node.args()) {
            *arg = value_hash(*value, &nodes);
        }
        if node.op.info().commutative {
            args.sort_unstable();
        }
        let mut bytes = [0; 2 + 3 * 16];
        bytes[0] = b'n';
        bytes[1] = node.op as u8;
        for (place, arg) in bytes[2..].chunks_exact_mut(16).zip(&*args) {
            place.copy_from_slice(&arg.0);
        }
        nodes.push(Hash::of(&bytes[..2 + 16 * args.len()]));
    }
    let mut bytes = vec![b'p', VERSION];
    bytes.extend(signature_tag(signature));
    for output in flow.outputs() {
        match output {
            Some(value) => bytes.extend(value_hash(*value, &nodes).0),
            None => bytes.push(b'-'),
        }
    }
    Hash::of(&bytes)
}

/// What tells signatures apart.
fn signature_tag(signature: &Signature) -> [u8; 2] {
    let states = u8::try_from(signature.states()).expect("a signature has few states");
    [states, u8::from(signature.has_step())]
}

/// Inputs and constants stand for themselves: their bytes, marked, fit a hash unhashed.
fn value_hash(value: Value, nodes: &[Hash]) -> Hash {
    let mut bytes = [0; 16];
    match value {
        Value::Node(node) => return nodes[node],
        Value::Constant(constant) => {
            bytes[0] = b'c';
            bytes[8..].copy_from_slice(&constant.to_bits().to_le_bytes());
        }
        Value::Input(role) => {
            bytes[0] = b'i';
            bytes[1] = match role {
                Role::Weight => 0,
                Role::Gradient => 1,
                Role::LearningRate => 2,
                Role::Step => 3,
                Role::State(slot) => 4 + u8::try_from(slot).expect("a signature has few states"),
            };
        }
    }
    Hash(bytes)
}
