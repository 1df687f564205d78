//! The class of an export to PyTorch, but for its step: what it can be told, and what is saved.
//!
//! Invariant: what is refused is refused with a sentence, as soon as it can be known. States are
//! saved and loaded in the type that they have.

use crate::arrays::Writer;
use crate::listing::Listing;
use crate::torch::{settings, step};
use crate::wording::{call, roles_text, settings_text, settings_with_defaults};

/// What every class may be told besides the settings of its rule, with the defaults.
const OPTIONS: [(&str, &str); 3] =
    [("foreach", "None"), ("maximize", "False"), ("state_dtype", "None")];

/// What a class may be told besides the settings of its rule, with the defaults.
fn options(listing: &Listing) -> Vec<(&'static str, &'static str)> {
    let role = listing.needs_roles().then_some(("role", "None"));
    role.into_iter().chain(OPTIONS).collect()
}

/// What a rule that reads the step number has to know besides the state.
const PARTS: &str = "        \
    # Of each group: which parameters have taken as many steps.\n        \
    self._parts = {}\n";

/// The method that adds a group, where groups say what their parameters are.
const ADD_GROUP: &str = r#"
    def add_param_group(self, param_group):
        """Adds parameters, and what they are in the network."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        for p in group["params"]:
            _role(p, group["role"])
"#;

/// The class, without the functions that do the update.
pub(super) fn text(listing: &Listing, writer: &Writer<'_>) -> String {
    let name = &listing.class;
    let settings = settings::all(listing);
    let mut parameters = vec!["self".to_owned(), "params".to_owned()];
    parameters.push(format!("lr={:?}", listing.learning_rate.default));
    parameters.push("*".to_owned());
    parameters.extend(settings_with_defaults(&settings));
    let options = options(listing);
    parameters.extend(options.iter().map(|(name, default)| format!("{name}={default}")));
    let init = call(4, "def __init__", &parameters, ":");
    let together = note(listing, writer);
    let mut settings_text = settings_text(listing, &settings, "        ", "lr");
    if listing.needs_roles() {
        let roles = roles_text("of every parameter of a group, ");
        settings_text += &format!("        role: {roles}\n");
    }
    let names = settings.iter().map(|setting| setting.name.as_str());
    let names = std::iter::once("lr").chain(names).chain(options.iter().map(|(name, _)| *name));
    let defaults: Vec<String> = names.map(|name| format!("{name}={name}")).collect();
    let defaults = call(8, "defaults = dict", &defaults, "");
    let missing: String = options
        .iter()
        .map(|(name, default)| format!("            group.setdefault(\"{name}\", {default})\n"))
        .collect();
    let checks = checks(listing, writer);
    let add_group = if listing.needs_roles() { ADD_GROUP } else { "" };
    let load = load_method(listing);
    let step = step::methods(listing, writer);
    let parts = if listing.needs_step() { PARTS } else { "" };
    let modes = listing.read_out().map_or_else(String::new, modes);
    format!(
        r#"class {name}(torch.optim.Optimizer):
    """{name}.
{together}
    `torch.compile` makes one graph of `step`, for all steps; for all learning rates, too, where the
    rate is a tensor, which schedulers change in place.

    Args:
        params: parameters, named parameters or parameter groups
{settings_text}        foreach: whether to update all parameters together, which is faster on a
            GPU and needs more memory (default: where all of them are plain ones on one)
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
{missing}{add_group}{load}{modes}
{step}"#
    )
}

/// The statements that refuse what cannot be.
fn checks(listing: &Listing, writer: &Writer<'_>) -> String {
    let zero = match writer.needs_lists() {
        true => {
            r#"        if _is_of_zero(sys._getframe()):
            raise RuntimeError(
                f"{type(self).__name__} computes numbers over all parameters, of which "
                "ZeroRedundancyOptimizer hands each process but a part"
            )
"#
        }
        false => "",
    };
    let betas = match settings::betas(listing) {
        0 | 1 => String::new(),
        count => format!(
            r#"        if len(betas) != {count}:
            raise ValueError(f"betas must be {count} numbers, not {{betas}}")
"#
        ),
    };
    format!(
        r#"{zero}        if isinstance(lr, torch.Tensor) and lr.numel() != 1:
            raise ValueError(f"a learning rate is 1 number, and the tensor holds {{lr.numel()}}")
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
        # Behind the hooks of users, which may have changed it.
        loaded = []
        hook = self.register_load_state_dict_pre_hook(lambda _, state: loaded.append(state))
        try:
            super().load_state_dict(state_dict)
        finally:
            hook.remove()
        (state_dict,) = loaded
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
        text += "\n    Validate, and save a model for use, between `eval()` and `train()` of\n    \
                 this optimizer: the weights to validate with are others than those that are\n    \
                 trained. ZeroRedundancyOptimizer has neither: the `optim` in it does, for its \
                 part\n    of the parameters.\n";
    }
    if writer.needs_lists() {
        let steps = if listing.needs_step() { " and have taken\n    as many steps" } else { "" };
        text += &format!(
            "\n    Some numbers of this rule are computed over all tensors: these are the\n    \
             parameters of one group that have a gradient{steps},\n    \
             so the division into groups matters.\n"
        );
    }
    text += match writer.needs_whole_tensors() {
        false => "\n    Of what is divided among processes (FSDP2, ZeRO) each updates its part.\n",
        true => {
            "\n    Whole tensors are needed: those that FSDP2 has divided among processes are\n    \
             gathered, with their states, in every step. Where that cannot be (FSDP1, ZeRO-3)\n    \
             they are refused.\n"
        }
    };
    if writer.needs_lists() {
        text += "    ZeRO-1 is refused, too: no process would see all parameters.\n";
    }
    text
}
