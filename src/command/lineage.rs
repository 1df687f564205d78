//! `evo lineage`: the mutations that led from a start program to an individual.

mod again;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use evo::{Ancestor, Graphs, Learners, Optimizers, ProgramSourceError, Store};
use serde_json::json;

use super::conclusion::REPORT;
use super::learners::SELECTED;
use super::{place, run_directory};
use crate::args::LineageArgs;
use crate::exit_code::ExitCode;
use crate::output;

pub(crate) fn run(args: &LineageArgs) -> anyhow::Result<ExitCode> {
    let (directory, birth) = individual(&args.individual)?;
    let store = Store::read(&directory.join(run_directory::STORE))?;
    let keeps_births = evo::keeps_births(&store)?;
    if !keeps_births && !evo::holds_learners(&store)? {
        return Err(ProgramSourceError::NoBirths { run: directory }.into());
    }
    let birth = match birth {
        Some(birth) => birth,
        None => of_run(&directory, &store)?,
    };
    let lineage = match keeps_births {
        true => of(&store, birth)?,
        false => again::of(&directory, &store, birth, place::cores(args.threads))?,
    };
    let lineage =
        lineage.with_context(|| format!("{}: there is no birth {birth}", directory.display()))?;
    output::print(&if args.json { as_json(&lineage)? } else { as_text(&lineage) })?;
    Ok(ExitCode::SUCCESS)
}

/// The birth that a run is taken for: of learners the one that is selected, else the fittest.
fn of_run(directory: &Path, store: &Store) -> anyhow::Result<u64> {
    if evo::holds_learners(store)? && directory.join(SELECTED).exists() {
        if let Some(birth) = selected(directory) {
            return Ok(birth);
        }
        eprintln!("which birth is in {SELECTED} is not known: this is the lineage of the fittest");
    }
    let nothing = || format!("{}: nothing in it has a fitness yet", directory.display());
    store.best()?.with_context(nothing)
}

/// The birth of what was selected, as the report of the run has it.
fn selected(directory: &Path) -> Option<u64> {
    let report = std::fs::read_to_string(directory.join(REPORT)).ok()?;
    serde_json::from_str::<serde_json::Value>(&report).ok()?["selected_birth"].as_u64()
}

/// The path from a start program to a birth, edits applied as the domain of the run has them.
pub(super) fn of(store: &Store, birth: u64) -> anyhow::Result<Option<Vec<Ancestor>>> {
    Ok(if evo::holds_learners(store)? {
        store.lineage(&Learners::default(), birth)?
    } else if evo::holds_graphs(store)? {
        store.lineage(&Graphs::default(), birth)?
    } else {
        store.lineage(&Optimizers::default(), birth)?
    })
}

/// A run directory and a birth, from `RUN_DIR[:BIRTH]`.
fn individual(text: &str) -> anyhow::Result<(PathBuf, Option<u64>)> {
    if Path::new(text).is_dir() {
        return Ok((text.into(), None));
    }
    let Some((directory, birth)) = text.rsplit_once(':') else {
        bail!("{text}: there is no such run directory");
    };
    if !Path::new(directory).is_dir() {
        bail!("{directory}: there is no such run directory");
    }
    let birth = birth.parse().with_context(|| format!("`{birth}` is no birth: a whole number"))?;
    Ok((directory.into(), Some(birth)))
}

fn as_json(lineage: &[Ancestor]) -> anyhow::Result<String> {
    let entry = |it: &Ancestor| {
        json!({
            "birth": it.birth,
            "parent": it.parent,
            "mate": it.mate,
            "mutation": it.mutation,
            "evaluation": it.evaluation,
            "fitness": it.fitness,
            "program": it.program,
        })
    };
    let entries: Vec<_> = lineage.iter().map(entry).collect();
    Ok(serde_json::to_string_pretty(&entries)? + "\n")
}

/// A start program, then every birth with its fitness and the lines that changed, of two parents
/// beside the first.
fn as_text(lineage: &[Ancestor]) -> String {
    let mut text = String::new();
    for (index, it) in lineage.iter().enumerate() {
        let fitness = it.fitness.map_or("no score".to_owned(), |it| format!("fitness {it:+.4}"));
        let shared = match it.evaluation == it.birth {
            true => String::new(),
            false => format!(", as birth {}", it.evaluation),
        };
        let parent = index.checked_sub(1).map(|parent| &lineage[parent]);
        let mutation = match parent {
            None => it.mutation.as_deref().unwrap_or("start"),
            Some(parent) => mutation(parent, it),
        };
        let mate = it.mate.map_or(String::new(), |mate| format!(" with birth {mate}"));
        text.push_str(&format!("birth {}: {mutation}{mate}, {fitness}{shared}\n", it.birth));
        match parent {
            None => text.push_str(&it.program),
            Some(parent) => text.push_str(&changes(&parent.program, &it.program)),
        }
    }
    text
}

/// The kind of mutation that made a child; without one, whether anything was changed at all.
pub(super) fn mutation<'a>(parent: &Ancestor, child: &'a Ancestor) -> &'a str {
    child.mutation.as_deref().unwrap_or(match parent.program == child.program {
        true => "a copy",
        false => "several mutations",
    })
}

/// The lines of a parent that are gone and those that are new in its child.
fn changes(parent: &str, child: &str) -> String {
    let (gone, come) = difference(parent, child);
    let gone = gone.iter().map(|line| format!("  - {line}\n"));
    let come = come.iter().map(|line| format!("  + {line}\n"));
    gone.chain(come).collect()
}

/// The lines of a parent that are gone and those that are new in its child, without their margins.
pub(super) fn difference<'a>(parent: &'a str, child: &'a str) -> (Vec<&'a str>, Vec<&'a str>) {
    let (old, new): (Vec<&str>, Vec<&str>) = (parent.lines().collect(), child.lines().collect());
    let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let rest = old[same..].iter().rev().zip(new[same..].iter().rev());
    let kept = rest.take_while(|(old, new)| old == new).count();
    let trimmed = |lines: &[&'a str]| lines.iter().map(|line| line.trim()).collect();
    (trimmed(&old[same..old.len() - kept]), trimmed(&new[same..new.len() - kept]))
}
