//! The reference interpreter: the meaning of a program, statement by statement.
//!
//! Invariant: every statement runs, dead or not, on whole values, in order; nothing is fused or
//! reordered. It is the oracle the executor is tested against, so it is written to be read, and
//! it runs in float64 as well, to tell a rounding difference from a wrong answer.

use crate::matrix::{self, Schedule, Scratch};
use crate::reduce::{LeafSum, bias_correction, clip_factor, column_means, cosine, row_means};
use crate::{Layout, Op, Operand, Program, Real, Role, ShapeRule, Statement, Type};

/// A value while a program runs.
#[derive(Clone, Debug)]
enum Value<T> {
    /// One float64 for everything, or for each leaf, row or column, leaf by leaf.
    Small(Type, Vec<f64>),
    Tree(Vec<T>),
}

impl<T> Value<T> {
    fn scalar(value: f64) -> Value<T> {
        Value::Small(Type::Scalar, vec![value])
    }

    fn ty(&self) -> Type {
        match self {
            Value::Small(ty, _) => *ty,
            Value::Tree(_) => Type::Tree,
        }
    }
}

/// Runs a program step by step, carrying its states.
#[derive(Clone, Debug)]
pub struct Interpreter<T> {
    program: Program,
    layout: Layout,
    states: Vec<Vec<T>>,
    readout: Option<Vec<T>>,
    step: u64,
}

impl<T: Real> Interpreter<T> {
    /// A program about to take its first step: states are zero.
    pub fn new(program: &Program, layout: &Layout) -> Interpreter<T> {
        let zero = vec![T::from_f64(0.0); layout.len()];
        let states = vec![zero; program.signature().states()];
        Interpreter {
            program: program.clone(),
            layout: layout.clone(),
            states,
            readout: None,
            step: 0,
        }
    }

    /// One step: `w -= update`, with the states moved on. `w` and `g` hold `layout.len()`
    /// elements; `lr` is the learning rate of this step.
    pub fn step(&mut self, w: &mut [T], g: &[T], lr: f64) {
        let update = self.update(w, g, lr);
        for (weight, update) in w.iter_mut().zip(update) {
            *weight = T::binary(Op::Sub, *weight, update);
        }
    }

    /// The update of one step, with the states moved on.
    pub fn update(&mut self, w: &[T], g: &[T], lr: f64) -> Vec<T> {
        self.step += 1;
        self.call(|interpreter, role| match role {
            Role::Weight => Value::Tree(w.to_vec()),
            Role::Gradient => Value::Tree(g.to_vec()),
            Role::State(state) => Value::Tree(interpreter.states[state].clone()),
            Role::LearningRate => Value::scalar(lr),
            Role::Step => Value::scalar(interpreter.step as f64),
            Role::Input(_) => unreachable!("an expression is evaluated, and takes no step"),
        })
    }

    /// The values of an expression at the points of the layout; `inputs[k][i]` is its input *k* at
    /// point *i*.
    ///
    /// # Panics
    /// If the inputs are fewer than the expression has.
    pub fn evaluate(&mut self, inputs: &[&[T]]) -> Vec<T> {
        self.call(|_, role| match role {
            Role::Input(input) => Value::Tree(inputs[input].to_vec()),
            _ => unreachable!("an optimizer takes steps, and is not evaluated"),
        })
    }

    /// The first output for parameters of these values, with the states moved on.
    fn call(&mut self, given: impl Fn(&Self, Role) -> Value<T>) -> Vec<T> {
        let program = self.program.clone();
        let mut variables: Vec<Option<Value<T>>> = vec![None; program.variables()];
        for (slot, role) in variables.iter_mut().zip(program.signature().parameters()) {
            *slot = Some(given(self, *role));
        }
        for statement in program.statements() {
            let value = self.run(statement, &variables);
            variables[usize::from(statement.target.0)] = Some(value);
        }
        let mut outputs = program.outputs().iter().map(|output| {
            let value = variables[usize::from(output.0)].as_ref();
            self.tree(value.expect("outputs are checked to be defined"))
        });
        let first = outputs.next().expect("every program has an output");
        let mut states: Vec<Vec<T>> = outputs.collect();
        self.readout = program.readout().and_then(|_| states.pop());
        self.states = states;
        first
    }

