//! The points of a task: values of the inputs, and of the target at each of them.
//!
//! Invariant: inputs are held in float32, as the engines take them, and targets in float64. The
//! targets of a formula are computed in float64 from the rounded inputs, so that an expression is
//! measured by its own rounding and by nothing else's. No point is both fitted and held out.

use std::path::Path;

use evo_dsl::{Dataflow, Executor, Interpreter, Layout, Program, Signature};
use evo_hashes::{Seed, StreamRng};
use rand::RngExt;

use super::config::{EquationInput, ExpressionData, ExpressionTask};
use super::table::Table;
use crate::EvaluatorError;

/// The most points of a part; every candidate is evaluated at all of them.
const MOST_POINTS: usize = 1 << 24;

/// Points of one part of a task.
#[derive(Clone, Debug)]
pub(super) struct Points {
    /// For every input its values.
    pub inputs: Vec<Vec<f32>>,
    /// The same in float64.
    pub exact_inputs: Vec<Vec<f64>>,
    pub targets: Vec<f64>,
    layout: Layout,
}

/// A loaded task.
#[derive(Clone, Debug)]
pub(super) struct Data {
    pub names: Vec<String>,
    pub train: Points,
    pub test: Points,
}

impl Data {
    /// Loads or draws the points of a task; keys of errors start in the task.
    pub(super) fn load(
        task: &ExpressionTask,
        base_dir: &Path,
        seed: Seed,
    ) -> Result<Data, EvaluatorError> {
        let seed = seed.derive(&task.name());
        if let Some(equation) = task.data.equation()? {
            let inputs = equation.inputs.iter();
            let inputs: Vec<EquationInput> = inputs
                .map(|(name, low, high)| EquationInput((*name).to_owned(), *low, *high))
                .collect();
            return Drawing { formula: equation.formula, inputs: &inputs, test_ranges: &[] }.draw(
                equation.points,
                equation.points,
                seed,
            );
        }
        match &task.data {
            ExpressionData::Formula { formula, inputs, points, test_points, test_ranges } => {
                let test = test_points.unwrap_or(points.get());
                Drawing { formula, inputs, test_ranges }.draw(points.get(), test, seed)
            }
            ExpressionData::Csv { path, target, inputs, test_share } => {
                let table = Table::read(&base_dir.join(path), target, inputs)?;
                split(table, *test_share, seed)
            }
            ExpressionData::Nguyen(_) | ExpressionData::Feynman(_) => {
                Err(EvaluatorError::Internal("a published equation has a formula".to_owned()))
            }
        }
    }
}

impl Points {
    fn new(inputs: Vec<Vec<f32>>, targets: Vec<f64>) -> Points {
        let layout = Layout::new([vec![targets.len()]]);
        let wide = |input: &Vec<f32>| input.iter().map(|x| f64::from(*x)).collect();
        let exact_inputs = inputs.iter().map(wide).collect();
        Points { inputs, exact_inputs, targets, layout }
    }

    /// All of it as bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let inputs = self.inputs.iter().flatten().flat_map(|value| value.to_le_bytes());
        inputs.chain(self.targets.iter().flat_map(|value| value.to_le_bytes())).collect()
    }

    /// The mean of the squared errors of an expression, or the first point, counted from 1, where
    /// it is not finite.
    pub(super) fn squared_error(&self, program: &Program) -> Result<f64, u64> {
        let inputs: Vec<&[f32]> = self.inputs.iter().map(Vec::as_slice).collect();
        let mut values = vec![0.0; self.targets.len()];
        Executor::of(&Dataflow::of(program), &self.layout).evaluate(&inputs, &mut values);
        let mut sum = 0.0;
        for (index, (value, target)) in values.iter().zip(&self.targets).enumerate() {
            if !value.is_finite() {
                return Err(index as u64 + 1);
            }
            let error = f64::from(*value) - target;
            sum += error * error;
        }
        Ok(sum / self.targets.len() as f64)
    }

    /// What an expression gives in float64.
    fn exact_values(&self, program: &Program) -> Vec<f64> {
        let inputs: Vec<&[f64]> = self.exact_inputs.iter().map(Vec::as_slice).collect();
        Interpreter::<f64>::new(program, &self.layout).evaluate(&inputs)
    }

    /// The mean squared distance of the targets from their mean.
    pub(super) fn variance(&self) -> f64 {
        let count = self.targets.len() as f64;
        let mean = self.targets.iter().sum::<f64>() / count;
        self.targets.iter().map(|target| (target - mean) * (target - mean)).sum::<f64>() / count
    }

    /// The lowest and the highest value of every input.
    pub(super) fn ranges(&self) -> Vec<(f64, f64)> {
        let range = |input: &Vec<f32>| {
            let wide = || input.iter().map(|x| f64::from(*x));
            (wide().fold(f64::INFINITY, f64::min), wide().fold(f64::NEG_INFINITY, f64::max))
        };
        self.inputs.iter().map(range).collect()
    }
}

/// Points drawn evenly from the ranges of inputs, and a formula.
struct Drawing<'a> {
    formula: &'a str,
    inputs: &'a [EquationInput],
    /// Those of the points held out, where they are others.
    test_ranges: &'a [(f64, f64)],
}

