//! Rust: one function on slices, in a file that needs the standard library alone.
//!
//! Invariant: the operations are the engines', in their order and with their guards, so weights
//! agree to float32 rounding: sums over trees are added element by element, and functions are the
//! standard library's. An elementwise program is one loop; every reduction that others wait for
//! ends one.

mod body;
mod expression;
mod loops;
mod stages;
mod support;
mod words;

use evo_dsl::Type;

use super::listing::{Argument, Listing};
use body::Body;
use support::Support;
use words::{Words, mentions};

/// The program as text.
pub(super) fn emit(listing: &Listing) -> String {
    let words = Words::of(listing);
    let (class, function) = (&listing.class, &listing.function);
    let mut body = Body::of(listing, &words);
    let statements = std::mem::take(&mut body.out);
    let mut text = format!(
        "//! {class}, an optimizer exported from evo. Needs the standard library alone.\n\n"
    );
    if !listing.hyperparameters.is_empty() {
        text += &settings(listing, class);
    }
    text += &rate(listing, &words, function);
    text += &documentation(listing, &words);
    text += &header(listing, &words, class, function);
    for statement in prologue(listing, &words, &statements).iter().chain(&statements) {
        text += &format!("    {statement}\n");
    }
    text += "}\n";
    let called = body.expressions.called();
    if !called.is_empty() {
        let functions: Vec<String> =
            Support::ALL.into_iter().filter(|f| called.contains(f)).map(Support::text).collect();
        let functions = functions.join("\n").replace('\n', "\n    ").replace("    \n", "\n");
        text += &format!(
            "\n/// What the standard library has not.\n{}mod ops {{\n    {}\n}}\n",
            if listing.needs_roles() { "pub " } else { "" },
            functions.trim_end()
        );
    }
    text
}

/// The structure of hyperparameters and its defaults.
fn settings(listing: &Listing, class: &str) -> String {
    let mut fields = String::new();
    let mut defaults = String::new();
    for setting in &listing.hyperparameters {
        let (name, value, description) =
            (&setting.name, setting.value, setting.purpose.description());
        fields += &format!(
            "    /// {}: {value:?} as evolved.\n    pub {name}: f64,\n",
            capital(description)
        );
        defaults += &format!("            {name}: {value:?},\n");
    }
    let odd =
        listing.hyperparameters.iter().any(|setting| setting.name.contains(char::is_uppercase));
    let allow = if odd { "#[allow(non_snake_case)]\n" } else { "" };
    format!(
        "/// The hyperparameters; the default is the program as it evolved.\n{allow}\
         #[derive(Clone, Copy, Debug, PartialEq)]\npub struct {class} {{\n{fields}}}\n\n\
         impl Default for {class} {{\n    fn default() -> {class} {{\n        {class} {{\n\
         {defaults}        }}\n    }}\n}}\n\n"
    )
}

fn capital(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    first.to_ascii_uppercase() + rest
}

/// The learning rate of the program as it evolved.
fn rate(listing: &Listing, words: &Words, function: &str) -> String {
    if !reads_rate(listing) {
        return String::new();
    }
    let name = words.own(&format!("{}_LEARNING_RATE", function.to_ascii_uppercase()));
    let value = listing.learning_rate.default;
    format!(
        "/// The learning rate that the program evolved with.\n#[allow(dead_code)]\npub const {name}: f64 = {value:?};\n\n"
    )
}

fn reads_rate(listing: &Listing) -> bool {
    listing.reads_any(|arg| matches!(arg, Argument::LearningRate | Argument::NormalizedRate))
}

fn needs_shapes(listing: &Listing) -> bool {
    let by_shape = |ty| matches!(ty, Type::PerLeaf | Type::PerRow | Type::PerColumn);
    listing.lines.iter().any(|line| by_shape(line.ty) || line.op.newton_schulz().is_some())
}

fn documentation(listing: &Listing, words: &Words) -> String {
    let mut text = format!(
        "/// One step: moves the weights `{}`{}.\n///\n/// ```text\n",
        listing.weight,
        match listing.carried().len() {
            0 => String::new(),
            _ => {
                let names: Vec<String> =
                    listing.carried().iter().map(|state| format!("`{}`", state.name)).collect();
                format!(" and the states {}, which are zero at first", names.join(", "))
            }
        }
    );
    for line in listing.program.to_string().lines() {
        text += &format!("/// {line}\n");
    }
    text += "/// ```\n///\n";
    if reads_rate(listing) {
        let meaning = match listing.learning_rate.unit {
            Some(unit) => format!("{unit:?} times the program's"),
            None => "the program's".to_owned(),
        };
        text += &format!("/// `lr` is the learning rate of this step, {meaning}.\n");
    }
    if let Some(name) = listing.read_out() {
        text += &format!(
            "/// `{name}` is given the weights to validate with, which are others than those that are trained.\n"
        );
    }
    if listing.needs_step() {
        text += "/// `step` is the number of this step, 1 at first.\n";
    }
    if needs_shapes(listing) {
        text += &format!(
            "/// `{}` has the rows and columns of every tensor, in the order in which they lie end \
             to end:\n/// the first dimension and the product of the others; (n, 1) for a vector.\n",
            words.shapes
        );
    }
    if listing.needs_roles() {
        text += &format!("/// `{}` says what every tensor is in its network.\n", words.roles);
    }
    text
}

