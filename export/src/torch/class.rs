//! The class of an export to PyTorch: its settings, its state and the step.
//!
//! Invariant: `torch.compile` makes one graph of a step and does not make it anew as long as the
//! same parameters have a gradient. What only Python can know of a step (which parameters take
//! part, their first state, which of them have taken as many steps) is in `_init_group`, a method
//! that PyTorch's compiler knows by this name and runs instead of compiling it. What the graph is
//! made of besides that, and may change, are tensors: the number of steps, and the learning rate
//! where users pass one.

use crate::arrays::Writer;
use crate::listing::Listing;
use crate::torch::{function_settings, settings};
use crate::wording::{call, settings_text, settings_with_defaults};

/// What every class may be told besides the settings of its rule, with the defaults.
const OPTIONS: [(&str, &str); 3] =
    [("foreach", "None"), ("maximize", "False"), ("state_dtype", "None")];

/// The class, without the functions that do the update.
pub(super) fn text(listing: &Listing, writer: &Writer<'_>) -> String {
    let name = &listing.class;
    let settings = settings::all(listing);
    let mut parameters = vec!["self".to_owned(), "params".to_owned()];
    parameters.push(format!("lr={:?}", listing.learning_rate.default));
    parameters.push("*".to_owned());
    parameters.extend(settings_with_defaults(&settings));
    parameters.extend(OPTIONS.map(|(name, default)| format!("{name}={default}")));
    let init = call(4, "def __init__", &parameters, ":");
    let together = note(listing, writer);
    let settings_text = settings_text(listing, &settings, "        ", "lr");
    let names = settings.iter().map(|setting| setting.name.as_str());
    let names = std::iter::once("lr").chain(names).chain(OPTIONS.map(|(name, _)| name));
    let defaults: Vec<String> = names.map(|name| format!("{name}={name}")).collect();
    let defaults = call(8, "defaults = dict", &defaults, "");
    let missing = OPTIONS
        .map(|(name, default)| format!("            group.setdefault(\"{name}\", {default})\n"));
    let (missing, checks) = (missing.concat(), checks(listing));
    let load = load_method(listing);
    let step = step_method(listing, writer);
    let parts = match listing.needs_step() {
        true => {
            "        self._parts = {}  # Of each group: which parameters have taken as many steps.\n"
        }
        false => "",
    };
    let modes = listing.read_out().map_or_else(String::new, modes);
    format!(
        r#"class {name}(torch.optim.Optimizer):
    """{name}.
{together}
    `torch.compile` makes one graph of `step`, for all steps; for all learning rates, too, where the
    rate is a tensor, which schedulers change in place.

    Args:
        params: parameters, named parameters or parameter groups
{settings_text}        foreach: whether to update all parameters together, which is faster on a GPU and needs
            more memory (default: where all of them are plain ones on one)
        maximize: whether to go up the gradient and not down (default: False)
        state_dtype: type of the states, in which updates are computed, too (default: that of each
            parameter, and float32 for float16, in which squares of small gradients and the numbers
            that keep divisors from 0 are 0)
    """

{init}
{checks}{defaults}
        super().__init__(params, defaults)
{parts}
    def __setstate__(self, state):
        super().__setstate__(state)
{parts}        for group in self.param_groups:
{missing}{load}{modes}
{step}"#
    )
}

/// The statements that refuse what cannot be.
fn checks(listing: &Listing) -> String {
    let betas = match settings::betas(listing) {
        0 | 1 => String::new(),
        count => format!(
            r#"        if len(betas) != {count}:
            raise ValueError(f"betas must be {count} numbers, not {{betas}}")
"#
        ),
    };
    format!(
        r#"        if isinstance(lr, torch.Tensor) and lr.numel() != 1:
            raise ValueError(f"a tensor as the learning rate must hold 1 number, not {{lr.numel()}}")
        if not lr >= 0:
            raise ValueError(f"the learning rate must be 0 or above, not {{lr}}")
{betas}        if not getattr(state_dtype, "is_floating_point", state_dtype is None):
            raise ValueError(f"state_dtype must be a type of real numbers, not {{state_dtype}}")
"#
    )
}

/// The method that loads a state, where there are tensors in it.
fn load_method(listing: &Listing) -> &'static str {
    if listing.states.is_empty() {
        return "";
    }
    r#"
    def load_state_dict(self, state_dict):
        """Loads what `state_dict()` gave, the states in their own type."""
        super().load_state_dict(state_dict)
        # PyTorch has rounded them to the type of the parameters.
        for group, saved in zip(self.param_groups, state_dict["param_groups"]):
            for p, key in zip(group["params"], saved["params"]):
                dtype = _state_dtype(group, p)
                if dtype == p.dtype or key not in state_dict["state"]:
                    continue
                for name, value in state_dict["state"][key].items():
                    if name != "step":
                        self.state[p][name] = value.to(p.device, dtype, copy=True)
