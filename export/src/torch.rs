//! Export to PyTorch: an optimizer class in a file of its own.
//!
//! Invariant: two functions do the update, on one tensor after the other and on lists, and give the
//! same numbers. The second is written from the same expressions, with PyTorch's functions on lists
//! where there are such. Where the program reduces over the whole tree there is no going one by
//! one, and the first walks through lists too. What is returned may be an input (states that change
//! places, `update = g`), so everything is computed before anything is overwritten.

mod class;
mod settings;
mod step;

use super::arrays::{Form, Helper, Library, Writer, comprehension, indented, texts};
use super::listing::{Argument, Listing};
use super::wording::{call, normalised_rate, program_comment, tensors, unit_constant};

/// The program as the text of a Python file.
pub(super) fn emit(listing: &Listing) -> String {
    let name = &listing.class;
    let mut writer = Writer::new(listing, Library::Torch);
    let single = if writer.needs_lists() {
        list_function(listing, &mut writer, "_single_tensor", Form::List)
    } else {
        leaf_function(listing, &mut writer)
    };
    let foreach = list_function(listing, &mut writer, "_foreach", Form::Foreach);
    writer.helpers.extend([Helper::Number, Helper::StateDtype]);
    match writer.needs_whole_tensors() {
        true => writer.helpers.extend([Helper::Whole, Helper::Store, Helper::IsFlat]),
        false => writer.helpers.extend([Helper::Local]),
    }
    if writer.needs_lists() {
        writer.helpers.insert(Helper::IsOfZero);
    }
    if listing.needs_roles() {
        writer.helpers.insert(Helper::Role);
    }
    let helpers = texts(&writer.helpers, Library::Torch);
    let (class, program) = (class::text(listing, &writer), program_comment(listing));
    let unit = unit_constant(listing);
    let code = format!("{class}\n\n{single}\n\n{foreach}{helpers}");
    let modules = ["math", "sys"].iter().filter(|module| code.contains(&format!("{module}.")));
    let modules: String = modules.map(|module| format!("import {module}\n")).collect();
    let modules = if modules.is_empty() { modules } else { modules + "\n" };
    format!(
        "\"\"\"{name}, an optimizer for PyTorch, exported by evo.\n\n    \
         optimizer = {name}(model.parameters(), lr={lr:?})\n\n\
         This file needs nothing but PyTorch.\n\"\"\"\n\n\
         {modules}import torch\n\n{program}{unit}\n\n{code}",
        lr = listing.learning_rate.default,
    )
}

/// The settings that the update functions take, the step number first if it is needed, each with
/// where a group has it.
fn function_settings(listing: &Listing) -> Vec<(String, String)> {
    let number = |name: &str, of: &str| (name.to_owned(), format!("_number({of}, params[0])"));
    let step = listing.needs_step().then(|| number("t", "steps[0]"));
    let rate = number("lr", "group[\"lr\"]");
    step.into_iter().chain([rate]).chain(settings::in_group(listing)).collect()
}

/// What is written where: assignments that keep what would be overwritten too early, then the
/// targets with their values, the weights first.
struct Writes {
    kept: Vec<(String, Argument)>,
    states: Vec<(String, String)>,
    update: String,
}

impl Writes {
    fn of(listing: &Listing, writer: &mut Writer<'_>, form: Form) -> Writes {
        let mut kept = Vec::new();
        let mut states = Vec::new();
        for (index, state) in listing.states.iter().enumerate() {
            let overwritten = match state.next {
                Argument::Weight => true,
                Argument::State(other) => other < index,
                _ => false,
            };
            if state.next == Argument::State(index) {
                continue;
            }
            let value = if overwritten {
                let name = format!("{}_next", state.name);
                kept.push((name.clone(), state.next));
                name
            } else {
                writer.output(state.next, form)
            };
            states.push((state.name.clone(), value));
        }
        Writes { kept, states, update: writer.output(listing.update, form) }
    }
}

/// The names of all tensors that a step is handed, the weights to validate with last but for what
/// the tensors are in the network.
fn all_tensors(listing: &Listing) -> Vec<String> {
    let roles = listing.needs_roles().then(|| "role".to_owned());
    let read_out = listing.read_out().map(str::to_owned);
    tensors(listing).into_iter().chain(read_out).chain(roles).collect()
}

fn function_head(listing: &Listing, name: &str, parameters: &str, documentation: &str) -> String {
    let mut all = vec![parameters.to_owned(), "*".to_owned()];
    all.extend(function_settings(listing).into_iter().map(|(name, _)| name));
    let head = call(0, &format!("def {name}"), &all, ":");
    format!("{head}\n    \"\"\"{documentation}\"\"\"\n")
}

/// The function that updates one parameter after the other.
fn leaf_function(listing: &Listing, writer: &mut Writer<'_>) -> String {
    let mut text =
        function_head(listing, "_single_tensor", "tensors", "One parameter after the other.");
    let (numbers, mut each) = writer.leaf_form();
    let before: Vec<String> = normalised_rate(listing).into_iter().chain(numbers).collect();
    let writes = Writes::of(listing, writer, Form::Leaf);
    let weight = &listing.weight;
    let kept = writes.kept.iter();
    each.extend(kept.map(|(name, from)| format!("{name} = {}.clone()", writer.name(*from))));
    each.push(format!("{weight}.sub_({})", writes.update));
    each.extend(writes.states.iter().map(|(state, value)| format!("{state}.copy_({value})")));
    text += &indented(&before, 1);
    text += &format!("    for {} in zip(*tensors):\n", all_tensors(listing).join(", "));
    text + &indented(&each, 2)
}

/// The function that updates all parameters together.
fn list_function(listing: &Listing, writer: &mut Writer<'_>, name: &str, form: Form) -> String {
    let documentation = match form {
        Form::Foreach => "All parameters together, by functions on lists of tensors.",
        _ => "All parameters together: there are reductions over all of them.",
    };
    let mut text = function_head(listing, name, "tensors", documentation);
    let mut lines = vec![format!("{} = tensors", all_tensors(listing).join(", "))];
    lines.extend(normalised_rate(listing));
    lines.extend(writer.list_form(form));
    let writes = Writes::of(listing, writer, form);
    for (name, from) in &writes.kept {
        let from = writer.name(*from);
        let copies = comprehension(&format!("{from}_.clone()"), std::slice::from_ref(&from));
        lines.push(format!("{name} = {copies}"));
    }
    let weight = &listing.weight;
    if form == Form::Foreach {
        lines.push(format!("torch._foreach_sub_({weight}, {})", writes.update));
        let copies = writes.states.iter();
        lines
            .extend(copies.map(|(state, value)| format!("torch._foreach_copy_({state}, {value})")));
    } else {
        let update = &writes.update;
        lines.push(format!("for {weight}_, update_ in zip({weight}, {update}):"));
        lines.push(format!("    {weight}_.sub_(update_)"));
        for (state, value) in &writes.states {
            lines.push(format!("for {state}_, next_ in zip({state}, {value}):"));
            lines.push(format!("    {state}_.copy_(next_)"));
        }
    }
    text += &indented(&lines, 1);
    text
}
