"""An Optuna study that tunes the settings of a search for formulas, by ask and tell.

Settings are tuned on some seeds and reported on others, beside the settings to begin with: the best
of a study is also the luckiest on its own seeds.

    python python/examples/optuna_settings.py --trials 30 --candidates 20000
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

import optuna

from evo_search import Search

CONFIG = Path(__file__).parents[2] / "configs" / "expression_nguyen.ron"
TUNED_ON, REPORTED_ON = (1, 2, 3), (101, 102, 103, 104, 105)
FIRST: dict[str, float] = {"population": 200, "share": 0.05, "crossover": 1.0}


def overrides(settings: dict[str, float], candidates: int) -> list[str]:
    """The settings as `evo search --set` takes them."""
    population = int(settings["population"])
    tournament = max(1, round(settings["share"] * population))
    strategy = f"RegularizedEvolution(population: {population}, tournament: {tournament})"
    return [
        "evaluation.task=Nguyen-6",
        f"strategy={strategy}",
        f"mutation.weights.crossover={settings['crossover']}",
        f"stopping.candidates={candidates}",
    ]


def fitness(settings: dict[str, float], candidates: int, seeds: Sequence[int]) -> float:
    """The mean over seeds of the best fitness that a search with these settings finds."""
    found = []
    for seed in seeds:
        search = Search(CONFIG, seed=seed, overrides=overrides(settings, candidates))
        search.run()
        found.append(search.best.fitness if search.best else float("-inf"))
    return mean(found)


def main() -> None:
    """Tunes, and reports."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--candidates", type=int, default=5000)
    args = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
    study.enqueue_trial(FIRST)
    for _ in range(args.trials):
        trial = study.ask()
        settings: dict[str, float] = {
            "population": trial.suggest_int("population", 20, 1000, log=True),
            "share": trial.suggest_float("share", 0.02, 0.5, log=True),
            "crossover": trial.suggest_float("crossover", 0.0, 2.0),
        }
        study.tell(trial, fitness(settings, args.candidates, TUNED_ON))
    for name, settings in (("first", FIRST), ("tuned", study.best_params)):
        on_others = fitness(settings, args.candidates, REPORTED_ON)
        print(f"{name}: fitness {on_others:.3f} on seeds it was not tuned on, by {settings}")


if __name__ == "__main__":
    main()
