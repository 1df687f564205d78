//! Optimizers as the engine sees them: mutation, both hashes, edits, and programs as bytes.

mod edit;
mod encoding;
mod functional;
mod mutate;
mod probe;
mod structural;

use evo_domain::{Domain, Hash, SettingError, Size, StreamRng};

use crate::{Dataflow, Operand, Program, Statement};

pub use functional::FunctionalHasher;
pub use mutate::{MutationConfig, MutationWeights, Mutator, NewConstant, OpChoice};
pub use probe::{OptimizerProbe, Probe};
pub use structural::{structural_hash, structural_hash_of};

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

/// What hashes and size need of a program.
#[derive(Debug)]
pub struct Analysis(Dataflow);

impl Domain for Optimizers {
    type Program = Program;
    type Analysis = Analysis;

    const NAME: &'static str = "optimizers";

    fn analyse(&self, program: &Program) -> Analysis {
        Analysis(Dataflow::of(program))
    }

    fn structure(&self, program: &Program, analysis: &Analysis) -> Hash {
        structural_hash_of(program.signature(), &analysis.0)
    }

    fn behaviour(&self, analysis: &Analysis) -> Option<Hash> {
        self.hasher.hash_of(&analysis.0)
    }

    fn probe(&self) -> &str {
        self.hasher.probe_name()
    }

    fn size(&self, analysis: &Analysis) -> Size {
        Size { length: analysis.0.live_length(), states: analysis.0.live_states() }
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
        let constant = |operand: &Operand| matches!(operand, Operand::Constant(_));
        if !start.statements().iter().flat_map(Statement::args).any(constant) {
            return Err(SettingError::new("strategy", "the start program has no constant to tune"));
        }
        Ok(Optimizers { mutator: self.mutator.clone().of_constants(), ..self.clone() })
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
