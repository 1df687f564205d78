//! What Python exports have in common around their statements: the program as a comment, the
//! learning rate, the hyperparameters and their documentation.

use evo_dsl::GUARD;

use super::listing::{Argument, Listing};

/// The longest line, where there is a choice.
const WIDTH: usize = 100;

/// `head(first, second, …)tail` at an indent, one argument a line if it would be too long.
pub(super) fn call(indent: usize, head: &str, args: &[String], tail: &str) -> String {
    let space = " ".repeat(indent);
    let line = format!("{space}{head}({}){tail}", args.join(", "));
    if line.len() <= WIDTH {
        return line;
    }
    let args: String = args.iter().map(|arg| format!("{space}    {arg},\n")).collect();
    format!("{space}{head}(\n{args}{space}){tail}")
}

/// The program's text as a comment.
pub(super) fn program_comment(listing: &Listing) -> String {
    let text = listing.program.to_string();
    let readout = match listing.readout {
        true => ",\n# or its readout to get the weights to validate with",
        false => "",
    };
    let lines: String = text.lines().map(|line| format!("#     {line}\n")).collect();
    format!(
        "# Exported from this program, whose update is subtracted from the weights{readout}:\n\
         #\n{lines}"
    )
}

/// The constant that relates the learning rate to the program's normalised one, if it is read.
pub(super) fn unit_constant(listing: &Listing) -> String {
    match listing.learning_rate.unit {
        Some(unit) if uses_unit(listing) => {
            format!(
                "\n# The learning rate at which the program's own, normalised one is 1.\n\
                 LR_UNIT = {unit:?}\n"
            )
        }
        _ => String::new(),
    }
}

fn uses_unit(listing: &Listing) -> bool {
    listing.reads_any(|argument| argument == Argument::NormalizedRate)
}

/// The statement that computes the normalised learning rate, if it is read.
pub(super) fn normalised_rate(listing: &Listing) -> Option<String> {
    uses_unit(listing).then(|| "relative_lr = lr / LR_UNIT".to_owned())
}

/// What users may set besides the learning rate.
pub(super) struct Setting {
    pub name: String,
    /// The default, as an expression.
    pub default: String,
    /// What it is, for users.
    pub description: &'static str,
}

/// The hyperparameters, and the guard where there is one.
pub(super) fn settings(listing: &Listing) -> Vec<Setting> {
    let all = listing.hyperparameters.iter().map(|setting| Setting {
        name: setting.name.clone(),
        default: format!("{:?}", setting.value),
        description: setting.purpose.description(),
    });
    let guard = listing.guard.iter().map(|name| Setting {
        name: name.clone(),
        default: format!("{GUARD:?}"),
        description: "number that divisors get added",
    });
    all.chain(guard).collect()
}

/// The settings as keyword parameters with their defaults.
pub(super) fn settings_with_defaults(settings: &[Setting]) -> Vec<String> {
    settings.iter().map(|setting| format!("{}={}", setting.name, setting.default)).collect()
}

/// The docstring's lines on learning rate and settings, at `indent`.
pub(super) fn settings_text(
    listing: &Listing,
    settings: &[Setting],
    indent: &str,
    rate: &str,
) -> String {
    let used = listing.reads_any(|argument| {
        matches!(argument, Argument::LearningRate | Argument::NormalizedRate)
    });
    let rate_text = if used { "learning rate" } else { "learning rate; this rule reads none" };
    let mut text =
        format!("{indent}{rate}: {rate_text} (default: {:?})\n", listing.learning_rate.default);
    for Setting { name, default, description } in settings {
        text += &format!("{indent}{name}: {description} (default: {default})\n");
    }
    text
}

/// What the docstring says of the roles of tensors, after how they are handed over.
pub(super) fn roles_text(how: &str) -> String {
    format!(
        "{how}what it is in the network:\n            \"hidden\", \"embedding\", \"output\" or \
         \"vector\" (default: by its shape, \"hidden\" from two\n            dimensions on, else \
         \"vector\")"
    )
}

/// The names of the weights, the gradient and the states that a step reads.
pub(super) fn tensors(listing: &Listing) -> Vec<String> {
    let states = listing.carried().iter().map(|state| state.name.clone());
    [listing.weight.clone(), listing.gradient.clone()].into_iter().chain(states).collect()
}
