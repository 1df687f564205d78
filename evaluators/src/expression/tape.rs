//! An expression in float64 at the points of a task, with its constants as parameters: what fitting
//! evaluates over and over.
//!
//! Invariant: the values are those of the interpreter, to the bit. Nothing is allocated between two
//! evaluations, and where one constant is moved only what depends on it is computed again.

use evo_dsl::{Dataflow, Op, Program, Real, Role, Value};

/// Where an argument comes from.
#[derive(Clone, Copy, Debug)]
enum Source {
    Input(usize),
    Node(usize),
    /// A constant, by its number.
    Constant(usize),
}

#[derive(Clone, Copy, Debug)]
struct Node {
    op: Op,
    args: [Source; 3],
    /// The constants that it depends on, one bit each.
    depends: u64,
}

/// An argument at every point.
#[derive(Clone, Copy)]
enum Column<'a> {
    Values(&'a [f64]),
    Everywhere(f64),
}

/// An expression at its points.
pub(super) struct Tape<'a> {
    inputs: &'a [Vec<f64>],
    points: usize,
    nodes: Vec<Node>,
    output: Source,
    constants: Vec<f64>,
    /// Of every node its values at the current constants, \[nodes, points\].
    values: Vec<f64>,
}

impl<'a> Tape<'a> {
    /// The most constants of an expression: a bit of [`Node::depends`] each, those of the statement
    /// that has one too many included.
    const MOST_CONSTANTS: usize = 30;

    /// The tape of an expression, its constants counted in the order of its live statements and
    /// of their arguments; `None` where they are too many.
    pub(super) fn of(program: &Program, inputs: &'a [Vec<f64>], points: usize) -> Option<Tape<'a>> {
        let flow = Dataflow::of(program);
        let mut tape = Tape {
            inputs,
            points,
            nodes: Vec::with_capacity(flow.nodes().len()),
            output: Source::Input(0),
            constants: Vec::new(),
            values: vec![0.0; flow.nodes().len() * points],
        };
        for node in flow.nodes() {
            let mut args = [Source::Input(0); 3];
            for (arg, value) in args.iter_mut().zip(node.args()) {
                *arg = tape.source(*value);
            }
            let args_read = &args[..node.op.arity()];
            let depends = args_read.iter().fold(0, |all, arg| all | tape.depends(*arg));
            tape.nodes.push(Node { op: node.op, args, depends });
            if tape.constants.len() > Tape::MOST_CONSTANTS {
                return None;
            }
        }
        tape.output = tape.source(flow.outputs()[0]?);
        Some(tape)
    }

    fn source(&mut self, value: Value) -> Source {
        match value {
            Value::Input(Role::Input(input)) => Source::Input(input),
            Value::Input(_) => unreachable!("an expression has no other parameters"),
            Value::Node(node) => Source::Node(node),
            Value::Constant(constant) => {
                self.constants.push(constant);
                Source::Constant(self.constants.len() - 1)
            }
        }
    }

    fn depends(&self, source: Source) -> u64 {
        match source {
            Source::Input(_) => 0,
            Source::Node(node) => self.nodes[node].depends,
            Source::Constant(constant) => 1 << constant,
        }
    }

    pub(super) fn constants(&self) -> &[f64] {
        &self.constants
    }

    /// The values at these constants, which become the current ones.
    pub(super) fn at(&mut self, constants: &[f64]) -> &[f64] {
        self.constants.copy_from_slice(constants);
        for index in 0..self.nodes.len() {
            let (known, rest) = self.values.split_at_mut(index * self.points);
            let node = self.nodes[index];
            let args = node.args.map(|arg| match arg {
                Source::Input(input) => Column::Values(&self.inputs[input]),
                Source::Node(node) => Column::Values(&known[node * self.points..][..self.points]),
                Source::Constant(constant) => Column::Everywhere(self.constants[constant]),
            });
            apply(node.op, args, &mut rest[..self.points]);
        }
        self.output_of(&self.values)
    }

    /// Room for the values of nodes.
    pub(super) fn room(&self) -> Vec<f64> {
        vec![0.0; self.values.len()]
    }

    /// The values with one of the current constants replaced by another; the current ones stay.
    /// Of the nodes that depend on it the values are in `room`.
    pub(super) fn with<'b>(
        &'b self,
        constant: usize,
        value: f64,
        room: &'b mut [f64],
    ) -> &'b [f64] {
        let bit = 1 << constant;
        for index in 0..self.nodes.len() {
            let node = self.nodes[index];
            if node.depends & bit == 0 {
                continue;
            }
            let (known, rest) = room.split_at_mut(index * self.points);
            let args = node.args.map(|arg| match arg {
                Source::Input(input) => Column::Values(&self.inputs[input]),
                Source::Node(node) => {
                    let moves = self.nodes[node].depends & bit != 0;
                    let from = if moves { &*known } else { &*self.values };
                    Column::Values(&from[node * self.points..][..self.points])
                }
                Source::Constant(other) if other == constant => Column::Everywhere(value),
                Source::Constant(other) => Column::Everywhere(self.constants[other]),
            });
            apply(node.op, args, &mut rest[..self.points]);
        }
        self.output_of(if self.depends(self.output) & bit == 0 { &self.values } else { room })
    }

    fn output_of<'b>(&'b self, values: &'b [f64]) -> &'b [f64] {
        match self.output {
            Source::Input(input) => &self.inputs[input],
            Source::Node(node) => &values[node * self.points..][..self.points],
            Source::Constant(_) => unreachable!("what is returned is an input or a statement's"),
        }
    }
}

