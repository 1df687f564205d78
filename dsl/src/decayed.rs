//! Weight decay added to a program that has none: a dataflow whose update also shrinks the weights.
//!
//! Invariant: what the program computes stays as it is, states included; the decay is decoupled
//! from it, a share of the weights times the learning rate that the program is given.

use crate::{Dataflow, Op, Program, Role, Value};

impl Dataflow {
    /// The same with `share` times the learning rate times the weights added to the update.
    ///
    /// # Panics
    /// If there is a readout: it is an offset from weights that this moves.
    #[must_use]
    pub fn decayed(&self, share: f64) -> Dataflow {
        assert!(self.readout().is_none(), "averages know nothing of a decay added behind them");
        let mut flow = self.clone();
        let statement = self.nodes().len();
        let none = Value::Constant(0.0);
        let update = self.outputs()[0].expect("an update is never dead");
        let (weight, rate) = (Value::Input(Role::Weight), Value::Input(Role::LearningRate));
        let rate = flow.push(statement, Op::Mul, [rate, Value::Constant(share), none]);
        let decay = flow.push(statement + 1, Op::Mul, [weight, rate, none]);
        let decayed = flow.push(statement + 2, Op::Add, [update, decay, none]);
        let outputs = [Some(decayed)].into_iter().chain(self.outputs()[1..].iter().copied());
        flow.returning(outputs.collect(), None)
    }
}

impl Program {
    /// As [`Dataflow::decayed`], as a program.
    ///
    /// # Panics
    /// As [`Dataflow::decayed`].
    #[must_use]
    pub fn decayed(&self, share: f64) -> Program {
        Program::from_dataflow(self.signature(), &Dataflow::of(self).decayed(share))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Executor, Layout, Program, zoo};

    #[test]
    fn every_rule_shrinks_the_weights_besides_what_it_does() {
        let layout = Layout::new([vec![2, 3], vec![3]]);
        let g: Vec<f32> = (0..9u8).map(|index| 0.1 * f32::from(index) - 0.35).collect();
        let zoo = zoo::entries().iter().map(|entry| entry.program());
        let constant = Program::parse("def train(w, g, lr):\n  u = lr * -3.0\n  return u\n");
        let programs = zoo.chain([constant.expect("the test's text parses")]);
        for program in programs.filter(|program| program.readout().is_none()) {
            let decayed = program.decayed(0.25);
            let [mut plain, mut other] = [&program, &decayed].map(|it| Executor::new(it, &layout));
            for rate in [1.0, 0.5] {
                let w: Vec<f32> = g.iter().map(|slope| 1.0 - slope).collect();
                let [mut expected, mut found] = [(); 2].map(|()| vec![0.0; layout.len()]);
                plain.update(&w, &g, rate, &mut expected);
                other.update(&w, &g, rate, &mut found);
                for ((expected, found), w) in expected.iter().zip(&found).zip(&w) {
                    let expected = expected + w * (0.25 * rate as f32);
                    assert!((expected - found).abs() < 1e-6, "{program}");
                }
            }
        }
    }
}
