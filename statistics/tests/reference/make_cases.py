"""Writes the cases that tests/scipy.rs, and a test in src/bootstrap.rs, compare evo-statistics
with.

What SciPy has comes from SciPy: kendalltau, wilcoxon, binomtest, permutation_test and bootstrap.
The rest is computed here by another way than the crate's: Holm's adjustment as the closed test it
is a shortcut of, scores of performance profiles by quadrature, and intervals from all n^n
resamples in place of drawn ones, BCa's by SciPy's formulas and checked here against
scipy.stats.bootstrap.

Needs SciPy (written with 1.17.1) and NumPy. Seeded, so a second run writes the same file but for
last bits of other versions. Takes half a minute. Run it from anywhere:

    python3 -m venv VENV && VENV/bin/pip install scipy==1.17.1
    VENV/bin/python statistics/tests/reference/make_cases.py

The file, statistics/tests/data/scipy.json, holds lists of cases under "kendall", "wilcoxon",
"sign", "holm", "profile", "mean", "groups" and "kendall_interval". Infinities are the strings
"inf" and "-inf"; a time that is a miss is null. The last three are intervals, with "low_within"
and "high_within", between which the ends lie of 200,000 drawn resamples: the numbers that a share
of all resamples 0.004 less and more lies below. The error of that share is at most 0.001, and the
bias that BCa reads off the resamples adds as much. "low" and "high" of means are the ends on all
resamples.
"""

import fractions
import itertools
import json
import pathlib

import numpy as np
import scipy
from scipy import stats
from scipy.special import ndtr, ndtri

DATA = pathlib.Path(__file__).resolve().parent.parent / "data" / "scipy.json"
SLACK = 0.004
CHECKED_RESAMPLES = 200_000


def kendall_cases(rng):
    pairs = [
        ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]),
        ([1, 2, 3, 4, 5], [3, 1, 4, 5, 2]),
        ([1, 1, 2, 2, 3], [1, 2, 2, 2, 1]),
        ([-np.inf, -np.inf, 0.5, 0.25, np.inf], [-np.inf, 0.5, 1, -np.inf, 2]),
    ]
    for count in (10, 48, 200):
        x, noise = np.round(rng.normal(size=(2, count)), 3)
        pairs.append((x, np.round(x + noise, 3)))
        pairs.append((rng.integers(0, 5, count), rng.integers(0, 3, count)))
    return [{"a": a, "b": b, "tau": stats.kendalltau(a, b).statistic} for a, b in pairs]


def positive_ranks(differences, axis):
    """Wilcoxon's sum of the ranks of positive differences."""
    ranks = stats.rankdata(np.abs(differences), axis=axis)
    return np.sum(np.where(differences > 0, ranks, 0), axis=axis)


def counted(differences):
    """The exact p of differences that are ranks with signs, from the whole numbers of signs that
    lead to each sum: the coefficients of the product of 1 + x^rank, packed into one number."""
    ranks = [abs(int(difference)) for difference in differences]
    bits = len(ranks) + 1
    product = 1
    for rank in ranks:
        product += product << (rank * bits)
    positive = sum(int(difference) for difference in differences if difference > 0)
    smaller = min(positive, sum(ranks) - positive)
    packed, tail = product & ((1 << (smaller + 1) * bits) - 1), 0
    text = bin(packed)[2:].zfill((smaller + 1) * bits)
    for start in range(0, len(text), bits):
        tail += int(text[start : start + bits], 2)
    return min(1.0, float(fractions.Fraction(2 * tail, 2 ** len(ranks))))


def wilcoxon_cases(rng):
    cases = []
    for count in (1, 2, 5, 8, 10, 25, 60, 200, 500):
        signs = np.where(rng.uniform(size=count) < 0.6, 1, -1)
        differences = rng.permutation(count) * signs + signs
        p = counted(differences)
        # A small p is what SciPy's subtraction from 1 leaves of it, so it is compared by digits
        # behind the point, and written down as counted.
        assert abs(p - stats.wilcoxon(differences, method="exact").pvalue) < 1e-13
        cases.append({"differences": differences, "p": p})
    # SciPy's exact distribution has no ties: with them, all signs are gone through.
    for count in (4, 7, 10, 14):
        differences = rng.integers(-3, 6, count)
        given = differences[differences != 0]
        p = stats.permutation_test(
            (given,),
            positive_ranks,
            permutation_type="samples",
            n_resamples=np.inf,
            vectorized=True,
        ).pvalue
        cases.append({"differences": differences, "p": p})
    return cases


def sign_cases():
    counts = [(1, 0), (8, 0), (7, 1), (5, 5), (5, 6), (30, 17), (300, 251), (2000, 2150)]
    counts.append((900, 40))
    return [
        {"wins": wins, "losses": losses, "p": stats.binomtest(wins, wins + losses, 0.5).pvalue}
        for wins, losses in counts
    ]


def closed_test(p):
    """The adjusted p of each: the largest Bonferroni p of all sets of hypotheses that it is in."""
    tests = range(len(p))
    sets = [chosen for size in tests for chosen in itertools.combinations(tests, size + 1)]
    bonferroni = {chosen: min(1.0, len(chosen) * min(p[i] for i in chosen)) for chosen in sets}
    return [max(bonferroni[chosen] for chosen in sets if test in chosen) for test in tests]


def holm_cases(rng):
    lists = [[0.04], [0.01, 0.04, 0.03, 0.005], [0.02, 0.02, 0.9], [0.5, 0.6, 0.7]]
    lists += [rng.uniform(size=count) ** 3 for count in (5, 8, 10)]
    return [{"p": p, "adjusted": closed_test(p)} for p in lists]