impl Column<'_> {
    #[inline(always)]
    fn at(self, point: usize) -> f64 {
        match self {
            Column::Values(values) => values[point],
            Column::Everywhere(value) => value,
        }
    }
}

/// An elementwise op at every point.
fn apply(op: Op, [a, b, c]: [Column<'_>; 3], out: &mut [f64]) {
    let points = out.iter_mut().enumerate();
    match (op, op.arity()) {
        (Op::Interp, _) => points.for_each(|(i, x)| *x = f64::interp(a.at(i), b.at(i), c.at(i))),
        (Op::Where, _) => points.for_each(|(i, x)| *x = f64::choose(a.at(i), b.at(i), c.at(i))),
        (Op::Clamp, _) => points.for_each(|(i, x)| {
            *x = f64::binary(Op::Min, f64::binary(Op::Max, a.at(i), b.at(i)), c.at(i));
        }),
        (_, 0) => out.fill(op.constant().expect("the only elementwise ops without arguments")),
        (_, 1) => points.for_each(|(i, x)| *x = f64::unary(op, a.at(i))),
        _ => points.for_each(|(i, x)| *x = f64::binary(op, a.at(i), b.at(i))),
    }
}

#[cfg(test)]
mod tests {
    use evo_dsl::{Interpreter, Layout};

    use super::*;

    #[test]
    fn values_are_those_of_the_interpreter_with_every_constant_moved_or_not() {
        let inputs = [vec![-1.5, 0.0, 0.3, 2.0], vec![0.7, -0.2, 5.0, 1e-3]];
        let layout = Layout::new([vec![4]]);
        let usable = Op::all().filter(|op| op.is_elementwise() && op.is_usable());
        for op in usable {
            let name = op.info().aliases.first().unwrap_or(&op.info().name);
            let calls = match op.arity() {
                0 => vec![format!("{name}()")],
                1 => vec![format!("{name}(x * 0.4)"), format!("{name}(y + 1.1)")],
                2 => vec![format!("{name}(x * 0.4, y)"), format!("{name}(0.6, x)")],
                _ => vec![format!("{name}(x * 0.4, y, 0.3)")],
            };
            for call in calls {
                let formula = |moved: &str| format!("sin({call}) * {moved} + y * x + 0.25");
                let parsed = |text: &str| Program::parse_formula(&["x", "y"], text).expect(text);
                let expected = |program: &Program| {
                    Interpreter::<f64>::new(program, &layout).evaluate(&[&inputs[0], &inputs[1]])
                };
                let (program, other) = (parsed(&formula("1.5")), parsed(&formula("-2.5")));
                let mut tape = Tape::of(&program, &inputs, 4).expect("it has few constants");
                let constants = tape.constants().to_vec();
                let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(tape.at(&constants)), bits(&expected(&program)), "{call}");
                let moved = constants.iter().position(|constant| *constant == 1.5);
                let mut room = tape.room();
                let moved = tape.with(moved.expect("it is there"), -2.5, &mut room);
                assert_eq!(bits(moved), bits(&expected(&other)), "{call}");
                assert_eq!(bits(tape.at(&constants)), bits(&expected(&program)), "{call}");
            }
        }
    }
}
