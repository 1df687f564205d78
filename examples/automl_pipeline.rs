//! A pipeline that embeds a search: it evolves an optimizer on small problems, keeps the run in a
//! store so that it could be killed, and trains its own larger model with the winner.
//!
//! Run it with `cargo run --release --example automl_pipeline`.

use std::num::NonZeroUsize;

use evo::{
    DependsOn, Evaluator, Executor, Layout, Optimizers, Outcome, Program, RunOptions, Score,
    Search, SearchConfig, Seed, Stopping, Store, StrategyConfig, Trial, zoo,
};

/// Logistic regression on examples of a hidden rule; what the pipeline trains, at any size.
struct Model {
    inputs: Vec<Vec<f32>>,
    labels: Vec<f32>,
}

impl Model {
    /// `features` inputs of very different scales, as real tables have them.
    fn new(features: usize, examples: usize) -> Model {
        let wave = |i: usize, j: usize| ((i * 37 + j * 91 + i * j) % 101) as f32 / 50.0 - 1.0;
        let scale = |j: usize| [1.0, 0.1, 10.0][j % 3];
        let input = |i| (0..features).map(|j| wave(i, j) * scale(j)).collect::<Vec<f32>>();
        let rule = |row: &Vec<f32>| {
            let terms = row.iter().enumerate();
            terms.map(|(j, x)| x / scale(j) * (j % 4) as f32).sum::<f32>() - 0.5
        };
        let inputs: Vec<Vec<f32>> = (0..examples).map(input).collect();
        let labels = inputs.iter().map(|row| f32::from(rule(row) > 0.0)).collect();
        Model { inputs, labels }
    }

    /// The loss after so many steps of a program.
    fn train(&self, optimizer: &Program, steps: usize, learning_rate: f64) -> f64 {
        let features = self.inputs[0].len();
        let mut executor = Executor::new(optimizer, &Layout::new([vec![features]]));
        let mut weights = vec![0.0; features];
        for _ in 0..steps {
            let gradient = self.gradient(&weights).1;
            if !executor.step(&mut weights, &gradient, learning_rate) {
                return f64::INFINITY;
            }
        }
        self.gradient(&weights).0
    }

    fn gradient(&self, weights: &[f32]) -> (f64, Vec<f32>) {
        let (mut loss, mut gradient) = (0.0, vec![0.0; weights.len()]);
        let share = 1.0 / self.inputs.len() as f32;
        for (row, label) in self.inputs.iter().zip(&self.labels) {
            let logit: f32 = row.iter().zip(weights).map(|(x, w)| x * w).sum();
            let probability = 1.0 / (1.0 + libm::expf(-logit));
            let wrong = if *label > 0.5 { probability } else { 1.0 - probability };
            loss -= f64::from(share) * libm::log(f64::from(wrong.max(1e-12)));
            for (slope, x) in gradient.iter_mut().zip(row) {
                *slope += share * (probability - label) * x;
            }
        }
        (loss, gradient)
    }
}

/// Scores a program by the loss it reaches on a small model.
struct SmallModel(Model);

impl Evaluator<Program> for SmallModel {
    fn evaluate(&self, cohort: &[Trial<'_, Program>]) -> Vec<Outcome> {
        let outcome = |trial: &Trial<'_, Program>| {
            let rates = [3.0, 10.0, 30.0];
            let losses = rates.map(|rate| self.0.train(trial.program, 60, rate)).to_vec();
            let mean = losses.iter().sum::<f64>() / losses.len() as f64;
            Outcome::Scored(Score::new(-mean, losses))
        };
        cohort.iter().map(outcome).collect()
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Behaviour
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let adamw = zoo::get("adamw").ok_or("AdamW is in the zoo")?.program();
    let config: SearchConfig = SearchConfig::new(
        StrategyConfig::RegularizedEvolution { population: 100, tournament: 5 },
        Stopping { evaluations: Some(3_000), ..Stopping::default() },
    );
    let path = std::env::temp_dir().join(format!("automl_pipeline_{}.db", std::process::id()));
    let optimizers = Optimizers::default();
    // Opening the same file again would go on with the run.
    let store = Store::create(&path, &[("purpose", "an optimizer for scattered features")])?;
    let mut search = Search::new(&config, Seed(1), optimizers, adamw.clone())?.with_store(store)?;
    let two = NonZeroUsize::new(2).ok_or("not zero")?;
    let options = RunOptions { threads: two, ..RunOptions::default() };
    let reason = evo::run(&mut search, &SmallModel(Model::new(6, 80)), &mut (), &options)?;
    let winner = search.best().ok_or("something trains")?.individual.program.live();
    println!("{reason}; the winner:\n{winner}");
    let large = Model::new(40, 800);
    for (name, program) in [("AdamW", &adamw), ("winner", &winner)] {
        println!("{name}: loss {:.4} on the large model", large.train(program, 100, 10.0));
    }
    drop(search);
    for file in [path.clone(), path.with_extension("lock")] {
        std::fs::remove_file(file)?;
    }
    Ok(())
}
