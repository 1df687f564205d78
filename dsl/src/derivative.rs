//! The derivative of an expression by one of its inputs, as an expression.
//!
//! Invariant: forward mode over the live dataflow, so the derivative of a program of *n* statements
//! has at most a small multiple of *n*, and what it shares with the program it computes once. It is
//! that of what the ops compute, guards included: of `a / (b + 1e-8)`, of ln |x|. At a kink it is
//! one of the two slopes; `sign` and `heaviside` have the slope 0 everywhere. Where the expression
//! is NaN its derivative means nothing.

use crate::{Dataflow, Op, Program, Role, Value};

impl Program {
    /// The derivative of this expression by an input, counted from 0, in canonical form; `None`
    /// where it would be longer than a program may be.
    ///
    /// ```
    /// let program = evo_dsl::Program::parse_formula(&["x"], "sin(x) * x")?;
    /// let expected = evo_dsl::Program::parse_formula(&["x"], "cos(x) * x + sin(x)")?;
    /// assert_eq!(program.derivative(0), Some(expected.canonical()));
    /// # Ok::<(), evo_dsl::ParseError>(())
    /// ```
    ///
    /// # Panics
    /// If this is an optimizer.
    pub fn derivative(&self, input: usize) -> Option<Program> {
        assert!(self.signature().is_expression(), "an optimizer has no derivative");
        let flow = Dataflow::of(self);
        let mut derivation = Derivation::by(Role::Input(input));
        for node in flow.nodes() {
            let args = node.args().iter().map(|arg| derivation.moved(*arg));
            let mut all = [Value::Constant(0.0); 3];
            all.iter_mut().zip(args).for_each(|(slot, arg)| *slot = arg);
            let value = derivation.node(node.op, all);
            let slope = derivation.slope(node.op, all, value);
            derivation.values.push(value);
            derivation.slopes.resize(derivation.nodes.len(), None);
            if let (Value::Node(node), Some(slope)) = (value, slope) {
                derivation.slopes[node] = Some(slope);
            }
        }
        let output = flow.outputs()[0].expect("an expression has an output");
        let output = derivation.moved(output);
        let slope = derivation.slope_of(output).unwrap_or(Value::Constant(0.0));
        // What is returned is an input or a statement's.
        let output = match slope {
            Value::Constant(_) => derivation.node(Op::Mul, [slope, Value::Constant(1.0), slope]),
            slope => slope,
        };
        if derivation.nodes.len() > Program::MAX_STATEMENTS {
            return None;
        }
        let whole = Dataflow::from_nodes(derivation.nodes, vec![Some(output)], None);
        Some(Program::from_dataflow(self.signature(), &whole).canonical())
    }
}

/// A graph that grows: the nodes of an expression and of the slopes of its values. A slope that is
/// 0 everywhere is none.
struct Derivation {
    by: Role,
    nodes: Vec<(Op, [Value; 3])>,
    /// The values of the expression's nodes.
    values: Vec<Value>,
    /// For each node of this graph that is one of the expression's, its slope.
    slopes: Vec<Option<Value>>,
}

impl Derivation {
    fn by(by: Role) -> Derivation {
        Derivation { by, nodes: Vec::new(), values: Vec::new(), slopes: Vec::new() }
    }

    /// A value of the expression as one of this graph.
    fn moved(&self, value: Value) -> Value {
        match value {
            Value::Node(node) => self.values[node],
            other => other,
        }
    }

    fn slope_of(&self, value: Value) -> Option<Value> {
        match value {
            Value::Input(role) => (role == self.by).then_some(Value::Constant(1.0)),
            Value::Constant(_) => None,
            Value::Node(node) => self.slopes.get(node).copied().flatten(),
        }
    }

    fn node(&mut self, op: Op, args: [Value; 3]) -> Value {
        self.nodes.push((op, args));
        Value::Node(self.nodes.len() - 1)
    }

