//! Programs that do a little more or less: the first output, multiplied.
//!
//! Invariant: nothing else is changed, states and readout least of all, so with a factor within a
//! few roundings of 1 the program differs from its origin as one rewritten up to rounding does.

use crate::{Dataflow, Op, Program, Value};

impl Program {
    /// The same with its update, or the value of its expression, multiplied by a number.
    #[must_use]
    pub fn multiplied(&self, factor: f64) -> Program {
        let mut flow = Dataflow::of(self);
        let mut outputs = flow.outputs().to_vec();
        let (first, readout) = (outputs[0].expect("the first output matters"), flow.readout());
        let args = [first, Value::Constant(factor), Value::Constant(0.0)];
        outputs[0] = Some(flow.push(self.statements().len(), Op::Mul, args));
        Program::from_dataflow(self.signature(), &flow.returning(outputs, readout))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Executor, Layout, zoo};

    #[test]
    fn updates_are_multiplied_and_all_else_stays() {
        let layout = Layout::new([vec![3, 4], vec![5]]);
        let (w, g) = (vec![0.5; layout.len()], vec![-0.25; layout.len()]);
        for entry in zoo::entries() {
            let program = entry.program();
            let both = [program.clone(), program.multiplied(2.0)];
            let mut executors = both.each_ref().map(|it| Executor::new(it, &layout));
            let mut updates = [(); 2].map(|()| vec![0.0; layout.len()]);
            for _ in 0..3 {
                for (executor, update) in executors.iter_mut().zip(&mut updates) {
                    executor.update(&w, &g, 0.5, update);
                }
                let [plain, doubled] = &updates;
                let twice: Vec<f32> = plain.iter().map(|update| 2.0 * update).collect();
                assert_eq!(&twice, doubled, "{}", entry.name);
                let [plain, doubled] = &executors;
                assert_eq!(plain.readout(), doubled.readout(), "{}", entry.name);
            }
        }
        let text = "def f(x):\n  y = x + 1.0\n  return y\n";
        let expression =
            Program::parse_expression(text).expect("the test's text parses").multiplied(3.0);
        let mut values = [0.0];
        Executor::new(&expression, &Layout::new([vec![1]])).evaluate(&[&[1.0]], &mut values);
        assert_eq!(values, [6.0]);
    }
}
