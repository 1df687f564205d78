//! Export to PyTorch: an optimizer class in a file of its own.
//!
//! Invariant: two functions do the update, on one tensor after the other and on lists, and give the
//! same numbers. The second is written from the same expressions, with PyTorch's functions on lists
//! where there are such. Where the program reduces over the whole tree there is no going one by
//! one, and the first walks through lists too. What is returned may be an input (states that change
//! places, `update = g`), so everything is computed before anything is overwritten.

use super::arrays::{Form, Helper, Library, Writer, comprehension, indented, texts};
use super::listing::{Argument, Listing};
use super::wording::{
    call, normalised_rate, program_comment, settings_text, settings_with_defaults, tensors,
    unit_constant,
};

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
    if writer.needs_whole_tensors() {
        writer.helpers.insert(Helper::IsSharded);
    }
    let helpers = texts(&writer.helpers, Library::Torch);
    let (class, program) = (class(listing, &writer), program_comment(listing));
    let unit = unit_constant(listing);
    let code = format!("{class}\n\n{single}\n\n{foreach}{helpers}");
    let math = if code.contains("math.") { "import math\n\n" } else { "" };
    format!(
        "\"\"\"{name}, an optimizer for PyTorch, exported by evo.\n\n    \
         optimizer = {name}(model.parameters(), lr={lr:?})\n\nThis file needs nothing but PyTorch.\n\"\"\"\n\n\
         {math}import torch\n\n{program}{unit}\n\n{code}",
        lr = listing.learning_rate.default,
    )
}

