//! The panel: programs of many kinds, by which a way to score is audited.
//!
//! Invariant: a panel is a function of its arguments; variants are drawn by number, and what is
//! taken from a run is spread evenly over its ranks, from the fittest to the least fit: a panel of
//! good programs alone would hide that a proxy cannot tell good from bad.

use std::path::Path;

use anyhow::{Context, bail};
use evo::{Knobs, Seed, Store, zoo};

use crate::command::run_directory;
use crate::command::studies::{self, Named};

/// What variants are drawn from; all panels have the same.
const SEED: Seed = Seed(0);

/// The programs of a panel: `zoo` for all rules of the zoo, `variants:N` for N of them with other
/// constants and learning rates, `N@RUN_DIR` for N programs of a run, or any single program. Of
/// programs that are the same the first counts.
pub(super) fn of(parts: &[String]) -> anyhow::Result<Vec<Named>> {
    let mut panel: Vec<Named> = Vec::new();
    for part in parts {
        if part == "zoo" {
            panel
                .extend(zoo::entries().iter().map(|it| (format!("zoo:{}", it.name), it.program())));
        } else if let Some(count) = part.strip_prefix("variants:") {
            panel.extend(variants(number(part, count)?));
        } else if let Some((count, run)) = part.split_once('@') {
            panel.extend(of_run(number(part, count)?, Path::new(run))?);
        } else {
            panel.push((part.clone(), evo::load_program(part, "".as_ref())?));
        }
    }
    let panel = studies::distinct(panel);
    if panel.len() < 3 {
        bail!("--panel: {} programs that differ are too few to rank", panel.len());
    }
    Ok(panel)
}

fn number(part: &str, count: &str) -> anyhow::Result<usize> {
    count.parse().with_context(|| format!("--panel {part}: `{count}` is no number"))
}

/// Rules of the zoo in turn, each with a setting of its own.
fn variants(count: usize) -> Vec<Named> {
    let rules = zoo::entries();
    let variant = |index: usize| {
        let rule = &rules[index % rules.len()];
        let knobs = Knobs::of(&rule.program(), 2);
        let setting = knobs.varied(&knobs.own(), index as u32, SEED);
        let program = knobs.program(&setting).scaled(setting.learning_rate);
        (format!("{}~{index}", rule.name), program)
    };
    (0..count).map(variant).collect()
}

/// Programs that a run evaluated, evenly over their ranks.
fn of_run(count: usize, run: &Path) -> anyhow::Result<Vec<Named>> {
    let ranked = Store::read(&run.join(run_directory::STORE))?.ranked()?;
    let last = ranked.len().saturating_sub(1);
    let place = |index: usize| index * last / count.saturating_sub(1).max(1);
    let mut places: Vec<usize> = (0..count.min(ranked.len())).map(place).collect();
    places.dedup();
    let program = |place: usize| {
        let source = format!("{}:{}", run.display(), ranked[place].0);
        let program = evo::load_program(&source, "".as_ref())?;
        Ok((source, program))
    };
    places.into_iter().map(program).collect()
}
