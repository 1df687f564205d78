//! When two programs are *the same*: structural hash, functional hash, and what is known of a
//! program by its hash. The seed streams of the engine live here too, because a stream is a hash
//! of a seed and a purpose.
//!
//! Two levels: the structural hash is cheap and has no false hits; the functional hash runs the
//! program on a probe and finds programs that behave alike although they are written differently.
//!
//! ```
//! use evo_dsl::Program;
//! use evo_hashes::{FunctionalHasher, structural_hash};
//!
//! let text = |body: &str| format!("def train(w, g, lr):\n  {body}\n  return x\n");
//! let program = |body: &str| Program::parse(&text(body));
//! let (a, b) = (program("x = square(g)")?, program("x = g * g")?);
//! let hasher = FunctionalHasher::new(8).expect("8 is between 1 and 23");
//! assert_ne!(structural_hash(&a), structural_hash(&b));
//! assert_eq!(hasher.hash(&a), hasher.hash(&b));
//! # Ok::<(), evo_dsl::ParseError>(())
//! ```

mod cache;
mod functional;
mod hash;
mod observations;
mod probe;
mod seed;
mod structural;

pub use cache::EvaluationCache;
pub use functional::FunctionalHasher;
pub use hash::Hash;
pub use observations::Observations;
pub use probe::{OptimizerProbe, Probe};
pub use seed::{Seed, SeedPurpose, StreamRng};
pub use structural::{structural_hash, structural_hash_of};
