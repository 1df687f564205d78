//! `evo enumerate`: every program of a small space trained and hashed, as a table.
//!
//! Invariant: a table is written whole or not at all, and is the same whatever the threads. One
//! that is there, made of the very configuration, is only told of. Programs of one structure are
//! trained once: they give the same bits.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context, bail};
use evo::{
    EnumeratedSearch, Evaluator, FunctionalHasher, Hash, HashingConfig, OptimizerEvaluator,
    Outcome, Program, Space, SpaceRow, SpaceTable, Trial, parallel_map, shell_path,
    structural_hash,
};
use serde::Serialize;

use super::cpu;
use super::place::cores;
use super::session::{INTERRUPTED, interruptible_by};
use super::whole_file;
use crate::args::EnumerateArgs;
use crate::exit_code::ExitCode;
use crate::output;

/// How far two fitness values may be apart to count as equal, in turn.
const TOLERANCES: [f64; 3] = [0.0, 1e-3, 0.02];

/// What a functional hash of so many bits makes of a space.
#[derive(Debug, Serialize)]
struct Classes {
    mantissa_bits: u32,
    /// Different behaviours; a structure without one is alone.
    behaviours: usize,
    structures_per_behaviour: f64,
    /// Structures whose behaviour an earlier one has.
    joined: usize,
    /// Those of them whose fitness is further from that of the first of their behaviour than each
    /// tolerance, or that train where it does not.
    wrong: [usize; 3],
    /// Programs of such structures, of all programs.
    wrong_programs: [u64; 3],
}

#[derive(Serialize)]
struct Report {
    sequences: u64,
    programs: u64,
    structures: usize,
    /// Structures that do not train.
    invalid: usize,
    best: f64,
    best_program: String,
    tolerances: [f64; 3],
    classes: Vec<Classes>,
}

pub(crate) fn run(args: &EnumerateArgs) -> anyhow::Result<ExitCode> {
    let mut config = EnumeratedSearch::load(&args.config.config, &args.config.overrides)?;
    if let Some(out) = &args.out {
        config.evaluation.table.clone_from(out);
    }
    let hasher = |bits: &u32| {
        let hashing = HashingConfig { mantissa_bits: *bits };
        let hasher = EnumeratedSearch { hashing, ..config.clone() }.hasher();
        Ok((*bits, hasher.context("--mantissa")?))
    };
    let hashers = args.mantissa.iter().map(hasher).collect::<anyhow::Result<Vec<_>>>()?;
    let (space, path) = (config.space()?, &config.evaluation.table);
    let again = format!("the same command: nothing was written to {}", shell_path(path));
    let (threads, cancel) = (cores(args.threads), interruptible_by(&again)?);
    if !path.exists() {
        let making = Making {
            space: &space,
            hasher: &config.hasher()?,
            trainer: &config.trainer()?,
            threads,
            cancel,
            quiet: args.quiet,
        };
        if !making.write(path, config.fingerprint(&cpu::description())?)? {
            eprintln!("interrupted; go on with {again}");
            return Ok(ExitCode::from(INTERRUPTED));
        }
    }
    let table = config.table(&cpu::description())?;
    let own = |row: &SpaceRow| row.behaviour;
    let mut classes = vec![Classes::of(config.hashing.mantissa_bits, table.rows(), own)];
    for (mantissa_bits, hasher) in hashers {
        let Some(hashes) = hashes(&space, table.rows(), &hasher, threads, cancel) else {
            return Ok(ExitCode::from(INTERRUPTED));
        };
        let behaviour = |row: &SpaceRow| hashes[&row.number];
        classes.push(Classes::of(mantissa_bits, table.rows(), behaviour));
    }
    let report = report(&space, &table, classes)?;
    output::print(&match args.json {
        true => serde_json::to_string_pretty(&report)? + "\n",
        false => report.text(),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What a table is made with.
struct Making<'a> {
    space: &'a Space,
    hasher: &'a FunctionalHasher,
    trainer: &'a OptimizerEvaluator,
    threads: NonZeroUsize,
    cancel: &'a AtomicBool,
    quiet: bool,
}

/// Sequences that a worker looks at in one go.
const AT_ONCE: u64 = 4_096;

impl Making<'_> {
    /// Makes the table and writes it; false where that was interrupted.
    fn write(&self, path: &Path, fingerprint: Hash) -> anyhow::Result<bool> {
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|it| !it.is_dir()) {
            bail!("{}: there is no such folder to write the table to", folder.display());
        }
        let Some(rows) = self.rows()? else { return Ok(false) };
        let table = SpaceTable::new(fingerprint, rows);
        whole_file::write(path, table.text().as_bytes())?;
        Ok(true)
    }

    /// Every row; `None` where that was interrupted.
    fn rows(&self) -> anyhow::Result<Option<Vec<SpaceRow>>> {
        let structures = self.structures();
        if !self.quiet {
            eprintln!("{} structures to train", structures.len());
        }
        let done = AtomicUsize::new(0);
        let rows = parallel_map(self.threads, &structures, |(structure, number, programs)| {
            if self.cancel.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            if !self.quiet && done.is_multiple_of(5_000) {
                eprintln!("{done} of {}", structures.len());
            }
            self.row(*structure, *number, *programs).map(Some)
        });
        rows.into_iter().collect()
    }

    /// Every structure, the number of its first program and how many have it, in order of numbers.
    fn structures(&self) -> Vec<(Hash, u64, u64)> {
        let starts: Vec<u64> = (0..self.space.sequences().div_ceil(AT_ONCE)).collect();
        let found = parallel_map(self.threads, &starts, |part| {
            let numbers = part * AT_ONCE..((part + 1) * AT_ONCE).min(self.space.sequences());
            let hashed = |number| Some((structural_hash(&self.space.program(number)?), number));
            numbers.filter_map(hashed).collect::<Vec<(Hash, u64)>>()
        });
        let mut first: BTreeMap<Hash, (u64, u64)> = BTreeMap::new();
        for (structure, number) in found.into_iter().flatten() {
            first.entry(structure).or_insert((number, 0)).1 += 1;
        }
        let mut structures: Vec<(Hash, u64, u64)> =
            first.into_iter().map(|(hash, (number, count))| (hash, number, count)).collect();
        structures.sort_by_key(|(_, number, _)| *number);
        structures
    }

    fn row(&self, structure: Hash, number: u64, programs: u64) -> anyhow::Result<SpaceRow> {
        let program = self.space.program(number).expect("it was there before");
        let outcome = self.trainer.evaluate(&[Trial::of(&program)]).pop();
        let fitness = match outcome.expect("one outcome for one program") {
            Outcome::Scored(score) => Some(score.fitness).filter(|it| !it.is_nan()),
            Outcome::Failed { message } => bail!("program {number}: {message}"),
            _ => None,
        };
        let behaviour = self.hasher.hash(&program);
        Ok(SpaceRow { number, programs, structure, behaviour, fitness })
    }
}

