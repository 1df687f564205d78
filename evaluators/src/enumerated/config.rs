//! How optimizers of a space that is written out are scored.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::OptimizerConfig;

/// Where fitness is looked up, and what it was found by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnumeratedConfig {
    /// The table, which `evo enumerate` makes.
    pub table: PathBuf,
    /// The tasks that it was made by training on.
    pub training: OptimizerConfig,
}
