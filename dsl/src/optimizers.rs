//! Optimizers as the engine sees them, and what they are observed on.

mod probe;

use evo_domain::SettingError;

use crate::{FunctionalHasher, MutationConfig, Mutator, Program, ProgramKind, Programs};

pub use probe::OptimizerProbe;

/// The domain of optimizers: [`Program`]s that turn gradients into updates.
pub type Optimizers = Programs<OptimizerKind>;

/// Of programs `train(w, g, …, lr)`.
#[derive(Clone, Copy, Debug)]
pub struct OptimizerKind;

impl ProgramKind for OptimizerKind {
    const NAME: &'static str = "optimizers";

    fn read(&self, text: &str) -> Result<Program, String> {
        Program::parse(text).map_err(|error| error.to_string())
    }
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
        Ok(Programs { kind: OptimizerKind, mutator, hasher, neutral_retries })
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
