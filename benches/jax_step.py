#!/usr/bin/env python3
"""Training steps of the proxy networks in JAX, compiled, one thread: a part of `step_ratio.py`.

    XLA_FLAGS=--xla_cpu_multi_thread_eigen=false taskset -c 0 python3 benches/jax_step.py

Same networks, batches and update as `pytorch_step.py`, as JAX is fastest at them: the whole loop,
batches included, is one `jit` of a `scan`, so nothing is dispatched between steps. Prints the
median over windows of the microseconds a step. Needs JAX and Optax.
"""

import argparse
import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax

CLASSES = 10
EXAMPLES = 1500
VOCABULARY, CONTEXT, SEQUENCES = 64, 32, 16


def normal(rng, *shape):
    return jnp.asarray(rng.standard_normal(shape) / np.sqrt(shape[0]), jnp.float32)


def mean_loss(logits, labels):
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def rows(shape, batch, apply):
    """Random examples of a shape, and the loss of a batch of them."""
    rng = np.random.default_rng(1)
    features = jnp.asarray(rng.standard_normal((EXAMPLES, *shape)), jnp.float32)
    labels = jnp.asarray(rng.integers(0, CLASSES, EXAMPLES))

    def loss(weights, key):
        index = jax.random.randint(key, (batch,), 0, EXAMPLES)
        return mean_loss(apply(weights, features[index]), labels[index])

    return loss


def language(apply):
    """Random tokens, and the loss of a batch of windows."""
    tokens = jnp.asarray(np.random.default_rng(1).integers(0, VOCABULARY, 20_000))

    def loss(weights, key):
        starts = jax.random.randint(key, (SEQUENCES, 1), 0, 20_000 - CONTEXT)
        windows = tokens[starts + jnp.arange(CONTEXT + 1)]
        return mean_loss(apply(weights, windows[:, :-1]), windows[:, 1:])

    return loss


def mlp(rng):
    weights = [normal(rng, 64, 32), jnp.zeros(32), normal(rng, 32, CLASSES), jnp.zeros(CLASSES)]

    def apply(weights, x):
        first, bias, second, last = weights
        return jax.nn.relu(x @ first + bias) @ second + last

    return weights, rows((64,), 64, apply)


def conv(rng, size, channels, widths, batch):
    weights, inputs = [], channels
    for width in widths:
        weights += [normal(rng, 9 * inputs, width).reshape(3, 3, inputs, width), jnp.zeros(width)]
        inputs = width
    side = size // 2 ** (len(widths) - 1)
    weights += [normal(rng, inputs * side * side, CLASSES), jnp.zeros(CLASSES)]

    def apply(weights, x):
        *layers, head, last = weights
        for index in range(len(layers) // 2):
            stride = (1, 1) if index == 0 else (2, 2)
            layout = ("NHWC", "HWIO", "NHWC")
            kernel, bias = layers[2 * index : 2 * index + 2]
            x = jax.lax.conv_general_dilated(
                x, kernel, stride, ((1, 1), (1, 1)), dimension_numbers=layout
            )
            x = jax.nn.relu(x + bias)
        return x.reshape(len(x), -1) @ head + last

    return weights, rows((size, size, channels), batch, apply)


def rms_norm(x, gain):
    return x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-6) * gain


def block_weights(rng, width, layers):
    def one():
        maps = [(width, 3 * width), (width, width), (width, 4 * width), (4 * width, width)]
        return [jnp.ones(width), jnp.ones(width)] + [normal(rng, *shape) for shape in maps]

    return [one() for _ in range(layers)]