    /// What has to be subtracted from the weights that the last step was given, to get those to
    /// validate with; `None` where these are the weights behind it.
    pub fn readout(&self) -> Option<&[T]> {
        self.readout.as_deref()
    }

    /// The state slots after the last step.
    pub fn states(&self) -> &[Vec<T>] {
        &self.states
    }

    fn run(&self, statement: &Statement, variables: &[Option<Value<T>>]) -> Value<T> {
        let args: Vec<Value<T>> = statement
            .args()
            .iter()
            .map(|operand| match *operand {
                Operand::Constant(value) => Value::scalar(value),
                Operand::Variable(variable) => {
                    let value = variables[usize::from(variable.0)].clone();
                    value.expect("arguments are checked to be defined")
                }
            })
            .collect();
        match (statement.op, args.as_slice()) {
            (op, []) if op.info().rule == ShapeRule::LeafConstant => {
                Value::Small(Type::PerLeaf, self.layout.leaf_constant(op).collect())
            }
            (op, []) => Value::scalar(op.constant().expect("the others are constants")),
            (Op::Norm, [x]) => self.norm(x),
            (Op::GlobalNorm, [x]) => Value::scalar(self.dot(x, x).sqrt()),
            (Op::Dot, [a, b]) => Value::scalar(self.dot(a, b)),
            (Op::CosineSim, [a, b]) => self.cosine_sim(a, b),
            (Op::Rms, [x]) => self.root_mean_square(x),
            (Op::RmsNormalize, [x]) => {
                let size = self.root_mean_square(x);
                let inverse = self.small(&size, size.ty());
                let inverse = inverse.into_iter().map(|size| f64::choose(size, 1.0 / size, 0.0));
                self.binary(Op::Mul, x, &Value::Small(size.ty(), inverse.collect()))
            }
            (Op::RowMean, [x]) => self.mean(x, Type::PerRow, row_means),
            (Op::ColumnMean, [x]) => self.mean(x, Type::PerColumn, column_means),
            (op, [x]) if let Some(schedule) = Schedule::of(op) => self.orthogonalized(x, schedule),
            (Op::Outer, [r, c]) => {
                let products = self.tree(r).into_iter().zip(self.tree(c));
                Value::Tree(products.map(|(r, c)| T::binary(Op::Mul, r, c)).collect())
            }
            (Op::Clip, [x, limit]) => self.scaled(x, clip_factor(self.dot(x, x), as_scalar(limit))),
            (Op::BiasCorrect, [x, beta]) => {
                self.scaled(x, bias_correction(as_scalar(beta), self.step as f64))
            }
            (Op::Interp, [x, y, a]) => {
                let a = as_scalar(a);
                self.zip(x, y, |x, y| f64::interp(x, y, a), |x, y| T::interp(x, y, a))
            }
            (Op::Where, [c, a, b]) => self.choose(c, a, b),
            (Op::Clamp, [x, low, high]) => {
                let raised = self.binary(Op::Max, x, low);
                self.binary(Op::Min, &raised, high)
            }
            (op, [x]) => match x {
                Value::Small(ty, x) => {
                    Value::Small(*ty, x.iter().map(|x| f64::unary(op, *x)).collect())
                }
                Value::Tree(x) => Value::Tree(x.iter().map(|x| T::unary(op, *x)).collect()),
            },
            (op, [a, b]) => self.binary(op, a, b),
            (op, _) => unreachable!("{} on checked arguments", op.info().name),
        }
    }

    fn binary(&self, op: Op, a: &Value<T>, b: &Value<T>) -> Value<T> {
        self.zip(a, b, |a, b| f64::binary(op, a, b), |a, b| T::binary(op, a, b))
    }

    fn scaled(&self, x: &Value<T>, factor: f64) -> Value<T> {
        self.binary(Op::Mul, x, &Value::scalar(factor))
    }

