//! Derived ops: those that stand for several others, and are written out before anything is run or
//! exported.
//!
//! Invariant: what is written out computes the op's formula in the order that the interpreter has
//! it in, to the bit. So engines, the kernel for devices and exports know the simple ops alone, and
//! a name costs a search one statement where the formula would cost it eight.

use std::borrow::Cow;

use crate::{Dataflow, Op, Type, Value};

impl Op {
    /// Whether the op stands for several others.
    pub(crate) fn is_derived(self) -> bool {
        matches!(self, Op::Rms | Op::RmsNormalize)
    }
}

impl Dataflow {
    /// The same graph without derived ops; each node keeps the statement that it came from.
    pub fn written_out(&self) -> Cow<'_, Dataflow> {
        if !self.nodes().iter().any(|node| node.op.is_derived()) {
            return Cow::Borrowed(self);
        }
        let mut flow = Dataflow::empty();
        let mut values: Vec<Value> = Vec::with_capacity(self.nodes().len());
        let moved = |value: Value, values: &[Value]| match value {
            Value::Node(node) => values[node],
            other => other,
        };
        for node in self.nodes() {
            let mut args = [Value::Constant(0.0); 3];
            for (arg, value) in args.iter_mut().zip(node.args()) {
                *arg = moved(*value, &values);
            }
            let mut push = |op, args| flow.push(node.statement, op, args);
            let x = args[0];
            let value = match node.op {
                Op::Rms => root_mean_square(&mut push, x, self.ty(node.args()[0])),
                Op::RmsNormalize => normalised(&mut push, x, self.ty(node.args()[0])),
                op => push(op, args),
            };
            values.push(value);
        }
        let outputs = self.outputs().iter();
        let outputs = outputs.map(|output| output.map(|value| moved(value, &values))).collect();
        let readout = self.readout().map(|value| moved(value, &values));
        Cow::Owned(flow.returning(outputs, readout))
    }
}

const NONE: Value = Value::Constant(0.0);

/// The norm within each leaf times 1 / sqrt(n), n the numbers that there are in it.
fn root_mean_square(push: &mut impl FnMut(Op, [Value; 3]) -> Value, x: Value, ty: Type) -> Value {
    let mut counted = |op| push(op, [NONE; 3]);
    let count = match ty {
        Type::Scalar | Type::PerLeaf => return push(Op::Abs, [x, NONE, NONE]),
        Type::PerRow => counted(Op::Rows),
        Type::PerColumn => counted(Op::Columns),
        Type::Tree => {
            let (rows, columns) = (counted(Op::Rows), counted(Op::Columns));
            push(Op::Mul, [rows, columns, NONE])
        }
    };
    let root = push(Op::Sqrt, [count, NONE, NONE]);
    let inverse = push(Op::Reciprocal, [root, NONE, NONE]);
    let norm = push(Op::Norm, [x, NONE, NONE]);
    push(Op::Mul, [norm, inverse, NONE])
}

/// The number over its root mean square, 0 where that is 0.
fn normalised(push: &mut impl FnMut(Op, [Value; 3]) -> Value, x: Value, ty: Type) -> Value {
    let size = root_mean_square(push, x, ty);
    let inverse = push(Op::Reciprocal, [size, NONE, NONE]);
    let inverse = push(Op::Where, [size, inverse, NONE]);
    push(Op::Mul, [x, inverse, NONE])
}

#[cfg(test)]
mod tests {
    use crate::{Dataflow, Interpreter, Layout, Program};

    #[test]
    fn normalised_leaves_have_a_root_mean_square_of_one_and_zeros_stay() {
        let text = "def train(w, g, lr):\n  u = rms_normalize(g)\n  return u\n";
        let program = Program::parse(text).expect("the test's text parses");
        let layout = Layout::new([vec![4], vec![2, 3], vec![3]]);
        let g: Vec<f64> = (0..13).map(|i| if i < 10 { f64::from(i) - 4.2 } else { 0.0 }).collect();
        let u = Interpreter::<f64>::new(&program, &layout).update(&[0.0; 13], &g, 1.0);
        for (leaf, expected) in layout.leaves().iter().zip([1.0, 1.0, 0.0]) {
            let u = &u[leaf.range()];
            let mean = u.iter().map(|u| u * u).sum::<f64>() / u.len() as f64;
            assert!((mean - expected).abs() < 1e-12, "{u:?}");
        }
        let flow = Dataflow::of(&program);
        assert_eq!(flow.live_length(), 1);
        assert_eq!(flow.written_out().live_length(), 10);
    }
}
