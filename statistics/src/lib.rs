//! How *sure* is a figure? Intervals of means and of any other statistic, agreement of rankings,
//! tests of paired differences, and performance profiles.
//!
//! It knows neither programs nor runs, only numbers, and asks nobody for them: who has measured
//! something hands the measurements in. A result is a function of these and, for what is
//! resampled, of a [`Seed`](evo_hashes::Seed).
//!
//! ```
//! use evo_hashes::Seed;
//! use evo_statistics::{Bootstrap, sign_test, wilcoxon};
//!
//! let differences = [0.31, 0.12, 0.25, -0.04, 0.18, 0.22, 0.09, 0.27];
//! let mean = Bootstrap::new(Seed(1)).mean(&differences).expect("more than one number");
//! assert!(0.0 < mean.low && mean.low < mean.value && mean.value < mean.high);
//! assert_eq!(wilcoxon(&differences), 2.0 / 128.0);
//! assert_eq!(sign_test(7, 1), 18.0 / 256.0);
//! ```

mod bootstrap;
mod kendall;
mod normal;
mod paired;
mod profile;
mod student;

pub use bootstrap::{Bootstrap, Estimate};
pub use kendall::{kendall, kendall_interval, top_k_regret};
pub use paired::{holm, sign_test, wilcoxon};
pub use profile::{Profile, ProfileError, ProfileStep};
pub use student::Interval;
