//! A fast, deterministic evaluator: noisy quadratic bowls descended with the program.

use evo_domain::{DependsOn, Evaluator, Invalid, InvalidReason, Outcome, Score, Trial};
use evo_dsl::{Executor, Layout, Program};

const TASKS: usize = 2;
const STEPS: usize = 12;
const SIZE: usize = 8;

/// Two bowls in eight dimensions, twelve steps each; the loss is the final distance.
pub(crate) struct Quadratic;

impl Evaluator<Program> for Quadratic {
    fn evaluate(&self, cohort: &[Trial<'_, Program>]) -> Vec<Outcome> {
        cohort.iter().map(|trial| outcome(trial.program)).collect()
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Behaviour
    }
}

pub(crate) fn outcome(program: &Program) -> Outcome {
    let losses: Result<Vec<f64>, Invalid> = (0..TASKS).map(|task| descend(program, task)).collect();
    match losses {
        Ok(losses) => {
            let logs = losses.iter().map(|loss| -libm::log(*loss));
            Outcome::Scored(Score::new(logs.sum::<f64>() / TASKS as f64, losses))
        }
        Err(invalid) => Outcome::Invalid(invalid),
    }
}

fn descend(program: &Program, task: usize) -> Result<f64, Invalid> {
    let layout = Layout::new([vec![3, 2], vec![2]]);
    let mut executor = Executor::new(program, &layout);
    let mut weights = [1.0, -0.5, 2.0, 0.3, -1.0, 0.7, 0.2, -2.0];
    let mut gradient = [0.0; SIZE];
    let mut update = [0.0; SIZE];
    for step in 0..STEPS {
        for index in 0..SIZE {
            let noise = 0.05 * ((step * 7 + index * 3 + task) % 5) as f32 - 0.1;
            gradient[index] = (1 + index % (2 + task)) as f32 * weights[index] + noise;
        }
        let lr = 1.0 - step as f64 / STEPS as f64;
        executor.update(&weights, &gradient, lr, &mut update);
        for (weight, update) in weights.iter_mut().zip(update) {
            *weight -= update;
        }
        if !weights.iter().all(|weight| weight.is_finite()) {
            let task = format!("bowl {task}");
            return Err(Invalid {
                reason: InvalidReason::NonFinite,
                task,
                step: step as u64 + 1,
                stages: vec![],
            });
        }
    }
    Ok(weights.iter().map(|weight| f64::from(weight * weight)).sum::<f64>() + 1e-6)
}

/// Momentum with weight decay: something to improve on.
pub(crate) const START: &str = "def train(w, g, m, v, lr):
  m = interp(g, m, 0.9)
  wd = w * 0.01
  update = m + wd
  lr = lr * 0.05
  update = update * lr
  return update, m, v
";

pub(crate) fn start() -> Program {
    Program::parse(START).expect("the test's text parses")
}
