//! What a learner is trained and judged on: examples, and how errors count.
//!
//! Invariant: a fitness is a function of the learner and the task. The numbers that random ops draw
//! belong to the task, one sequence of each kind, so that every learner draws the same and a
//! candidate costs no generator. [`LearnerTask::fitness`] is the reference, through the
//! interpreter.

use evo_hashes::StreamRng;
use rand::Rng;

use super::{Draw, LearnerFunction, LearnerInterpreter, LearnerProgram};

/// Examples: features one behind the other, and a label each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LearnerExamples {
    /// As many as there are labels times features.
    pub features: Vec<f64>,
    /// The labels.
    pub labels: Vec<f64>,
}

/// What an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LearnerLoss {
    /// The root of the mean squared difference of label and prediction; fitness is
    /// 1 - (2 / pi) atan of it.
    RootMeanSquare,
    /// The share of examples on the wrong side of 0.5, where the prediction is a logit; fitness is
    /// 1 less that. Behind `Predict` in training the prediction becomes its probability.
    Accuracy,
}

/// How tasks are trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearnerTraining {
    /// What an error is.
    pub loss: LearnerLoss,
    /// An error above this, or one that is not a number, ends an evaluation: fitness 0, or what an
    /// epoch before came to.
    pub most_error: f64,
}

/// One task.
#[derive(Clone, Debug)]
pub struct LearnerTask {
    /// The number of features.
    pub n: usize,
    /// The examples of every epoch, in the order of training. Behind each epoch the learner is
    /// validated, and the best counts.
    pub epochs: Vec<LearnerExamples>,
    /// What it is validated on.
    pub validation: LearnerExamples,
    /// What its random ops draw.
    pub draws: LearnerDraws,
}

/// How many numbers of each kind there are; behind the last comes the first again.
pub(super) const DRAWS: usize = 2_048;

/// The numbers that random ops draw on a task.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnerDraws {
    pub(super) uniform: Vec<f64>,
    pub(super) normal: Vec<f64>,
}

impl LearnerDraws {
    /// The memory that those of one task take.
    pub const BYTES: usize = 2 * DRAWS * size_of::<f64>();

    /// Drawn from this stream.
    pub fn new(rng: &mut StreamRng) -> LearnerDraws {
        let uniform = (0..DRAWS).map(|_| uniform(rng)).collect();
        LearnerDraws { uniform, normal: (0..DRAWS).map(|_| normal(rng)).collect() }
    }
}

/// A number above 0 and below 1.
fn uniform(rng: &mut StreamRng) -> f64 {
    ((rng.next_u64() >> 11) as f64 + 0.5) * (1.0 / (1_u64 << 53) as f64)
}

/// A number of the normal distribution, by the method of Box and Muller.
pub fn normal(rng: &mut StreamRng) -> f64 {
    let radius = (-2.0 * libm::log(uniform(rng))).sqrt();
    radius * libm::cos(std::f64::consts::TAU * uniform(rng))
}

/// Goes through the numbers of a task.
struct Drawing<'t> {
    draws: &'t LearnerDraws,
    uniform: usize,
    normal: usize,
}

impl Draw for Drawing<'_> {
    fn uniform(&mut self) -> f64 {
        self.uniform += 1;
        self.draws.uniform[(self.uniform - 1) % DRAWS]
    }

    fn normal(&mut self) -> f64 {
        self.normal += 1;
        self.draws.normal[(self.normal - 1) % DRAWS]
    }
}

/// The probability of a logit.
pub(super) fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-logit))
}

impl LearnerLoss {
    /// What an example in validation adds to the sum that [`LearnerLoss::fitness`] takes.
    #[inline(always)]
    pub(super) fn of(self, label: f64, prediction: f64) -> f64 {
        match self {
            LearnerLoss::RootMeanSquare => {
                let error = label - prediction;
                error * error
            }
            LearnerLoss::Accuracy => {
                let probability = sigmoid(prediction);
                match probability.is_nan() {
                    true => f64::NAN,
                    false => f64::from(u8::from((label > 0.5) != (probability > 0.5))),
                }
            }
        }
    }

    /// The fitness where the losses of so many examples add up to this.
    pub(super) fn fitness(self, sum: f64, examples: usize) -> f64 {
        let mean = sum / examples as f64;
        match self {
            LearnerLoss::RootMeanSquare => {
                1.0 - std::f64::consts::FRAC_2_PI * libm::atan(mean.sqrt())
            }
            LearnerLoss::Accuracy => 1.0 - mean,
        }
    }
}

impl LearnerTask {
    /// The fitness of a learner by the interpreter, from 0 to 1.
    pub fn fitness(&self, program: &LearnerProgram, training: LearnerTraining) -> f64 {
        let mut learner = LearnerInterpreter::new(program, self.n);
        let mut drawing = Drawing { draws: &self.draws, uniform: 0, normal: 0 };
        learner.run(LearnerFunction::Setup, &mut drawing);
        let mut best = 0.0;
        for epoch in &self.epochs {
            let trained = epoch.iter(self.n).all(|(features, label)| {
                let error = predict(&mut learner, features, training.loss, label, &mut drawing);
                learner.set_label(label);
                learner.run(LearnerFunction::Learn, &mut drawing);
                error <= training.most_error
            });
            let validated = trained.then(|| self.validate(&mut learner, training, &mut drawing));
            match validated.flatten() {
                Some(fitness) => best = f64::max(best, fitness),
                None => break,
            }
        }
        best
    }

