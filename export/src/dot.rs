//! Graphviz: the dataflow as a directed graph.
//!
//! Invariant: one node for each live operation, input, setting, state and output, and one edge for
//! each argument, solid; the only other edges are dashed, from the next value of a state back to
//! the state. Numbers of a formula have a node for each place they stand in.

use super::listing::{Argument, Listing};

/// The program as text.
pub(super) fn emit(listing: &Listing, name: &str) -> String {
    let mut text = format!("// An optimizer exported from evo.\ndigraph {} {{\n", quoted(name));
    text += "  rankdir=TB;\n  node [fontname=\"Helvetica\"];\n  edge [fontname=\"Helvetica\", fontsize=10];\n";
    for (argument, label) in inputs(listing) {
        text += &node(&id(argument), &label, "shape=ellipse, style=filled, fillcolor=lightblue");
    }
    for (index, setting) in listing.hyperparameters.iter().enumerate() {
        let label = format!("{} = {:?}", setting.name, setting.value);
        text += &node(&id(Argument::Hyperparameter(index)), &label, "shape=box, style=dashed");
    }
    for (index, line) in listing.lines.iter().enumerate() {
        let label = format!("{}\n{}: {}", line.op.info().name, line.name, line.ty);
        text += &node(&id(Argument::Line(index)), &label, "shape=box, style=rounded");
        let ordered = line.args.len() > 1 && !line.op.info().commutative;
        for (place, &argument) in line.args.iter().enumerate() {
            let label = if ordered { format!(" [label=\"{}\"]", place + 1) } else { String::new() };
            text += &edge(argument, &format!("line{index}"), place, &label);
        }
    }
    let update = format!("{} - update", listing.weight);
    text += &node("update", &update, "shape=box, style=filled, fillcolor=lightyellow");
    text += &edge(listing.update, "update", 0, "");
    if let (Some(state), Some(name)) = (listing.states.last(), listing.read_out()) {
        let style = "shape=box, style=filled, fillcolor=lightyellow";
        text += &node("readout", &format!("{name}: to validate with"), style);
        text += &edge(state.next, "readout", 0, "");
    }
    for (index, state) in listing.carried().iter().enumerate() {
        let next = format!("next{index}");
        let label = format!("next {}", state.name);
        text += &node(&next, &label, "shape=box, style=filled, fillcolor=lightyellow");
        text += &edge(state.next, &next, 0, "");
        text += &format!("  {next} -> state{index} [style=dashed, constraint=false];\n");
    }
    text + "}\n"
}

/// What the program is given and reads.
fn inputs(listing: &Listing) -> Vec<(Argument, String)> {
    let mut all = vec![
        (Argument::Weight, listing.weight.clone()),
        (Argument::Gradient, listing.gradient.clone()),
        (Argument::LearningRate, "lr".to_owned()),
        (Argument::Step, "step".to_owned()),
    ];
    if let Some(unit) = listing.learning_rate.unit {
        all.push((Argument::NormalizedRate, format!("lr / {unit:?}")));
    }
    all.retain(|(argument, _)| listing.reads_any(|read| read == *argument));
    let states = listing.carried().iter().enumerate();
    all.extend(states.map(|(index, state)| (Argument::State(index), state.name.clone())));
    all
}

fn id(argument: Argument) -> String {
    match argument {
        Argument::Weight => "weights".to_owned(),
        Argument::Gradient => "gradient".to_owned(),
        Argument::LearningRate => "lr".to_owned(),
        Argument::NormalizedRate => "normalized_rate".to_owned(),
        Argument::Step => "step".to_owned(),
        Argument::State(index) => format!("state{index}"),
        Argument::Line(index) => format!("line{index}"),
        Argument::Hyperparameter(index) => format!("setting{index}"),
        Argument::Constant(_) => unreachable!("a number is named by its place"),
    }
}

/// The edge of an argument, and the node of a number.
fn edge(from: Argument, to: &str, place: usize, label: &str) -> String {
    match from {
        Argument::Constant(value) => {
            let number = format!("{to}_{place}");
            node(&number, &format!("{value:?}"), "shape=plaintext")
                + &format!("  {number} -> {to}{label};\n")
        }
        _ => format!("  {} -> {to}{label};\n", id(from)),
    }
}

fn node(id: &str, label: &str, style: &str) -> String {
    format!("  {id} [label={}, {style}];\n", quoted(label))
}

/// A quoted string of the graph language.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_argument_is_an_edge_and_states_feed_back() {
        let lion = evo_dsl::zoo::get("lion").expect("it is in the zoo").program();
        let listing = Listing::of(&lion, "lion");
        let text = emit(&listing, "a \"quoted\" name\\");
        assert!(text.contains("digraph \"a \\\"quoted\\\" name\\\\\" {"), "{text}");
        let arguments: usize = listing.lines.iter().map(|line| line.args.len()).sum();
        // And the update, the next state and the way back.
        assert_eq!(text.matches(" -> ").count(), arguments + 3, "{text}");
        assert_eq!(text.matches("style=dashed, constraint=false").count(), 1);
        assert_eq!(text.matches('{').count(), text.matches('}').count());
    }
}
