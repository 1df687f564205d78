"""Rules that are validated with other weights than those they train, for make_trajectories.py; see rules.py
for their form. A step's `read` gives the weights to validate with behind it. Both keep averages of
weights, where the programs keep how far the weights are from them."""

import numpy as np
import torch

from rules import average, corrected, of_all, over, zeros
from rules_adam import adam
from runs import run_rule

try:
    import schedulefree
except ModuleNotFoundError:
    schedulefree = None


@of_all
def adamw_ema(dtype, shape):
    """torch.optim.AdamW and torch.optim.swa_utils.AveragedModel with decay 0.999."""
    update = adam(dtype, shape)
    mean = None

    def step(w, g, rate):
        nonlocal mean
        w = w - (update(g) + 0.01 * w) * dtype(0.001 * rate)
        mean = w if mean is None else average(dtype, mean, w, 0.999)
        return w

    step.read = lambda: mean
    return step


@of_all
def schedule_free_adamw(dtype, shape):
    """arXiv 2405.15682 as in github.com/facebookresearch/schedule_free, each step with the same weight."""
    (v,) = zeros(dtype, shape, 1)
    z, y, t = None, None, 0

    def step(w, g, rate):
        nonlocal v, z, y, t
        t += 1
        z = w if z is None else z
        v = average(dtype, v, g * g, 0.999)
        direction = over(g, np.sqrt(corrected(v, 0.999, t))) + 0.01 * w
        lr, share = 0.0025 * rate, 1 / t
        y = w + dtype(share) * (z - w) - dtype(lr * (1 - 0.9 * (1 - share))) * direction
        z = z - dtype(lr) * direction
        return y

    step.read = lambda: y + dtype(1 - 1 / 0.9) * (z - y)
    return step


def run_averaged(make, inputs, average=None):
    """The trajectory of a torch optimizer in float64, with the weights to validate with behind those
    trained; `average` takes the weights after each step, where the optimizer does not."""
    torch.set_default_dtype(torch.float64)
    split = lambda flat: [torch.tensor(part) for part in inputs.tensors(flat.astype(np.float64))]
    model = torch.nn.ParameterList(split(inputs.weights))
    optimizer, averaged = make(model.parameters()), average and average(model)
    (group,) = optimizer.param_groups
    base_rate, trajectory = group["lr"], []
    flat = lambda model: np.concatenate([p.detach().numpy().ravel().copy() for p in model.parameters()])
    for gradient, rate in zip(inputs.gradients, inputs.rates):
        if not averaged:
            optimizer.train()
        for parameter, part in zip(model, split(gradient)):
            parameter.grad = part
        group["lr"] = base_rate * float(rate)
        optimizer.step()
        trained = flat(model)
        if averaged:
            averaged.update_parameters(model)
        else:
            optimizer.eval()
        trajectory.append(np.concatenate([trained, flat(averaged or model)]))
    return trajectory


def check_averaged(inputs, check):
    """The rules must be those of torch and of the authors of Schedule-Free."""
    swa = torch.optim.swa_utils
    mean = lambda model: swa.AveragedModel(model, avg_fn=swa.get_ema_avg_fn(0.999))
    theirs = run_averaged(lambda p: torch.optim.AdamW(p, lr=0.001, foreach=False), inputs, mean)
    check("adamw_ema", "torch", run_rule(adamw_ema, inputs, np.float64), theirs, inputs, 1e-11)
    if schedulefree is None:
        print("there is no schedulefree: Schedule-Free is not compared with it")
        return
    constant = inputs.at_rates(np.ones_like(inputs.rates))
    make = lambda p: schedulefree.AdamWScheduleFree(p, lr=0.0025, weight_decay=0.01, foreach=False)
    theirs, ours = run_averaged(make, constant), run_rule(schedule_free_adamw, constant, np.float64)
    check("schedule_free_adamw", "schedulefree", ours, theirs, constant, 1e-11)
