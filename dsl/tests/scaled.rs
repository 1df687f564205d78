//! Programs with a scaled update: the update times the multiple, the states as they were.

#[allow(dead_code, reason = "shared with tests that use more of it")]
mod numbers;
#[allow(dead_code, reason = "shared with tests that use more of it")]
mod random_programs;

use evo_dsl::{
    Dataflow, Executor, Interpreter, Layout, Op, Operand, Program, Signature, Statement, Variable,
    zoo,
};
use numbers::bits;
use proptest::prelude::*;
use random_programs::{draws, random_program};

const MULTIPLE: f64 = 0.4;

fn layout() -> Layout {
    Layout::new([vec![4, 3], vec![70], vec![], vec![2, 3, 2]])
}

fn numbers(layout: &Layout, offset: usize) -> Vec<f32> {
    (0..layout.len()).map(|index| libm::sinf((index * 37 + offset * 101) as f32)).collect()
}

/// Holds a scaled program against the program, in both engines, over some steps with the same
/// weights.
fn assert_scaled(program: &Program) {
    let (layout, scaled) = (layout(), program.scaled(MULTIPLE));
    let mut plain = Interpreter::<f32>::new(program, &layout);
    let mut interpreted = Interpreter::<f32>::new(&scaled, &layout);
    let mut executed = Executor::new(&scaled, &layout);
    let live = Dataflow::of(program);
    for step in 0..3 {
        let (w, g, lr) = (numbers(&layout, 1), numbers(&layout, 2 + step), 1.0 / (1 + step) as f64);
        let expected = plain.update(&w, &g, lr);
        let found = interpreted.update(&w, &g, lr);
        let mut update = vec![0.0; layout.len()];
        executed.update(&w, &g, lr, &mut update);
        assert_eq!(bits(&found), bits(&update), "{program}");
        for (found, plain) in found.iter().zip(&expected) {
            // A number smaller than a tree is multiplied before it is rounded.
            let expected = plain * MULTIPLE as f32;
            let near = (found - expected).abs() <= 2e-7 * expected.abs() + f32::MIN_POSITIVE;
            assert!(near || !plain.is_finite() || !expected.is_normal(), "{found} of\n{program}");
        }
        assert_eq!(interpreted.readout().is_some(), plain.readout().is_some());
        for (found, plain) in interpreted.readout().into_iter().zip(plain.readout()) {
            assert_eq!(bits(found), bits(executed.readout().unwrap_or(&update)), "{program}");
            for (found, plain) in found.iter().zip(plain) {
                let expected = plain * MULTIPLE as f32;
                let near = (found - expected).abs() <= 2e-7 * expected.abs() + f32::MIN_POSITIVE;
                assert!(near || !plain.is_finite() || !expected.is_normal(), "{found}\n{program}");
            }
        }
        for (slot, output) in live.outputs().iter().skip(1).enumerate() {
            let states = &plain.states()[slot];
            assert_eq!(bits(&interpreted.states()[slot]), bits(states), "{program}");
            if output.is_some() {
                assert_eq!(bits(executed.state(slot)), bits(states), "{program}");
            }
        }
    }
}

#[test]
fn the_zoo_is_scaled_and_a_multiple_of_one_changes_nothing() {
    for entry in zoo::entries() {
        let program = entry.program();
        assert_scaled(&program);
        assert_eq!(program.scaled(1.0), program, "{}", entry.name);
    }
}

#[test]
fn an_update_of_any_type_and_one_that_is_a_parameter_or_a_state_as_well_is_scaled() {
    for body in [
        "  return lr, m, v\n",
        "  return g, m, v\n",
        "  return m, m, m\n",
        "  m = m + g\n  return m, m, v\n",
        "  v = v + g\n  m = norm(v)\n  return m, m, v\n",
        "  u = norm(g)\n  return u, u, g\n",
        "  u = row_mean(g)\n  return u, m, u\n",
        "  u = column_mean(g)\n  return u, g, v\n",
        "  u = get_columns()\n  return u, m, v\n",
        "  u = 3.0 * 2.0\n  return u, m, v\n",
    ] {
        let text = format!("def train(w, g, m, v, lr):\n{body}");
        assert_scaled(&Program::parse(&text).expect("a well-formed program"));
    }
}

#[test]
fn a_program_at_the_limits_of_statements_and_variables_is_scaled() {
    let signature = Signature::optimizer(0, false).expect("no states");
    let names = ["w", "g", "lr"].map(Into::into).to_vec();
    let last = Variable(u16::MAX - 1);
    let add = |target, from| {
        Statement::new(Op::Add, target, &[Operand::Variable(from), Operand::Constant(1e-5)])
    };
    let mut statements = vec![add(last, Variable(1))];
    statements.resize(Program::MAX_STATEMENTS, add(last, last));
    let program = Program::new(signature, names, vec![last], statements).expect("it checks");
    assert_scaled(&program);
}

proptest! {
    #[test]
    fn random_programs_are_scaled(
        draws in draws(1..12, || -2.0..2.0f64),
        outputs in prop::collection::vec(any::<u16>(), 3),
    ) {
        let ops: Vec<Op> = Op::all().collect();
        assert_scaled(&random_program(2, true, &ops, &draws, &outputs));
    }
}
