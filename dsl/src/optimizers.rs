//! Optimizers as the engine sees them: mutation, both hashes, edits, and programs as bytes.

mod probe;

use evo_domain::{Domain, Hash, SettingError, Size, StreamRng};

use crate::{
    Dataflow, FunctionalHasher, MutationConfig, Mutator, Program, edit, encoding, mutate,
    structural_hash_of,
};

pub use probe::OptimizerProbe;

/// The domain of optimizers: [`Program`]s that turn gradients into updates.
#[derive(Clone, Debug)]
pub struct Optimizers {
    mutator: Mutator,
    hasher: FunctionalHasher,
    neutral_retries: u32,
}

impl Optimizers {
    /// Optimizers mutated and compared in this way.
    ///
    /// # Errors
    /// A setting that cannot be searched with.
    pub fn new(
        config: &MutationConfig,
        hasher: FunctionalHasher,
    ) -> Result<Optimizers, SettingError> {
        let (mutator, neutral_retries) = (Mutator::new(config)?, config.neutral_retries);
        Ok(Optimizers { mutator, hasher, neutral_retries })
    }

    /// What its behaviours are hashed by.
    pub fn hasher(&self) -> &FunctionalHasher {
        &self.hasher
    }
}

impl Default for Optimizers {
    /// With every default of mutation, and the probe for any evaluator: to read and to write
    /// programs, which depend on neither.
    fn default() -> Optimizers {
        let hasher = FunctionalHasher::default();
        Optimizers::new(&MutationConfig::default(), hasher).expect("the defaults are sound")
    }
}

impl Domain for Optimizers {
    type Program = Program;
    type Analysis = Dataflow;

    const NAME: &'static str = "optimizers";

    fn analyse(&self, program: &Program) -> Dataflow {
        Dataflow::of(program)
    }

    fn structure(&self, program: &Program, flow: &Dataflow) -> Hash {
        structural_hash_of(program.signature(), flow)
    }

    fn behaviour(&self, flow: &Dataflow) -> Option<Hash> {
        self.hasher.hash_of(flow)
    }

    fn probe(&self) -> &str {
        self.hasher.probe_name()
    }

    fn size(&self, flow: &Dataflow) -> Size {
        Size { length: flow.live_length(), states: flow.live_states() }
    }

    fn mutations(&self) -> &'static [&'static str] {
        &mutate::Kind::NAMES
    }

    fn mutate(&self, parent: &Program, rng: &mut StreamRng) -> (Program, Option<usize>) {
        let (child, kind) = self.mutator.mutate_by_kind(parent, rng);
        (child, kind.map(|kind| kind as usize))
    }

    fn neutral_retries(&self) -> u32 {
        self.neutral_retries
    }

    fn tuner(&self, start: &Program) -> Result<Optimizers, SettingError> {
        Ok(Optimizers { mutator: self.mutator.tuner_of(start)?, ..self.clone() })
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
        Program::parse(text).map_err(|error| error.to_string())
    }

    fn edit(&self, parent: &Program, child: &Program) -> String {
        edit::between(parent, child)
    }

    fn apply(&self, parent: &str, edit: &str) -> Option<String> {
        edit::apply(parent, edit)
    }
}