"#
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
    let evaluating = match listing.readout {
        true => {
            "            if group.get(\"evaluating\", False):\n                \
             raise RuntimeError(\"the parameters hold the weights to validate with; \"\n                                   \
             \"call `train()` first\")\n"
        }
        false => "",
    };
    let groups = match listing.needs_step() {
        true => {
            r#"        for index, group in enumerate(self.param_groups):
            params = []
            self._init_group(group, params, index)
            parts = {}
            for p, part in zip(params, self._parts[index].split()):
                parts.setdefault(part, []).append(p)
            for part in parts.values():
                self._update(group, part)
"#
        }
        false => {
            r#"        for group in self.param_groups:
            params = []
            self._init_group(group, params)
            if params:
                self._update(group, params)
"#
        }
    };
    let (head, body) = groups.split_once('\n').expect("it has lines");
    let (update, init) = (update_method(listing), init_group(listing, writer));
    format!(
        r#"    @torch.no_grad()
    def step(self, closure=None):
        """Takes one step. Returns the closure's loss, if there is a closure."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
{head}
{evaluating}{body}        return loss

{update}
{init}"#
    )
}

/// The method that updates parameters of a group, all of which have taken as many steps.
fn update_method(listing: &Listing) -> String {
    let states = listing.states.iter();
    let lists: String = states
        .map(|state| format!("            [self.state[p][\"{}\"] for p in params],\n", state.name))
        .collect();
    let settings = function_settings(listing).into_iter();
    let settings = settings.map(|(name, value)| format!("{name}={value}"));
    let args: Vec<String> = std::iter::once("tensors".to_owned()).chain(settings).collect();
    let update = call(8, "update", &args, "");
    let steps = match listing.needs_step() {
        true => {
            "        steps = [self.state[p][\"step\"] for p in params]\n        \
             torch._foreach_add_(steps, 1.0)\n"
        }
        false => "",
    };
    let which = match listing.needs_step() {
        true => "Updates parameters that have taken as many steps.",
        false => "Updates parameters.",
    };
    format!(
        r#"    def _update(self, group, params):
        """{which}"""
{steps}        foreach = group["foreach"]
        if foreach is None:
            plain = (torch.Tensor, torch.nn.Parameter)
            foreach = all(p.is_cuda and type(p) in plain for p in params)
        weights = [p.to(_state_dtype(group, p)) for p in params]
        gradients = [p.grad.to(w.dtype) for p, w in zip(params, weights)]
        tensors = [
            weights,
            [-g for g in gradients] if group["maximize"] else gradients,
{lists}        ]
        update = _foreach if foreach else _single_tensor
{update}
        for p, w in zip(params, weights):
            if p.dtype != w.dtype:
                p.copy_(w)
"#
    )
}

/// The method that finds the parameters to be updated and makes their first state. A rule that
/// reads the step number cannot mix parameters that have taken different numbers of steps, so it
/// tells them apart as well. What it makes of that is text: the compiler takes a number that
/// changed for one that will change again, and would make one graph for all.
fn init_group(listing: &Listing, writer: &Writer<'_>) -> String {
    let zeros: String = listing
        .states
        .iter()
        .map(|state| {
            format!(
                "                state[\"{}\"] = torch.zeros_like(p, dtype=dtype)\n",
                state.name
            )
        })
        .collect();
    let zeros = match listing.states.is_empty() {
        true => zeros,
        false => format!("                dtype = _state_dtype(group, p)\n{zeros}"),
    };
    let sharded = if writer.needs_whole_tensors() {
        "            if _is_sharded(p):\n                \
         raise RuntimeError(\n                    \
         f\"{type(self).__name__} needs whole tensors and does not take sharded parameters\"\n                )\n"
    } else {
        ""
    };
    let made = match (listing.needs_step(), listing.states.is_empty()) {
        (false, true) => String::new(),
        (false, false) => {
            format!("            state = self.state[p]\n            if not state:\n{zeros}")
        }
        (true, _) => format!(
            r#"            state = self.state[p]
            if not state:
                state["step"] = torch.zeros((), dtype=torch.float32)
{zeros}            part = parts.setdefault(float(state["step"]), len(parts))
            part_of.append(str(part))
"#
        ),
    };
    let [index, before, after] = match listing.needs_step() {
        true => [
            ", index",
            "        parts = {}\n        part_of = []\n",
            "        self._parts[index] = \" \".join(part_of)\n",
        ],
        false => ["", "", ""],
    };
    let title = match listing.needs_step() {
        true => "Appends the parameters with a gradient, and notes which have taken as many steps.",
        false => "Appends the parameters with a gradient.",
    };
    format!(
        r#"    def _init_group(self, group, params{index}):
        """{title}"""
{before}        for p in group["params"]:
            if p.grad is None:
                continue
            if p.grad.is_sparse:
                raise RuntimeError(f"{{type(self).__name__}} does not take sparse gradients")
            if torch.is_complex(p):
                raise RuntimeError(f"{{type(self).__name__}} does not take complex parameters")
{sharded}            params.append(p)
{made}{after}"#
    )
}
