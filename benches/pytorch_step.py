#!/usr/bin/env python3
"""Training steps of the proxy networks in PyTorch, eager, one thread: the other half of `step_ratio.py`.

    OMP_NUM_THREADS=1 taskset -c 0 python3 benches/pytorch_step.py

Same networks, batches and update as `cargo run --release -p evo-evaluators --example step`: rows are
gathered by random index, then forward, backward and the faster of PyTorch's fused and for-each AdamW.
Prints the median over windows of the microseconds a step. Needs PyTorch.
"""

import argparse
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn


def mlp():
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    return model, rows((64,), 64, model)


def conv(size, channels, widths, batch):
    layers, inputs = [], channels
    for index, width in enumerate(widths):
        layers += [nn.Conv2d(inputs, width, 3, 1 if index == 0 else 2, 1), nn.ReLU()]
        inputs = width
    side = size // 2 ** (len(widths) - 1)
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(inputs * side * side, 10))
    return model, rows((channels, size, size), batch, model)


def rows(shape, batch, model):
    features, labels = torch.randn(1500, *shape), torch.randint(0, 10, (1500,))

    def loss():
        index = torch.randint(0, 1500, (batch,))
        return F.cross_entropy(model(features[index]), labels[index])

    return loss


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.RMSNorm(width, eps=1e-6) for _ in range(2))
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)

    def forward(self, x, causal=True):
        batch, context, width = x.shape
        packed = self.qkv(self.norms[0](x)).view(batch, context, 3, self.heads, -1)
        query, key, value = packed.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=causal)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, context, width))
        return x + self.down(F.relu(self.up(self.norms[1](x))))


class Transformer(nn.Module):
    def __init__(self, width, layers, heads, context, vocabulary):
        super().__init__()
        self.table = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(0.5 * torch.randn(context, width))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.RMSNorm(width, eps=1e-6)
        self.head = nn.Linear(width, vocabulary, bias=False)

    def forward(self, tokens):
        x = self.table(tokens) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def language(model):
    context, vocabulary, batch = 32, 64, 16
    tokens, window = torch.randint(0, vocabulary, (20_000,)), torch.arange(context + 1)

    def loss():
        windows = tokens[torch.randint(0, 20_000 - context, (batch, 1)) + window]
        logits = model(windows[:, :-1])
        return F.cross_entropy(logits.reshape(-1, vocabulary), windows[:, 1:].reshape(-1))

    return model, loss


class Recurrent(nn.Module):
    def __init__(self, width, vocabulary):
        super().__init__()
        self.table = nn.Embedding(vocabulary, width)
        self.cell = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, vocabulary, bias=False)

    def forward(self, tokens):
        return self.head(self.cell(self.table(tokens))[0])


class VisionTransformer(nn.Module):
    def __init__(self, width, layers, heads, patch, channels, patches):
        super().__init__()
        self.patch = patch
        self.embed = nn.Linear(patch * patch * channels, width)
        self.positions = nn.Parameter(0.1 * torch.randn(patches, width))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.RMSNorm(width, eps=1e-6)
        self.head = nn.Linear(width, 10)

    def forward(self, images):
        batch, height, width, channels = images.shape
        down, across = height // self.patch, width // self.patch
        x = images.view(batch, down, self.patch, across, self.patch * channels)
        x = self.embed(x.transpose(2, 3).reshape(batch, down * across, -1)) + self.positions
        for block in self.blocks:
            x = block(x, causal=False)
        return self.head(self.norm(x).mean(1))


def vit():
    model = VisionTransformer(64, 2, 4, 4, 3, 16)
    return model, rows((16, 16, 3), 32, model)


MODELS = {
    "mlp": mlp,
    "c8": lambda: conv(8, 1, [8, 16], 64),
    "c16": lambda: conv(16, 3, [16, 32], 32),
    "transformer": lambda: language(Transformer(64, 2, 4, 32, 64)),
    "recurrent": lambda: language(Recurrent(64, 64)),
    "vit": vit,
}

# Of PyTorch's AdamW.
KINDS = ("fused", "foreach")


def stepper(build, **adamw):
    """A function that makes one training step."""
    torch.manual_seed(0)
    model, loss = build()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, **adamw)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss().backward()
        optimizer.step()

    for _ in range(20):
        step()
    return step


def microseconds(step, seconds):
    """Mean microseconds of a step, over a window."""
    start, steps, now = time.perf_counter(), 0, 0.0
    while now < seconds:
        step()
        steps += 1
        now = time.perf_counter() - start
    return 1e6 * now / steps


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="*", help="of " + ", ".join(MODELS))
    parser.add_argument("--seconds", type=float, default=0.1, help="a window's length")
    parser.add_argument("--windows", type=int, default=15)
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name in args.models or MODELS:
        found = {}
        for kind in KINDS:
            step = stepper(MODELS[name], **{kind: True})
            times = [microseconds(step, args.seconds) for _ in range(args.windows)]
            found[kind] = statistics.median(times)
        best = min(found, key=found.get)
        print(f"{name:<12} {found[best]:9.1f} us  ({best} AdamW)", flush=True)


if __name__ == "__main__":
    main()
