//! The expression evaluator: how well an expression fits the points of a task.
//!
//! Invariant: evaluating changes nothing in the evaluator, and an outcome depends on the expression
//! and the points alone. An expression that is not finite at one point is invalid: an error summed
//! over the others could be bought by overflowing where it would be large.

use std::path::Path;

use evo_dsl::{ExpressionProbe, Expressions, Program};
use evo_hashes::{Hash, Seed};

use super::data::{Data, Points};
use super::fit;
use crate::{
    DependsOn, Evaluator, EvaluatorError, ExpressionConfig, ExpressionLoss, Invalid, InvalidReason,
    Outcome, Score, Trial,
};

/// The error, as a part of the targets' variance, below which none counts as smaller.
///
/// Values are float32, so each operation adds a relative error of up to 6e-8: an exact equation of
/// ten operations comes to some 1e-14 of the variance, and to 1e-12 where the mean of the targets
/// is ten times their spread. Below lies rounding, which is not to be selected for.
pub const LEAST_ERROR: f64 = 1e-12;

/// Scores expressions by their error on the points of one task.
///
/// Fitness is -ln(mean squared error / variance of the targets): 0 for the best constant, and at
/// most 27.6, that of [`LEAST_ERROR`]. There is no bound below. Of a score, `losses` has the error
/// in the configured measure.
#[derive(Clone, Debug)]
pub struct ExpressionEvaluator {
    name: String,
    data: Data,
    variance: f64,
    loss: ExpressionLoss,
    steps: u32,
}

impl ExpressionEvaluator {
    /// Loads the points of the chosen task; relative paths start at `base_dir`.
    ///
    /// # Errors
    /// [`EvaluatorError::Config`] or [`EvaluatorError::Data`], with a key path that starts in
    /// `config`.
    pub fn new(config: &ExpressionConfig, base_dir: &Path) -> Result<Self, EvaluatorError> {
        let (index, task) = config.chosen()?;
        let data = Data::load(task, base_dir, Seed(config.data_seed));
        let data = data.map_err(|error| error.within(&format!("tasks[{index}]")))?;
        Ok(ExpressionEvaluator {
            name: task.name(),
            variance: data.train.variance(),
            data,
            loss: config.loss,
            steps: config.fit_constants,
        })
    }

    /// A hash of all that decides an outcome: of every point, and of the steps of fitting.
    pub fn fingerprint(&self) -> Hash {
        let mut bytes = format!("expression data, 1, {} steps, ", self.steps).into_bytes();
        for points in [&self.data.train, &self.data.test] {
            bytes.extend((points.targets.len() as u64).to_le_bytes());
            bytes.extend(points.bytes());
        }
        Hash::of(&bytes)
    }

    /// The name of the task.
    pub fn task(&self) -> &str {
        &self.name
    }

    /// Names of the inputs, in order.
    pub fn inputs(&self) -> &[String] {
        &self.data.names
    }

    /// The number of points that are fitted, and of those held out.
    pub fn points(&self) -> [usize; 2] {
        [&self.data.train, &self.data.test].map(|points| points.targets.len())
    }

    /// The probe for expressions of this task: over the ranges of its points to fit.
    pub fn probe(&self) -> ExpressionProbe {
        ExpressionProbe::new(&self.data.train.ranges())
    }

    /// The expression to start from where none is given: the first input. Inputs have the names of
    /// the data where the language takes them, and else its own.
    pub fn start(&self) -> Program {
        let names: Vec<&str> = self.data.names.iter().map(String::as_str).collect();
        Expressions::start(&names).unwrap_or_else(|_| {
            let signature = evo_dsl::Signature::expression(names.len());
            let signature = signature.expect("data have as many inputs as an expression may");
            let roles = signature.parameters().iter();
            let names: Vec<&str> =
                roles.map(|role| evo_dsl::Signature::default_name(*role)).collect();
            Expressions::start(&names).expect("the language takes its own names")
        })
    }