def profile_cases(rng):
    cases = []
    for programs, tasks in ((2, 3), (4, 8), (6, 25)):
        times = np.exp(rng.normal(0, 0.7, (programs, tasks))) * rng.uniform(1, 1e4, tasks)
        times[rng.uniform(size=times.shape) < 0.15] = np.inf
        times[:, 0] = np.inf
        with np.errstate(invalid="ignore"):
            ratios = np.where(np.isinf(times), np.inf, times / times.min(axis=0))
        # Midpoints of a fine grid.
        tau = 1 + 3 * (np.arange(100_000) + 0.5) / 100_000
        scores = [np.mean(row[:, None] <= tau) for row in ratios]
        shares = [[np.mean(row <= at) for at in (1.0, 1.5, 2.0, 4.0, 100.0)] for row in ratios]
        listed = [[None if np.isinf(time) else time for time in row] for row in times]
        cases.append({"times": listed, "scores": scores, "shares": shares})
    return cases


def within(values, low, high):
    """The values with a little less and more than two shares of all below them."""

    def around(share):
        shares = np.clip([share - SLACK, share + SLACK], 0, 1)
        return np.percentile(values, 100 * shares, method="inverted_cdf")

    return {"low_within": around(low), "high_within": around(high)}


def all_resamples(count):
    return np.array(list(itertools.product(range(count), repeat=count)))


def bca(numbers, level):
    """BCa of a mean from all resamples; `numbers` are eighths, so that ties of means are exact."""
    count = len(numbers)
    means = numbers[all_resamples(count)].sum(axis=1) / count
    value = numbers.sum() / count
    bias = ndtri(((means < value).mean() + (means <= value).mean()) / 2)
    without = np.array([np.delete(numbers, i).mean() for i in range(count)])
    influence = (count - 1) * (without.mean() - without)
    acceleration = np.sum(influence**3) / np.sum(influence**2) ** 1.5 / 6
    shares = []
    for nominal in ((1 - level) / 2, (1 + level) / 2):
        moved = bias + ndtri(nominal)
        shares.append(ndtr(bias + moved / (1 - acceleration * moved)))
    low, high = np.percentile(means, 100 * np.array(shares))
    return {"low": low, "high": high, **within(means, *shares)}


def mean_cases(rng):
    cases = []
    for count, level in ((2, 0.9), (4, 0.9), (5, 0.95), (6, 0.95), (7, 0.95), (7, 0.68)):
        numbers = np.round(8 * rng.exponential(3, count)) / 8
        case = bca(numbers, level)
        drawn = stats.bootstrap(
            (numbers,),
            np.mean,
            n_resamples=CHECKED_RESAMPLES,
            confidence_level=level,
            method="BCa",
            rng=np.random.default_rng(1),
            batch=10_000,
        ).confidence_interval
        for name in ("low", "high"):
            below, above = case[f"{name}_within"]
            assert below <= getattr(drawn, name) <= above, (numbers, drawn, case)
        cases.append({"numbers": numbers, "level": level, **case})
    return cases


def groups_cases(rng):
    """The mean over groups of the median of each: with an infinite one, infinite."""
    cases = []
    for sizes, misses in (((3, 5), 0), ((3, 3, 3), 0), ((5, 3), 1)):
        groups = [np.round(rng.exponential(3, size), 3) for size in sizes]
        for group in groups[:misses]:
            group[0] = np.inf
        medians = [np.median(group[all_resamples(len(group))], axis=1) for group in groups]
        means = sum(np.ix_(*medians)) / len(sizes)
        value = np.mean([np.median(group) for group in groups])
        case = {"groups": groups, "value": value, "level": 0.9}
        cases.append({**case, **within(means.ravel(), 0.05, 0.95)})
    return cases


def kendall_interval_cases(rng):
    cases = []
    for count in (4, 5, 6):
        a, b = rng.permutation(count), rng.permutation(count)
        resamples = all_resamples(count)
        taus = np.array([stats.kendalltau(a[r], b[r]).statistic for r in resamples])
        taus = taus[~np.isnan(taus)]
        case = {"a": a, "b": b, "value": stats.kendalltau(a, b).statistic, "level": 0.7}
        cases.append({**case, **within(taus, 0.15, 0.85)})
    return cases


def plain(value):
    """As JSON has it."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(entry) for entry in value]
    if value is None or isinstance(value, str):
        return value
    if float(value) in (np.inf, -np.inf):
        return "inf" if value > 0 else "-inf"
    return int(value) if isinstance(value, (int, np.integer)) else float(value)


def main():
    rng = np.random.default_rng(1)
    cases = {
        "made_with": f"SciPy {scipy.__version__}, NumPy {np.__version__}",
        "kendall": kendall_cases(rng),
        "wilcoxon": wilcoxon_cases(rng),
        "sign": sign_cases(),
        "holm": holm_cases(rng),
        "profile": profile_cases(rng),
        "mean": mean_cases(rng),
        "groups": groups_cases(rng),
        "kendall_interval": kendall_interval_cases(rng),
    }
    lines = []
    for name, value in plain(cases).items():
        if isinstance(value, list):
            entries = ",\n".join("    " + json.dumps(entry) for entry in value)
            lines.append(f'  "{name}": [\n{entries}\n  ]')
        else:
            lines.append(f'  "{name}": {json.dumps(value)}')
    DATA.parent.mkdir(exist_ok=True)
    DATA.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
