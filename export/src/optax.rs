//! Export to Optax: a function that gives a gradient transformation, in a file of its own.
//!
//! Invariant: the update returned is the negated one, as Optax adds it to the parameters, and the
//! learning rate may be a schedule. The trees of JAX are taken apart into lists of leaves and put
//! together again, so any tree will do. Leaves without a gradient, which is None, are in no list:
//! what is carried for them stays as it is, as Optax's own do it, and no sum sees them. Everything
//! keeps the type that it had, float16 aside: what is carried for it is float32, as is what is
//! computed.

use super::arrays::{Form, Helper, Library, Writer, indented, texts};
use super::listing::{Argument, Listing, State};
use super::wording::{
    call, normalised_rate, program_comment, roles_text, settings, settings_text,
    settings_with_defaults, tensors, unit_constant,
};

/// The program as the text of a Python file.
pub(super) fn emit(listing: &Listing) -> String {
    let (class, function) = (&listing.class, &listing.function);
    let mut writer = Writer::new(listing, Library::Jax);
    let update = update_function(listing, &mut writer);
    writer.helpers.extend([Helper::ComputedIn, Helper::Cast, Helper::At, Helper::RefuseComplex]);
    if !listing.states.is_empty() {
        writer.helpers.insert(Helper::Put);
    }
    if !listing.carried().is_empty() {
        writer.helpers.insert(Helper::Zeros);
    }
    let helpers = texts(&writer.helpers, Library::Jax);
    let factory = factory(listing, &writer, &update);
    let read_out = listing.read_out().map_or_else(String::new, |name| read_out(listing, name));
    let code = format!("{}\n\n{factory}{read_out}{helpers}", state_class(listing));
    let math = if code.contains("math.") { "import math\n" } else { "" };
    format!(
        "\"\"\"{class}, an optimizer for Optax, exported by evo.\n\n    \
         optimizer = {function}(learning_rate={rate:?})\n\nThis file needs nothing but JAX and Optax.\n\"\"\"\n\n\
         {math}from typing import Any, NamedTuple\n\nimport jax\nimport jax.numpy as jnp\nimport optax\n\n{program}{unit}\n\n{code}",
        rate = listing.learning_rate.default,
        program = program_comment(listing),
        unit = unit_constant(listing),
    )
}

/// The function that gives the weights to validate with. What users have is often the state of a
/// chain, in which ours is somewhere.
fn read_out(listing: &Listing, name: &str) -> String {
    let (class, function) = (listing.state_class(), &listing.function);
    format!(
        r#"

def {function}_read_out(state):
    """The weights to validate with, from a state in which there is one {class}."""
    is_own = lambda part: isinstance(part, {class})
    own = [part for part in jax.tree.leaves(state, is_leaf=is_own) if is_own(part)]
    if len(own) != 1:
        raise ValueError(f"one {class} is needed, and there are {{len(own)}}")
    return own[0].{name}
"#
    )
}

fn state_class(listing: &Listing) -> String {
    let class = listing.state_class();
    let states: String =
        listing.states.iter().map(|state| format!("    {}: optax.Updates\n", state.name)).collect();
    let readout = match listing.read_out() {
        Some(_) => ".\n\n    The last are the weights to validate with.\n    ",
        None => ".",
    };
    format!(
        "class {class}(NamedTuple):\n    \"\"\"The number of steps taken, and what is carried from one to the next{readout}\"\"\"\n\n    count: Any\n{states}"
    )
}

fn reads_weight(listing: &Listing) -> bool {
    listing.reads_any(|argument| argument == Argument::Weight)
}

