//! `evo simplify`: the same program in fewer statements.

use std::fmt::Write as _;
use std::process::ExitCode;

use evo::{Rounding, simplify};

use crate::args::{RoundingArg, SimplifyArgs};
use crate::output;

pub(crate) fn run(args: &SimplifyArgs) -> anyhow::Result<ExitCode> {
    let program = evo::load_program(&args.program, "".as_ref())?;
    let rounding = match args.rounding {
        RoundingArg::Exact => Rounding::Exact,
        RoundingArg::Allow => Rounding::Allow,
    };
    let simplified = simplify(&program, rounding);
    let mut text = simplified.program.to_string();
    for note in &simplified.notes {
        writeln!(text, "# {note}").expect("a string can always grow");
    }
    let (before, live) = (program.statements().len(), program.live_length());
    let after = simplified.program.statements().len();
    writeln!(text, "# statements: {before}, live: {live}, simplified: {after}")
        .expect("a string can always grow");
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}
