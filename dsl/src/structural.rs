//! The structural hash: programs with one live dataflow graph have one hash.
//!
//! Invariant: it is a hash of the canonical form, so names, dead statements, statements that
//! compute what another does, the order of independent statements and the order of the arguments of
//! commutative ops do not count; ops, constants (to the bit), the roles of inputs and the wiring
//! do. Programs with equal structural hashes give equal bits, because commutative ops are
//! commutative to the bit; so this hash has no false hits, only misses. What is hashed of an
//! expression begins with another letter than what is hashed of an optimizer.

use evo_hashes::Hash;

use crate::{Dataflow, Program, Signature};

/// Changes whenever the content that is hashed changes.
pub(crate) const VERSION: u8 = 2;

/// The structural hash of a program.
pub fn structural_hash(program: &Program) -> Hash {
    structural_hash_of(program.signature(), &Dataflow::of(program))
}

/// The structural hash of a program by its signature and dataflow, for those who have it at hand.
pub fn structural_hash_of(signature: &Signature, flow: &Dataflow) -> Hash {
    let few = |count| u8::try_from(count).expect("a signature has few parameters");
    let bytes = if signature.is_expression() {
        flow.canonical_bytes_behind(&[b'e', VERSION, few(signature.inputs())])
    } else {
        let (states, step) = (few(signature.states()), u8::from(signature.has_step()));
        flow.canonical_bytes_behind(&[b'p', VERSION, states, step])
    };
    Hash::of(&bytes)
}
