//! Fitting the constants of an expression to points, by Levenberg and Marquardt's method
//! (`levenberg-marquardt`, after MINPACK).
//!
//! Invariant: the result is a function of the live dataflow and the points, since it is the
//! canonical form that is fitted: what is computed twice has its constants once. It is never worse
//! than the expression as it was, in float32, where it is scored.

use evo_dsl::{Operand, Program, Statement};
use levenberg_marquardt::{LeastSquaresProblem, LevenbergMarquardt};
use nalgebra::{DMatrix, DVector, Dyn, Owned};

use super::data::Points;
use super::tape::Tape;

/// The relative step of a difference quotient: near the root of float64's precision.
const STEP: f64 = 1e-7;

/// The expression with fitted constants and its mean squared error; `None` where fitting does not
/// lower that below `error`.
pub(super) fn fitted(
    program: &Program,
    points: &Points,
    steps: u32,
    error: Option<f64>,
) -> Option<(Program, f64)> {
    let canonical = canonical(program);
    let tape = Tape::of(&canonical, &points.exact_inputs, points.targets.len())?;
    let start = tape.constants().to_vec();
    if start.is_empty() || start.len() > points.targets.len() {
        return None;
    }
    let mut fit = Fit {
        tape,
        targets: &points.targets,
        current: start.clone(),
        residuals: None,
        left: steps + 1,
        best: (f64::INFINITY, start),
    };
    fit.set_params(&DVector::from_column_slice(&fit.current.clone()));
    let (fit, _) = LevenbergMarquardt::new().with_patience(MOST_PATIENCE).minimize(fit);
    let best = with_constants(&canonical, &fit.best.1)?;
    let found = points.squared_error(&best).ok()?;
    error.is_none_or(|error| found < error).then_some((best, found))
}

/// Evaluations end after so many steps, never for lack of patience.
const MOST_PATIENCE: usize = 10_000;

/// The canonical form with the names that the program gives its inputs.
fn canonical(program: &Program) -> Program {
    let canonical = program.canonical();
    let count = canonical.signature().inputs() as u16;
    let names = (0..count).map(|input| program.name(evo_dsl::Variable(input)).into()).collect();
    let (signature, outputs) = (canonical.signature().clone(), canonical.outputs().to_vec());
    Program::new(signature, names, outputs, canonical.statements().to_vec())
        .expect("names do not change what checks")
}

/// The program with other constants; `None` if one is not finite.
fn with_constants(program: &Program, constants: &[f64]) -> Option<Program> {
    let (mut statements, mut values) = (program.statements().to_vec(), constants.iter());
    for operand in statements.iter_mut().flat_map(Statement::args_mut) {
        if let Operand::Constant(value) = operand {
            *value = *values.next()?;
        }
    }
    program.with_statements(statements).ok()
}

struct Fit<'a> {
    tape: Tape<'a>,
    targets: &'a [f64],
    current: Vec<f64>,
    /// Of the current constants; `None` where one is not finite or there are no steps left.
    residuals: Option<DVector<f64>>,
    left: u32,
    /// The least sum of squares, and its constants.
    best: (f64, Vec<f64>),
}

impl LeastSquaresProblem<f64, Dyn, Dyn> for Fit<'_> {
    type ParameterStorage = Owned<f64, Dyn>;
    type ResidualStorage = Owned<f64, Dyn>;
    type JacobianStorage = Owned<f64, Dyn, Dyn>;

    fn set_params(&mut self, x: &DVector<f64>) {
        if x.as_slice() == self.current && self.residuals.is_some() {
            return;
        }
        self.current.copy_from_slice(x.as_slice());
        self.residuals = match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                let values = self.tape.at(&self.current).iter().zip(self.targets);
                let residuals: Vec<f64> = values.map(|(value, target)| value - target).collect();
                let finite = residuals.iter().chain(&self.current).all(|it| it.is_finite());
                finite.then(|| DVector::from_vec(residuals))
            }
            None => None,
        };
        if let Some(residuals) = &self.residuals {
            let sum: f64 = residuals.iter().map(|residual| residual * residual).sum();
            if sum < self.best.0 {
                self.best = (sum, self.current.clone());
            }
        }
    }

    fn params(&self) -> DVector<f64> {
        DVector::from_column_slice(&self.current)
    }

    fn residuals(&self) -> Option<DVector<f64>> {
        self.residuals.clone()
    }

    /// By difference quotients in float64. A constant that cannot be moved without leaving the
    /// finite numbers stays where it is.
    fn jacobian(&self) -> Option<DMatrix<f64>> {
        let residuals = self.residuals.as_ref()?;
        let mut jacobian = DMatrix::zeros(residuals.len(), self.current.len());
        let mut room = self.tape.room();
        for (index, mut column) in jacobian.column_iter_mut().enumerate() {
            let constant = self.current[index];
            let moved = constant + STEP * constant.abs().max(1e-3);
            let taken = moved - constant;
            let values = self.tape.with(index, moved, &mut room);
            if values.iter().all(|value| value.is_finite()) {
                let pairs = values.iter().zip(self.targets).zip(residuals);
                let slopes = pairs.map(|((value, target), here)| (value - target - here) / taken);
                column.iter_mut().zip(slopes).for_each(|(cell, slope)| *cell = slope);
            }
        }
        let finite = jacobian.iter().all(|slope| slope.is_finite());
        finite.then_some(jacobian)
    }
}
