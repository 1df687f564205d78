//! `evo show`: a program in one of its forms.

use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::bail;
use evo::{
    Domain, ExpressionProbe, FunctionalHasher, Graph, Graphs, LearnerFunction, LearnerProgram,
    Liveness, Program, structural_hash,
};

use crate::args::{ShowArgs, ShowForm};
use crate::exit_code::ExitCode;
use crate::output;

pub(crate) fn run(args: &ShowArgs) -> anyhow::Result<ExitCode> {
    let form = &args.form;
    if evo::is_learner(&args.program, "".as_ref()) {
        let learner = evo::load_learner(&args.program, "".as_ref())?;
        output::print(&learner_text(&learner, form)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    if evo::is_graph(&args.program, "".as_ref()) {
        let graph = evo::load_graph(&args.program, "".as_ref())?;
        output::print(&graph_text(&graph, form)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let program = evo::load_any_program(&args.program, "".as_ref())?;
    let text = if form.plain {
        program.to_string()
    } else if form.canonical {
        program.canonical().to_string()
    } else if form.live {
        program.live().to_string()
    } else if form.hash {
        hashes(&program)
    } else if form.types {
        annotated(&program, |index| {
            let types = program.types_at(index + 1);
            let target = usize::from(program.statements()[index].target.0);
            types[target].map(|ty| ty.to_string())
        })
    } else {
        with_liveness(&program)
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// A learner in one of its forms.
fn learner_text(learner: &LearnerProgram, form: &ShowForm) -> anyhow::Result<String> {
    if form.plain {
        return Ok(learner.to_string());
    } else if form.canonical {
        return Ok(learner.canonical().to_string());
    } else if form.live {
        return Ok(learner.live().to_string());
    } else if form.hash {
        let tasks = "its behaviour depends on the tasks of a run";
        return Ok(format!("structural {}\n{tasks}\n", learner.structural_hash()));
    } else if form.types {
        bail!("--types: the addresses of a learner name their types");
    }
    let live = learner.liveness();
    let mut marks = live.iter();
    let mut text = String::new();
    for function in LearnerFunction::ALL {
        writeln!(text, "def {}():", function.name())?;
        for (statement, live) in learner.function(function).iter().zip(marks.by_ref()) {
            match live {
                true => writeln!(text, "  {statement}")?,
                false => writeln!(text, "  {:<32}  # dead", statement.to_string())?,
            }
        }
    }
    let count = live.iter().filter(|live| **live).count();
    writeln!(text, "# statements: {}, live: {count}", live.len())?;
    Ok(text)
}

/// A compute graph in one of its forms.
fn graph_text(graph: &Graph, form: &ShowForm) -> anyhow::Result<String> {
    if form.plain {
        return Ok(graph.to_string());
    } else if form.canonical {
        return Ok(graph.canonical().to_string());
    } else if form.live {
        return Ok(graph.live().to_string());
    } else if form.hash {
        let graphs = Graphs::default();
        let structure = graphs.structure(graph, &graphs.analyse(graph));
        let images = "its behaviour depends on the images and the network of a run";
        return Ok(format!("structural {structure}\n{images}\n"));
    } else if form.types {
        bail!("--types: all values of a compute graph are images");
    }
    let live = graph.liveness();
    let (printed, mut text) = (graph.to_string(), String::new());
    for (index, line) in printed.lines().enumerate() {
        // The header comes first, and what is returned last.
        match index.checked_sub(1).and_then(|layer| live.get(layer)) {
            Some(false) => writeln!(text, "{line:<34}  # dead")?,
            _ => writeln!(text, "{line}")?,
        }
    }
    let count = live.iter().filter(|live| **live).count();
    writeln!(text, "# layers: {}, live: {count}", live.len())?;
    Ok(text)
}

fn hashes(program: &Program) -> String {
    let bits = evo::HashingConfig::default().mantissa_bits;
    let hasher = match program.signature().inputs() {
        0 => FunctionalHasher::new(bits),
        inputs => {
            let probe = ExpressionProbe::new(&vec![(-1.0, 1.0); inputs]);
            FunctionalHasher::with_probe(bits, Arc::new(probe))
        }
    };
    let hasher = hasher.expect("the default is a valid number of bits");
    let functional = hasher.hash(program).map(|hash| hash.to_string());
    let functional = functional.unwrap_or_else(|| "none: not finite on the probe".to_owned());
    format!(
        "structural {}\nfunctional {functional}, on the probe `{}`: a run has its own\n",
        structural_hash(program),
        hasher.probe_name(),
    )
}

fn with_liveness(program: &Program) -> String {
    let liveness = program.liveness();
    let mut text = annotated(program, |index| match liveness[index] {
        Liveness::Live => None,
        Liveness::Dead => Some("dead".to_owned()),
        Liveness::DeadAcrossSteps => {
            Some("dead across steps: the next step overwrites it before reading it".to_owned())
        }
    });
    let live = liveness.iter().filter(|liveness| **liveness == Liveness::Live).count();
    writeln!(text, "# statements: {}, live: {live}", liveness.len())
        .expect("a string can always grow");
    text
}

/// The canonical text with a comment behind the statements that have one.
fn annotated(program: &Program, comment: impl Fn(usize) -> Option<String>) -> String {
    let lines: Vec<String> =
        program.statements().iter().map(|it| program.statement_text(it)).collect();
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let mut text = program.header_text() + "\n";
    for (index, line) in lines.iter().enumerate() {
        match comment(index) {
            Some(comment) => writeln!(text, "  {line:<width$}  # {comment}"),
            None => writeln!(text, "  {line}"),
        }
        .expect("a string can always grow");
    }
    text + "  " + &program.return_text() + "\n"
}
