//! NumPy: a class with the methods `setup`, `predict` and `learn`.
//!
//! Invariant: every result is a new array, so that what is set in place is held by nobody else, and
//! every scalar a `float64` of NumPy, with which a division by 0 raises nothing. NumPy's own sums
//! and products of matrices choose an order by size and CPU; cumulative sums have one.

mod statement;

use evo_dsl::{LearnerFunction, LearnerType};

use super::{Memory, PREDICTION, word};

/// The learner as text.
pub(super) fn emit(memory: &Memory, class: &str) -> String {
    let methods = LearnerFunction::ALL.map(|function| method(memory, function)).join("\n");
    let mut text = format!(
        "\"\"\"{class}, a learner exported from evo. Needs NumPy alone.\"\"\"\n\n\
         # Exported from this program:\n#\n{}\nimport numpy as np\n",
        memory.quoted("#     ")
    );
    for (name, helper) in HELPERS {
        let calls = |text: &str| text.contains(&format!("{name}("));
        // Deviations are made of sums.
        if calls(&methods) || (name == "_sum" && methods.contains("_std(")) {
            text += &format!("\n\n{helper}");
        }
    }
    text += &format!("\n\nclass {class}:\n{}\n", documentation(memory));
    text += &constructor(memory);
    text + "\n" + &methods
}

const HELPERS: [(&str, &str); 4] = [
    (
        "_sum",
        "def _sum(x):
    \"\"\"The sum over the last axis, one number after the other.\"\"\"
    return np.cumsum(x, axis=-1)[..., -1][()]
",
    ),
    (
        "_std",
        "def _std(x):
    \"\"\"The population's, over the last axis; NaN where rounding leaves less than 0.\"\"\"
    count = x.shape[-1]
    mean = _sum(x) / count
    return np.sqrt(_sum(x * x) / count - mean * mean)
",
    ),
    (
        "_place",
        "def _place(fraction, n):
    \"\"\"The place that a fraction of n stands for.\"\"\"
    scaled = np.float32(fraction) * np.float32(n)
    return int(min(max(scaled, 0.0), n - 1))
",
    ),
    (
        "_between",
        "def _between(low, high, rng, shape=None):
    \"\"\"Uniform numbers; the low one where the high one is not above it.\"\"\"
    span = np.float64(high) - np.float64(low)
    if not (span > 0.0 and np.isfinite(span)):
        return np.float64(low) if shape is None else np.full(shape, low)
    return np.clip(low + span * rng.random(shape), low, high)
",
    ),
];

fn documentation(memory: &Memory) -> String {
    let fields =
        memory.fields.iter().filter(|it| **it != PREDICTION).map(|it| {
            if memory.stays_zero(*it) { format!("{} (zero)", word(*it)) } else { word(*it) }
        });
    let fields: Vec<String> = fields.collect();
    let carried = match fields.as_slice() {
        [] => String::new(),
        fields => {
            format!("    What else is carried from call to call is in {}.\n", fields.join(", "))
        }
    };
    let rng = match memory.draws_at_all() {
        true => "    rng: a NumPy generator, of which random() and standard_normal() are called\n",
        false => "",
    };
    format!(
        "    \"\"\"A learning algorithm. To train on an example is to call predict and then \
         learn.\n\n    The prediction is kept in s1. Where it is a logit, its probability has to \
         stand there\n    before learn is called.\n{carried}\n    n: the number of features\n\
         {rng}    \"\"\"\n"
    )
}

fn constructor(memory: &Memory) -> String {
    match memory.draws_at_all() {
        true => "    def __init__(self, n, rng=None):\n        self.n = n\n        \
                 self.rng = np.random.default_rng() if rng is None else rng\n        self.setup()\n"
            .to_owned(),
        false => {
            "    def __init__(self, n):\n        self.n = n\n        self.setup()\n".to_owned()
        }
    }
}

fn zero(ty: LearnerType) -> &'static str {
    match ty {
        LearnerType::Scalar => "np.float64(0.0)",
        LearnerType::Vector => "np.zeros(n)",
        LearnerType::Matrix => "np.zeros((n, n))",
    }
}

fn method(memory: &Memory, function: LearnerFunction) -> String {
    let (name, parameters, what) = match function {
        LearnerFunction::Setup => ("setup", "self", "Forgets what was learnt."),
        LearnerFunction::Predict => {
            ("predict", "self, features", "The prediction from n features.")
        }
        LearnerFunction::Learn => {
            ("learn", "self, features, label", "Learns from an example, behind predict.")
        }
    };
    let lines = body(memory, function);
    let mut text = format!(
        "    @np.errstate(all=\"ignore\")\n    def {name}({parameters}):\n        \
         \"\"\"{what}\"\"\"\n"
    );
    if lines.iter().any(|line| has_word(line, "n")) {
        text += "        n = self.n\n";
    }
    for line in lines {
        text += &format!("        {line}\n");
    }
    text
}

fn has_word(text: &str, word: &str) -> bool {
    let of_a_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    text.split(|c| !of_a_word(c)).any(|it| it == word)
}

fn body(memory: &Memory, function: LearnerFunction) -> Vec<String> {
    let mut lines = Vec::new();
    match function {
        LearnerFunction::Setup => {
            lines.extend(
                memory.fields.iter().map(|it| format!("self.{} = {}", word(*it), zero(it.0))),
            );
        }
        _ => {
            if memory.reads(function, super::FEATURES) {
                lines.push("v0 = np.asarray(features, dtype=np.float64)".to_owned());
            }
            if function == LearnerFunction::Learn && memory.reads(function, super::LABEL) {
                lines.push("s0 = np.float64(label)".to_owned());
            }
            // A caller may have set a probability, as a number of Python.
            let reads = |of| memory.reads(of, PREDICTION);
            let read = reads(LearnerFunction::Predict) || reads(LearnerFunction::Learn);
            if function == LearnerFunction::Learn && read {
                lines.push("self.s1 = np.float64(self.s1)".to_owned());
            }
        }
    }
    for address in memory.zeros(function) {
        lines.push(format!("{} = {}", word(address), zero(address.0)));
    }
    lines.extend(memory.statements(function).iter().filter_map(|it| statement::line(memory, it)));
    if function == LearnerFunction::Predict {
        lines.push("return self.s1".to_owned());
    }
    lines
}
