//! The files of an ablation: tables for spreadsheets and plotting, and JSON with all of it.
//!
//! Invariant: what clocks say is in `times.csv`, `times.json` and `times.jsonl` alone; every other
//! table is a function of configuration and seeds.

use std::path::Path;

use serde::Serialize;

use super::summary::{Ablation, AtBudget, Mean, Row, Timed};
use crate::command::csv_table::{cell, table};
use crate::command::{cpu, whole_file};

/// What `ablation.json` holds.
#[derive(Serialize)]
struct Whole<'a> {
    cpu: String,
    seeds: &'a [u64],
    target: f64,
    optimum: Option<f64>,
    arms: Vec<Row>,
    budgets: Vec<AtBudget>,
}

impl Whole<'_> {
    fn of(ablation: &Ablation) -> Whole<'_> {
        Whole {
            cpu: cpu::description(),
            seeds: &ablation.seeds,
            target: ablation.target,
            optimum: ablation.optimum,
            arms: ablation.rows(),
            budgets: ablation.at_budgets(),
        }
    }
}

/// All of it, as it is printed.
pub(super) fn json(ablation: &Ablation) -> anyhow::Result<String> {
    #[derive(Serialize)]
    struct Printed<'a> {
        #[serde(flatten)]
        whole: Whole<'a>,
        times: Vec<Timed>,
    }
    let printed = Printed { whole: Whole::of(ablation), times: ablation.timed() };
    Ok(serde_json::to_string_pretty(&printed)? + "\n")
}

/// Writes all tables to a folder.
pub(super) fn write(folder: &Path, ablation: &Ablation) -> anyhow::Result<()> {
    let (whole, timed) = (Whole::of(ablation), ablation.timed());
    let files = [
        ("ablation.json", serde_json::to_vec_pretty(&whole)?),
        ("times.json", serde_json::to_vec_pretty(&timed)?),
        ("ablation.csv", table(&ROW, whole.arms.iter().map(row))?),
        ("times.csv", table(&TIMED, timed.iter().map(of_times))?),
        ("budgets.csv", table(&BUDGET, whole.budgets.iter().map(of_budget))?),
        ("curves.csv", table(&CURVE, curves(ablation))?),
    ];
    files.iter().try_for_each(|(name, content)| whole_file::write(&folder.join(name), content))
}

const ROW: [&str; 22] = [
    "arm",
    "seeds",
    "candidates",
    "evaluations",
    "saved",
    "structural_hits",
    "functional_hits",
    "late_hits",
    "best",
    "best_low",
    "best_high",
    "best_at_equal_evaluations",
    "best_at_equal_evaluations_low",
    "best_at_equal_evaluations_high",
    "births_to_target",
    "evaluations_to_target",
    "reached_target",
    "rechecked",
    "disagreed",
    "disagreed_low",
    "disagreed_high",
    "structures_per_behaviour",
];

const TIMED: [&str; 8] = [
    "arm",
    "seconds",
    "best_at_equal_time",
    "best_at_equal_time_low",
    "best_at_equal_time_high",
    "seconds_to_target",
    "speedup",
    "hashing_share",
];

const BUDGET: [&str; 8] =
    ["arm", "evaluations", "best", "best_low", "best_high", "regret", "regret_low", "regret_high"];

const CURVE: [&str; 7] =
    ["arm", "seed", "births", "evaluations", "structural_hits", "functional_hits", "best"];

/// A mean and the ends of its interval.
fn mean(mean: Option<Mean>) -> [String; 3] {
    let of = |part: fn(Mean) -> Option<f64>| cell(mean.and_then(part));
    [of(|it| Some(it.value)), of(|it| it.low), of(|it| it.high)]
}

fn row(row: &Row) -> Vec<String> {
    let mut legs = vec![row.arm.clone(), row.seeds.to_string()];
    let numbers = [
        row.candidates,
        row.evaluations,
        row.saved,
        row.structural_hits,
        row.functional_hits,
        row.late_hits,
    ];
    legs.extend(numbers.map(|number| number.to_string()));
    legs.extend(mean(row.best));
    legs.extend(mean(row.best_at_equal_evaluations));
    legs.extend([row.births_to_target, row.evaluations_to_target].map(cell));
    let counts = [row.reached_target as u64, row.rechecked, row.disagreed];
    legs.extend(counts.map(|count| count.to_string()));
    let numbers = [row.disagreed_low, row.disagreed_high, row.structures_per_behaviour];
    legs.extend(numbers.map(|number| number.to_string()));
    legs
}

fn of_times(timed: &Timed) -> Vec<String> {
    let mut legs = vec![timed.arm.clone(), timed.seconds.to_string()];
    legs.extend(mean(timed.best_at_equal_time));
    legs.extend([timed.seconds_to_target, timed.speedup, Some(timed.hashing_share)].map(cell));
    legs
}

fn of_budget(at: &AtBudget) -> Vec<String> {
    let mut legs = vec![at.arm.clone(), at.evaluations.to_string()];
    legs.extend(mean(at.best));
    legs.extend(mean(at.regret));
    legs
}

/// A row for every point of every run.
fn curves(ablation: &Ablation) -> impl Iterator<Item = Vec<String>> {
    ablation.arms.iter().flat_map(move |arm| {
        let runs = ablation.seeds.iter().zip(&arm.runs);
        runs.flat_map(move |(seed, run)| {
            run.leg.curve.iter().map(move |point| {
                let best = run.best_after(point.births);
                let best = Some(best).filter(|best| best.is_finite());
                let counts = [point.births, point.evaluations, point.structural, point.functional];
                let mut legs = vec![arm.arm.clone(), seed.to_string()];
                legs.extend(counts.map(|count| count.to_string()));
                legs.push(cell(best));
                legs
            })
        })
    })
}
