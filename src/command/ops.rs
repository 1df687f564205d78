//! `evo ops`: the table of ops.

use std::process::ExitCode;

use anyhow::bail;
use evo::Op;

use crate::args::OpsArgs;
use crate::output;

pub(crate) fn run(args: &OpsArgs) -> anyhow::Result<ExitCode> {
    if !args.set.eq_ignore_ascii_case("lion45") {
        bail!("unknown op set `{}`; there is `lion45`", args.set);
    }
    let mut text = format!("{:<12} {:<5} {:<34} {}\n", "op", "args", "result", "value");
    for info in Op::all().map(Op::info) {
        let name = std::iter::once(info.name).chain(info.aliases.iter().copied());
        let names = name.collect::<Vec<_>>().join(", ");
        let line =
            format!("{:<12} {:<5} {:<34} {}", info.name, info.arity, info.rule, info.formula);
        text.push_str(&line);
        if !info.aliases.is_empty() {
            text.push_str(&format!(
                "  (also written {})",
                names.split_once(", ").unwrap_or_default().1
            ));
        }
        text.push('\n');
    }
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}
