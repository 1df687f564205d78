//! The seam between the engine and what it searches: a representation and whoever scores it.
//!
//! [`Domain`] says what an engine needs of a representation, and [`Evaluator`] what it needs of a
//! measure: a cohort of [`Trial`]s in, an [`Outcome`] for each out. The engine is generic over
//! both, so it knows no language and no network, and a representation of your own is one `impl`.

mod domain;
mod evaluator;
mod line_edit;
mod outcome;
mod runs;
mod trial;

pub use domain::{Domain, SettingError, Size};
pub use evaluator::{DependsOn, Evaluator};
pub use evo_hashes::{Hash, Seed, SeedPurpose, StreamRng};
pub use outcome::{EndReason, Ended, Invalid, InvalidReason, Outcome, Score, Stopped};
pub use runs::{RunResult, TaskRuns};
pub use trial::Trial;
