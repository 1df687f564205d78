"""Whether the order of rules in `evo` is their order in plain PyTorch, on tasks written only here.

    evo export zoo:lion --to torch > lion.py
    evo export zoo:muon_adamw --to torch > muon.py
    evo export runs/NAME --to torch --name Winner > winner.py
    python examples/pytorch_transfer.py winner.py muon.py lion.py [--seeds 5] [--json]

Five tasks that share nothing with the engine but the rules: language models of the source of
Python's standard library (attention by torch, and an LSTM), a convolutional network with batch
normalisation that names drawn shapes, one that takes noise off them, and a network with layer
normalisation on a physical formula. Every rule is tuned over the same learning rates (multiples of
its own default) with two seeds, and reported with others. `torch.optim.AdamW` is tuned likewise,
its first beta among 0.6 and 0.9 too. A cosine would favour
who bends it: the rate is constant and falls in a straight line over the last quarter.
"""

import argparse
import importlib.util
import inspect
import json
import math
import statistics

import torch
from torch import nn
from torch.nn import functional

RATES = [2.0**power for power in range(-6, 9)]
TUNING = [1000, 1001]
SETTLING = 50


def source_text():
    """The source of some modules of the standard library, as numbers below 128."""
    import argparse, collections, configparser, difflib, doctest, inspect as own, textwrap

    modules = [argparse, collections, configparser, difflib, doctest, own, textwrap]
    text = "\n".join(inspect.getsource(module) for module in modules)
    return torch.tensor([min(ord(letter), 127) for letter in text])


class LanguageModel(nn.Module):
    context, width = 48, 48

    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(128, self.width)
        self.places = nn.Embedding(self.context, self.width)
        layer = nn.TransformerEncoderLayer(
            self.width, 4, 4 * self.width, dropout=0.0, batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(self.width, 128)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(self.context))

    def forward(self, tokens):
        hidden = self.tokens(tokens) + self.places.weight
        return self.head(self.layers(hidden, mask=self.mask))


class RecurrentModel(nn.Module):
    context, width = 24, 48

    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(128, self.width)
        self.layer = nn.LSTM(self.width, self.width, batch_first=True)
        self.head = nn.Linear(self.width, 128)

    def forward(self, tokens):
        return self.head(self.layer(self.tokens(tokens))[0])


class SourceTask:
    name, steps, batch = "source_transformer", 500, 16
    model = LanguageModel

    def __init__(self):
        self.text = source_text()
        self.cut = len(self.text) * 9 // 10

    def network(self):
        return self.model()

    def inputs_of(self, windows):
        return windows[:, :-1]

    def loss(self, network, windows):
        scores = network(self.inputs_of(windows))
        return functional.cross_entropy(scores.flatten(0, 1), windows[:, 1:].flatten())

    def windows(self, starts):
        length = self.model.context + 1
        return torch.stack([self.text[start : start + length] for start in starts])

    def draw(self, generator):
        last = self.cut - self.model.context - 1
        return self.windows(torch.randint(last, (self.batch,), generator=generator))

    def validation(self):
        return self.windows(range(self.cut, len(self.text) - self.model.context - 1, 400))


class SourceRecurrentTask(SourceTask):
    name, steps, batch = "source_lstm", 400, 16
    model = RecurrentModel


def shapes(count, generator):
    """Images of 16 by 16 with a ring, a cross, a square or a stripe somewhere: under noise, as they
    are, and which it is."""
    axis = torch.arange(16.0)
    rows, columns = axis[:, None], axis[None, :]
    labels = torch.randint(4, (count,), generator=generator)
    places = 4 + 8 * torch.rand(count, 2, generator=generator)
    sizes = 2 + 2 * torch.rand(count, generator=generator)
    images = torch.empty(count, 1, 16, 16)
    for image, label, (row, column), size in zip(images, labels, places, sizes):
        down, right = rows - row, columns - column
        away = (down**2 + right**2).sqrt()
        inside = torch.maximum(down.abs(), right.abs()) < size
        image[0] = {
            0: ((away - size).abs() < 0.8).float(),
            1: (inside & (torch.minimum(down.abs(), right.abs()) < 0.8)).float(),
            2: inside.float(),
            3: (inside & (down.abs() < 0.8)).float(),
        }[int(label)]
    return images + torch.randn(images.shape, generator=generator), images, labels


class ShapesTask:
    name, steps, batch = "shapes_batch_norm", 400, 32

    def __init__(self):
        generator = torch.Generator().manual_seed(7)
        self.train, self.held = shapes(4000, generator), shapes(1000, generator)

    def network(self):
        def block(a, b):
            return [nn.Conv2d(a, b, 3, 2, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU()]

        layers = [*block(1, 12), *block(12, 24), *block(24, 24)]
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(96, 4))

    def inputs_of(self, batch):
        return batch[0]

    def loss(self, network, batch):
        return functional.cross_entropy(network(batch[0]), batch[2])

    def draw(self, generator):
        rows = torch.randint(len(self.train[0]), (self.batch,), generator=generator)
        return tuple(part[rows] for part in self.train)

    def validation(self):
        return self.held