fn header(listing: &Listing, words: &Words, class: &str, function: &str) -> String {
    let mut parameters = Vec::new();
    if !listing.hyperparameters.is_empty() {
        parameters.push(format!("{}: &{class}", words.settings));
    }
    if needs_shapes(listing) {
        parameters.push(format!("{}: &[(usize, usize)]", words.shapes));
    }
    if listing.needs_roles() {
        parameters.push(format!("{}: &[ops::Role]", words.roles));
    }
    parameters.push(format!("{}: &mut [f32]", listing.weight));
    if listing.reads_any(|arg| arg == Argument::Gradient) {
        parameters.push(format!("{}: &[f32]", listing.gradient));
    }
    parameters.extend(listing.states.iter().map(|state| format!("{}: &mut [f32]", state.name)));
    if reads_rate(listing) {
        parameters.push("lr: f64".to_owned());
    }
    if listing.needs_step() {
        parameters.push("step: u64".to_owned());
    }
    let odd = if words.any_is_unusual() { "non_snake_case, " } else { "" };
    let allow = format!("#[allow({odd}clippy::needless_range_loop, clippy::too_many_arguments)]");
    let one_line = parameters.join(", ");
    let parameters = if one_line.len() + function.len() < 85 {
        one_line
    } else {
        format!("\n    {},\n", parameters.join(",\n    "))
    };
    format!("{allow}\npub fn {function}({parameters}) {{\n")
}

/// Checks and values that come before everything.
fn prologue(listing: &Listing, words: &Words, statements: &[String]) -> Vec<String> {
    let mut out = Vec::new();
    let (weight, shapes) = (&listing.weight, &words.shapes);
    let mut arrays: Vec<&str> = listing.states.iter().map(|state| state.name.as_str()).collect();
    if listing.reads_any(|arg| arg == Argument::Gradient) {
        arrays.insert(0, &listing.gradient);
    }
    if !arrays.is_empty() {
        let equal: Vec<String> =
            arrays.iter().map(|array| format!("{array}.len() == {weight}.len()")).collect();
        out.push(format!("assert!({}, \"one number for each weight\");", equal.join(" && ")));
    }
    if needs_shapes(listing) {
        let elements = words.own("elements");
        out.push(format!(
            "let {elements}: usize = {shapes}.iter().map(|&(rows, columns)| rows * columns).sum();"
        ));
        out.push(format!(
            "assert_eq!({elements}, {weight}.len(), \"the shapes hold the weights\");"
        ));
    }
    if listing.needs_roles() {
        out.push(format!(
            "assert_eq!({}.len(), {shapes}.len(), \"one role for each tensor\");",
            words.roles
        ));
    }
    if listing.needs_step() {
        out.push("let t = step as f64;".to_owned());
    }
    if let Some(unit) = listing.learning_rate.unit
        && listing.reads_any(|arg| arg == Argument::NormalizedRate)
    {
        out.push(format!("let {} = lr / {unit:?};", words.rate));
    }
    for index in ["row", "column"] {
        let leaf_of = words.own(&format!("leaf_of_{index}"));
        if statements.iter().any(|statement| mentions(statement, &leaf_of)) {
            let pattern = if index == "row" { "(count, _)" } else { "(_, count)" };
            out.push(format!(
                "let {leaf_of}: Vec<usize> = {shapes}.iter().enumerate().flat_map(|(leaf, &{pattern})| vec![leaf; count]).collect();"
            ));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loops(program: &evo_dsl::Program) -> usize {
        emit(&Listing::of(program, "rule")).matches("    for ").count()
    }

    #[test]
    fn elementwise_programs_are_one_loop_and_a_reduction_ends_one() {
        let zoo = |name: &str| evo_dsl::zoo::get(name).expect("it is in the zoo").program();
        for name in ["sgd", "lion", "adamw", "rmsprop"] {
            assert_eq!(loops(&zoo(name)), 1, "{name}");
        }
        assert_eq!(loops(&zoo("lion_discovered")), 2);
        // Sums that do not wait for each other share a loop.
        let text = "def train(w, g, m, lr):\n  a = dot(g, w)\n  b = global_norm(m)\n  m = m * a\n  u = m * b\n  return u, m\n";
        assert_eq!(loops(&evo_dsl::Program::parse(text).expect("it parses")), 2);
    }

    #[test]
    fn a_name_that_begins_like_one_of_ours_makes_nothing_of_ours() {
        let text = "def train(w, g, lr):\n  leaf_of_column = norm(g)\n  \
                    leaf_of_column = leaf_of_column + 1.0\n  u = g * leaf_of_column\n  return u\n";
        let program = evo_dsl::Program::parse(text).expect("it parses");
        let text = emit(&Listing::of(&program, "rule"));
        assert!(
            text.contains("leaf_of_column_2") && !text.contains("let leaf_of_column_:"),
            "{text}"
        );
    }

    #[test]
    fn words_of_a_program_that_are_ours_too_stay_apart() {
        let text = "def train(i, h, shapes, elements, lr):\n  max_f32 = norm(i) * 0.3\n  first_row = row_mean(max_f32 * h)\n  shapes = max(i, first_row) + elements * shapes\n  return shapes, shapes, i\n";
        let program = evo_dsl::Program::parse(text).expect("it parses");
        let text = emit(&Listing::of(&program, "Sign"));
        for word in ["h_: &Sign", "shapes_: &[(usize, usize)]", "i[i_]", "ops::max_f32("] {
            assert!(text.contains(word), "{word} in\n{text}");
        }
    }
}
