//! Programs with the root of a multiple, in every place that reads it and in some that cannot.

use evo_dsl::Program;

/// What is multiplied: trees as they are, of earlier stages and modified, and what is no tree.
const TREES: [&str; 8] = ["g", "v", "m", "w", "square(g)", "sqrt(m)", "clip(g, 1.0)", "rows"];

const FACTORS: [&str; 6] = ["0.3", "-2.0", "lr", "leaf", "global_norm(g)", "rows"];

/// `r` is the root, `p` the multiple.
const READERS: [&str; 20] = [
    "r",
    "r + w * 0.1",
    "(r + w * 0.1) * lr",
    "r * lr",
    "m / r",
    "r / m",
    "m / r + w * 0.1",
    "r / 0.5 + lr / r",
    "r - m",
    "w - r",
    "r * square(m)",
    "max(r, m)",
    "min(0.5, r)",
    "interp(r, m, 0.9)",
    "interp(g, r, 0.9)",
    "power(m, r)",
    "sqrt(r) + sin(r)",
    "r + p",
    "clip(r, 1.0)",
    "where(m, r, g)",
];

/// All mixes of them; every third returns the root as a state too, so that it is read twice.
pub(crate) fn roots_of_multiples() -> Vec<Program> {
    let mixes = TREES.iter().flat_map(|x| FACTORS.map(|k| (x, k)));
    let mixes = mixes.flat_map(|(x, k)| READERS.map(|reader| (x, k, reader)));
    let program = |(index, (x, k, reader)): (usize, (&&str, &str, &str))| {
        let returned = if index % 3 == 0 { "r" } else { "v" };
        let text = format!(
            "def train(w, g, m, v, lr):\n  leaf = norm(g)\n  rows = row_mean(g)\n  \
             m = interp(g, m, 0.9)\n  v = interp(square(g), v, 0.99)\n  \
             p = {x} * {k}\n  r = sqrt(p)\n  u = {reader}\n  return u, m, {returned}\n"
        );
        Program::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    };
    mixes.enumerate().map(program).collect()
}
