//! A simplification as `evo simplify --config` left it: the steps that were tried, and the program.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::number::{NONE, interval, signed};
use super::read_json;

/// What `simplified.json` tells.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Simplified {
    tolerance: f64,
    steps: Vec<Step>,
    program: String,
    live_length: usize,
}

#[derive(Clone, Debug, Deserialize)]
struct Step {
    step: String,
    live_length: usize,
    cost: Option<Cost>,
    cost_on_the_way: Option<Cost>,
    kept: bool,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Cost {
    value: f64,
    low: f64,
    high: f64,
}

/// The same as tables of a page.
#[derive(Clone, Debug, Serialize)]
pub(super) struct SimplifiedTables {
    tolerance: f64,
    program: String,
    live_length: usize,
    kept: Vec<Row>,
    left: Vec<Row>,
}

#[derive(Clone, Debug, Serialize)]
struct Row {
    step: String,
    live_length: usize,
    end: CostCells,
    way: CostCells,
}

#[derive(Clone, Debug, Serialize)]
struct CostCells {
    cost: String,
    interval: String,
}

impl CostCells {
    fn of(cost: Option<Cost>) -> CostCells {
        CostCells {
            cost: cost.map_or(NONE.to_owned(), |it| signed(it.value)),
            interval: cost
                .map_or("does not train".to_owned(), |it| interval(it.low, it.high, signed)),
        }
    }
}

/// Reads a simplification.
pub(super) fn read(path: &Path) -> anyhow::Result<Simplified> {
    read_json(path)
}

impl Simplified {
    /// The steps that were kept and those that were not.
    pub(super) fn tables(&self) -> SimplifiedTables {
        let rows = |kept: bool| {
            let steps = self.steps.iter().filter(|step| step.kept == kept);
            let row = |step: &Step| Row {
                step: step.step.clone(),
                live_length: step.live_length,
                end: CostCells::of(step.cost),
                way: CostCells::of(step.cost_on_the_way),
            };
            steps.map(row).collect()
        };
        SimplifiedTables {
            tolerance: self.tolerance,
            program: self.program.clone(),
            live_length: self.live_length,
            kept: rows(true),
            left: rows(false),
        }
    }
}
