"""Joint inference: which passages are damaged, by which table of pairs, and which sites the table has touched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..edit import Offsets

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Weighing:
    """The constants of the inference; chosen on the development split, see the model card.

    prior: probability that a window is damaged, before anything is seen. baseline: how much of a pair's bare frequency
    ratio counts as expected. survivor: log-odds against a pair for each source word left standing. *_cap: log-odds that
    one pair may at most contribute to its window and to itself. member, stray: probability that a family's pair is in
    the table of a document of that family, and that another pair is. densities: the shares of the dictionary that an
    unknown table may hold. stay: probability that a line is in the same state as the one before it.
    """

    prior: float = 0.002
    baseline: float = 0.8
    survivor: float = -2.5
    survivor_cap: float = -8.0
    window_cap: float = 2.5
    pair_cap: float = 10.0
    member: float = 0.6
    stray: float = 0.01
    densities: tuple[float, ...] = (0.02, 0.08, 0.25, 0.6)
    observed_gain: float = 2.0
    stay: float = 0.97
    rounds: int = 3


@dataclass(frozen=True, slots=True)
class Prior:
    """What is known of K pairs before a text is read.

    expected: log-odds of source against substitute by frequency alone, (K,). alternatives: how many substitutes the
    tables give the pair's source, (K,). families: membership, (K, families). observed: seen in a document, (K,).
    """

    expected: Floats
    alternatives: Ints
    families: npt.NDArray[np.bool_]
    observed: npt.NDArray[np.bool_]

    def activity(self, weighing: Weighing) -> Floats:
        """Probability that each pair is in the table, for each kind of table: (kinds, K)."""
        share = 1.0 / self.alternatives
        rows = [
            np.where(self.families[:, f], weighing.member, weighing.stray * share) for f in range(self.families.shape[1])
        ]
        for density in weighing.densities:
            rows.append(np.minimum(0.9, density * np.where(self.observed, weighing.observed_gain, 1.0) * share))
        return np.clip(np.array(rows), 1e-6, 0.95)


@dataclass(frozen=True, slots=True)
class Sites:
    """n candidates (a site with one of its pairs): site, line and window by number, the pair, log-odds of its source.

    weight: 1 for a site's context seen once in its window; less where it repeats, as terms do.
    """

    site: Ints
    line: Ints
    window: Ints
    pair: Ints
    logit: Floats
    weight: Floats


@dataclass(frozen=True, slots=True)
class Survivors:
    """Source words that stand in the text, one row for each of their pairs."""

    line: Ints
    window: Ints
    pair: Ints


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was inferred, per candidate: probability that the site was written with the source, and what it rests on."""

    probability: Floats
    active: Floats
    passage: Floats
    line_odds: Floats
    window_odds: Floats


def _softplus(x: Floats) -> Floats:
    return np.logaddexp(0.0, x)


def _sigmoid(x: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(x, -40, 40)))


