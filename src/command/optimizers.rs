//! The end of a search of optimizers: its winner beside known ones.

use std::num::NonZeroUsize;

use anyhow::Context;
use evo::{
    Config, Evaluator, Evaluators, Judges, Optimizers, Program, Search, shell_path,
    structural_hash, zoo,
};
use serde::Serialize;

use super::comparison::Comparison;
use super::conclusion::{self, Verdict};
use super::run_directory;
use super::session::Session;
use crate::exit_code::ExitCode;

#[derive(Serialize)]
struct Compared {
    comparison: Comparison,
}

impl Verdict for Compared {
    fn table(&self) -> String {
        self.comparison.table()
    }
}

/// Searches to the end, or to an interrupt, and reports.
pub(crate) fn run(
    session: &Session<'_>,
    config: &Config,
    judges: &Judges,
    mut search: Search<Optimizers>,
) -> anyhow::Result<ExitCode> {
    let held_out = config.settings.held_out.every.and_then(|_| judges.held_out_together());
    let held_out = held_out.as_ref().map(|it| it as &dyn Evaluator<Program>);
    let evaluators = Evaluators { search: &judges.search, held_out };
    let finish = match session.run(&mut search, evaluators)? {
        Ok(finish) => finish,
        Err(code) => return Ok(code),
    };
    let Some(best) = search.best() else {
        if let Some(why) = finish.nothing_tried(&search) {
            eprintln!("{why}");
            return Ok(ExitCode::from(1));
        }
        let written = session.directory.path().join(run_directory::CONFIG);
        eprintln!(
            "no program could train the tasks; what becomes of the first: evo evaluate {} \
             --config {}{}",
            shell_path(config.start.first().as_ref()),
            shell_path(&written),
            session.device()
        );
        return Ok(ExitCode::from(1));
    };
    let threads = session.place.threads(session.args.threads);
    let compared = verdict(config, judges, &best.individual.program, threads)?;
    conclusion::conclude(session, &search, &finish, compared)
}

/// A winner beside known optimizers and the programs it comes from.
pub(crate) fn verdict(
    config: &Config,
    judges: &Judges,
    winner: &Program,
    threads: NonZeroUsize,
) -> anyhow::Result<impl Verdict + use<>> {
    let programs = compared(config, &winner.live())?;
    Ok(Compared { comparison: Comparison::of(config, judges, &programs, threads)? })
}

/// The programs of the table, the winner last.
fn compared(config: &Config, winner: &Program) -> anyhow::Result<Vec<(String, Program)>> {
    let known = |label: &str, name: &str| {
        let entry = zoo::get(name).context("the zoo has the programs of the table")?;
        anyhow::Ok((label.to_owned(), entry.program()))
    };
    let mut programs = vec![known("AdamW", "adamw")?, known("Lion", "lion")?];
    let starts = config.start_programs()?;
    let several = starts.len() > 1;
    for (birth, start) in starts.into_iter().enumerate() {
        let hash = structural_hash(&start);
        if programs.iter().all(|(_, other)| structural_hash(other) != hash) {
            let label = if several { format!("start {birth}") } else { "start".to_owned() };
            programs.push((label, start));
        }
    }
    programs.push(("winner".to_owned(), winner.clone()));
    Ok(programs)
}
