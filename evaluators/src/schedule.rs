//! Learning rate schedules: the factor applied to a task's learning rate at each step.
//!
//! Invariant: a factor lies in (0, 1] and depends on the step and the step count alone. The
//! schedule belongs to the task and not to the program: an evolved rule that carried its own
//! horizon would win by knowing when the proxy training ends.

use serde::{Deserialize, Serialize};

/// How the learning rate changes over a training run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Schedule {
    /// The peak learning rate at every step.
    Constant,
    /// Linear warm-up to the peak, then half a cosine down towards zero.
    Cosine {
        /// Steps of the warm-up.
        #[serde(default)]
        warmup_steps: u64,
    },
}

impl Default for Schedule {
    fn default() -> Self {
        Self::Cosine { warmup_steps: 0 }
    }
}

impl Schedule {
    /// The factor at `step` (from 0) of a run of `steps`.
    ///
    /// Cosine: `(step + 1) / (warmup_steps + 1)` during the warm-up, then
    /// `(1 + cos(pi * done)) / 2`, where `done` in [0, 1) is the finished part of the decay.
    pub fn factor(self, step: u64, steps: u64) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Cosine { warmup_steps } if step < warmup_steps => {
                (step + 1) as f64 / (warmup_steps + 1) as f64
            }
            Self::Cosine { warmup_steps } => {
                let done = (step - warmup_steps) as f64 / steps.saturating_sub(warmup_steps) as f64;
                0.5 * (1.0 + libm::cos(std::f64::consts::PI * done))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosine_warms_up_then_decays_and_stays_positive() {
        let schedule = Schedule::Cosine { warmup_steps: 10 };
        let factors: Vec<f64> = (0..100).map(|step| schedule.factor(step, 100)).collect();
        assert!(factors.iter().all(|&factor| factor > 0.0 && factor <= 1.0));
        assert!(factors[..11].windows(2).all(|pair| pair[0] < pair[1]));
        assert!(factors[10..].windows(2).all(|pair| pair[0] > pair[1]));
        assert_eq!(factors[10], 1.0);
    }
}