/// The function that makes the transformation.
fn factory(listing: &Listing, writer: &Writer<'_>, update: &str) -> String {
    let (class, function) = (&listing.class, &listing.function);
    let mut parameters = vec![format!("learning_rate={:?}", listing.learning_rate.default)];
    parameters.extend(settings_with_defaults(&settings(listing)));
    parameters.extend(listing.needs_roles().then(|| "roles=None".to_owned()));
    let head =
        call(0, &format!("def {function}"), &parameters, " -> optax.GradientTransformation:");
    let settings = settings_text(listing, &settings(listing), "        ", "learning_rate");
    let settings = settings.replacen(
        "learning_rate: learning rate",
        "learning_rate: learning rate, or a schedule of it",
        1,
    );
    let roles = match listing.needs_roles() {
        true => format!(
            "        roles: function of a leaf's path and the leaf, {}; to \
             `optax.inject_hyperparams`\n            a static argument\n",
            roles_text("giving ")
        ),
        false => String::new(),
    };
    let note = note(listing, writer);
    let zeros: Vec<String> = std::iter::once("jnp.zeros([], jnp.int32)".to_owned())
        .chain(listing.carried().iter().map(|_| "jax.tree.map(_zeros, params)".to_owned()))
        .chain(listing.read_out().map(|_| "jax.tree.map(jnp.copy, params)".to_owned()))
        .collect();
    let init = call(8, &format!("return {}", listing.state_class()), &zeros, "");
    format!(
        "{head}\n    \"\"\"{class}.\n{note}\n    Args:\n{settings}{roles}    \"\"\"\n\n    \
         def init(params):\n        _refuse_complex(params)\n{init}\n\n{update}\n    \
         return optax.GradientTransformation(init, update)\n"
    )
}

/// What the docstring says of leaves without a gradient and of arrays in parts.
fn note(listing: &Listing, writer: &Writer<'_>) -> String {
    let mut text =
        "\n    Where a gradient is None, so is the update, and what is carried stays as it \
         is.\n    Updates have the types of the parameters. Those of float16 are computed in \
         float32, the\n    type of what is carried for them.\n"
            .to_owned();
    if listing.read_out().is_some() {
        let function = &listing.function;
        text += &format!(
            "    The weights to validate with are others than those that are trained:\n    \
             `{function}_read_out(state)` gives them, of a chain's state, too.\n"
        );
    }
    if writer.needs_lists() {
        text += "    Some numbers of this rule are computed over the whole tree: over all leaves with a gradient.\n";
    }
    if writer.needs_whole_tensors() {
        text += "    They are those of whole arrays, which under `jax.jit` all arrays are, sharded or not. Inside of\n    \
                 `jax.shard_map` or `jax.pmap` each device would compute them from its own part: update outside.\n";
    }
    text
}

/// The nested function `update`.
fn update_function(listing: &Listing, writer: &mut Writer<'_>) -> String {
    let gradient = &listing.gradient;
    let mut lines = Vec::new();
    if reads_weight(listing) {
        lines.push("if params is None:".to_owned());
        lines.push("    raise ValueError(\"this optimizer needs the parameters: pass `params` to `update`\")".to_owned());
    }
    lines.push("_refuse_complex(updates)".to_owned());
    lines.push("count = optax.safe_increment(state.count)".to_owned());
    lines.extend(rate(listing));
    if listing.needs_step() {
        lines.push("t = count.astype(float)".to_owned());
    }
    lines.extend([
        "leaves, structure = jax.tree.flatten(updates, is_leaf=lambda leaf: leaf is None)"
            .to_owned(),
        "places = [place for place, leaf in enumerate(leaves) if leaf is not None]".to_owned(),
        "given = [leaves[place] for place in places]".to_owned(),
        match reads_weight(listing) {
            true => "like = _at(places, structure, params)".to_owned(),
            false => {
                "like = given if params is None else _at(places, structure, params)".to_owned()
            }
        },
        "dtypes = [_computed_in(*both) for both in zip(like, given)]".to_owned(),
        format!("{gradient} = _cast(given, dtypes)"),
    ]);
    if reads_weight(listing) {
        lines.push(format!("{} = _cast(like, dtypes)", listing.weight));
    }
    for State { name, .. } in listing.carried() {
        lines.push(format!("{name} = _cast(_at(places, structure, state.{name}), dtypes)"));
    }
    if listing.needs_roles() {
        writer.helpers.insert(Helper::Role);
        lines.extend(roles(gradient));
    }
    let form = if writer.needs_lists() { list_form } else { leaf_form };
    let mut outputs = form(listing, writer, &mut lines).into_iter();
    let update = outputs.next().expect("the first output is the update");
    let states = listing.states.iter().zip(outputs);
    let states = states
        .map(|(state, list)| format!("_put(places, structure, state.{}, {list})", state.name));
    let fields: Vec<String> = std::iter::once("count".to_owned()).chain(states).collect();
    lines.push(call(0, &format!("state = {}", listing.state_class()), &fields, ""));
    if update != "update" {
        // Only now, as the states may be made of what was called so.
        lines.push(format!("update = {update}"));
    }
    lines.push("for place, update_, like_ in zip(places, update, like):".to_owned());
    lines.push("    leaves[place] = -update_.astype(jnp.result_type(like_))".to_owned());
    lines.push("return structure.unflatten(leaves), state".to_owned());
    let lines: Vec<String> =
        lines.iter().flat_map(|line| line.split('\n')).map(str::to_owned).collect();
    format!("    def update(updates, state, params=None):\n{}", indented(&lines, 2))
}

