//! `evo simplify`: the same program in fewer statements.

mod evidence;
mod folder;
mod learner;

use std::fmt::Write as _;

use anyhow::bail;
use evo::{Note, Rounding, Simplified, simplify};

use crate::args::{RoundingArg, SimplifyArgs};
use crate::exit_code::ExitCode;
use crate::output;

pub(crate) fn run(args: &SimplifyArgs) -> anyhow::Result<ExitCode> {
    if evo::is_learner(&args.program, "".as_ref()) {
        return learner::run(args);
    }
    if evo::is_graph(&args.program, "".as_ref()) {
        bail!(
            "{}: is a compute graph, and there are no rules to simplify one by; `evo show --live` \
             drops what has no effect",
            args.program
        );
    }
    if let Some(config) = &args.config {
        return evidence::run(args, config);
    }
    let program = evo::load_any_program(&args.program, "".as_ref())?;
    let rounding = match args.rounding {
        RoundingArg::Exact => Rounding::Exact,
        RoundingArg::Allow => Rounding::Allow,
    };
    let simplified = simplify(&program, rounding);
    let mut text = simplified.program.to_string();
    for note in &simplified.notes {
        writeln!(text, "# {}", line(note)).expect("a string can always grow");
    }
    let (all, Simplified { before, after, .. }) = (program.statements().len(), &simplified);
    writeln!(text, "# statements: {all}, live: {before}, simplified: {after}")
        .expect("a string can always grow");
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// What was used, on what, and where it differs.
fn line(note: &Note) -> String {
    let mut line = format!("{}: {}", note.rule, note.equation);
    if let Some(statement) = &note.statement {
        line += &format!(", at `{statement}`");
    }
    if !note.differs.is_empty() {
        line += &format!("; {}", note.differs);
    }
    line
}
