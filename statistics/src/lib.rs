//! How *sure* is a figure? Intervals of means and of any other statistic, agreement of rankings,
//! tests of paired differences, and performance profiles.
//!
//! It knows neither programs nor runs, only numbers, and asks nobody for them: who has measured
//! something hands the measurements in. A result is a function of these and, for what is
//! resampled, of a [`Seed`](evo_hashes::Seed).

mod bootstrap;
mod kendall;
mod normal;
mod paired;

pub use bootstrap::{Bootstrap, Estimate};
pub use kendall::{kendall, kendall_interval, top_k_regret};
pub use paired::{holm, sign_test, wilcoxon};
