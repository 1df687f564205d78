"""Recorded inputs, and the trajectories of optimizers on them, for make_trajectories.py."""

import copy

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch

import rules

STEPS = 100
SEED = 20230213


class Inputs:
    """Shapes, weights, gradients (steps x elements, float32) and learning rates (float64)."""

    def __init__(self, name, shapes, make):
        self.name, self.shapes = name, shapes
        self.sizes = [int(np.prod(shape)) for shape in shapes]
        rng = np.random.default_rng(SEED)
        weights, gradients = make(rng, self.sizes)
        self.weights = weights.astype(np.float32)
        self.gradients = gradients.astype(np.float32)
        warmup = np.minimum(np.arange(1, STEPS + 1) / 10, 1.0)
        decay = 0.5 * (1 + np.cos(np.pi * np.arange(STEPS) / STEPS))
        # At most 1, or programs 4 and 8 leave the domain of arcsin; multiples of 1/256, so that
        # every reader of the decimals has the same number.
        self.rates = np.maximum(np.round(warmup * decay * 256), 1) / 256

    def at_rates(self, rates):
        """The same at other learning rates."""
        other = copy.copy(self)
        other.rates = rates
        return other

    def by_rows(self):
        """The same with each row of a matrix as a tensor."""
        other = copy.copy(self)
        shapes = [x.shape for x in self.matrices(self.weights)]
        other.shapes = [(columns,) for rows, columns in shapes for _ in range(rows)]
        other.sizes = [columns for (columns,) in other.shapes]
        return other

    def tensors(self, flat):
        parts = np.split(flat, np.cumsum(self.sizes)[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, self.shapes)]

    def matrices(self, flat):
        """Each tensor as its first dimension by the others; a vector as one column."""
        tensors = self.tensors(flat)
        return [x.reshape(x.shape[0] if x.ndim else 1, -1) for x in tensors]


def many_magnitudes(rng, sizes):
    """Each element has its own usual magnitude, down to where eps = 1e-8 matters."""
    count = sum(sizes)
    weights = rng.standard_normal(count) * np.resize([1.0, 0.1, 0.01], count)
    weights[5] = 0.0
    magnitudes = np.resize([1.0, 1e-1, 1e-2, 1e-3, 1e-5, 1e-7, 1e-8, 10.0], count)
    gradients = rng.standard_normal((STEPS, count)) * magnitudes
    gradients[:10, 3] = 0.0  # silent at first, then not
    gradients[:, 8] = 0.0  # silent always
    gradients[rng.random((STEPS, count)) < 0.05] = 0.0
    gradients[29] = 0.0  # a step in which nothing happens
    gradients[[14, 55, 56]] *= 1e-4  # small in every element
    gradients[[9, 39, 75]] *= 1e3  # large in every element
    return weights, gradients


def matrices(rng, sizes):
    """Of many magnitudes, but for the second matrix: it has a full rank to speak of."""
    count = sum(sizes)
    first, vector, second, _ = np.cumsum(sizes)
    weights = rng.standard_normal(count) * np.resize([1.0, 0.1, 0.01], count)
    weights[5] = 0.0
    weights[first:vector] *= 1e-3  # below Adafactor's least size
    magnitudes = np.resize([1.0, 1e-1, 1e-2, 1e-3, 1e-5, 1e-7, 1e-8], count)
    magnitudes[vector:second] = 0.3
    gradients = rng.standard_normal((STEPS, count)) * magnitudes
    gradients[:10, 3] = 0.0  # silent at first, then not
    gradients[:, 8] = 0.0  # silent always
    gradients[rng.random((STEPS, count)) < 0.05] = 0.0
    gradients[29] = 0.0  # a step in which nothing happens
    gradients[[14, 55, 56]] *= 1e-4  # small in every element
    gradients[[9, 39, 75]] *= 10.0  # large in every element
    return weights, gradients


def unscaled(rng, sizes):
    """A matrix, and a vector that is zero until its gradient no longer is, in the fourth step."""
    count = sum(sizes)
    weights, gradients = rng.standard_normal(count), rng.standard_normal((STEPS, count))
    weights[sizes[0] :] = 0.0
    gradients[:3, sizes[0] :] = 0.0
    return weights, gradients


def run_torch(make, base_rate, inputs, dtype):
    """The trajectory of a torch optimizer, one parameter per tensor, one tensor at a time."""
    # torch keeps NAdam's product in the default type.
    torch.set_default_dtype(dtype)
    split = lambda flat: [torch.tensor(part, dtype=dtype) for part in inputs.tensors(flat)]
    parameters = [torch.nn.Parameter(part) for part in split(inputs.weights)]
    optimizer = make(parameters)
    trajectory = []
    for gradient, rate in zip(inputs.gradients, inputs.rates):
        for parameter, part in zip(parameters, split(gradient)):
            parameter.grad = part
        for group in optimizer.param_groups:
            group["lr"] = base_rate * float(rate) * group.get("factor", 1.0)
        optimizer.step()
        flat = [parameter.detach().numpy().ravel() for parameter in parameters]
        trajectory.append(np.concatenate(flat))
    return trajectory


def run_rule(make, inputs, dtype):
    """The trajectory of a rule from rules.py, weights to validate with behind those trained."""
    flat = inputs.weights.astype(dtype)
    split = inputs.matrices if make in rules.LEAVES else lambda flat: [flat]
    steps = [make(dtype, part.shape) for part in split(flat)]
    trajectory = []
    for gradient, rate in zip(inputs.gradients, inputs.rates):
        parts = zip(steps, split(flat), split(gradient.astype(dtype)))
        flat = np.concatenate([step(w, g, float(rate)).ravel() for step, w, g in parts])
        assert flat.dtype == dtype, "a float64 scalar has widened the weights"
        read = [step.read().ravel() for step in steps if hasattr(step, "read")]
        trajectory.append(np.concatenate([flat, *read]))
    return trajectory


def run_optax(make, inputs):
    """The trajectory of an optax optimizer on matrices and vectors in float64; `make` is given the
    schedule. In float32 optax corrects the bias by 1 - beta^t of float32, wrong in its fifth digit."""
    rates = jnp.array(inputs.rates)
    optimizer = make(lambda count: rates[count])
    split = lambda flat: [jnp.array(x.astype(np.float64)).squeeze() for x in inputs.matrices(flat)]
    w, trajectory = split(inputs.weights), []
    state = optimizer.init(w)
    step = jax.jit(optimizer.update)
    for gradient in inputs.gradients:
        updates, state = step(split(gradient), state, w)
        w = optax.apply_updates(w, updates)
        trajectory.append(np.concatenate([np.asarray(x).ravel() for x in w]))
    return trajectory
