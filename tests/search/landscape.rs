//! A landscape whose optimum is known: evolution against its two controls.

use evo_domain::{DependsOn, Evaluator, Invalid, InvalidReason, Outcome, Score, Trial};
use evo_dsl::{Executor, Layout, Program};
use evo_hashes::Seed;
use evo_search::{RunOptions, StopReason, run};

use crate::driver::{SearchConfig, hasher, new_search};

/// The optimum: a soft sign of the gradient with weight decay.
const TARGET: &str = "def train(w, g, lr):
  x = tanh(g)
  y = w * 0.5
  x = x + y
  x = x * lr
  return x
";

const START: &str = "def train(w, g, lr):
  x = g * 0.1
  x = x * lr
  return x
";

const SIZE: usize = 8;
const STEPS: usize = 3;

/// How far a program's updates are from the target's, over fixed weights and gradients.
struct Imitation {
    target: Vec<f32>,
}

impl Imitation {
    fn of(target: &str) -> Imitation {
        Imitation { target: updates(&program(target)) }
    }
}

impl Evaluator<Program> for Imitation {
    fn evaluate(&self, cohort: &[Trial<'_, Program>]) -> Vec<Outcome> {
        cohort.iter().map(|trial| outcome(&self.target, &updates(trial.program))).collect()
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Behaviour
    }
}

fn program(text: &str) -> Program {
    Program::parse(text).expect("the test's text parses")
}

fn updates(program: &Program) -> Vec<f32> {
    let layout = Layout::new([vec![SIZE]]);
    let mut executor = Executor::new(program, &layout);
    let mut all = Vec::with_capacity(SIZE * STEPS);
    for step in 0..STEPS {
        let at = |scale: f32, shift: usize| {
            std::array::from_fn::<f32, SIZE, _>(|index| {
                scale * ((index * 5 + step * 3 + shift) % 11) as f32 - scale * 5.0
            })
        };
        let mut update = [0.0; SIZE];
        let lr = 1.0 - 0.25 * step as f64;
        executor.update(&at(0.2, 0), &at(0.4, 4), lr, &mut update);
        all.extend(update);
    }
    all
}

/// The negative root mean square of the differences: 0 for the target and what equals it.
fn outcome(target: &[f32], updates: &[f32]) -> Outcome {
    if !updates.iter().all(|update| update.is_finite()) {
        let task = "imitation".to_owned();
        return Outcome::Invalid(Invalid {
            reason: InvalidReason::NonFinite,
            task,
            step: 0,
            stages: vec![],
        });
    }
    let difference = |(a, b): (&f32, &f32)| f64::from(a - b);
    let squares =
        target.iter().zip(updates).map(difference).map(|difference| difference * difference);
    let loss = (squares.sum::<f64>() / target.len() as f64).sqrt();
    Outcome::Scored(Score::new(-loss, vec![loss]))
}

/// The fitness of the best after 3000 evaluations, duplicates left out.
fn best(imitation: &Imitation, strategy: &str, seed: u64) -> f64 {
    let text = format!("(strategy: {strategy}, stopping: (evaluations: Some(3000)))");
    let config: SearchConfig = ron::from_str(&text).expect("the text is a configuration");
    let search = new_search(&config, Seed(seed), program(START), hasher());
    let mut search = search.expect("the settings are valid");
    let reason = run(&mut search, imitation, &mut (), &RunOptions::default());
    assert_eq!(reason.expect("the thread starts"), StopReason::Evaluations(3_000));
    search.best().expect("there are champions").individual.fitness
}

#[test]
fn evolution_beats_its_controls_at_equal_evaluations_whatever_the_seed() {
    let imitation = Imitation::of(TARGET);
    let optimum = imitation.evaluate(&[Trial::of(&program(TARGET))])[0].fitness();
    let start = imitation.evaluate(&[Trial::of(&program(START))])[0].fitness();
    assert_eq!(optimum.abs().to_bits(), 0.0_f64.to_bits());
    for seed in 0..10 {
        let best = |strategy| best(&imitation, strategy, seed);
        let evolution = best("RegularizedEvolution(population: 100, tournament: 10)");
        let tuning = best("ConstantTuning(population: 100, tournament: 10)");
        let random = best("RandomSearch(mutations: 10)");
        let losses = [evolution, tuning, random].map(|fitness| -fitness);
        // For the table of the records: `cargo test -p evo-search landscape -- --nocapture`.
        println!("{seed}: {losses:?}");
        assert!(tuning > start && random > start && evolution <= optimum, "{seed}: {losses:?}");
        // A quarter of the way from the better control to the optimum, at least.
        assert!(evolution > tuning.max(random) * 0.75, "{seed}: {losses:?}");
    }
}
