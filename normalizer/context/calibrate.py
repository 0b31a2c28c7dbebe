"""Calibration: learns from damaged development documents how much evidence weighs, and how sure to be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ..charclass import code_points
from .corpus import Damaged, Document, damage
from .families import Pair
from .inference import Floats, Ints, crossed, grouped
from .model import Model
from .pairs import PairSet
from .restore import Restorer
from .train import Say

Labels = npt.NDArray[np.bool_]


def samples(documents: Sequence[Document], pairs: PairSet, rounds: int, seed: int) -> Iterator[Damaged]:
    """Documents as they may be met: clean, damaged throughout, damaged in part, or rows of many documents.

    Damages each document in `rounds` ways by tables drawn at random; every third time it stays clean.
    """
    rng = np.random.default_rng(seed)
    for n in range(rounds):
        for i, document in enumerate(documents):
            text, infected = _composed(documents, document.text, rng)
            if (i + n) % 3 == 0:
                nothing = np.zeros(0, dtype=np.int64)
                yield Damaged(text, nothing, nothing, nothing)
            else:
                table = draw_table(pairs, rng)
                yield damage(pairs.matcher, text, table, infected, bool(rng.random() < 0.4))


def draw_table(pairs: PairSet, rng: np.random.Generator) -> Ints:
    """For each word its substitute or -1: a family, or pairs that nobody has listed together, or some of both."""
    kind = rng.random()
    chosen = np.zeros(len(pairs), dtype=bool)
    if kind < 0.45:
        family = rng.choice(len(pairs.families), p=_family_share(pairs))
        chosen |= pairs.prior.families[:, family] & (rng.random(len(pairs)) < rng.uniform(0.5, 1))
    elif kind < 0.6:
        chosen |= pairs.prior.observed & (rng.random(len(pairs)) < 0.4)
    if kind > 0.35:
        chosen[rng.integers(0, len(pairs), int(10 ** rng.uniform(1.8, 3.7)))] = True
    table = np.full(len(pairs.words), -1, dtype=np.int64)
    order = rng.permutation(np.flatnonzero(chosen))
    table[pairs.source[order]] = pairs.substitute[order]
    return table


def _family_share(pairs: PairSet) -> Floats:
    size = pairs.prior.families.sum(axis=0).astype(np.float64)
    share: Floats = size / size.sum()
    return share


def _composed(documents: Sequence[Document], text: str, rng: np.random.Generator) -> tuple[str, list[bool]]:
    kind = rng.random()
    lines = text.split("\n")
    if kind < 0.5:
        return text, [True] * len(lines)
    if kind < 0.7:
        first, last = sorted(rng.random(2) * len(lines))
        return text, [bool(first <= n <= last + 1) for n in range(len(lines))]
    rows = []
    for _ in range(int(rng.integers(4, 26))):
        other = documents[int(rng.integers(len(documents)))].text if rng.random() < 0.5 else text
        long = [line for line in other.split("\n") if len(line) > 15]
        if long:
            rows.append(long[int(rng.integers(len(long)))][: int(rng.choice([80, 200, 600]))])
    share = rng.uniform(0.2, 0.9)
    return "\n".join(rows), [bool(rng.random() < share) for _ in rows] or [True]


def calibrate(model: Model, documents: Sequence[Document], pairs: Sequence[Pair], say: Say, seed: int = 5) -> Model:
    """The model with evidence and calibration learnt from documents of the split `dev`.

    evidence: logistic regression over crossed features of a pair's sites, less the prior odds of the sample, so that it
    gives likelihood ratios. decision: logistic regression of right restorations on `Restorer.decisive`. calibration:
    isotonic regression (pool adjacent violators) of the same on that score. Raises ValueError without dev documents.
    """
    dev = [d for d in documents if d.split == "dev" and len(d.text) >= 60]
    if not dev:
        raise ValueError("no document of the split dev")
    pair_set = PairSet(pairs, model)
    rng = np.random.default_rng(seed)
    genres = sorted({d.genre for d in dev})
    chosen = []
    for genre in genres:
        of_genre = [d for d in dev if d.genre == genre]
        chosen += [of_genre[i] for i in rng.permutation(len(of_genre))[:240].tolist()]
    half = [chosen[i::2] for i in (0, 1)]
    blank = replace(model, evidence=np.zeros(1))
    features, labels = [], []
    restorer = Restorer(pair_set, blank)
    for sample in samples(half[0], pair_set, 2, seed):
        x, y = _pair_examples(restorer, sample)
        features.append(x)
        labels.append(y)
    x, y = np.concatenate(features), np.concatenate(labels)
    evidence = logistic_regression(crossed(x), y)
    evidence[0] -= float(np.log(y.mean() / (1 - y.mean())))
    say(f"evidence learnt from {len(y)} pairs in windows, {int(y.sum())} of them replaced")
    learnt = replace(model, evidence=evidence)
    restorer = Restorer(pair_set, learnt)
    known = [judged(restorer, sample) for sample in samples(half[1], pair_set, 2, seed + 1)]
    x, y = np.concatenate([k[0] for k in known]), np.concatenate([k[1] for k in known])
    decision = logistic_regression(crossed(x), y)
    curve = isotonic(crossed(x) @ decision, y)
    say(f"calibrated on {len(y)} candidates, {int(y.sum())} of them right")
    return replace(learnt, decision=decision, calibration=curve)


def _pair_examples(restorer: Restorer, sample: Damaged) -> tuple[Floats, Labels]:
    text = sample.text
    reading = restorer.read(restorer.scene(text, code_points(text)))
    groups = grouped(reading.sites, reading.survivors, restorer.pairs.prior)
    pairs = restorer.pairs
    known = {(int(s), int(w)): k for k, (s, w) in enumerate(zip(pairs.source, pairs.substitute, strict=True))}
    window = reading.line_window[np.searchsorted(reading.lines, sample.at, side="right") - 1]
    true = {
        int(w) * len(pairs) + known[s, t]
        for w, s, t in zip(window.tolist(), sample.source.tolist(), sample.substitute.tolist(), strict=True)
        if (s, t) in known
    }
    return groups.features, np.isin(groups.key, np.array(sorted(true), dtype=np.int64))


def judged(restorer: Restorer, sample: Damaged, least: float = 0.02) -> tuple[Floats, Labels]:
    """The decisive features of each site's best candidate in a damaged text, and whether it is right."""
    text = sample.text
    cp = code_points(text)
    reading = restorer.read(restorer.scene(text, cp))
    verdict = restorer.weigh(reading, restorer.traces(text, reading.lines, np.flatnonzero(cp == ord("〞"))))
    site = reading.sites.site
    row, second = restorer.leading(reading, verdict, least)
    pairs = restorer.pairs
    gold = dict(
        zip(sample.at.tolist(), zip(sample.source.tolist(), sample.substitute.tolist(), strict=True), strict=True)
    )
    right = [
        gold.get(int(reading.start[s])) == (int(pairs.source[k]), int(pairs.substitute[k]))
        for s, k in zip(site[row].tolist(), reading.sites.pair[row].tolist(), strict=True)
    ]
    return restorer.decisive(reading, verdict, row, second), np.array(right, dtype=bool)