    /// The expression as it is scored: with fitted constants, in its canonical form, where they
    /// are fitted and that helps, and else as it is.
    pub fn fitted(&self, program: &Program) -> Program {
        self.fit(program).0.unwrap_or_else(|| program.clone())
    }

    /// The loss of an expression on the points to fit, or why it has none.
    ///
    /// # Errors
    /// It is not finite at a point.
    pub fn train_loss(&self, program: &Program) -> Result<f64, Invalid> {
        let error = self.fit(program).1.map_err(|point| self.invalid(point));
        error.map(|error| self.measured(error))
    }

    /// The loss of an expression on the points held out, its constants fitted on the others; `None`
    /// where no points are held out. The variance that it is normalised by is that of the others.
    ///
    /// # Errors
    /// It is not finite at a point.
    pub fn test_loss(&self, program: &Program) -> Option<Result<f64, Invalid>> {
        let points = &self.data.test;
        (!points.targets.is_empty()).then(|| {
            let error = points.squared_error(&self.fitted(program));
            error.map(|error| self.measured(error)).map_err(|point| self.invalid(point))
        })
    }

    /// The expression with fitted constants, if they help, and the mean squared error.
    fn fit(&self, program: &Program) -> (Option<Program>, Result<f64, u64>) {
        let points: &Points = &self.data.train;
        let plain = points.squared_error(program);
        let done = plain.is_ok_and(|error| error <= LEAST_ERROR * self.variance);
        if self.steps > 0 && !done {
            let fitted = fit::fitted(program, points, self.steps, plain.ok());
            if let Some((fitted, error)) = fitted {
                return (Some(fitted), Ok(error));
            }
        }
        (None, plain)
    }

    /// The fitness at a loss in the configured measure, such as that to stop a search at.
    pub fn fitness_at(&self, loss: f64) -> f64 {
        let share = match self.loss {
            ExpressionLoss::MeanSquaredError => loss / self.variance,
            ExpressionLoss::Normalised => loss,
        };
        -libm::log(share.max(LEAST_ERROR))
    }

    fn measured(&self, error: f64) -> f64 {
        match self.loss {
            ExpressionLoss::MeanSquaredError => error,
            ExpressionLoss::Normalised => error / self.variance,
        }
    }

    /// The step is the first point at which the expression is not finite.
    fn invalid(&self, point: u64) -> Invalid {
        let reason = InvalidReason::NonFinite;
        Invalid { reason, task: self.name.clone(), step: point, stages: Vec::new() }
    }

    /// The outcome of a program that is none for these data.
    pub(super) fn refused(&self, program: &Program) -> Option<Outcome> {
        let (expected, found) = (self.data.names.len(), program.signature().inputs());
        (found != expected).then(|| {
            let message = format!("the data have {expected} inputs, and the program {found}");
            Outcome::Failed { message }
        })
    }

    fn outcome(&self, program: &Program) -> Outcome {
        if let Some(refused) = self.refused(program) {
            return refused;
        }
        match self.fit(program).1 {
            Ok(error) => {
                let loss = self.measured(error);
                Outcome::Scored(Score::new(self.fitness_at(loss), vec![loss]))
            }
            Err(point) => Outcome::Invalid(self.invalid(point)),
        }
    }
}

/// Nothing is drawn, so all repeats of a program have one outcome.
impl Evaluator<Program> for ExpressionEvaluator {
    fn evaluate(&self, cohort: &[Trial<'_>]) -> Vec<Outcome> {
        cohort.iter().map(|trial| self.outcome(trial.program)).collect()
    }

    /// Fitted constants follow from how an expression is written: `x * 2.0` can be fitted and
    /// `x + x` cannot.
    fn depends_on(&self) -> DependsOn {
        if self.steps > 0 { DependsOn::Structure } else { DependsOn::Behaviour }
    }
}

#[cfg(test)]
mod tests;