    fn unary(&mut self, op: Op, x: Value) -> Value {
        self.node(op, [x, Value::Constant(0.0), Value::Constant(0.0)])
    }

    fn binary(&mut self, op: Op, a: Value, b: Value) -> Value {
        self.node(op, [a, b, Value::Constant(0.0)])
    }

    fn constant(&mut self, op: Op, a: Value, constant: f64) -> Value {
        self.binary(op, a, Value::Constant(constant))
    }

    /// A product that knows factors of 1.
    fn times(&mut self, a: Value, slope: Value) -> Value {
        match (a, slope) {
            (a, Value::Constant(1.0)) => a,
            (Value::Constant(1.0), slope) => slope,
            (a, slope) => self.binary(Op::Mul, a, slope),
        }
    }

    fn plus(&mut self, a: Option<Value>, b: Option<Value>) -> Option<Value> {
        match (a, b) {
            (Some(a), Some(b)) => Some(self.binary(Op::Add, a, b)),
            (a, b) => a.or(b),
        }
    }

    /// `a` where `condition` is above zero, else `b`; slopes that are both none stay none.
    fn either(&mut self, condition: Value, a: Option<Value>, b: Option<Value>) -> Option<Value> {
        let zero = Value::Constant(0.0);
        (a.is_some() || b.is_some())
            .then(|| self.node(Op::Where, [condition, a.unwrap_or(zero), b.unwrap_or(zero)]))
    }

    /// The slope of `value`, which is `op` of these arguments.
    fn slope(&mut self, op: Op, [a, b, c]: [Value; 3], value: Value) -> Option<Value> {
        let of = |derivation: &Derivation, index: usize| {
            let arg = [a, b, c][index];
            (index < op.arity()).then(|| derivation.slope_of(arg)).flatten()
        };
        let [da, db, dc] = [0, 1, 2].map(|index| of(self, index));
        match op {
            _ if da.is_none() && db.is_none() && dc.is_none() => None,
            Op::Sign | Op::Heaviside => None,
            Op::Add => self.plus(da, db),
            Op::Sub => match (da, db) {
                (Some(da), Some(db)) => Some(self.binary(Op::Sub, da, db)),
                (Some(da), None) => Some(da),
                (_, db) => db.map(|db| self.unary(Op::Negative, db)),
            },
            Op::Mul => {
                let left = da.map(|da| self.times(b, da));
                let right = db.map(|db| self.times(a, db));
                self.plus(left, right)
            }
            Op::Div => {
                let right = db.map(|db| self.times(value, db));
                let above = match (da, right) {
                    (Some(da), Some(right)) => self.binary(Op::Sub, da, right),
                    (Some(da), None) => da,
                    (_, right) => self.unary(Op::Negative, right?),
                };
                Some(self.binary(Op::Div, above, b))
            }
            Op::Max | Op::Min => {
                let (more, less) = if op == Op::Max { (a, b) } else { (b, a) };
                let first = self.binary(Op::Sub, more, less);
                self.either(first, da, db)
            }
            Op::Clamp => {
                let low = self.binary(Op::Sub, a, b);
                let raised_slope = self.either(low, da, db);
                let raised = self.binary(Op::Max, a, b);
                let below = self.binary(Op::Sub, c, raised);
                self.either(below, raised_slope, dc)
            }
            Op::Where => self.either(a, db, dc),
            Op::Interp => {
                let [da, db] = [da, db].map(|slope| slope.unwrap_or(Value::Constant(0.0)));
                Some(self.node(Op::Interp, [da, db, c]))
            }
            Op::Power => self.power([a, b], value, [da, db]),
            op => {
                let factor = self.factor(op, a, value);
                da.map(|da| self.times(factor, da))
            }
        }
    }