    /// An elementwise function on the join of two values' types.
    fn zip(
        &self,
        a: &Value<T>,
        b: &Value<T>,
        small: impl Fn(f64, f64) -> f64,
        element: impl Fn(T, T) -> T,
    ) -> Value<T> {
        match a.ty().join(b.ty()) {
            Type::Tree => {
                let pairs = self.tree(a).into_iter().zip(self.tree(b));
                Value::Tree(pairs.map(|(a, b)| element(a, b)).collect())
            }
            ty => {
                let pairs = self.small(a, ty).into_iter().zip(self.small(b, ty));
                Value::Small(ty, pairs.map(|(a, b)| small(a, b)).collect())
            }
        }
    }

    fn choose(&self, condition: &Value<T>, a: &Value<T>, b: &Value<T>) -> Value<T> {
        match condition.ty().join(a.ty()).join(b.ty()) {
            Type::Tree => {
                let pairs = self.tree(a).into_iter().zip(self.tree(b));
                let all = self.tree(condition).into_iter().zip(pairs);
                Value::Tree(all.map(|(c, (a, b))| T::choose(c, a, b)).collect())
            }
            ty => {
                let pairs = self.small(a, ty).into_iter().zip(self.small(b, ty));
                let all = self.small(condition, ty).into_iter().zip(pairs);
                Value::Small(ty, all.map(|(c, (a, b))| f64::choose(c, a, b)).collect())
            }
        }
    }

    fn norm(&self, x: &Value<T>) -> Value<T> {
        let squares = match x {
            Value::Small(ty @ (Type::Scalar | Type::PerLeaf), x) => {
                return Value::Small(*ty, x.iter().map(|x| x.abs()).collect());
            }
            Value::Small(ty, x) => self.by_leaf(*ty, x, |x| x.iter().map(|x| x * x).sum()),
            Value::Tree(x) => self.leaf_dots(x, x).collect(),
        };
        Value::Small(Type::PerLeaf, squares.into_iter().map(f64::sqrt).collect())
    }

    fn root_mean_square(&self, x: &Value<T>) -> Value<T> {
        let Value::Small(ty, norms) = self.norm(x) else { unreachable!("norms are small") };
        let count = |leaf: &crate::Leaf| match x.ty() {
            Type::Scalar | Type::PerLeaf => 1.0,
            Type::PerRow => leaf.rows() as f64,
            Type::PerColumn => leaf.columns() as f64,
            Type::Tree => leaf.rows() as f64 * leaf.columns() as f64,
        };
        let inverses = self.layout.leaves().iter().map(|leaf| 1.0 / count(leaf).sqrt());
        match ty {
            Type::Scalar => Value::Small(ty, norms),
            _ => Value::Small(ty, norms.iter().zip(inverses).map(|(norm, it)| norm * it).collect()),
        }
    }

    /// One number for the values of each leaf.
    fn by_leaf(&self, ty: Type, x: &[f64], number: impl Fn(&[f64]) -> f64) -> Vec<f64> {
        let leaves = self.layout.leaves().iter().enumerate();
        leaves.map(|(index, leaf)| number(&x[leaf.places(ty, index)])).collect()
    }

    /// The mean within each row (`direction` per-row) or column, `of_tree` that of one leaf.
    fn mean(&self, x: &Value<T>, direction: Type, of_tree: MeansOf<T>) -> Value<T> {
        match x {
            Value::Tree(x) => {
                let mut means = vec![0.0; self.layout.count(direction)];
                for (index, leaf) in self.layout.leaves().iter().enumerate() {
                    let out = &mut means[leaf.places(direction, index)];
                    of_tree(&x[leaf.range()], out, T::to_f64);
                }
                Value::Small(direction, means)
            }
            // It varies across the direction of the mean, once in each leaf.
            Value::Small(ty @ (Type::PerRow | Type::PerColumn), x) if *ty != direction => {
                let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
                Value::Small(Type::PerLeaf, self.by_leaf(*ty, x, mean))
            }
            constant => constant.clone(),
        }
    }

    fn orthogonalized(&self, x: &Value<T>, schedule: Schedule) -> Value<T> {
        let (mut x, mut scratch) = (self.tree(x), Scratch::default());
        for leaf in self.layout.leaves() {
            let (rows, columns) = (leaf.rows(), leaf.columns());
            let x = &mut x[leaf.range()];
            matrix::orthogonalize(x, rows, columns, schedule, &mut scratch);
        }
        Value::Tree(x)
    }

