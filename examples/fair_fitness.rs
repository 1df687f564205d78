//! How fairly a fitness ranks rules that nobody has tuned for it: the zoo by several ways to score,
//! beside where tuning puts it.
//!
//! `cargo run --release --example fair_fitness -- [CONFIG [THREADS]]`, a few minutes. *Tuned* is the
//! mean gain over tuned AdamW of each rule at its best learning rate and weight decay for each task
//! (the grid of `evo baseline`), on data, initial weights and batches of another seed. For every way
//! to score: the rules that train, Kendall's tau-b of its ranks with the tuned ones (rules that do
//! not train tie behind all others), and where AdamW, Lion and Muon stand among all.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;

use evo::{
    Config, Evaluator, Grid, Program, Rates, RunLoss, Scoring, Trial, kendall, parallel_map, zoo,
};

const WIDE: [f64; 5] = [0.015625, 0.0625, 0.25, 1.0, 4.0];

/// Ways to score: a name, the multiples, the scoring.
fn ways(own: &[f64]) -> Vec<(&'static str, Vec<f64>, Scoring)> {
    let mean = Scoring::default();
    let best = Scoring { rates: Rates::Best, ..mean.clone() };
    let sized = Scoring { normalise_updates: true, ..mean.clone() };
    vec![
        ("as configured: mean over its multiples", own.to_vec(), mean.clone()),
        (
            "mean training loss, mean over its multiples",
            own.to_vec(),
            Scoring { loss: RunLoss::MeanTraining, ..mean },
        ),
        ("normalised, mean over its multiples", own.to_vec(), sized.clone()),
        (
            "normalised, best of its multiples",
            own.to_vec(),
            Scoring { rates: Rates::Best, ..sized },
        ),
        ("best of five multiples, 1/64 to 4", WIDE.to_vec(), best.clone()),
        (
            "mean training loss, best of the five",
            WIDE.to_vec(),
            Scoring { loss: RunLoss::MeanTraining, ..best.clone() },
        ),
        (
            "best of the five, half or all of the steps, a quarter to all of the batch",
            WIDE.to_vec(),
            Scoring { horizons: vec![0.5, 1.0], batches: vec![0.25, 0.5, 1.0], ..best },
        ),
    ]
}

/// The mean gain of a rule over tuned AdamW where both are tuned.
fn tuned(config: &Config, program: &Program) -> anyhow::Result<f64> {
    let mut evaluation = config.evaluation.clone();
    evaluation.learning_rate_multiples = vec![1.0];
    evaluation.data_seed += 1;
    evaluation.repeats = NonZeroU32::MIN.saturating_add(2);
    let mut total = 0.0;
    for task in &evaluation.tasks {
        let tune = |grid: &Grid| evaluation.tune(grid, task, Path::new(""), NonZeroUsize::MIN);
        let (own, adamw) = (tune(&Grid::of(program)), tune(&Grid::adamw())?);
        total += own.map_or(f64::NEG_INFINITY, |own| adamw.gain(own.loss));
    }
    Ok(total / evaluation.tasks.len() as f64)
}

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let path = args.next().unwrap_or_else(|| "configs/quickstart.ron".to_owned());
    let threads = args.next().map_or(Ok(2), |text| text.parse())?;
    let threads = NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN);
    let config = Config::load_with_baselines(path.as_ref(), &[])?;
    let (names, programs): (Vec<&str>, Vec<Program>) =
        zoo::entries().iter().map(|entry| (entry.name, entry.program())).unzip();
    let places = parallel_map(threads, &programs, |program| tuned(&config, program));
    let places = places.into_iter().collect::<anyhow::Result<Vec<f64>>>()?;
    let mut columns = Vec::new();
    for (name, multiples, scoring) in ways(&config.evaluation.learning_rate_multiples) {
        let mut config = config.clone();
        config.evaluation.learning_rate_multiples = multiples;
        config.evaluation.scoring = scoring;
        // Rates stay those of the configuration; what AdamW comes to is measured anew.
        let evaluation = config.evaluation.clone();
        for task in &mut config.evaluation.tasks {
            let baseline = evaluation.tune(&Grid::adamw(), task, Path::new(""), threads)?;
            task.baseline_loss = Some(baseline.loss);
        }
        config.evaluation.held_out.clear();
        let evaluator = config.evaluator()?;
        let fitness = parallel_map(threads, &programs, |program| {
            evaluator.evaluate(&[Trial::of(program)])[0].fitness()
        });
        let trained = fitness.iter().filter(|fitness| fitness.is_finite()).count();
        let place = |name: &str| {
            let own =
                names.iter().position(|other| *other == name).map_or(f64::NAN, |at| fitness[at]);
            1 + fitness.iter().filter(|other| **other > own).count()
        };
        println!(
            "{name}: {trained} of {} train, tau {:.2}; places of adamw {}, lion {}, muon_adamw {}",
            names.len(),
            kendall(&fitness, &places).unwrap_or(f64::NAN),
            place("adamw"),
            place("lion"),
            place("muon_adamw"),
        );
        columns.push(fitness);
    }
    println!("\nrule, tuned, then each of the above");
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by(|a, b| places[*b].total_cmp(&places[*a]));
    for rule in order {
        let scores: Vec<String> =
            columns.iter().map(|column| format!("{:+.3}", column[rule])).collect();
        println!("{:24} {:+.3}  {}", names[rule], places[rule], scores.join("  "));
    }
    Ok(())
}
