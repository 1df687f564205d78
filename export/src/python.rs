//! Export to plain Python: a function on lists of NumPy arrays.
//!
//! Invariant: nothing that is given is changed and nothing that is returned shares its memory. An
//! update has the type of the weights, and states have that in which it is computed: float32 for
//! float16.

use evo_dsl::Type;

use super::arrays::{Form, Helper, Library, Writer, comprehension, indented, texts};
use super::listing::{Argument, Listing};
use super::wording::{
    call, normalised_rate, program_comment, roles_text, settings, settings_text,
    settings_with_defaults, tensors, unit_constant,
};

/// The program as the text of a Python file.
pub(super) fn emit(listing: &Listing) -> String {
    let (title, function) = (&listing.class, &listing.function);
    let mut writer = Writer::new(listing, Library::NumPy);
    let body = body(listing, &mut writer);
    let helpers = texts(&writer.helpers, Library::NumPy);
    let mut positional = tensors(listing);
    let states = positional[2..].to_vec();
    if listing.needs_step() {
        positional.push("t".to_owned());
    }
    let mut parameters = positional.clone();
    parameters.push("*".to_owned());
    parameters.push(format!("lr={:?}", listing.learning_rate.default));
    parameters.extend(settings_with_defaults(&settings(listing)));
    parameters.extend(listing.needs_roles().then(|| "roles=None".to_owned()));
    let head = call(0, &format!("def {function}"), &parameters, ":");
    let results = std::iter::once("update".to_owned()).chain(states.clone());
    let results: Vec<String> = results.chain(listing.read_out().map(str::to_owned)).collect();
    let call = format!("{} = {function}({})", results.join(", "), positional.join(", "));
    let documentation = documentation(listing, &states);
    let code = format!("@np.errstate(all=\"ignore\")\n{head}\n{documentation}{body}{helpers}");
    let math = if code.contains("math.") { "import math\n\n" } else { "" };
    let w = &listing.weight;
    format!(
        "\"\"\"{title}, an optimizer on NumPy arrays, exported by evo.\n\n    {call}\n    \
         {w} = [{w}_ - update_ for {w}_, update_ in zip({w}, update)]\n\nThis file needs nothing but NumPy.\n\"\"\"\n\n\
         {math}import numpy as np\n\n{program}{unit}\n\n{code}",
        program = program_comment(listing),
        unit = unit_constant(listing),
    )
}

fn documentation(listing: &Listing, states: &[String]) -> String {
    let state = match states {
        [] => String::new(),
        _ => format!(
            "        {}: states, zeros at first; those of float16 weights become float32\n",
            states.join(", ")
        ),
    };
    let step = if listing.needs_step() { "        t: step number, 1 at first\n" } else { "" };
    let mut settings = settings_text(listing, &settings(listing), "        ", "lr");
    if listing.needs_roles() {
        settings += &format!("        roles: {}\n", roles_text("list of one for each array, "));
    }
    let returned = match (states.is_empty(), listing.readout) {
        (true, false) => "",
        (false, false) => ", and the states for the next step",
        (true, true) => ", and the weights to\n    validate with",
        (false, true) => ", the states for the next\n    step, and the weights to validate with",
    };
    format!(
        "    \"\"\"The update, which the weights are to be lowered by{returned}.\n\n    Args:\n        \
         {}: weights, a list of arrays\n        {}: their gradients\n{state}{step}{settings}    \"\"\"\n",
        listing.weight, listing.gradient
    )
}

/// The statements of the function.
fn body(listing: &Listing, writer: &mut Writer<'_>) -> String {
    let mut lines = types(listing, writer);
    lines.extend(normalised_rate(listing));
    if listing.needs_step() {
        lines.push("t = float(t)".to_owned());
    }
    if listing.needs_roles() {
        writer.helpers.insert(Helper::Role);
        let w = &listing.weight;
        lines.push(format!("roles = [None] * len({w}) if roles is None else roles"));
        lines.push(format!(
            "role = [_role({w}_, role_) for {w}_, role_ in zip({w}, roles, strict=True)]"
        ));
    }
    let outputs: Vec<Argument> = std::iter::once(listing.update)
        .chain(listing.states.iter().map(|state| state.next))
        .collect();
    if writer.needs_lists() {
        let statements = writer.list_form(Form::List).into_iter();
        lines.extend(statements.filter(|line| !line.starts_with("del ")));
        let mut results = Vec::new();
        for (index, &output) in outputs.iter().enumerate() {
            let value = writer.output(output, Form::List);
            let copy = comprehension(&format!("{value}_.copy()"), std::slice::from_ref(&value));
            results.push(if is_shared(listing, &outputs, index) { copy } else { value });
        }
        lines.push(returned(listing, results));
        return indented(&lines, 1);
    }
    let (numbers, each) = writer.leaf_form();
    lines.extend(numbers);
    let results: Vec<String> = std::iter::once("updates".to_owned())
        .chain(listing.states.iter().map(|state| format!("{}_results", state.name)))
        .collect();
    for result in &results {
        lines.push(format!("{result} = []"));
    }
    let mut names = tensors(listing);
    names.extend(listing.needs_roles().then(|| "role".to_owned()));
    lines.push(format!("for {0} in zip({0}):", names.join(", ")));
    lines.extend(each.iter().map(|line| format!("    {line}")));
    for (index, (&output, result)) in outputs.iter().zip(&results).enumerate() {
        let value = writer.output(output, Form::Leaf);
        let copy = if is_shared(listing, &outputs, index) { ".copy()" } else { "" };
        lines.push(format!("    {result}.append({value}{copy})"));
    }
    lines.push(returned(listing, results));
    indented(&lines, 1)
}

/// The statements that give everything the types in which it is computed.
fn types(listing: &Listing, writer: &mut Writer<'_>) -> Vec<String> {
    writer.helpers.extend([Helper::ComputedIn, Helper::Cast]);
    let (w, g) = (&listing.weight, &listing.gradient);
    let all = tensors(listing).join(", ");
    vec![
        format!("given = [np.asarray({w}_).dtype for {w}_ in {w}]"),
        format!("dtypes = [_computed_in(*both) for both in zip({w}, {g}, strict=True)]"),
        format!("{all} = [_cast(arrays, dtypes) for arrays in ({all})]"),
    ]
}

/// What returns these lists: the update in the types of the weights, and so the weights to validate
/// with, which are last.
fn returned(listing: &Listing, mut results: Vec<String>) -> String {
    let last = results.len() - 1;
    let weights = if listing.readout { vec![0, last] } else { vec![0] };
    for place in weights {
        results[place] = format!("_cast({}, given)", results[place]);
    }
    format!("return {}", results.join(", "))
}

/// Whether a returned value is given as well, or returned before.
fn is_shared(listing: &Listing, outputs: &[Argument], index: usize) -> bool {
    let output = outputs[index];
    let computed = matches!(output, Argument::Line(_));
    listing.ty(output) == Type::Tree && (!computed || outputs[..index].contains(&output))
}