    fn cosine_sim(&self, a: &Value<T>, b: &Value<T>) -> Value<T> {
        // A smaller value is broadcast first, so that its norm counts every element.
        let ty = a.ty().join(b.ty());
        let broadcast = |value: &Value<T>| match ty {
            Type::Tree => Value::Tree(self.tree(value)),
            ty => Value::Small(ty, self.small(value, ty)),
        };
        let (a, b) = (broadcast(a), broadcast(b));
        Value::scalar(cosine(self.dot(&a, &b), self.dot(&a, &a), self.dot(&b, &b)))
    }

    fn dot(&self, a: &Value<T>, b: &Value<T>) -> f64 {
        match a.ty().join(b.ty()) {
            Type::Tree => self.leaf_dots(&self.tree(a), &self.tree(b)).sum(),
            ty => {
                let pairs = self.small(a, ty).into_iter().zip(self.small(b, ty));
                pairs.map(|(a, b)| a * b).sum()
            }
        }
    }

    fn leaf_dots(&self, a: &[T], b: &[T]) -> impl Iterator<Item = f64> {
        self.layout.leaves().iter().map(|leaf| {
            let mut sum = LeafSum::ZERO;
            sum.add_products(&a[leaf.range()], &b[leaf.range()], T::to_f64);
            sum.total()
        })
    }

    /// A value as one of a type that it broadcasts into, short of a tree.
    fn small(&self, value: &Value<T>, to: Type) -> Vec<f64> {
        let Value::Small(from, values) = value else {
            unreachable!("a tree never broadcasts into a smaller type")
        };
        if *from == to {
            return values.clone();
        }
        let mut out = vec![0.0; self.layout.count(to)];
        for (index, leaf) in self.layout.leaves().iter().enumerate() {
            // What is broadcast to rows or columns is a scalar or one number for the leaf.
            out[leaf.places(to, index)].fill(values[leaf.places(*from, index).start]);
        }
        out
    }

    fn tree(&self, value: &Value<T>) -> Vec<T> {
        let (ty, values) = match value {
            Value::Tree(elements) => return elements.clone(),
            Value::Small(ty, values) => (*ty, values),
        };
        let mut out = Vec::with_capacity(self.layout.len());
        for (index, leaf) in self.layout.leaves().iter().enumerate() {
            let values = &values[leaf.places(ty, index)];
            out.extend((0..leaf.range().len()).map(|element| {
                T::from_f64(match ty {
                    Type::PerRow => values[element / leaf.columns()],
                    Type::PerColumn => values[element % leaf.columns()],
                    _ => values[0],
                })
            }));
        }
        out
    }
}

/// Writes the mean of every row, or of every column, of a leaf.
type MeansOf<T> = fn(&[T], &mut [f64], fn(T) -> f64);

/// The number in an argument that is checked to be a scalar.
fn as_scalar<T>(value: &Value<T>) -> f64 {
    match value {
        Value::Small(_, values) => values[0],
        Value::Tree(_) => unreachable!("the argument is checked to be a scalar"),
    }
}

#[cfg(test)]
impl Interpreter<f32> {
    /// The value of an op on values of any type, trees widened, at step 3.
    pub(crate) fn value_of(layout: &Layout, op: Op, args: &[(Type, Vec<f64>)]) -> (Type, Vec<f64>) {
        let program = Program::parse("def train(w, g, lr):\n  return w\n").expect("it parses");
        let layout = layout.clone();
        let interpreter =
            Interpreter { program, layout, states: Vec::new(), readout: None, step: 3 };
        let variables: Vec<Option<Value<f32>>> = args
            .iter()
            .map(|(ty, values)| match ty {
                Type::Tree => Some(Value::Tree(values.iter().map(|x| *x as f32).collect())),
                ty => Some(Value::Small(*ty, values.clone())),
            })
            .collect();
        let operands: Vec<Operand> =
            (0..args.len() as u16).map(|index| Operand::Variable(crate::Variable(index))).collect();
        let statement = Statement::new(op, crate::Variable(9), &operands);
        match interpreter.run(&statement, &variables) {
            Value::Small(ty, values) => (ty, values),
            Value::Tree(values) => (Type::Tree, values.into_iter().map(f64::from).collect()),
        }
    }
}