/// Names of the settings that the update functions take, the step number first if it is needed.
fn function_settings(listing: &Listing) -> Vec<String> {
    let step = listing.needs_step().then(|| "t".to_owned());
    let names = listing.hyperparameters.iter().map(|setting| setting.name.clone());
    step.into_iter().chain(["lr".to_owned()]).chain(names).collect()
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

/// The names of all tensors that a step is handed, the weights to validate with last.
fn all_tensors(listing: &Listing) -> Vec<String> {
    tensors(listing).into_iter().chain(listing.read_out().map(str::to_owned)).collect()
}

fn function_head(listing: &Listing, name: &str, parameters: &str, documentation: &str) -> String {
    let mut all = vec![parameters.to_owned(), "*".to_owned()];
    all.extend(function_settings(listing));
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

/// The class, without the functions that do the update.
fn class(listing: &Listing, writer: &Writer<'_>) -> String {
    let name = &listing.class;
    let mut parameters = vec!["self".to_owned(), "params".to_owned()];
    parameters.push(format!("lr={:?}", listing.learning_rate.default));
    parameters.push("*".to_owned());
    parameters.extend(settings_with_defaults(listing));
    parameters.extend(["foreach=None".to_owned(), "maximize=False".to_owned()]);
    let init = call(4, "def __init__", &parameters, ":");
    let together = note(listing, writer);
    let settings_text = settings_text(listing, "        ", "lr");
    let names = listing.hyperparameters.iter().map(|setting| setting.name.as_str());
    let names = std::iter::once("lr").chain(names).chain(["foreach", "maximize"]);
    let defaults: Vec<String> = names.map(|name| format!("{name}={name}")).collect();
    let defaults = call(8, "defaults = dict", &defaults, "");
    let step = step_method(listing, writer);
    let modes = listing.read_out().map_or_else(String::new, modes);
    format!(
        r#"class {name}(torch.optim.Optimizer):
    """{name}.
{together}
    Args:
        params: parameters, named parameters or parameter groups
{settings_text}        foreach: whether to update all parameters together, which is faster on a GPU and needs
            more memory (default: where all of them are plain ones on one)
        maximize: whether to go up the gradient and not down (default: False)
    """

{init}
        if not lr >= 0:
            raise ValueError(f"the learning rate must be 0 or above, not {{lr}}")
{defaults}
        super().__init__(params, defaults)

    def __setstate__(self, state):
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("foreach", None)
            group.setdefault("maximize", False)
{modes}
{step}"#
    )
}

/// The methods that exchange the weights that are trained and those to validate with.
fn modes(name: &str) -> String {
    format!(
        r#"
    def eval(self):
        """Puts the weights to validate with in the parameters, until `train` is called."""
        self._exchange(True)

    def train(self):
        """Puts the weights that are trained back in the parameters."""
        self._exchange(False)

    @torch.no_grad()
    def _exchange(self, evaluating):
        for group in self.param_groups:
            if group.get("evaluating", False) == evaluating:
                continue
            group["evaluating"] = evaluating
            for p in group["params"]:
                if p in self.state:
                    other = p.clone()
                    p.copy_(self.state[p]["{name}"])
                    self.state[p]["{name}"].copy_(other)
"#
    )
}

/// What the docstring says of what numbers are computed over.
fn note(listing: &Listing, writer: &Writer<'_>) -> String {
    let mut text = "\n    Parameters without a gradient are left as they are.\n".to_owned();
    if listing.readout {
        text += "\n    Validate, and save a model for use, between `eval()` and `train()` of this optimizer: the\n    \
                 weights to validate with are others than those that are trained.\n";
    }
    if writer.needs_lists() {
        let steps = if listing.needs_step() { " and have taken\n    as many steps" } else { "" };
        text += &format!(
            "\n    Some numbers of this rule are computed over all tensors: these are the parameters of one\n    \
             group that have a gradient{steps}, so the division into groups matters.\n"
        );
    }
    if writer.needs_whole_tensors() {
        text += "\n    Parameters of which each process holds a part (FSDP, ZeRO-3) are refused where that shows, as\n    \
                 numbers computed over a part are others.\n";
    }
    if writer.needs_lists() {
        text += "    They are where parameters are divided among processes (ZeRO-1), too, and that does not show.\n";
    }
    text
}

/// The methods that take a step.
fn step_method(listing: &Listing, writer: &Writer<'_>) -> String {
    let states = listing.states.iter();
    let lists: String = states
        .map(|state| {
            format!("                    [self.state[p][\"{}\"] for p in params],\n", state.name)
        })
        .collect();
    let settings = function_settings(listing).into_iter().map(|name| match name.as_str() {
        "t" => "t=float(t)".to_owned(),
        "lr" => "lr=float(group[\"lr\"])".to_owned(),
        name => format!("{name}=group[\"{name}\"]"),
    });
    let args: Vec<String> = std::iter::once("tensors".to_owned()).chain(settings).collect();
    let update = call(16, "update", &args, "");
    let each = if listing.needs_step() { "t, params" } else { "params" };
    let gathered = gathered(listing, writer);
    let evaluating = match listing.readout {
        true => {
            "            if group.get(\"evaluating\", False):\n                \
             raise RuntimeError(\"the parameters hold the weights to validate with; call `train()` first\")\n"
        }
        false => "",
    };
    format!(
        r#"    @torch.no_grad()
    def step(self, closure=None):
        """Takes one step. Returns the closure's loss, if there is a closure."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
{evaluating}            for {each} in self._with_gradient(group):
                foreach = group["foreach"]
                if foreach is None:
                    plain = (torch.Tensor, torch.nn.Parameter)
                    foreach = all(p.is_cuda and type(p) in plain for p in params)
                tensors = [
                    params,
                    [-p.grad if group["maximize"] else p.grad for p in params],
{lists}                ]
                update = _foreach if foreach else _single_tensor
{update}
        return loss

{gathered}"#
    )
}

/// The method that finds the parameters to be updated, in lists that are updated together. A rule
/// that reads the step number cannot mix parameters that have taken different numbers of steps.
fn gathered(listing: &Listing, writer: &Writer<'_>) -> String {
    let zeros: String = listing
        .states
        .iter()
        .map(|state| {
            let zeros = "torch.zeros_like(p, memory_format=torch.preserve_format)";
            format!("                state[\"{}\"] = {zeros}\n", state.name)
        })
        .collect();
    let [title, empty, add, result] = if listing.needs_step() {
        [
            "The group's parameters with a gradient, by the number of steps taken.",
            "by_step = {}",
            "by_step.setdefault(state[\"step\"], []).append(p)",
            "by_step.items()",
        ]
    } else {
        [
            "The group's parameters with a gradient, all in one list.",
            "params = []",
            "params.append(p)",
            "[params] if params else []",
        ]
    };
    let sharded = if writer.needs_whole_tensors() {
        "            if _is_sharded(p):\n                \
         raise RuntimeError(f\"{type(self).__name__} needs whole tensors and does not take sharded parameters\")\n"
    } else {
        ""
    };
    format!(
        r#"    def _with_gradient(self, group):
        """{title}"""
        {empty}
        for p in group["params"]:
            if p.grad is None:
                continue
            if p.grad.is_sparse:
                raise RuntimeError(f"{{type(self).__name__}} does not take sparse gradients")
            if torch.is_complex(p):
                raise RuntimeError(f"{{type(self).__name__}} does not take complex parameters")
{sharded}            state = self.state[p]
            if not state:
                state["step"] = 0
{zeros}            state["step"] += 1
            {add}
        return {result}
"#
    )
}