/// What the leaves with a gradient are in the network, in their order: what is None is no leaf in
/// the paths.
fn roles(gradient: &str) -> [String; 2] {
    [
        "paths, _ = jax.tree_util.tree_flatten_with_path(updates)".to_owned(),
        format!(
            "role = [_role({gradient}_, roles and roles(*at)) for {gradient}_, at in \
             zip({gradient}, paths)]"
        ),
    ]
}

/// The learning rate of the step.
fn rate(listing: &Listing) -> Vec<String> {
    let read = |argument| matches!(argument, Argument::LearningRate | Argument::NormalizedRate);
    if !listing.reads_any(read) {
        return Vec::new();
    }
    let mut lines = vec![
        "lr = learning_rate(state.count) if callable(learning_rate) else learning_rate".to_owned(),
        "lr = jnp.asarray(lr, float)".to_owned(),
    ];
    lines.extend(normalised_rate(listing));
    lines
}

/// Names of the trees that the statements read.
fn read_tensors(listing: &Listing) -> Vec<String> {
    let all = tensors(listing).into_iter();
    let roles = listing.needs_roles().then(|| "role".to_owned());
    all.filter(|name| *name != listing.weight || reads_weight(listing)).chain(roles).collect()
}

/// Writes the statements on one leaf after the other. Gives the lists that are returned.
fn leaf_form(listing: &Listing, writer: &mut Writer<'_>, lines: &mut Vec<String>) -> Vec<String> {
    let names = read_tensors(listing);
    let (numbers, each) = writer.leaf_form();
    lines.extend(numbers);
    lines.push(String::new());
    lines.push(format!("def leaf({}):", names.join(", ")));
    lines.extend(each.iter().map(|line| format!("    {line}")));
    let mut results = vec![writer.output(listing.update, Form::Leaf)];
    results.extend(listing.states.iter().map(|state| writer.output(state.next, Form::Leaf)));
    lines.push(format!("    return [{}]", results.join(", ")));
    lines.push(String::new());
    lines.push(format!("results = [leaf(*tensors) for tensors in zip({})]", names.join(", ")));
    (0..results.len()).map(|index| format!("[result[{index}] for result in results]")).collect()
}

/// Writes the statements on all leaves. Gives the lists that are returned.
fn list_form(listing: &Listing, writer: &mut Writer<'_>, lines: &mut Vec<String>) -> Vec<String> {
    lines.extend(writer.list_form(Form::List).into_iter().filter(|line| !line.starts_with("del ")));
    let outputs = std::iter::once(listing.update);
    let outputs = outputs.chain(listing.states.iter().map(|state| state.next));
    outputs.map(|output| writer.output(output, Form::List)).collect()
}