    /// The slope of `a^b`.
    fn power(
        &mut self,
        [a, b]: [Value; 2],
        value: Value,
        [da, db]: [Option<Value>; 2],
    ) -> Option<Value> {
        let of_base = da.map(|da| {
            let exponent = self.constant(Op::Sub, b, 1.0);
            let power = self.binary(Op::Power, a, exponent);
            let factor = self.binary(Op::Mul, power, b);
            self.times(factor, da)
        });
        let of_exponent = db.map(|db| {
            let log = self.unary(Op::Log, a);
            let factor = self.binary(Op::Mul, value, log);
            self.times(factor, db)
        });
        self.plus(of_base, of_exponent)
    }

    /// The derivative of a function of one argument, `value` being the function there.
    fn factor(&mut self, op: Op, x: Value, value: Value) -> Value {
        use std::f64::consts::{LN_2, LN_10};
        match op {
            Op::Abs => self.unary(Op::Sign, x),
            Op::Negative => Value::Constant(-1.0),
            Op::Sin => self.unary(Op::Cos, x),
            Op::Cos => {
                let sine = self.unary(Op::Sin, x);
                self.unary(Op::Negative, sine)
            }
            Op::Tan => {
                let square = self.unary(Op::Square, value);
                self.constant(Op::Add, square, 1.0)
            }
            Op::Sinh => self.unary(Op::Cosh, x),
            Op::Cosh => self.unary(Op::Sinh, x),
            Op::Tanh => {
                let square = self.unary(Op::Square, value);
                self.binary(Op::Sub, Value::Constant(1.0), square)
            }
            Op::Exp => value,
            Op::Exp2 => self.constant(Op::Mul, value, LN_2),
            Op::Exp10 => self.constant(Op::Mul, value, LN_10),
            Op::Expm1 => self.unary(Op::Exp, x),
            Op::Log => self.unary(Op::Reciprocal, x),
            Op::Log2 | Op::Log10 => {
                let slope = self.unary(Op::Reciprocal, x);
                self.constant(Op::Mul, slope, if op == Op::Log2 { LN_2 } else { LN_10 }.recip())
            }
            Op::Log1p => {
                let one_more = self.constant(Op::Add, x, 1.0);
                self.unary(Op::Reciprocal, one_more)
            }
            Op::Square => self.constant(Op::Mul, x, 2.0),
            Op::Sqrt => {
                let slope = self.unary(Op::Reciprocal, value);
                let half = self.constant(Op::Mul, slope, 0.5);
                let sign = self.unary(Op::Sign, x);
                self.binary(Op::Mul, half, sign)
            }
            Op::Cube => {
                let square = self.unary(Op::Square, x);
                self.constant(Op::Mul, square, 3.0)
            }
            Op::Cbrt => {
                let square = self.unary(Op::Square, value);
                let slope = self.unary(Op::Reciprocal, square);
                self.constant(Op::Mul, slope, 1.0 / 3.0)
            }
            Op::Reciprocal => {
                let square = self.unary(Op::Square, value);
                self.unary(Op::Negative, square)
            }
            op => self.inverse_factor(op, x),
        }
    }

    /// The same for the inverse trigonometric and hyperbolic functions.
    fn inverse_factor(&mut self, op: Op, x: Value) -> Value {
        match op {
            Op::Arcsin => self.over_root(x, -1.0, 1.0),
            Op::Arccos => {
                let slope = self.over_root(x, -1.0, 1.0);
                self.unary(Op::Negative, slope)
            }
            Op::Arctan => self.over(x, 1.0, 1.0),
            Op::Arcsinh => self.over_root(x, 1.0, 1.0),
            Op::Arccosh => self.over_root(x, 1.0, -1.0),
            Op::Arctanh => self.over(x, -1.0, 1.0),
            op => unreachable!("{} is no function of one argument", op.info().name),
        }
    }

    /// `1 / (sign * x² + constant)`.
    fn over(&mut self, x: Value, sign: f64, constant: f64) -> Value {
        let sum = self.quadratic(x, sign, constant);
        self.unary(Op::Reciprocal, sum)
    }

