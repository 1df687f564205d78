//! Rust: a structure of what is carried, with a method for each function.
//!
//! Invariant: the number of features is a constant parameter, so values are arrays and every result
//! is a new one; nothing is read that a statement has begun to overwrite. Every value is used, so
//! the file compiles without a warning.

mod statement;
mod support;

use evo_dsl::{LearnerFunction, LearnerType};

use super::{Address, FEATURES, LABEL, Memory, PREDICTION, word};
use support::Support;

/// The learner as text.
pub(super) fn emit(memory: &Memory, class: &str) -> String {
    let mut text = format!(
        "//! {class}, a learner exported from evo. Needs the standard library alone.\n//!\n\
         //! ```text\n{}//! ```\n\n",
        memory.quoted("//! ")
    );
    if memory.draws_at_all() {
        text += DRAW;
    }
    text += &structure(memory, class);
    text += &format!("\nimpl<const N: usize> {class}<N> {{\n");
    let methods = LearnerFunction::ALL.map(|function| method(memory, function));
    text += &methods.join("\n");
    text += "}\n";
    text += &Support::text(&methods.concat());
    text
}

const DRAW: &str = "/// Where the random numbers come from.
#[allow(dead_code)]
pub trait Draw {
    /// A number drawn uniformly above 0 and below 1.
    fn uniform(&mut self) -> f64;
    /// A number of the normal distribution of mean 0 and variance 1.
    fn normal(&mut self) -> f64;
}

";

fn structure(memory: &Memory, class: &str) -> String {
    let fields = memory.fields.iter().map(|field| {
        let what = match *field {
            PREDICTION => "The prediction.".to_owned(),
            field if memory.stays_zero(field) => format!("`{}`; stays zero.", word(field)),
            field => format!("`{}` of the program.", word(field)),
        };
        format!("    /// {what}\n    pub {}: {},\n", word(*field), ty(field.0))
    });
    format!(
        "/// What the learner holds from call to call, for `N` features, one or more.\n///\n\
         /// An example to train on is one call of `predict` and one of `learn` with its label. \
         Where the\n/// prediction is a logit, its probability has to stand in `s1` before `learn` \
         is called.\n#[derive(Clone, Debug, PartialEq)]\npub struct {class}<const N: usize> \
         {{\n{}}}\n",
        fields.collect::<String>()
    )
}

fn ty(ty: LearnerType) -> &'static str {
    match ty {
        LearnerType::Scalar => "f64",
        LearnerType::Vector => "[f64; N]",
        LearnerType::Matrix => "[[f64; N]; N]",
    }
}

fn zero(ty: LearnerType) -> &'static str {
    match ty {
        LearnerType::Scalar => "0.0",
        LearnerType::Vector => "[0.0; N]",
        LearnerType::Matrix => "[[0.0; N]; N]",
    }
}

fn method(memory: &Memory, function: LearnerFunction) -> String {
    let draw = memory.draws(function).then(|| "draw: &mut impl Draw".to_owned());
    // What is not read is a parameter all the same, so that every learner is called alike.
    let given = |address: Address, ty: &str| {
        let unused = if memory.reads(function, address) { "" } else { "_" };
        format!("{unused}{}: {ty}", word(address))
    };
    let (features, label) = (given(FEATURES, "&[f64; N]"), given(LABEL, "f64"));
    let (what, name, parameters, result) = match function {
        LearnerFunction::Setup => {
            ("A learner that has learnt nothing.", "setup", vec![], " -> Self")
        }
        LearnerFunction::Predict => {
            let what = "The prediction from the features `v0`.";
            (what, "predict", vec!["&mut self".to_owned(), features], " -> f64")
        }
        LearnerFunction::Learn => {
            let what = "Learns from the features `v0` and the label `s0`, behind `predict`.";
            (what, "learn", vec!["&mut self".to_owned(), features, label], "")
        }
    };
    let parameters: Vec<String> = parameters.into_iter().chain(draw).collect();
    let mut text =
        format!("    /// {what}\n    pub fn {name}({}){result} {{\n", parameters.join(", "));
    for line in body(memory, function) {
        text += &format!("        {line}\n");
    }
    text + "    }\n"
}

fn body(memory: &Memory, function: LearnerFunction) -> Vec<String> {
    let mut lines = Vec::new();
    if function == LearnerFunction::Setup {
        let mut statements = memory.statements(function).iter();
        let writes = statements.any(|it| super::target(it).is_some_and(|it| memory.is_field(it)));
        let fields = memory.fields.iter().map(|it| format!("{}: {}", word(*it), zero(it.0)));
        let fields: Vec<String> = fields.collect();
        let mutable = if writes { "mut " } else { "" };
        let line = fields.join(", ");
        if line.len() < 70 {
            lines.push(format!("let {mutable}memory = Self {{ {line} }};"));
        } else {
            lines.push(format!("let {mutable}memory = Self {{"));
            lines.extend(fields.iter().map(|field| format!("    {field},")));
            lines.push("};".to_owned());
        }
    }
    for address in memory.zeros(function) {
        lines.push(format!("let {}: {} = {};", word(address), ty(address.0), zero(address.0)));
    }
    for statement in memory.statements(function) {
        lines.extend(statement::lines(memory, function, statement));
    }
    match function {
        LearnerFunction::Setup => lines.push("memory".to_owned()),
        LearnerFunction::Predict => lines.push("self.s1".to_owned()),
        LearnerFunction::Learn => {}
    }
    lines
}
