//! Learning rate schedules: the factor applied to a task's learning rate at each step.
//!
//! Invariant: a factor lies in (0, 1] and depends on the step and the step count alone. The
//! schedule belongs to the task and not to the program: an evolved rule that carried its own
//! horizon would win by knowing when the proxy training ends.

use serde::{Deserialize, Serialize};

use crate::EvaluatorError;

/// How the learning rate changes over a training run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Schedule {
    /// The peak learning rate at every step.
    Constant,
    /// Linear warm-up to the peak, then the peak: `Constant` with a warm-up, which a variant
    /// without fields cannot be given later without refusing the files that have it.
    Warmup {
        /// Steps of the warm-up.
        #[serde(default)]
        warmup_steps: u64,
    },
    /// Linear warm-up to the peak, then the peak, and a straight line down towards zero at the end.
    Trapezoid {
        /// Steps of the warm-up.
        #[serde(default)]
        warmup_steps: u64,
        /// Steps of the way down.
        cooldown_steps: u64,
    },
    /// Linear warm-up to the peak, then half a cosine down towards zero.
    Cosine {
        /// Steps of the warm-up.
        #[serde(default)]
        warmup_steps: u64,
    },
    /// Linear warm-up to the peak, then a straight line down towards zero.
    Linear {
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
    /// Steps of the warm-up.
    pub fn warmup_steps(self) -> u64 {
        match self {
            Self::Constant => 0,
            Self::Warmup { warmup_steps }
            | Self::Cosine { warmup_steps }
            | Self::Linear { warmup_steps }
            | Self::Trapezoid { warmup_steps, .. } => warmup_steps,
        }
    }

    /// Steps of which each has a place in the schedule: a run has to be longer.
    pub fn shortest(self) -> u64 {
        match self {
            Self::Trapezoid { warmup_steps, cooldown_steps } => {
                warmup_steps.saturating_add(cooldown_steps)
            }
            _ => self.warmup_steps(),
        }
    }

    /// Refuses a schedule that does not fit into so many steps.
    ///
    /// # Errors
    /// [`EvaluatorError::Config`] at a key of `schedule`.
    pub(crate) fn check(self, steps: u64) -> Result<(), EvaluatorError> {
        if self.warmup_steps() >= steps {
            let message = format!("must be less than `steps` ({steps})");
            return Err(EvaluatorError::config("schedule.warmup_steps", message));
        }
        if self.shortest() > steps {
            let message = format!("with the warm-up, must be at most `steps` ({steps})");
            return Err(EvaluatorError::config("schedule.cooldown_steps", message));
        }
        Ok(())
    }

    /// The same with other numbers of steps for its parts, of a task made longer or shorter.
    #[must_use]
    pub fn stretched(self, to: impl Fn(u64) -> u64) -> Self {
        match self {
            Self::Constant => self,
            Self::Warmup { warmup_steps } => Self::Warmup { warmup_steps: to(warmup_steps) },
            Self::Cosine { warmup_steps } => Self::Cosine { warmup_steps: to(warmup_steps) },
            Self::Linear { warmup_steps } => Self::Linear { warmup_steps: to(warmup_steps) },
            Self::Trapezoid { warmup_steps, cooldown_steps } => Self::Trapezoid {
                warmup_steps: to(warmup_steps),
                cooldown_steps: to(cooldown_steps),
            },
        }
    }

    /// The factor at `step` (from 0) of a run of `steps`.
    ///
    /// During the warm-up it is `(step + 1) / (warmup_steps + 1)`. After it, with `done` in [0, 1)
    /// the finished part of what remains: `(1 + cos(pi * done)) / 2` for cosine, `1 - done` for
    /// linear. A trapezoid ends as it began, with `left / (cooldown_steps + 1)`, `left` being the
    /// steps left.
    pub fn factor(self, step: u64, steps: u64) -> f64 {
        let warmup_steps = self.warmup_steps();
        if step < warmup_steps {
            return (step + 1) as f64 / (warmup_steps + 1) as f64;
        }
        let done = (step - warmup_steps) as f64 / steps.saturating_sub(warmup_steps) as f64;
        match self {
            Self::Constant | Self::Warmup { .. } => 1.0,
            Self::Cosine { .. } => 0.5 * (1.0 + libm::cos(std::f64::consts::PI * done)),
            Self::Linear { .. } => 1.0 - done,
            Self::Trapezoid { cooldown_steps, .. } => {
                let left = steps.saturating_sub(step) as f64;
                (left / (cooldown_steps as f64 + 1.0)).min(1.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(schedule: Schedule) -> Vec<f64> {
        (0..100).map(|step| schedule.factor(step, 100)).collect()
    }

    #[test]
    fn schedules_warm_up_and_stay_in_range() {
        for schedule in [
            Schedule::Warmup { warmup_steps: 10 },
            Schedule::Cosine { warmup_steps: 10 },
            Schedule::Linear { warmup_steps: 10 },
            Schedule::Trapezoid { warmup_steps: 10, cooldown_steps: 20 },
        ] {
            let factors = factors(schedule);
            assert!(factors.iter().all(|&factor| factor > 0.0 && factor <= 1.0));
            assert!(factors[..11].windows(2).all(|pair| pair[0] < pair[1]), "{schedule:?}");
            assert_eq!(factors[0], 1.0 / 11.0);
            assert_eq!(factors[10], 1.0);
        }
    }

    #[test]
    fn cosine_and_linear_decay_and_constant_does_not() {
        let warmup_steps = 10;
        for schedule in [Schedule::Cosine { warmup_steps }, Schedule::Linear { warmup_steps }] {
            let factors = factors(schedule);
            assert!(factors[10..].windows(2).all(|pair| pair[0] > pair[1]), "{schedule:?}");
            assert!((factors[55] - 0.5).abs() < 1e-12, "half of the decay is done: {schedule:?}");
        }
        assert!(factors(Schedule::Warmup { warmup_steps })[10..].iter().all(|&f| f == 1.0));
        let trapezoid = factors(Schedule::Trapezoid { warmup_steps, cooldown_steps: 20 });
        assert!(trapezoid[10..80].iter().all(|&f| f == 1.0));
        assert!(trapezoid[79..].windows(2).all(|pair| pair[0] > pair[1]));
        assert_eq!((trapezoid[80], trapezoid[99]), (20.0 / 21.0, 1.0 / 21.0));
        assert!(factors(Schedule::Constant).iter().all(|&f| f == 1.0));
    }
}