class DenoisingTask(ShapesTask):
    """The shapes without their noise, through a code of 4 by 4 by 8."""

    name, steps, batch = "shapes_denoising", 300, 32

    def network(self):
        return nn.Sequential(
            nn.Conv2d(1, 12, 3, 2, 1),
            nn.GELU(),
            nn.Conv2d(12, 8, 3, 2, 1),
            nn.GELU(),
            nn.ConvTranspose2d(8, 12, 4, 2, 1),
            nn.GELU(),
            nn.ConvTranspose2d(12, 1, 4, 2, 1),
        )

    def loss(self, network, batch):
        return functional.mse_loss(network(batch[0]), batch[1])


class FormulaTask:
    """The period of a damped pendulum with a large swing, to be learned from samples."""

    name, steps, batch = "formula_layer_norm", 600, 64

    def __init__(self):
        generator = torch.Generator().manual_seed(8)
        inputs = torch.rand(6000, 4, generator=generator)
        length, swing, damping, gravity = (inputs * torch.tensor([2.0, 2.5, 0.3, 8.0]) + 0.1).T
        turn = 1 + swing**2 / 16 + 11 * swing**4 / 3072
        period = 2 * math.pi * (length / (gravity + 1)).sqrt() * turn / (1 - damping**2).sqrt()
        target = (period - period.mean()) / period.std()
        self.inputs, self.target = inputs * 2 - 1, target

    def network(self):
        def block():
            return [nn.Linear(64, 64), nn.LayerNorm(64), nn.SiLU()]

        return nn.Sequential(nn.Linear(4, 64), nn.SiLU(), *block(), *block(), nn.Linear(64, 1))

    def inputs_of(self, batch):
        return batch[0]

    def loss(self, network, batch):
        return functional.mse_loss(network(batch[0]).squeeze(1), batch[1])

    def draw(self, generator):
        rows = torch.randint(5000, (self.batch,), generator=generator)
        return self.inputs[rows], self.target[rows]

    def validation(self):
        return self.inputs[5000:], self.target[5000:]


def train(task, optimizer_of, rate, seed):
    """The validation loss in the end; infinite where training breaks."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    network = task.network()
    optimizer = optimizer_of(network.parameters(), rate)
    peaks = [group["lr"] for group in optimizer.param_groups]
    for step in range(task.steps):
        for group, peak in zip(optimizer.param_groups, peaks):
            group["lr"] = peak * min(1.0, (task.steps - step) / (task.steps / 4))
        loss = task.loss(network, task.draw(generator))
        if not math.isfinite(loss.item()):
            return math.inf
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if hasattr(optimizer, "eval"):
        # A rule that validates with other weights than it trains: an average of them.
        optimizer.eval()
    with torch.no_grad():
        # The statistics of batch normalisation are of the weights that were trained; those of the
        # weights that are validated are taken for every rule.
        for _ in range(SETTLING):
            network(task.inputs_of(task.draw(generator)))
        network.eval()
        loss = task.loss(network, task.validation()).item()
    return loss if math.isfinite(loss) else math.inf


def exported(path):
    """What makes an exported optimizer at a multiple of its own learning rate."""
    spec = importlib.util.spec_from_file_location(path.removesuffix(".py"), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    own = [it for it in vars(module).values() if getattr(it, "__module__", None) == spec.name]
    (kind,) = [it for it in own if inspect.isclass(it) and issubclass(it, torch.optim.Optimizer)]
    default = inspect.signature(kind).parameters["lr"].default
    return {path: lambda parameters, rate: kind(parameters, lr=default * rate)}


def adamw(beta1):
    def make(parameters, rate):
        return torch.optim.AdamW(parameters, lr=1e-3 * rate, betas=(beta1, 0.999))

    return make


def tuned(task, settings, seeds):
    """Losses on `seeds` with the setting and the rate of the lowest mean loss on others."""
    tried = []
    for make in settings:
        for rate in RATES:
            losses = []
            for seed in TUNING:
                losses.append(train(task, make, rate, seed))
                if math.isinf(losses[-1]):
                    break
            tried.append((statistics.fmean(losses), rate, make))
    _, rate, make = min(tried, key=lambda it: it[0])
    return rate, [train(task, make, rate, seed) for seed in range(seeds)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("exports", nargs="+", help="files that `evo export --to torch` wrote")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    rules = {"AdamW": [adamw(0.9), adamw(0.6)]}
    for path in args.exports:
        rules |= {name: [make] for name, make in exported(path).items()}
    table = {}
    for kind in [SourceTask, SourceRecurrentTask, ShapesTask, DenoisingTask, FormulaTask]:
        task = kind()
        for name, settings in rules.items():
            rate, losses = tuned(task, settings, args.seeds)
            table.setdefault(name, {})[task.name] = losses
            if not args.json:
                spread = statistics.stdev(losses) if len(losses) > 1 else 0.0
                loss = f"{statistics.fmean(losses):.4f} ±{spread:.4f}"
                print(f"{task.name:20} {name:24} x{rate:<8g} {loss}", flush=True)
    if args.json:
        print(json.dumps(table))
        return
    print("\nmean of ln(AdamW's loss / loss) over tasks and seeds, the best first:")
    gains = {
        name: statistics.fmean(
            math.log(own / other)
            for task, losses in tasks.items()
            for other, own in zip(losses, table["AdamW"][task])
        )
        for name, tasks in table.items()
    }
    for name, gain in sorted(gains.items(), key=lambda it: -it[1]):
        print(f"{gain:+.3f} {name}")


if __name__ == "__main__":
    main()
