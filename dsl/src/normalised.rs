//! Updates of a stated size: a dataflow whose update has the same root mean square in every leaf.
//!
//! Invariant: directions stay. Each leaf's update is divided by its root mean square and multiplied
//! by the learning rate as the program was given it and by a number; an update of zeros stays one.
//! A readout is an update of the same leaf, and is multiplied by what the update is.

use crate::{Dataflow, Op, Program, Role, Type, Value};

impl Dataflow {
    /// The same with updates whose root mean square in every leaf is `size` times the learning rate
    /// that the program is given.
    #[must_use]
    pub fn normalised(&self, size: f64) -> Dataflow {
        let nodes = self.nodes().iter().map(|node| {
            let mut args = [Value::Constant(0.0); 3];
            args[..node.args().len()].copy_from_slice(node.args());
            (node.op, args)
        });
        let mut nodes: Vec<(Op, [Value; 3])> = nodes.collect();
        let mut push = |op, a, b, c| {
            nodes.push((op, [a, b, c]));
            Value::Node(nodes.len() - 1)
        };
        let none = Value::Constant(0.0);
        let mut update = self.outputs()[0].expect("an update is never dead");
        if self.ty(update) != Type::Tree {
            // Its norm is that of what it is broadcast to.
            let zeros = push(Op::Mul, Value::Input(Role::Weight), none, none);
            update = push(Op::Add, update, zeros, none);
        }
        let norm = push(Op::Norm, update, none, none);
        let inverse = push(Op::Reciprocal, norm, none, none);
        let inverse = push(Op::Where, norm, inverse, none);
        let rows = push(Op::Rows, none, none, none);
        let columns = push(Op::Columns, none, none, none);
        let elements = push(Op::Mul, rows, columns, none);
        let root = push(Op::Sqrt, elements, none, none);
        let factor = push(Op::Mul, root, inverse, none);
        let rate = push(Op::Mul, Value::Input(Role::LearningRate), Value::Constant(size), none);
        let factor = push(Op::Mul, factor, rate, none);
        let sized = push(Op::Mul, update, factor, none);
        let readout = self.readout().map(|readout| push(Op::Mul, readout, factor, none));
        let outputs = [Some(sized)].into_iter().chain(self.outputs()[1..].iter().copied());
        let outputs = outputs.collect();
        Dataflow::from_nodes(nodes, outputs, readout)
    }
}

impl Program {
    /// As [`Dataflow::normalised`], as a program.
    #[must_use]
    pub fn normalised(&self, size: f64) -> Program {
        Program::from_dataflow(self.signature(), &Dataflow::of(self).normalised(size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Executor, Layout, zoo};

    fn root_mean_square(numbers: &[f32]) -> f64 {
        let squares = numbers.iter().map(|number| f64::from(*number) * f64::from(*number));
        (squares.sum::<f64>() / numbers.len() as f64).sqrt()
    }

    #[test]
    fn every_leaf_of_every_rule_moves_by_the_same_in_its_own_direction() {
        let layout = Layout::new([vec![], vec![7], vec![5, 3], vec![4, 3, 2, 2]]);
        let numbers = |offset: usize| -> Vec<f32> {
            let wave = |index: usize| libm::sinf((index * 37 + offset * 101 + 1) as f32);
            (0..layout.len()).map(wave).collect()
        };
        let texts = [
            "def train(w, g, lr):\n  u = lr * -3.0\n  return u\n",
            "def train(w, g, lr):\n  u = norm(g)\n  lr = g * lr\n  return u\n",
        ];
        let own = texts.map(|text| Program::parse(text).expect("the test's text parses"));
        let zoo = zoo::entries().iter().map(|entry| entry.program());
        for program in zoo.chain(own) {
            let sized = program.normalised(0.01);
            let [mut plain, mut other] = [&program, &sized].map(|it| Executor::new(it, &layout));
            for step in 0..4 {
                let (w, g) = (numbers(0), numbers(step + 1));
                let [mut expected, mut found] = [(); 2].map(|()| vec![0.0; layout.len()]);
                plain.update(&w, &g, 0.5, &mut expected);
                other.update(&w, &g, 0.5, &mut found);
                for leaf in layout.leaves() {
                    let (expected, found) = (&expected[leaf.range()], &found[leaf.range()]);
                    let size = root_mean_square(expected);
                    if size == 0.0 {
                        assert!(found.iter().all(|number| *number == 0.0), "{program}");
                        continue;
                    }
                    for (expected, found) in expected.iter().zip(found) {
                        let expected = f64::from(*expected) / size * 0.005;
                        assert!((expected - f64::from(*found)).abs() < 1e-7, "{program}");
                    }
                }
            }
        }
    }

    #[test]
    fn programs_that_differ_in_scale_alone_become_one() {
        let program = |scale: &str| {
            let text = format!("def train(w, g, lr):\n  u = g * {scale}\n  return u\n");
            Program::parse(&text).expect("the test's text parses").normalised(0.001)
        };
        let hasher = crate::FunctionalHasher::default();
        assert_eq!(hasher.hash(&program("0.25")), hasher.hash(&program("8.0")));
        assert_ne!(hasher.hash(&program("0.25")), hasher.hash(&program("-8.0")));
    }
}
