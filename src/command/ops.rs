//! `evo ops`: the table of ops.

use anyhow::anyhow;
use evo::{LearnerOp, LearnerOpInfo, Op, OpSet, nearest_name};

use crate::args::OpsArgs;
use crate::exit_code::ExitCode;
use crate::output;

/// The heading of the optimizer's ops.
const HEADING: [&str; 6] = ["op", "arguments", "result", "value", "guard", "source"];

pub(crate) fn run(args: &OpsArgs) -> anyhow::Result<ExitCode> {
    let (heading, rows): (Vec<&str>, Vec<Vec<String>>) = match OpSet::from_name(&args.set) {
        Some(set) => (HEADING.to_vec(), set.ops().map(row).collect()),
        None if args.set.eq_ignore_ascii_case(LearnerOp::SET) => {
            let rows = LearnerOp::all().map(|op| op.info().row().to_vec());
            (LearnerOpInfo::COLUMNS.to_vec(), rows.collect())
        }
        None => return Err(unknown(&args.set)),
    };
    let heading = heading.into_iter().map(str::to_owned).collect();
    let table: Vec<Vec<String>> = std::iter::once(heading).chain(rows).collect();
    output::print(&output::left_table(&table))?;
    Ok(ExitCode::SUCCESS)
}

fn unknown(name: &str) -> anyhow::Error {
    let names: Vec<&str> =
        OpSet::ALL.map(OpSet::name).into_iter().chain([LearnerOp::SET]).collect();
    match nearest_name(name, names.iter().copied()) {
        Some(nearest) => anyhow!("unknown op set `{name}`; did you mean `{nearest}`?"),
        None => anyhow!("unknown op set `{name}`; there are {}", names.join(", ")),
    }
}

fn row(op: Op) -> Vec<String> {
    let info = op.info();
    let names = std::iter::once(info.name).chain(info.aliases.iter().copied());
    vec![
        names.collect::<Vec<_>>().join(", "),
        info.arity.to_string(),
        info.rule.to_string(),
        info.formula.to_owned(),
        if info.guard.is_empty() { "-" } else { info.guard }.to_owned(),
        info.source.to_owned(),
    ]
}