def infer(
    sites: Sites, survivors: Survivors, traces: Floats, lines: int, line_window: Ints, prior: Prior,
    weighing: Weighing | None = None, clean_line: Floats | None = None, infected: bool = False,
) -> Verdict:  # fmt: skip
    """Weighs all evidence together.

    traces: log-odds of damage by line from marks that no pair explains (impossible strings, 〞), shape (lines,).
    line_window: the window of each line, ascending, (lines,). clean_line: log-odds against damage by line, for headings
    and furniture. infected: take damage as given.
    """
    g = weighing or Weighing()
    windows = int(line_window[-1]) + 1 if lines else 0
    pairs = len(prior.expected)
    kinds = prior.activity(g)
    # (window, pair) groups of candidates and survivors together
    keys, group = np.unique(
        np.concatenate([sites.window * pairs + sites.pair, survivors.window * pairs + survivors.pair]), return_inverse=True
    )
    n = len(sites.site)
    of_site, of_survivor = group[:n], group[n:]
    group_pair, group_window = keys % pairs, keys // pairs
    expected = _softplus(prior.expected[sites.pair])
    alone = _softplus(sites.logit) - g.baseline * expected
    evidence = alone
    in_passage = np.ones(lines)
    site_count = int(sites.site.max()) + 1 if n else 0
    log_kinds = np.log(kinds)
    log_off = np.log1p(-kinds)
    active = np.zeros(len(keys))
    window_odds = np.zeros(windows)
    line_odds = np.zeros(lines)
    trace_window = np.bincount(line_window, traces, windows) if lines else np.zeros(0)
    for _ in range(g.rounds):
        w = sites.weight * in_passage[sites.line]
        plus = np.bincount(of_site, np.maximum(evidence, 0) * w, len(keys))
        minus = np.bincount(of_site, np.minimum(evidence, 0) * w, len(keys))
        left = np.maximum(np.bincount(of_survivor, in_passage[survivors.line], len(keys)) * g.survivor, g.survivor_cap)
        for_pair = np.minimum(plus, g.pair_cap) + np.maximum(minus + left, -12)
        a = kinds[:, group_pair]
        gain = np.minimum(np.log1p(a * np.expm1(for_pair)), g.window_cap)
        total = np.zeros((len(kinds), windows))
        for c in range(len(kinds)):
            total[c] = np.bincount(group_window, gain[c], windows)
        top = total.max(axis=0) if windows else np.zeros(0)
        window_odds = top + np.log(np.exp(total - top).mean(axis=0)) + trace_window + np.log(g.prior / (1 - g.prior))
        mix = np.exp(total - top)
        mix /= mix.sum(axis=0)
        odds = a * np.exp(for_pair)
        posterior = odds / (1 - a + odds)
        active = (mix[:, group_window] * posterior).sum(axis=0)
        # candidates of one site compete: evidence for one is what the others do not explain
        weight = active[of_site] * np.exp(np.minimum(sites.logit, 30))
        all_weight = np.bincount(sites.site, weight, site_count)[sites.site]
        others = np.maximum(all_weight - weight, 0)
        evidence = np.log1p(np.exp(np.minimum(sites.logit, 30)) / (1 + others)) - g.baseline * np.log1p(
            np.exp(prior.expected[sites.pair]) / (1 + others * np.exp(prior.expected[sites.pair] - np.minimum(sites.logit, 30)))
        )
        line_odds = _chain(
            _line_evidence(sites, survivors, active, of_site, of_survivor, evidence, traces, lines, g, clean_line),
            line_window, window_odds, g, infected,
        )  # fmt: skip
        in_passage = _sigmoid(line_odds)
    passage = in_passage[sites.line]
    weight = active[of_site] * np.exp(np.minimum(sites.logit, 30))
    all_weight = np.bincount(sites.site, weight, site_count)[sites.site]
    probability = passage * weight / (1 + all_weight)
    return Verdict(probability, active[of_site], passage, line_odds, window_odds)


def _line_evidence(
    sites: Sites, survivors: Survivors, active: Floats, of_site: Ints, of_survivor: Ints, evidence: Floats,
    traces: Floats, lines: int, g: Weighing, clean_line: Floats | None,
) -> Floats:  # fmt: skip
    """Log-odds of damage by line, given how active each pair is."""
    a = active[of_site]
    gain = np.log1p(a * np.expm1(np.clip(evidence, -4, g.window_cap))) * sites.weight
    loss = np.log1p(-active[of_survivor] * (1 - np.exp(g.survivor)))
    total = np.bincount(sites.line, gain, lines) + np.bincount(survivors.line, loss, lines) + traces
    return total if clean_line is None else total - clean_line


def _chain(evidence: Floats, line_window: Ints, window_odds: Floats, g: Weighing, infected: bool) -> Floats:
    """Log-odds of damage by line: forward–backward over the lines of a window that may be damaged in part."""
    lines = len(evidence)
    out = np.empty(lines)
    bounds = np.flatnonzero(np.diff(line_window, prepend=-1, append=-1))
    for lo, hi in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        window = float(window_odds[line_window[lo]])
        if infected:
            window = max(window, 8.0)
        if window < -3:
            out[lo:hi] = window
            continue
        inside = _forward_backward(evidence[lo:hi], g.stay)
        # damaged at all, and then this line
        out[lo:hi] = np.minimum(inside, 20.0) - np.logaddexp(0.0, -window) - np.logaddexp(0.0, np.minimum(inside, 20.0) - window - 20)
        p = _sigmoid(np.array(window)) * _sigmoid(inside)
        out[lo:hi] = np.log(p) - np.log1p(-np.minimum(p, 1 - 1e-12))
    return out


def _forward_backward(evidence: Floats, stay: float) -> Floats:
    """Posterior log-odds of a two-state chain; evidence: log-likelihood ratios, (n,)."""
    n = len(evidence)
    forward, backward = np.zeros(n), np.zeros(n)
    up, down = np.log(stay), np.log(1 - stay)

    def step(odds: float) -> float:
        # from log-odds of the state here to log-odds of the state next door
        return float(np.logaddexp(up + odds, down) - np.logaddexp(down + odds, up))

    odds = 1.0
    for i, e in enumerate(evidence.tolist()):
        forward[i] = odds
        odds = step(odds + e)
    odds = 0.0
    for i in range(n - 1, -1, -1):
        backward[i] = odds
        odds = step(odds + float(evidence[i]))
    return forward + backward + evidence