    /// `1 / sqrt(sign * x² + constant)`.
    fn over_root(&mut self, x: Value, sign: f64, constant: f64) -> Value {
        let sum = self.quadratic(x, sign, constant);
        // Not the guarded root: out of the function's domain this is NaN as well.
        self.constant(Op::Power, sum, -0.5)
    }

    fn quadratic(&mut self, x: Value, sign: f64, constant: f64) -> Value {
        let square = self.unary(Op::Square, x);
        let constant = Value::Constant(constant);
        let op = if sign > 0.0 { Op::Add } else { Op::Sub };
        self.binary(op, constant, square)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Interpreter, Layout};

    /// Points off the kinks and within the domains of all functions.
    const POINTS: [f64; 6] = [-0.83, -0.41, -0.07, 0.13, 0.52, 0.91];

    fn values(program: &Program, x: &[f64], y: &[f64]) -> Vec<f64> {
        let layout = Layout::new([vec![x.len()]]);
        Interpreter::<f64>::new(program, &layout).evaluate(&[x, y])
    }

    fn assert_close_to_difference_quotients(formula: &str) {
        let program = Program::parse_formula(&["x", "y"], formula).expect(formula);
        let turned: Vec<f64> = POINTS.iter().rev().map(|x| x * 0.9).collect();
        for input in 0..2 {
            let derivative = program.derivative(input).expect("it is short");
            let found = values(&derivative, &POINTS, &turned);
            let moved = |by: f64| {
                let inputs = [&POINTS[..], &turned].map(|of| of.to_vec());
                let mut inputs = inputs;
                inputs[input].iter_mut().for_each(|x| *x += by);
                values(&program, &inputs[0], &inputs[1])
            };
            let (ahead, behind) = (moved(1e-6), moved(-1e-6));
            for (index, found) in found.iter().enumerate() {
                let expected = (ahead[index] - behind[index]) / 2e-6;
                let close = (found - expected).abs() <= 1e-6 * (1.0 + expected.abs());
                // Where the expression is not defined nothing is said of its slope.
                assert!(close || expected.is_nan(), "{formula} by {input}: {found} for {expected}");
            }
        }
    }

    #[test]
    fn the_derivative_of_every_op_is_that_of_difference_quotients() {
        for op in Op::all().filter(|op| op.is_elementwise() && op.is_usable()) {
            let name = op.info().aliases.first().unwrap_or(&op.info().name);
            let formulas = match op.arity() {
                0 => vec![format!("{name}() * x")],
                1 => vec![
                    format!("{name}(x)"),
                    format!("{name}(x * 0.5 + y * 0.8) * y"),
                    // For arccosh, which is defined from 1 on.
                    format!("{name}(square(x) + 1.1) * y"),
                ],
                2 => vec![
                    format!("{name}(x, y)"),
                    format!("{name}(x * y, 1.5 + x)"),
                    format!("{name}(x + 2.0, 3.0)"),
                    format!("{name}(2.0, x * y)"),
                ],
                _ => vec![
                    format!("{name}(x, y, 0.3)"),
                    format!("{name}(x * y, sin(x), 0.7)"),
                    format!("{name}(x, 0.1, 0.4) * y"),
                ],
            };
            for formula in formulas {
                assert_close_to_difference_quotients(&formula);
            }
        }
        for formula in
            ["where(x - y, x * y, cos(x))", "clamp(x, y * 0.1, y + 0.5)", "x", "1.0 * 2.0"]
        {
            assert_close_to_difference_quotients(formula);
        }
    }

    #[test]
    fn an_input_that_is_not_read_has_the_derivative_0() {
        let program = Program::parse_formula(&["x", "y"], "sin(x)").expect("it parses");
        let derivative = program.derivative(1).expect("it is short");
        assert_eq!(values(&derivative, &POINTS, &POINTS), [0.0; 6]);
        assert_eq!(derivative.live_length(), 1);
    }
}
