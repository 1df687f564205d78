"""Lion, an optimizer for PyTorch, exported by evo.

    optimizer = Lion(model.parameters(), lr=0.0001)

This file needs nothing but PyTorch.
"""

import torch

# Exported from this program, whose update is subtracted from the weights:
#
#     def train(w, g, m, lr):
#       update = interp(g, m, 0.9)
#       update = sign(update)
#       m = interp(g, m, 0.99)
#       wd = w * 0.1
#       update = update + wd
#       lr = lr * 0.0001
#       update = update * lr
#       return update, m


class Lion(torch.optim.Optimizer):
    """Lion.

    Parameters without a gradient are left as they are.

    Of what is divided among processes (FSDP2, ZeRO) each updates its part.

    `torch.compile` makes one graph of `step`, for all steps; for all learning rates, too, where the
    rate is a tensor, which schedulers change in place.

    Args:
        params: parameters, named parameters or parameter groups
        lr: learning rate (default: 0.0001)
        betas: decay rates of moving averages, the gradient's first (default: (0.9, 0.99))
        weight_decay: factor of the weights in the update (default: 0.1)
        foreach: whether to update all parameters together, which is faster on a
            GPU and needs more memory (default: where all of them are plain ones on one)
        maximize: whether to go up the gradient and not down (default: False)
        state_dtype: type of the states, in which updates are computed, too (default: that of each
            parameter, and float32 for float16, in which squares of small gradients and the numbers
            that keep divisors from 0 are 0)
    """

    def __init__(
        self,
        params,
        lr=0.0001,
        *,
        betas=(0.9, 0.99),
        weight_decay=0.1,
        foreach=None,
        maximize=False,
        state_dtype=None,
    ):
        if isinstance(lr, torch.Tensor) and lr.numel() != 1:
            raise ValueError(f"a learning rate is 1 number, and the tensor holds {lr.numel()}")
        if not lr >= 0:
            raise ValueError(f"the learning rate must be 0 or above, not {lr}")
        if len(betas) != 2:
            raise ValueError(f"betas must be 2 numbers, not {betas}")
        if not getattr(state_dtype, "is_floating_point", state_dtype is None):
            raise ValueError(f"state_dtype must be a type of real numbers, not {state_dtype}")
        defaults = dict(
            lr=lr,
            betas=betas,
            weight_decay=weight_decay,
            foreach=foreach,
            maximize=maximize,
            state_dtype=state_dtype,
        )
        super().__init__(params, defaults)

    def __setstate__(self, state):
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("foreach", None)
            group.setdefault("maximize", False)
            group.setdefault("state_dtype", None)

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

    @torch.no_grad()
    def step(self, closure=None):
        """Takes one step. Returns the closure's loss, if there is a closure."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self._init_group()
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            if params:
                self._update(group, params)
        return loss

    def _update(self, group, params):
        """Updates parameters."""
        weights = [_local(p, p).to(_state_dtype(group, p)) for p in params]
        gradients = [_local(p.grad, p).to(w.dtype) for p, w in zip(params, weights)]
        foreach = group["foreach"]
        if foreach is None:
            plain = (torch.Tensor, torch.nn.Parameter)
            foreach = all(w.is_cuda and type(w) in plain for w in weights)
        tensors = [
            weights,
            [-g for g in gradients] if group["maximize"] else gradients,
            [_local(self.state[p]["m"], p) for p in params],
        ]
        update = _foreach if foreach else _single_tensor
        update(
            tensors,
            lr=_number(group["lr"], params[0]),
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            weight_decay=group["weight_decay"],
        )
        for p, w in zip(params, weights):
            if p.dtype != w.dtype:
                _local(p, p).copy_(w)

    def _init_group(self):
        """Makes first states."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                if p.grad.is_sparse:
                    raise RuntimeError(f"{type(self).__name__} does not take sparse gradients")
                if torch.is_complex(p):
                    raise RuntimeError(f"{type(self).__name__} does not take complex parameters")
                state = self.state[p]
                if not state:
                    dtype = _state_dtype(group, p)
                    state["m"] = torch.zeros_like(p, dtype=dtype)


def _single_tensor(tensors, *, lr, beta1, beta2, weight_decay):
    """One parameter after the other."""
    for w, g, m in zip(*tensors):
        update_1 = (1 - beta1) * g + beta1 * m
        update_2 = _sign(update_1)
        m_next = (1 - beta2) * g + beta2 * m
        wd = w * weight_decay
        update_3 = update_2 + wd
        update = update_3 * lr
        w.sub_(update)
        m.copy_(m_next)


def _foreach(tensors, *, lr, beta1, beta2, weight_decay):
    """All parameters together, by functions on lists of tensors."""
    w, g, m = tensors
    update_1 = torch._foreach_add(torch._foreach_mul(g, 1 - beta1), torch._foreach_mul(m, beta1))
    update_2 = _foreach_sign(update_1)
    del update_1
    m_next = torch._foreach_add(torch._foreach_mul(g, 1 - beta2), torch._foreach_mul(m, beta2))
    wd = torch._foreach_mul(w, weight_decay)
    update_3 = torch._foreach_add(update_2, wd)
    del update_2, wd
    update = torch._foreach_mul(update_3, lr)
    del update_3
    torch._foreach_sub_(w, update)
    torch._foreach_copy_(m, m_next)


def _state_dtype(group, p):
    """The type of a parameter's states, in which its update is computed."""
    usual = torch.float32 if p.dtype == torch.float16 else p.dtype
    return group["state_dtype"] or usual


def _number(x, like):
    """A number of one step: a Python float, or a tensor where the step is compiled."""
    if torch.compiler.is_compiling() and isinstance(x, torch.Tensor):
        # A graph may not depend on its value.
        return x.reshape(()).to(like.device, torch.float64)
    return float(x)


def _sign(x):
    """1 above zero, -1 below, and x itself at the zeros and NaN, where torch.sign gives 0."""
    return torch.where(torch.abs(x) > 0, torch.sign(x), x)


def _foreach_sign(tensors):
    """1 above zero, -1 below, and x itself at the zeros and NaN, where torch.sign gives 0."""
    # Twice the largest number takes even the smallest beyond 1, where the limits are.
    largest = [torch.finfo(x.dtype).max for x in tensors]
    signs = torch._foreach_mul(tensors, largest)
    torch._foreach_mul_(signs, largest)
    torch._foreach_clamp_min_(signs, -1.0)
    torch._foreach_clamp_max_(signs, 1.0)
    return signs


def _local(x, p):
    """This process's part of a tensor that is divided among processes as `p` is."""
    if not hasattr(x, "placements"):
        return x
    if x.placements != p.placements:
        x = x.redistribute(placements=p.placements)
    return x.to_local()
