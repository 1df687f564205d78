//! The reference interpreter: the meaning of a program, statement by statement.
//!
//! Invariant: every statement runs, dead or not, on whole values, in order; nothing is fused or
//! reordered. It is the oracle the executor is tested against, so it is written to be read, and
//! it runs in float64 as well, to tell a rounding difference from a wrong answer.

use crate::reduce::{LeafSum, clip_factor, cosine};
use crate::{Layout, Op, Operand, Program, Real, Role, Statement};

/// A value while a program runs.
#[derive(Clone, Debug)]
enum Value<T> {
    Scalar(f64),
    PerLeaf(Vec<f64>),
    Tree(Vec<T>),
}

/// Runs a program step by step, carrying its states.
#[derive(Clone, Debug)]
pub struct Interpreter<T> {
    program: Program,
    layout: Layout,
    states: Vec<Vec<T>>,
    step: u64,
}

impl<T: Real> Interpreter<T> {
    /// A program about to take its first step: states are zero.
    pub fn new(program: &Program, layout: &Layout) -> Interpreter<T> {
        let zero = vec![T::from_f64(0.0); layout.len()];
        let states = vec![zero; program.signature().states()];
        Interpreter { program: program.clone(), layout: layout.clone(), states, step: 0 }
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
        let program = self.program.clone();
        let mut variables: Vec<Option<Value<T>>> = vec![None; program.variables()];
        for (slot, role) in variables.iter_mut().zip(program.signature().parameters()) {
            *slot = Some(match *role {
                Role::Weight => Value::Tree(w.to_vec()),
                Role::Gradient => Value::Tree(g.to_vec()),
                Role::State(state) => Value::Tree(self.states[state].clone()),
                Role::LearningRate => Value::Scalar(lr),
                Role::Step => Value::Scalar(self.step as f64),
            });
        }
        for statement in program.statements() {
            let value = self.run(statement, &variables);
            variables[usize::from(statement.target.0)] = Some(value);
        }
        let mut outputs = program.outputs().iter().map(|output| {
            let value = variables[usize::from(output.0)].as_ref();
            self.broadcast(value.expect("outputs are checked to be defined"))
        });
        let update = outputs.next().expect("the first output is the update");
        let states = outputs.collect();
        self.states = states;
        update
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
                Operand::Constant(value) => Value::Scalar(value),
                Operand::Variable(variable) => {
                    let value = variables[usize::from(variable.0)].clone();
                    value.expect("arguments are checked to be defined")
                }
            })
            .collect();
        match (statement.op, args.as_slice()) {
            (op, []) => {
                Value::Scalar(op.constant().expect("an op without arguments is a constant"))
            }
            (Op::Norm, [x]) => self.norm(x),
            (Op::GlobalNorm, [x]) => Value::Scalar(self.dot(x, x).sqrt()),
            (Op::Dot, [a, b]) => Value::Scalar(self.dot(a, b)),
            (Op::CosineSim, [a, b]) => self.cosine_sim(a, b),
            (Op::Clip, [x, Value::Scalar(limit)]) => {
                let factor = Value::Scalar(clip_factor(self.dot(x, x), *limit));
                self.zip(
                    x,
                    &factor,
                    |a, b| f64::binary(Op::Mul, a, b),
                    |a, b| T::binary(Op::Mul, a, b),
                )
            }
            (Op::Interp, [x, y, Value::Scalar(a)]) => {
                self.zip(x, y, |x, y| f64::interp(x, y, *a), |x, y| T::interp(x, y, *a))
            }
            (op, [x]) => match x {
                Value::Scalar(x) => Value::Scalar(f64::unary(op, *x)),
                Value::PerLeaf(x) => Value::PerLeaf(x.iter().map(|x| f64::unary(op, *x)).collect()),
                Value::Tree(x) => Value::Tree(x.iter().map(|x| T::unary(op, *x)).collect()),
            },
            (op, [a, b]) => {
                self.zip(a, b, |a, b| f64::binary(op, a, b), |a, b| T::binary(op, a, b))
            }
            (op, _) => unreachable!("{} on checked arguments", op.info().name),
        }
    }

    /// An elementwise function on the join of two values' types.
    fn zip(
        &self,
        a: &Value<T>,
        b: &Value<T>,
        small: impl Fn(f64, f64) -> f64,
        element: impl Fn(T, T) -> T,
    ) -> Value<T> {
        match (a, b) {
            (Value::Scalar(a), Value::Scalar(b)) => Value::Scalar(small(*a, *b)),
            (Value::Tree(_), _) | (_, Value::Tree(_)) => {
                let pairs = self.broadcast(a).into_iter().zip(self.broadcast(b));
                Value::Tree(pairs.map(|(a, b)| element(a, b)).collect())
            }
            _ => {
                let pairs = self.per_leaf(a).into_iter().zip(self.per_leaf(b));
                Value::PerLeaf(pairs.map(|(a, b)| small(a, b)).collect())
            }
        }
    }

    fn norm(&self, x: &Value<T>) -> Value<T> {
        match x {
            Value::Scalar(x) => Value::Scalar(x.abs()),
            Value::PerLeaf(x) => Value::PerLeaf(x.iter().map(|x| x.abs()).collect()),
            Value::Tree(x) => Value::PerLeaf(self.leaf_dots(x, x).map(f64::sqrt).collect()),
        }
    }

    fn cosine_sim(&self, a: &Value<T>, b: &Value<T>) -> Value<T> {
        // A smaller value is broadcast first, so that its norm counts every element.
        let (a, b) = match (a, b) {
            (Value::Tree(_), _) | (_, Value::Tree(_)) => {
                (Value::Tree(self.broadcast(a)), Value::Tree(self.broadcast(b)))
            }
            (Value::PerLeaf(_), _) | (_, Value::PerLeaf(_)) => {
                (Value::PerLeaf(self.per_leaf(a)), Value::PerLeaf(self.per_leaf(b)))
            }
            _ => (a.clone(), b.clone()),
        };
        Value::Scalar(cosine(self.dot(&a, &b), self.dot(&a, &a), self.dot(&b, &b)))
    }

    fn dot(&self, a: &Value<T>, b: &Value<T>) -> f64 {
        match (a, b) {
            (Value::Scalar(a), Value::Scalar(b)) => a * b,
            (Value::Tree(_), _) | (_, Value::Tree(_)) => {
                self.leaf_dots(&self.broadcast(a), &self.broadcast(b)).sum()
            }
            _ => {
                let pairs = self.per_leaf(a).into_iter().zip(self.per_leaf(b));
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

    fn per_leaf(&self, value: &Value<T>) -> Vec<f64> {
        match value {
            Value::Scalar(value) => vec![*value; self.layout.leaves().len()],
            Value::PerLeaf(values) => values.clone(),
            Value::Tree(_) => unreachable!("a tree never broadcasts into a smaller type"),
        }
    }

    fn broadcast(&self, value: &Value<T>) -> Vec<T> {
        match value {
            Value::Tree(elements) => elements.clone(),
            small => {
                let values = self.per_leaf(small);
                let leaves = self.layout.leaves().iter().zip(values);
                leaves
                    .flat_map(|(leaf, value)| leaf.range().map(move |_| T::from_f64(value)))
                    .collect()
            }
        }
    }
}