    fn validate(
        &self,
        learner: &mut LearnerInterpreter<'_>,
        training: LearnerTraining,
        drawing: &mut Drawing<'_>,
    ) -> Option<f64> {
        let mut sum = 0.0;
        for (features, label) in self.validation.iter(self.n) {
            learner.set_features(features);
            learner.set_label(0.0);
            learner.run(LearnerFunction::Predict, drawing);
            let loss = training.loss.of(label, learner.prediction());
            let error = match training.loss {
                LearnerLoss::RootMeanSquare => (label - learner.prediction()).abs(),
                LearnerLoss::Accuracy => loss,
            };
            match error <= training.most_error {
                true => sum += loss,
                // Also where it is no number.
                false => return None,
            }
        }
        Some(training.loss.fitness(sum, self.validation.labels.len()))
    }
}

/// One prediction in training; gives its error.
fn predict(
    learner: &mut LearnerInterpreter<'_>,
    features: &[f64],
    loss: LearnerLoss,
    label: f64,
    drawing: &mut Drawing<'_>,
) -> f64 {
    learner.set_features(features);
    learner.set_label(0.0);
    learner.run(LearnerFunction::Predict, drawing);
    if loss == LearnerLoss::Accuracy {
        learner.set_prediction(sigmoid(learner.prediction()));
    }
    (label - learner.prediction()).abs()
}

impl LearnerExamples {
    fn iter(&self, n: usize) -> impl Iterator<Item = (&[f64], f64)> {
        self.features.chunks_exact(n).zip(self.labels.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evo_hashes::Seed;

    #[test]
    fn draws_have_the_moments_of_their_distributions() {
        let draws = LearnerDraws::new(&mut Seed(1).stream("draws", 0));
        let moments = |x: &[f64]| {
            let mean = x.iter().sum::<f64>() / x.len() as f64;
            (mean, x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / x.len() as f64)
        };
        let (mean, variance) = moments(&draws.uniform);
        assert!((mean - 0.5).abs() < 0.02 && (variance - 1.0 / 12.0).abs() < 0.005);
        let (mean, variance) = moments(&draws.normal);
        assert!(mean.abs() < 0.08 && (variance - 1.0).abs() < 0.1);
        assert!(draws.uniform.iter().all(|x| 0.0 < *x && *x < 1.0));
    }

    /// Two examples an epoch, of one feature.
    fn task(epochs: &[[f64; 2]], labels: [f64; 2]) -> LearnerTask {
        let examples = |features: &[f64; 2]| LearnerExamples {
            features: features.to_vec(),
            labels: labels.into(),
        };
        LearnerTask {
            n: 1,
            epochs: epochs.iter().map(examples).collect(),
            validation: examples(&[1.0, 1.0]),
            draws: LearnerDraws::new(&mut Seed(1).stream("draws", 0)),
        }
    }

    fn fitness(task: &LearnerTask, text: &str, loss: LearnerLoss) -> f64 {
        let program = LearnerProgram::parse(text).expect("the tests hold learners");
        task.fitness(&program, LearnerTraining { loss, most_error: 100.0 })
    }

    const COPY: &str = "def Setup():\n  s2 = SCALE\ndef Predict():\n  s1 = norm(v0)\n  \
                        s1 = s1 * s2\ndef Learn():\n  s2 = s2 * s3\n  s2 = s2 + s4\n";

    #[test]
    fn fitness_falls_from_1_with_the_error_and_is_0_where_one_is_too_large() {
        let at = |scale: &str, labels| {
            let task = task(&[[1.0, 1.0]], labels);
            let copy = COPY.replace("SCALE", scale).replace("  s2 = s2 * s3\n  s2 = s2 + s4\n", "");
            fitness(&task, &copy, LearnerLoss::RootMeanSquare)
        };
        assert_eq!(at("1.0", [1.0, 1.0]), 1.0);
        // A root mean square of 1 is halfway.
        assert_eq!(at("2.0", [1.0, 1.0]), 0.5);
        assert_eq!(at("102.0", [1.0, 1.0]), 0.0);
        assert_eq!(at("1e400".replace("e400", "e300").as_str(), [1.0, 1.0]), 0.0);
    }

    #[test]
    fn the_best_epoch_counts_and_one_that_ends_early_leaves_those_before() {
        // The second epoch begins with features that make an error above the limit.
        let two = task(&[[1.0, 1.0], [1000.0, 1.0]], [1.0, 1.0]);
        let text = "def Setup():\ndef Predict():\n  s1 = norm(v0)\ndef Learn():\n";
        assert_eq!(fitness(&two, text, LearnerLoss::RootMeanSquare), 1.0);
        let first = task(&[[1000.0, 1.0], [1.0, 1.0]], [1.0, 1.0]);
        assert_eq!(fitness(&first, text, LearnerLoss::RootMeanSquare), 0.0);
    }

    #[test]
    fn accuracy_asks_for_the_side_of_one_half() {
        let task = task(&[[1.0, 1.0]], [1.0, 0.0]);
        let of = |text: &str| fitness(&task, text, LearnerLoss::Accuracy);
        assert_eq!(of("def Predict():\n  s1 = norm(v0)\n"), 0.5);
        assert_eq!(of("def Predict():\n  s1 = log(s2)\n  s1 = s1 - s1\n"), 0.0);
    }
}