def block(weights, x, heads, causal):
    first, second, qkv, out, up, down = weights
    batch, context, width = x.shape
    packed = (rms_norm(x, first) @ qkv).reshape(batch, context, 3, heads, width // heads)
    query, key, value = (packed[:, :, part] for part in range(3))
    mixed = jax.nn.dot_product_attention(query, key, value, is_causal=causal)
    x = x + mixed.reshape(batch, context, width) @ out
    return x + jax.nn.relu(rms_norm(x, second) @ up) @ down


def transformer(rng, width=64, layers=2, heads=4):
    weights = {
        "table": normal(rng, VOCABULARY, width),
        "positions": normal(rng, CONTEXT, width),
        "blocks": block_weights(rng, width, layers),
        "norm": jnp.ones(width),
        "head": normal(rng, width, VOCABULARY),
    }

    def apply(weights, tokens):
        x = weights["table"][tokens] + weights["positions"]
        for layer in weights["blocks"]:
            x = block(layer, x, heads, causal=True)
        return rms_norm(x, weights["norm"]) @ weights["head"]

    return weights, language(apply)


def recurrent(rng, width=64):
    weights = {
        "table": normal(rng, VOCABULARY, width),
        "inputs": normal(rng, width, 3 * width),
        "bias": jnp.zeros(3 * width),
        "states": normal(rng, width, 3 * width),
        "head": normal(rng, width, VOCABULARY),
    }

    def apply(weights, tokens):
        projected = weights["table"][tokens] @ weights["inputs"] + weights["bias"]

        def cell(state, now):
            update, reset, new = jnp.split(now, 3, -1)
            of_state = jnp.split(state @ weights["states"], 3, -1)
            update = jax.nn.sigmoid(update + of_state[0])
            reset = jax.nn.sigmoid(reset + of_state[1])
            new = jnp.tanh(new + reset * of_state[2])
            state = update * state + (1 - update) * new
            return state, state

        start = jnp.zeros((SEQUENCES, width))
        states = jax.lax.scan(cell, start, projected.swapaxes(0, 1))[1]
        return states.swapaxes(0, 1) @ weights["head"]

    return weights, language(apply)


def vit(rng, width=64, layers=2, heads=4, side=16, patch=4, channels=3):
    across = side // patch
    weights = {
        "embed": normal(rng, patch * patch * channels, width),
        "bias": jnp.zeros(width),
        "positions": normal(rng, across * across, width),
        "blocks": block_weights(rng, width, layers),
        "norm": jnp.ones(width),
        "head": normal(rng, width, CLASSES),
        "last": jnp.zeros(CLASSES),
    }

    def apply(weights, images):
        x = images.reshape(len(images), across, patch, across, patch * channels)
        x = x.swapaxes(2, 3).reshape(len(images), across * across, -1)
        x = x @ weights["embed"] + weights["bias"] + weights["positions"]
        for layer in weights["blocks"]:
            x = block(layer, x, heads, causal=False)
        return rms_norm(x, weights["norm"]).mean(1) @ weights["head"] + weights["last"]

    return weights, rows((side, side, channels), 32, apply)


MODELS = {
    "mlp": mlp,
    "c8": lambda rng: conv(rng, 8, 1, [8, 16], 64),
    "c16": lambda rng: conv(rng, 16, 3, [16, 32], 32),
    "transformer": transformer,
    "recurrent": recurrent,
    "vit": vit,
}


def stepper(build, seconds):
    """A function that trains for about so many seconds, and how many steps it makes."""
    weights, loss = build(np.random.default_rng(0))
    adamw = optax.adamw(1e-3, weight_decay=1e-2)
    key = jax.random.key(0)

    def step(state, index):
        weights, moments = state
        value, gradient = jax.value_and_grad(loss)(weights, jax.random.fold_in(key, index))
        updates, moments = adamw.update(gradient, moments, weights)
        return (optax.apply_updates(weights, updates), moments), value

    def compiled(steps):
        # What is donated is written in place, from one step to the next as from call to call.
        def run(state):
            return jax.lax.scan(step, state, jnp.arange(steps))

        run = jax.jit(run, donate_argnums=0)
        state = jax.tree.map(jnp.copy, (weights, adamw.init(weights)))

        def window():
            nonlocal state
            state, losses = run(state)
            return float(losses[-1])

        return window

    steps = 20
    while True:
        window = compiled(steps)
        window()
        spent = timed(window)
        if spent >= 0.5 * seconds:
            return window, steps
        steps = max(2 * steps, int(steps * seconds / spent))


def timed(window):
    start = time.perf_counter()
    window()
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="*", help="of " + ", ".join(MODELS))
    parser.add_argument("--seconds", type=float, default=0.1, help="a window's length")
    parser.add_argument("--windows", type=int, default=15)
    args = parser.parse_args()
    for name in args.models or MODELS:
        window, steps = stepper(MODELS[name], args.seconds)
        times = [1e6 * timed(window) / steps for _ in range(args.windows)]
        print(f"{name:<12} {statistics.median(times):9.1f} us", flush=True)


if __name__ == "__main__":
    main()
