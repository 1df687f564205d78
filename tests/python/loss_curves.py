"""Trains the networks of recorded runs in PyTorch and compares or writes the losses.

    EVO_LOSS_CASES=DIR cargo test -p evo-evaluators --test loss_curves -- --ignored
    python tests/python/loss_curves.py DIR                                              # compares
    python tests/python/loss_curves.py DIR evaluators/tests/data/loss_curves.json       # writes

A case holds initial weights, batches, learning rates and the losses that `evo` had. The networks are
written here with `torch.nn.functional` and trained in float64 by `torch.optim.AdamW`, by the same with the
average of `torch.optim.swa_utils`, and by the authors' `schedulefree`, so that the difference is the
rounding of the float32 of `evo`; in float32 both round.
"""

import argparse
import json
import math
import sys
from pathlib import Path

import schedulefree
import torch
import torch.nn.functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_avg_fn

TOLERANCE = 1e-3
WEIGHT_DECAY = 0.01


def mlp(weights, batch, case):
    w1, b1, w2, b2 = weights
    x = batch["features"].reshape(-1, w1.shape[0])
    return F.cross_entropy(F.relu(x @ w1 + b1) @ w2 + b2, batch["labels"])


def conv(weights, batch, case):
    *convolutions, w, b = weights
    side = math.isqrt(batch["features"].numel() // len(batch["labels"]))
    x = batch["features"].reshape(len(batch["labels"]), side, side, 1).permute(0, 3, 1, 2)
    for layer in range(0, len(convolutions), 2):
        kernel, bias = convolutions[layer].permute(3, 2, 0, 1), convolutions[layer + 1]
        x = F.relu(F.conv2d(x, kernel, bias, stride=1 if layer == 0 else 2, padding=1))
    x = x.permute(0, 2, 3, 1).flatten(1)
    return F.cross_entropy(x @ w + b, batch["labels"])


def rms_norm(x, gain):
    return F.rms_norm(x, (x.shape[-1],), gain, eps=1e-6)


def transformer(weights, batch, case):
    table, positions, *blocks, gain, head = weights
    context, heads = case["context"], case["heads"]
    x = table[batch["inputs"].reshape(-1, context)] + positions
    n, _, width = x.shape
    for layer in range(0, len(blocks), 6):
        norm, qkv, out, mlp_norm, up, down = blocks[layer : layer + 6]
        packed = (rms_norm(x, norm) @ qkv).reshape(n, context, 3, heads, width // heads)
        q, k, v = packed.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + mixed.transpose(1, 2).reshape(n, context, width) @ out
        x = x + F.relu(rms_norm(x, mlp_norm) @ up) @ down
    logits = rms_norm(x, gain) @ head
    return F.cross_entropy(logits.flatten(0, 1), batch["targets"])


NETWORKS = {
    "mlp": mlp,
    "conv": conv,
    "transformer": transformer,
    "averaged": mlp,
    "schedule_free": mlp,
}


def tensors(batches, dtype):
    for batch in batches:
        ((_, fields),) = batch.items()
        yield {
            key: torch.tensor(numbers, dtype=dtype if key == "features" else torch.int64)
            for key, numbers in fields.items()
        }


@torch.no_grad()
def validate(weights, case, dtype):
    """The mean loss over the validation data."""
    total, count = 0.0, 0
    for batch in tensors(case["validation"], dtype):
        targets = batch.get("labels", batch.get("targets"))
        total += NETWORKS[case["name"]](weights, batch, case).item() * len(targets)
        count += len(targets)
    return total / count


def train(case, dtype):
    """The losses of the batches, and the validation losses behind every tenth step."""
    start = [
        torch.tensor(leaf["weights"], dtype=dtype).reshape(leaf["shape"]) for leaf in case["leaves"]
    ]
    model = torch.nn.ParameterList(start)
    averaged, free = case["rule"] == "adamw_ema", case["rule"] == "schedule_free_adamw"
    make = schedulefree.AdamWScheduleFree if free else torch.optim.AdamW
    optimizer = make(model.parameters(), weight_decay=WEIGHT_DECAY)
    mean = AveragedModel(model, avg_fn=get_ema_avg_fn(0.999)) if averaged else None
    losses, validated = [], []
    steps = zip(tensors(case["batches"], dtype), case["learning_rates"], strict=True)
    for step, (batch, learning_rate) in enumerate(steps, 1):
        if free:
            optimizer.train()
        optimizer.param_groups[0]["lr"] = learning_rate
        optimizer.zero_grad()
        loss = NETWORKS[case["name"]](list(model), batch, case)
        loss.backward()
        optimizer.step()
        if averaged:
            mean.update_parameters(model)
        losses.append(loss.item())
        if step % 10 == 0:
            if free:
                optimizer.eval()
            validated.append((step, validate(list((mean or model).parameters()), case, dtype)))
    return losses, validated


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("cases", type=Path)
    parser.add_argument("write", type=Path, nargs="?")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    curves, failed = {}, False
    for name in sorted(NETWORKS):
        case = json.loads((arguments.cases / f"{name}.json").read_text())
        (exact, validated), rounded = train(case, torch.float64), train(case, torch.float32)
        ours = case["losses"] + [loss for _, loss in case["validated"]]
        worst = [
            max(abs(one / other - 1) for one, other in zip(ours, theirs, strict=True))
            for theirs in (
                losses + [loss for _, loss in behind]
                for losses, behind in ((exact, validated), rounded)
            )
        ]
        print(
            f"{name}: {len(exact)} steps, loss {exact[0]:.4f} to {exact[-1]:.4f}; largest relative "
            f"difference {worst[0]:.1e} in float64, {worst[1]:.1e} in float32, validation included"
        )
        failed |= max(worst) > TOLERANCE
        curves[name] = {"digest": case["digest"], "losses": exact, "validated": validated}
    if arguments.write:
        arguments.write.write_text(json.dumps(curves, indent=1) + "\n")
    elif failed:
        sys.exit(f"losses differ by more than {TOLERANCE}")


if __name__ == "__main__":
    main()