impl Drawing<'_> {
    fn draw(&self, train: usize, test: usize, seed: Seed) -> Result<Data, EvaluatorError> {
        let error = |key: &str, message: String| EvaluatorError::config(key, message);
        let names: Vec<&str> = self.inputs.iter().map(|input| input.0.as_str()).collect();
        let whole = self.formula.trim_start().starts_with("def ");
        let program = if whole {
            Program::parse_expression(self.formula)
        } else {
            Program::parse_formula(&names, self.formula)
        };
        let program = program.map_err(|wrong| error("data.formula", wrong.to_string()))?;
        if program.signature().inputs() != names.len() {
            let message = format!("the formula has {} of them", program.signature().inputs());
            return Err(error("data.inputs", message));
        }
        let ranges: Vec<(f64, f64)> = self.inputs.iter().map(|input| (input.1, input.2)).collect();
        let beyond = if self.test_ranges.is_empty() { &ranges[..] } else { self.test_ranges };
        if beyond.len() != ranges.len() {
            let message = format!("there are {} inputs and {} ranges", ranges.len(), beyond.len());
            return Err(error("data.test_ranges", message));
        }
        for (key, count) in [("data.points", train), ("data.test_points", test)] {
            if count > MOST_POINTS {
                return Err(error(key, format!("must be at most {MOST_POINTS}")));
            }
        }
        for (key, ranges) in [("inputs", &ranges[..]), ("test_ranges", beyond)] {
            for (index, (low, high)) in ranges.iter().enumerate() {
                if !((*low as f32).is_finite() && (*high as f32).is_finite() && low <= high) {
                    let message = format!("{low:?} to {high:?} is no range of float32");
                    return Err(error(&format!("data.{key}[{index}]"), message));
                }
            }
        }
        let part = |ranges: &[(f64, f64)], count, purpose: &str| {
            let inputs = draw(ranges, count, &mut seed.stream(purpose, 0));
            let mut points = Points::new(inputs, vec![0.0; count]);
            points.targets = points.exact_values(&program);
            points
        };
        let (train, test) = (part(&ranges, train, "points"), part(beyond, test, "test points"));
        for points in [&train, &test] {
            if let Some(point) = points.targets.iter().position(|value| !value.is_finite()) {
                let at: Vec<f32> = points.inputs.iter().map(|input| input[point]).collect();
                let message = format!("it is not finite at {at:?}");
                return Err(error("data.formula", message));
            }
        }
        let names = names.into_iter().map(str::to_owned).collect();
        checked(Data { names, train, test }, "data.formula")
    }
}

/// Values of inputs with these ranges, point by point.
fn draw(ranges: &[(f64, f64)], count: usize, rng: &mut StreamRng) -> Vec<Vec<f32>> {
    let mut inputs = vec![Vec::with_capacity(count); ranges.len()];
    for _ in 0..count {
        for (input, (low, high)) in inputs.iter_mut().zip(ranges) {
            input.push((low + rng.random::<f64>() * (high - low)) as f32);
        }
    }
    inputs
}

/// A table with a share of its rows held out.
fn split(table: Table, share: f64, seed: Seed) -> Result<Data, EvaluatorError> {
    if !(0.0..1.0).contains(&share) {
        let message = format!("{share} is no share from 0 to below 1");
        return Err(EvaluatorError::config("data.test_share", message));
    }
    if !(1..=Signature::MAX_INPUTS).contains(&table.inputs.len()) {
        let (most, found) = (Signature::MAX_INPUTS, table.inputs.len());
        let message = format!("an expression has 1 to {most} inputs, not {found}; name some");
        return Err(EvaluatorError::config("data.inputs", message));
    }
    let rows = table.target.len();
    let mut order: Vec<usize> = (0..rows).collect();
    let mut rng = seed.stream("split", 0);
    for last in (1..rows).rev() {
        order.swap(last, rng.random_range(0..=last));
    }
    let held_out = ((rows as f64 * share) as usize).min(rows.saturating_sub(1));
    if rows < 2 {
        let message =
            format!("there have to be two rows of numbers at least, and there are {rows}");
        return Err(EvaluatorError::config("data.path", message));
    }
    if rows - held_out < 2 {
        let message = format!("leaves {} of {rows} rows to fit", rows - held_out);
        return Err(EvaluatorError::config("data.test_share", message));
    }
    let (test, train) = order.split_at_mut(held_out);
    // The rows keep their order, so that a point that is told by its number can be found.
    test.sort_unstable();
    train.sort_unstable();
    let part = |rows: &[usize]| {
        let inputs = table.inputs.iter();
        let inputs = inputs.map(|input| rows.iter().map(|row| input[*row] as f32).collect());
        Points::new(inputs.collect(), rows.iter().map(|row| table.target[*row]).collect())
    };
    let (train, test) = (part(train), part(test));
    checked(Data { names: table.names, train, test }, "data.target")
}

/// Targets that an error can be compared with the spread of.
fn checked(data: Data, key: &str) -> Result<Data, EvaluatorError> {
    let variance = data.train.variance();
    if variance.is_finite() && variance > 0.0 {
        return Ok(data);
    }
    let message = "the target must differ between points, and its variance be a float64";
    Err(EvaluatorError::config(key, message))
}
