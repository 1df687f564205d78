//! Ways to score: the configuration as it is, and what else it could say.

use std::num::{NonZeroU32, NonZeroU64};

use anyhow::bail;
use evo::{Factor, OptimizerConfig, Rates, RunLoss};

/// Multiples for a best of several: a tuning inside of an evaluation.
const WIDE: [f64; 5] = [0.015625, 0.0625, 0.25, 1.0, 4.0];

/// Each way with what it says; where names are asked for, those that have one of them in theirs.
pub(super) fn of(
    own: &OptimizerConfig,
    asked: &[String],
) -> anyhow::Result<Vec<(String, OptimizerConfig)>> {
    let mut ways = all(own);
    let has = |name: &str, part: &String| name.contains(part.as_str());
    if let Some(part) = asked.iter().find(|part| !ways.iter().any(|(name, _)| has(name, part))) {
        let names: Vec<&str> = ways.iter().map(|(name, _)| name.as_str()).collect();
        bail!("--way {part}: there are {}", names.join("; "));
    }
    ways.retain(|(name, _)| asked.is_empty() || asked.iter().any(|part| has(name, part)));
    Ok(ways)
}

fn all(own: &OptimizerConfig) -> Vec<(String, OptimizerConfig)> {
    let mut ways: Vec<(String, OptimizerConfig)> = Vec::new();
    let mut add = |name: &str, change: &dyn Fn(&mut OptimizerConfig)| {
        let mut way = own.clone();
        // Courses cost time and change no fitness.
        way.loss_at.clear();
        change(&mut way);
        let known = ways.iter().any(|(_, it)| *it == way);
        if !known && way.check().is_ok() {
            ways.push((name.to_owned(), way));
        }
    };
    let wide = |way: &mut OptimizerConfig| {
        (way.learning_rate_multiples, way.scoring.rates) = (WIDE.to_vec(), Rates::Best);
    };
    let units = |by_leaf| Some(Factor { smallest: 0.1, largest: 10.0, by_leaf });
    add("as configured", &|_| ());
    add("half the steps", &|way| stretch(way, 1, 2));
    add("twice the steps", &|way| stretch(way, 2, 1));
    add("one learning rate", &|way| way.learning_rate_multiples = vec![1.0]);
    add("twice the repeats", &|way| {
        way.repeats = NonZeroU32::MIN.saturating_add(2 * way.repeats.get() - 1);
    });
    add("mean training loss", &|way| way.scoring.loss = RunLoss::MeanTraining);
    add("best of its multiples", &|way| way.scoring.rates = Rates::Best);
    add("best of five multiples", &wide);
    add("best of five, twice the steps", &|way| {
        wide(way);
        stretch(way, 2, 1);
    });
    add("best of five, mean training loss", &|way| {
        wide(way);
        way.scoring.loss = RunLoss::MeanTraining;
    });
    add("best of five, weights in other units by leaf", &|way| {
        wide(way);
        way.scoring.reparametrise = units(true);
    });
    add("best of five, half or all of steps and batch", &|way| {
        wide(way);
        (way.scoring.horizons, way.scoring.batches) = (vec![0.5, 1.0], vec![0.5, 1.0]);
    });
    add("best of five, normalised updates", &|way| {
        wide(way);
        way.scoring.normalise_updates = true;
    });
    ways
}

/// Makes every task longer or shorter, its schedule with it.
fn stretch(way: &mut OptimizerConfig, by: u64, of: u64) {
    for task in &mut way.tasks {
        let stretched = |steps: u64| steps * by / of;
        task.schedule = task.schedule.stretched(stretched);
        task.steps = NonZeroU64::MIN.saturating_add(stretched(task.steps.get()).max(1) - 1);
    }
}
