//! Programs of the language as the engine sees them, whatever they are for.
//!
//! Invariant: mutation, hashes, bytes, text and edits are those of the language. A kind of program
//! adds its name and which texts are its own; what it observes is its hasher's probe.

use std::fmt::Debug;

use evo_domain::{Domain, Hash, SettingError, Size, StreamRng};

use crate::{
    Dataflow, FunctionalHasher, Mutator, Program, edit, encoding, structural, structural_hash_of,
};

/// A kind of program.
pub trait ProgramKind: Clone + Debug + Send + Sync + 'static {
    /// The name of the domain.
    const NAME: &'static str;

    /// The program that a text states.
    ///
    /// # Errors
    /// What is wrong with the text.
    fn read(&self, text: &str) -> Result<Program, String>;
}

/// The domain of a kind of program, with its settings.
#[derive(Clone, Debug)]
pub struct Programs<K> {
    pub(crate) kind: K,
    pub(crate) mutator: Mutator,
    pub(crate) hasher: FunctionalHasher,
    pub(crate) neutral_retries: u32,
}

impl<K> Programs<K> {
    /// What its behaviours are hashed by.
    pub fn hasher(&self) -> &FunctionalHasher {
        &self.hasher
    }
}

impl<K: ProgramKind> Domain for Programs<K> {
    type Program = Program;
    type Analysis = Dataflow;

    const NAME: &'static str = K::NAME;
    const STRUCTURE_VERSION: u32 = structural::VERSION as u32;

    fn analyse(&self, program: &Program) -> Dataflow {
        Dataflow::of(program)
    }

    fn structure(&self, program: &Program, flow: &Dataflow) -> Hash {
        structural_hash_of(program.signature(), flow)
    }

    fn behaviour(&self, _: &Program, flow: &Dataflow) -> Option<Hash> {
        self.hasher.hash_of(flow)
    }

    fn probe(&self) -> &str {
        self.hasher.probe_name()
    }

    fn size(&self, _: &Program, flow: &Dataflow) -> Size {
        Size { length: flow.live_length(), states: flow.live_states() }
    }

    fn parts(&self, program: &Program) -> usize {
        program.statements().len()
    }

    fn mutations(&self) -> &'static [&'static str] {
        self.mutator.kinds()
    }

    fn mutate(&self, parent: &Program, rng: &mut StreamRng) -> (Program, Option<usize>) {
        self.mutator.mutate_by_kind(parent, None, rng)
    }

    fn crossover(&self) -> Option<usize> {
        self.mutator.crossing()
    }

    fn cross(
        &self,
        parent: &Program,
        mate: &Program,
        rng: &mut StreamRng,
    ) -> (Program, Option<usize>) {
        self.mutator.mutate_by_kind(parent, Some(mate), rng)
    }

    fn neutral_retries(&self) -> u32 {
        self.neutral_retries
    }

    fn tuner(&self, start: &Program) -> Result<Programs<K>, SettingError> {
        Ok(Programs { mutator: self.mutator.tuner_of(start)?, ..self.clone() })
    }

    fn nudged(&self, program: &Program, by: f64) -> Option<Program> {
        Some(program.multiplied(1.0 + by))
    }

    fn encode(&self, program: &Program) -> Vec<u8> {
        encoding::encode(program)
    }

    fn decode(&self, bytes: &[u8], start: &Program) -> Option<Program> {
        encoding::decode(bytes, start)
    }

    fn text(&self, program: &Program) -> String {
        program.to_string()
    }

    fn live_text(&self, program: &Program) -> String {
        program.live().to_string()
    }

    fn read(&self, text: &str) -> Result<Program, String> {
        self.kind.read(text)
    }

    fn edit(&self, parent: &Program, child: &Program) -> String {
        edit::between(parent, child)
    }

    fn apply(&self, parent: &str, edit: &str) -> Option<String> {
        edit::apply(parent, edit)
    }
}
