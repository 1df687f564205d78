//! `evo export RUN_DIR --to latex-table`: the hall of fame of a run as a table of a paper.
//!
//! Invariant: the fittest come first, among equals the shorter one.

use std::path::Path;

use anyhow::{Context, bail};
use evo::{Program, TableRow};

use crate::args::ExportArgs;

/// What it is called on the command line.
pub(crate) const TARGET: &str = "latex-table";

const DEFAULT_DIGITS: usize = 3;
const DEFAULT_ROWS: usize = 10;

/// The file in a run directory that holds the champions.
const HALL_OF_FAME: &str = "hall_of_fame.csv";

/// The table as text.
pub(crate) fn text(args: &ExportArgs) -> anyhow::Result<String> {
    if args.name.is_some() {
        bail!("--name is no option of --to {TARGET}: rules are numbered in it");
    }
    let run = Path::new(&args.program);
    if !run.is_dir() {
        bail!("{}: is no run directory; --to {TARGET} reads {HALL_OF_FAME} of one", args.program);
    }
    if evo::is_learner(&args.program, "".as_ref()) {
        bail!("{}: is a run of learners, and --to {TARGET} is for optimizers", args.program);
    }
    let path = run.join(HALL_OF_FAME);
    let mut rows = read(&path).with_context(|| path.display().to_string())?;
    if rows.is_empty() {
        bail!("{}: nothing in it has a fitness yet", path.display());
    }
    // It lies there shortest first, and sorting leaves equals in their order.
    rows.sort_by(|a, b| b.fitness.total_cmp(&a.fitness));
    rows.truncate(args.rows.map_or(DEFAULT_ROWS, Into::into));
    Ok(evo::latex_table(&rows, args.digits.unwrap_or(DEFAULT_DIGITS)))
}

fn read(path: &Path) -> anyhow::Result<Vec<TableRow>> {
    let mut table = csv::Reader::from_path(path)?;
    let header = table.headers()?.clone();
    let column = |name: &str| {
        let place = header.iter().position(|column| column == name);
        place.with_context(|| format!("there is no column `{name}`"))
    };
    let (fitness, program) = (column("fitness")?, column("program")?);
    let mut rows = Vec::new();
    for record in table.records() {
        let record = record?;
        let text = &record[program];
        if text.starts_with("def f(") {
            bail!("these are expressions, and update rules are needed");
        }
        let program = Program::parse(text)?;
        let fitness = record[fitness].parse().context("a fitness is no number")?;
        rows.push(TableRow { fitness, program });
    }
    Ok(rows)
}
