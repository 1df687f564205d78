//! Optimizers of a space that has been written out: each one's hashes and fitness are looked up.
//!
//! Invariant: what is looked up is what hashing and training the program gives, to the bit; the
//! table was made by both. So a search of the space is one of real optimizers at none of the cost,
//! with the best of them known (after NAS-Bench-101, arXiv 1902.09635).

mod config;
mod domain;
mod table;

pub use config::EnumeratedConfig;
pub use domain::{Enumerated, TrueFitness};
pub use table::{SpaceRow, SpaceTable};
