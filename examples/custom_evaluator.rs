//! A search with an evaluator of one's own: which rule gets down a narrow quadratic valley fastest?
//!
//! Run it with `cargo run --release --example custom_evaluator`.

use evo::{
    DependsOn, Evaluator, Executor, Layout, Optimizers, Outcome, Program, RunOptions, Score,
    Search, SearchConfig, Seed, Stopping, StrategyConfig, Trial, zoo,
};

/// Scores a program by how far 50 steps take it down `sum of c_i (w_i - t_i)^2 / 2`, c from 0.01
/// to 1, from w = 0 to targets t it is not told.
struct Valley;

impl Evaluator<Program> for Valley {
    fn evaluate(&self, cohort: &[Trial<'_, Program>]) -> Vec<Outcome> {
        cohort.iter().map(|trial| descend(trial.program)).collect()
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Behaviour
    }
}

fn descend(program: &Program) -> Outcome {
    let layout = Layout::new([vec![8]]);
    let mut executor = Executor::new(program, &layout);
    let curvature = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.0];
    let target = [0.3, -1.2, 0.7, 2.0, -0.5, 1.1, -0.9, 0.4];
    let mut w = vec![0.0f32; 8];
    for _ in 0..50 {
        let slope = |((w, t), c): ((&f32, f32), f32)| (w - t) * c;
        let g: Vec<f32> = w.iter().zip(target).zip(curvature).map(slope).collect();
        executor.step(&mut w, &g, 1.0);
    }
    let height = |((w, t), c): ((&f32, f32), f32)| c * (w - t) * (w - t) / 2.0;
    let loss: f32 = w.iter().zip(target).zip(curvature).map(height).sum();
    // Higher is better; a loss that is not finite counts as the worst there is.
    let fitness = if loss.is_finite() { -f64::from(loss) } else { f64::NEG_INFINITY };
    Outcome::Scored(Score::new(fitness, vec![f64::from(loss)]))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let start = zoo::get("momentum").ok_or("momentum is in the zoo")?.program();
    let config: SearchConfig = SearchConfig::new(
        StrategyConfig::RegularizedEvolution { population: 100, tournament: 5 },
        Stopping { candidates: Some(20_000), ..Stopping::default() },
    );
    let optimizers = Optimizers::default();
    let mut search = Search::new(&config, Seed(1), optimizers, start)?;
    let reason = evo::run(&mut search, &Valley, &mut (), &RunOptions::default())?;
    let best = search.best().ok_or("some program gets down")?;
    println!("{reason}: fitness {}\n{}", best.individual.fitness, best.individual.program.live());
    Ok(())
}