def logistic_regression(x: Floats, y: Labels, l2: float = 1.0, rounds: int = 30) -> Floats:
    """Weights by Newton's method, with a ridge on all but the constant."""
    weights = np.zeros(x.shape[1])
    ridge = np.full(x.shape[1], l2)
    ridge[0] = 1e-6
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        step = np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + np.diag(ridge), x.T @ (p - y) + ridge * weights)
        weights -= step
        if np.abs(step).max() < 1e-6:
            break
    return weights


def isotonic(score: Floats, right: Labels, knots: int = 40) -> Floats:
    """A rising curve from score to the share that is right, as knots: row 0 scores, row 1 probabilities."""
    order = np.argsort(score, kind="stable")
    blocks: list[list[float]] = []
    for s, r in zip(score[order].tolist(), right[order].tolist(), strict=True):
        blocks.append([float(r), 1.0, s])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] >= blocks[-1][0] / blocks[-1][1]:
            r0, n0, s0 = blocks.pop()
            total = blocks[-1][1] + n0
            blocks[-1] = [blocks[-1][0] + r0, total, (blocks[-1][2] * blocks[-1][1] + s0 * n0) / total]
    big = [b for b in blocks if b[1] >= 25] or blocks
    big = big[:: max(1, len(big) // knots)] + big[-1:]
    curve: Floats = np.array([[b[2] for b in big], [(b[0] + 0.5) / (b[1] + 1) for b in big]])
    return curve
