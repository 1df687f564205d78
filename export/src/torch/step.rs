//! The step of an export to PyTorch.
//!
//! Invariant: `torch.compile` makes one graph of a step and does not make it anew as long as the
//! same parameters have a gradient. What only Python can know of a step (what it refuses, first
//! states, which parameters have taken as many steps) is in `_init_group`, a method that PyTorch's
//! compiler knows by this name and runs instead of compiling it. One call is for all groups: the
//! compiler reads the states behind the first call, and sees none that another makes. What the
//! graph is made of besides that, and may change, are tensors: the number of steps, and the learning
//! rate where users pass one.

use crate::arrays::Writer;
use crate::listing::Listing;
use crate::torch::function_settings;
use crate::wording::call;

/// The methods that take a step.
pub(super) fn methods(listing: &Listing, writer: &Writer<'_>) -> String {
    let evaluating = match listing.readout {
        true => {
            r#"        if any(group.get("evaluating", False) for group in self.param_groups):
            raise RuntimeError(
                "the parameters hold the weights to validate with; call `train()` first"
            )
"#
        }
        false => "",
    };
    let groups = match listing.needs_step() {
        true => {
            r#"        for index, group in enumerate(self.param_groups):
            parts = {}
            params = [p for p in group["params"] if p.grad is not None]
            for p, part in zip(params, self._parts[index].split()):
                parts.setdefault(part, []).append(p)
            for part in parts.values():
                self._update(group, part)
"#
        }
        false => {
            r#"        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            if params:
                self._update(group, params)
"#
        }
    };
    let (update, init_group) = (update_method(listing, writer), init_group(listing, writer));
    format!(
        r#"    @torch.no_grad()
    def step(self, closure=None):
        """Takes one step. Returns the closure's loss, if there is a closure."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
{evaluating}        self._init_group()
{groups}        return loss

{update}
{init_group}"#
    )
}

/// What follows an update of the parts that this process holds.
const STORED: &str = r"        for p, w in zip(params, weights):
            if p.dtype != w.dtype:
                _local(p, p).copy_(w)
";

/// What follows an update of whole tensors, weights and these states.
fn stored(states: impl Iterator<Item = String>) -> String {
    let states =
        states.enumerate().map(|(index, state)| (state, format!("tensors[{}]", index + 2)));
    std::iter::once(("p".to_owned(), "weights".to_owned()))
        .chain(states)
        .map(|(to, list)| {
            format!("        for p, x in zip(params, {list}):\n            _store({to}, x)\n")
        })
        .collect()
}

/// The method that updates parameters of a group, all of which have taken as many steps. Of what is
/// divided among processes it takes this process's part, where a part is enough, or the whole.
fn update_method(listing: &Listing, writer: &Writer<'_>) -> String {
    let whole = writer.needs_whole_tensors();
    let held = |x: &str| if whole { format!("_whole({x})") } else { format!("_local({x}, p)") };
    let states = listing.states.iter().map(|state| format!("self.state[p][\"{}\"]", state.name));
    let lists: String = states
        .clone()
        .map(|state| format!("            [{} for p in params],\n", held(&state)))
        .collect();
    let roles = match listing.needs_roles() {
        true => "            [_role(p, group[\"role\"]) for p in params],\n",
        false => "",
    };
    let settings = function_settings(listing).into_iter();
    let settings = settings.map(|(name, value)| format!("{name}={value}"));
    let args: Vec<String> = std::iter::once("tensors".to_owned()).chain(settings).collect();
    let update = call(8, "update", &args, "");
    let (which, steps) = match listing.needs_step() {
        true => (
            "Updates parameters that have taken as many steps.",
            "        steps = [self.state[p][\"step\"] for p in params]\n        \
             torch._foreach_add_(steps, 1.0)\n",
        ),
        false => ("Updates parameters.", ""),
    };
    let stored = if whole { stored(states) } else { STORED.to_owned() };
    let (weight, gradient) = (held("p"), held("p.grad"));
    format!(
        r#"    def _update(self, group, params):
        """{which}"""
{steps}        weights = [{weight}.to(_state_dtype(group, p)) for p in params]
        gradients = [{gradient}.to(w.dtype) for p, w in zip(params, weights)]
        foreach = group["foreach"]
        if foreach is None:
            plain = (torch.Tensor, torch.nn.Parameter)
            foreach = all(w.is_cuda and type(w) in plain for w in weights)
        tensors = [
            weights,
            [-g for g in gradients] if group["maximize"] else gradients,
{lists}{roles}        ]
        update = _foreach if foreach else _single_tensor
{update}
{stored}"#
    )
}

/// What refuses parts of tensors that cannot be gathered.
const FLAT_REFUSED: &str = r#"            if _is_flat(p):
                raise RuntimeError(
                    f"{type(self).__name__} needs whole tensors and does not take sharded "
                    "parameters, of which it sees but a part; those of FSDP2 it can gather"
                )
"#;

/// The method that refuses what cannot be updated and makes first states. A rule that
/// reads the step number cannot mix parameters that have taken different numbers of steps, so it
/// tells them apart as well. What it makes of that is text: the compiler takes a number that
/// changed for one that will change again, and would make one graph for all.
fn init_group(listing: &Listing, writer: &Writer<'_>) -> String {
    let sharded = if writer.needs_whole_tensors() { FLAT_REFUSED } else { "" };
    let made = first_state(listing);
    let [groups, before, after] = match listing.needs_step() {
        true => [
            "for index, group in enumerate(self.param_groups)",
            "        parts = {}\n        part_of = []\n",
            "        self._parts[index] = \" \".join(part_of)\n",
        ],
        false => ["for group in self.param_groups", "", ""],
    };
    let title = match listing.needs_step() {
        true => "Makes first states, and notes which parameters have taken as many steps.",
        false => "Makes first states.",
    };
    let each = format!(
        r#"{before}        for p in group["params"]:
            if p.grad is None:
                continue
            if p.grad.is_sparse:
                raise RuntimeError(f"{{type(self).__name__}} does not take sparse gradients")
            if torch.is_complex(p):
                raise RuntimeError(f"{{type(self).__name__}} does not take complex parameters")
{sharded}{made}{after}"#
    );
    let each: String = each.lines().map(|line| format!("    {line}\n")).collect();
    format!(
        r#"    def _init_group(self):
        """{title}"""
        {groups}:
{each}"#
    )
}

/// The statements that make the first state of a parameter, and note how many steps it has taken.
fn first_state(listing: &Listing) -> String {
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
    match (listing.needs_step(), listing.states.is_empty()) {
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
    }
}