/// The behaviour of every row by another hash, by number; `None` where that was interrupted.
fn hashes(
    space: &Space,
    rows: &[SpaceRow],
    hasher: &FunctionalHasher,
    threads: NonZeroUsize,
    cancel: &AtomicBool,
) -> Option<BTreeMap<u64, Option<Hash>>> {
    let hashed = parallel_map(threads, rows, |row| {
        if cancel.load(Ordering::Relaxed) {
            return None;
        }
        let program = space.program(row.number).expect("the table is of this space");
        Some((row.number, hasher.hash(&program)))
    });
    hashed.into_iter().collect()
}

impl Classes {
    /// What becomes of rows where those of one behaviour are taken for one.
    fn of(
        mantissa_bits: u32,
        rows: &[SpaceRow],
        behaviour: impl Fn(&SpaceRow) -> Option<Hash>,
    ) -> Classes {
        let mut first: BTreeMap<Hash, &SpaceRow> = BTreeMap::new();
        let (mut joined, mut wrong, mut wrong_programs) = (0, [0; 3], [0; 3]);
        for row in rows {
            let class = behaviour(row).unwrap_or(row.structure);
            let leader = *first.entry(class).or_insert(row);
            if leader.number == row.number {
                continue;
            }
            joined += 1;
            let apart = match (leader.fitness, row.fitness) {
                (Some(a), Some(b)) => (a - b).abs(),
                (None, None) => 0.0,
                _ => f64::INFINITY,
            };
            for (place, tolerance) in TOLERANCES.iter().enumerate() {
                if apart > *tolerance {
                    wrong[place] += 1;
                    wrong_programs[place] += row.programs;
                }
            }
        }
        let behaviours = first.len();
        let structures_per_behaviour = rows.len() as f64 / behaviours as f64;
        Classes {
            mantissa_bits,
            behaviours,
            structures_per_behaviour,
            joined,
            wrong,
            wrong_programs,
        }
    }
}

fn report(space: &Space, table: &SpaceTable, classes: Vec<Classes>) -> anyhow::Result<Report> {
    let rows = table.rows();
    let best = table.best().context("no program of the space trains")?;
    let program: Program = space.program(best.number).context("the table is of this space")?;
    Ok(Report {
        sequences: space.sequences(),
        programs: rows.iter().map(|row| row.programs).sum(),
        structures: rows.len(),
        invalid: rows.iter().filter(|row| row.fitness.is_none()).count(),
        best: best.fitness.context("it is the best of those that train")?,
        best_program: program.to_string(),
        tolerances: TOLERANCES,
        classes,
    })
}

impl Report {
    fn text(&self) -> String {
        let share = |part: u64, of: u64| match of {
            0 => "-".to_owned(),
            of => format!("{part} ({:.3}%)", 100.0 * part as f64 / of as f64),
        };
        let mut headings: Vec<String> =
            ["mantissa bits", "behaviours", "structures/behaviour", "joined"]
                .map(str::to_owned)
                .to_vec();
        headings.extend(TOLERANCES.map(|it| format!("apart by > {it}")));
        headings.extend(TOLERANCES.map(|it| format!("programs > {it}")));
        let row = |it: &Classes| {
            let mut cells = vec![it.mantissa_bits.to_string(), it.behaviours.to_string()];
            cells.push(format!("{:.3}", it.structures_per_behaviour));
            cells.push(it.joined.to_string());
            cells.extend(it.wrong.map(|wrong| share(wrong as u64, it.joined as u64)));
            cells.extend(it.wrong_programs.map(|wrong| share(wrong, self.programs)));
            cells
        };
        let rows: Vec<Vec<String>> =
            std::iter::once(headings).chain(self.classes.iter().map(row)).collect();
        format!(
            "{} programs of {} sequences, {} structures, {} of them do not train; the best, \
             {:+.6}:\n{}\nprograms by their behaviour, and those whose fitness is not that of the \
             first that behaves alike:\n{}",
            self.programs,
            self.sequences,
            self.structures,
            self.invalid,
            self.best,
            self.best_program,
            output::table(&rows),
        )
    }
}

/// Refuses a configuration of a space where a search is needed.
pub(crate) fn no_search(command: &str) -> anyhow::Error {
    anyhow::anyhow!(
        "a space that is written out is searched by `evo ablate`, not by `evo {command}`"
    )
}
