//! What makes two things *the same*: hashes of what is observed, and what is known by a hash. The
//! seed streams of the engine live here too, because a stream is a hash of a seed and a purpose.
//!
//! It knows no representation: one that can be run and observed feeds [`Observations`], the form in
//! which equal behaviour gives equal bytes (Unified Functional Hashing, arXiv 2302.05433).
//!
//! ```
//! use evo_hashes::Observations;
//!
//! let seen = |values: &[f32]| {
//!     let mut seen = Observations::new("doubles its input", 8).expect("8 is between 1 and 23");
//!     seen.values(values);
//!     seen.hash()
//! };
//! assert_eq!(seen(&[2.0, -0.0]), seen(&[2.000_000_2, 0.0]));
//! assert_ne!(seen(&[2.0, -0.0]), seen(&[2.1, 0.0]));
//! ```

mod cache;
mod hash;
mod observations;
mod seed;

pub use cache::EvaluationCache;
pub use hash::Hash;
pub use observations::Observations;
pub use seed::{Seed, SeedPurpose, StreamRng};
