"""Joint inference: which passages are damaged, by which table of pairs, and which sites the table has touched."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Weighing:
    """The constants of the inference; chosen on the development split, see the model card.

    prior: log-odds that a window is damaged, before anything is seen. window_cap: log-odds that one pair may at most
    contribute to its window; pair_cap: to itself; own_cap: how much of that counts for its own sites. survivor,
    survivor_cap: log-odds against a pair that has no site, for each of its source words left standing and at most. member, stray: probability that a pair of a family is in the
    table of a document of that family, and that another pair is. densities: the shares of the dictionary that an unknown
    table may hold; observed_gain: how much likelier such a table holds a pair seen elsewhere. stay: probability that a
    line is in the same state as the one before it. baseline: how much of a site's bare frequency ratio is no evidence.
    trace_cap: log-odds that impossible strings and 〞 may at most give a window. steadiness: see `_shift`.
    """

    prior: float = -3.0
    window_cap: float = 5.0
    pair_cap: float = 8.0
    survivor: float = -1.5
    survivor_cap: float = -5.0
    member: float = 0.3
    stray: float = 0.003
    densities: tuple[float, ...] = (0.02, 0.08, 0.25, 0.6)
    observed_gain: float = 2.0
    stay: float = 0.97
    baseline: float = 0.8
    trace_cap: float = 8.0
    steadiness: float = 4.0
    own_cap: float = 1.0


@dataclass(frozen=True, slots=True)
class Prior:
    """What is known of K pairs before a text is read.

    expected: log-odds of source against substitute by frequency alone, (K,). alternatives: how many substitutes the
    tables give the pair's source, (K,). families: membership, (K, families). observed: seen in a document, (K,).
    single: the substitute is one character, (K,). given: the user says that tables have it, (K,).
    """

    expected: Floats
    alternatives: Ints
    families: Mask
    observed: Mask
    single: Mask
    given: Mask

    def activity(self, weighing: Weighing) -> Floats:
        """Probability that each pair is in the table, for each kind of table: (kinds, K)."""
        share = 1.0 / self.alternatives
        rows = [
            np.where(self.families[:, f], weighing.member, weighing.stray * share)
            for f in range(self.families.shape[1])
        ]
        gain = np.where(self.observed, weighing.observed_gain, 1.0)
        rows += [np.minimum(0.9, density * gain * share) for density in weighing.densities]
        activity: Floats = np.clip(np.array(rows), 1e-6, 0.95)
        activity[:, self.given] = weighing.member
        return activity


@dataclass(frozen=True, slots=True)
class Sites:
    """n candidates (a site with one of its pairs): site, line and window by number, the pair, log-odds of its source.

    weight: 1 for a site whose neighbours are seen once in its window; less where they repeat, as they do in terms.
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
class Groups:
    """The candidates of one pair in one window taken together: key = window · K + pair, and features, (groups, F)."""

    key: Ints
    of_site: Ints
    features: Floats


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was inferred, per candidate: probability that the site was written with the source, and what it rests on.

    probability: not yet calibrated. active: that the pair is in the table. logit: log-odds of the source if it is, given
    how the text uses the two words. line_odds: of damage where the site is, as far as others vouch for it. window_odds:
    by window. kinds: posterior of each kind of table by window, (kinds, windows).
    """

    probability: Floats
    active: Floats
    logit: Floats
    line_odds: Floats
    window_odds: Floats
    kinds: Floats


def softplus(x: Floats) -> Floats:
    positive: Floats = np.logaddexp(0.0, x)
    return positive


def sigmoid(x: Floats) -> Floats:
    p: Floats = 1.0 / (1.0 + np.exp(-np.clip(x, -40, 40)))
    return p


def grouped(sites: Sites, survivors: Survivors, prior: Prior) -> Groups:
    """Features of each pair in each window that has sites of it; what they weigh is learnt, see `calibrate`."""
    pairs = len(prior.expected)
    key, of_site = np.unique(sites.window * pairs + sites.pair, return_inverse=True)
    count = len(key)

    def total(values: Floats) -> Floats:
        return np.bincount(of_site, values, count).astype(np.float64)

    def greatest(values: Floats) -> Floats:
        out = np.full(count, -99.0)
        np.maximum.at(out, of_site, values)
        return out

    logit = sites.logit
    strength = softplus(logit)
    expected = prior.expected[key % pairs]
    usual = softplus(expected)
    n = total(np.ones(len(logit)))
    distinct = total(sites.weight)
    # survivors in a line that has sites of the pair speak louder than those elsewhere
    lines = np.unique(sites.line * pairs + sites.pair)
    same = np.isin(survivors.line * pairs + survivors.pair, lines)
    at = _position(key, survivors.window * pairs + survivors.pair)
    here = np.bincount(at[(at >= 0) & same], minlength=count)
    elsewhere = np.bincount(at[(at >= 0) & ~same], minlength=count)
    best = np.full(int(sites.site.max()) + 1 if len(sites.site) else 0, -99.0)
    np.maximum.at(best, sites.site, logit)
    top = greatest(logit)
    features = np.stack(
        [
            np.minimum(total(strength * sites.weight), 30) / 5,
            np.minimum(softplus(top), 12) / 3,
            np.minimum(total(np.minimum(strength, 4) * sites.weight), 20) / 4,
            usual / 4,
            np.minimum(distinct * usual, 30) / 5,
            np.minimum(np.log1p(n), 4),
            total(sigmoid(logit)) / n,
            np.clip(-greatest(-np.clip(logit, -6, 6)), -6, 6) / 3,
            np.minimum(np.log1p(here), 4),
            np.minimum(np.log1p(elsewhere), 4),
            total((logit >= best[sites.site]).astype(np.float64)) / n,
            np.clip(top - expected, -8, 8) / 3,
            prior.single[key % pairs].astype(np.float64),
        ],
        axis=1,
    )
    return Groups(key, of_site, features)


def crossed(features: Floats) -> Floats:
    """Features with a constant, and all products of two."""
    n = features.shape[1]
    left, right = np.triu_indices(n)
    return np.concatenate([np.ones((len(features), 1)), features, features[:, left] * features[:, right]], axis=1)


def _position(sorted_keys: Ints, keys: Ints) -> Ints:
    if not len(sorted_keys):
        return np.full(len(keys), -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    return np.where(sorted_keys[at] == keys, at, -1)


def infer(
    sites: Sites, survivors: Survivors, traces: Floats, line_window: Ints, prior: Prior, activity: Floats,
    evidence: Floats, g: Weighing, given: Mask | None = None,
) -> Verdict:  # fmt: skip
    """Weighs all evidence together.

    traces: log-odds of damage by line from marks that no pair explains (impossible strings, 〞), (lines,). line_window:
    the window of each line, ascending, (lines,). activity: `prior.activity(g)`. evidence: weights of `crossed` features.
    given: kinds of table taken as given, (kinds,).
    """
    pairs, lines = len(prior.expected), len(line_window)
    windows = int(line_window[-1]) + 1 if lines else 0
    groups = grouped(sites, survivors, prior)
    own = np.clip(crossed(groups.features) @ evidence, -g.pair_cap, g.pair_cap)
    left, left_count = np.unique(survivors.window * pairs + survivors.pair, return_counts=True)
    only = _position(groups.key, left) < 0
    key = np.concatenate([groups.key, left[only]])
    odds = np.concatenate([own, np.maximum(left_count[only] * g.survivor, g.survivor_cap)])
    window, pair = key // pairs, key % pairs
    a = activity[:, pair]
    likelihood = np.minimum(np.log1p(a * np.expm1(odds)), g.window_cap)
    total = np.stack([np.bincount(window, row, windows) for row in likelihood])
    if given is not None:
        total = np.where(given[:, None], np.maximum(total, 0), -1e3)
    top = total.max(axis=0)
    kinds = np.exp(total - top)
    window_odds = top + np.log(kinds.mean(axis=0)) + g.prior
    window_odds += np.minimum(np.bincount(line_window, traces, windows), g.trace_cap)
    if given is not None:
        window_odds = np.maximum(window_odds, 8.0)
    kinds /= kinds.sum(axis=0)
    ratio = a * np.exp(odds)
    active = (kinds[:, window] * (ratio / (1 - a + ratio))).sum(axis=0)
    # candidates of one site compete for it
    candidate = active[groups.of_site]
    logit = sites.logit + _shift(sites, candidate, prior, g.steadiness)
    weight = candidate * np.exp(np.minimum(logit, 30))
    count = int(sites.site.max()) + 1 if len(sites.site) else 0
    all_weight = np.bincount(sites.site, weight, count)
    usual = np.bincount(sites.site, candidate * np.exp(prior.expected[sites.pair]), count)
    gain = np.clip(np.log1p(all_weight) - g.baseline * np.log1p(usual), -3, g.window_cap)
    site_line = np.zeros(count, dtype=np.int64)
    site_line[sites.site] = sites.line
    order = np.argsort(key, kind="stable")
    where = (
        order[np.searchsorted(key[order], survivors.window * pairs + survivors.pair)] if len(key) else survivors.pair
    )
    by_line = np.bincount(site_line, gain, lines) + traces
    by_line += np.bincount(survivors.line, np.log1p(-0.9 * active[where]), lines)
    inside = _by_line(by_line, line_window, window_odds, g.stay)
    # no pair vouches for itself: a burst of one word is a term or a topic
    own_gain = (kinds[:, window] * np.maximum(likelihood, 0)).sum(axis=0)[groups.of_site]
    window_for = window_odds[sites.window] - np.maximum(own_gain - g.own_cap, 0)
    passage = sigmoid(window_for) * sigmoid(inside[sites.line])
    line_odds = np.log(passage) - np.log1p(-np.minimum(passage, 1 - 1e-9))
    probability = passage * weight / (1 + all_weight[sites.site])
    return Verdict(probability, candidate, logit, line_odds, window_odds, kinds)


def _shift(sites: Sites, active: Floats, prior: Prior, steadiness: float) -> Floats:
    """How far a pair's sites in this text show that it uses the source more, or less, than texts do, per candidate.

    The prior shift of Saerens, Latinne and Decaestecker (2002), held back by as many imagined sites as `steadiness`.
    """
    pairs = len(prior.expected)
    usual = sigmoid(prior.expected)
    shift = np.zeros(pairs)
    count = np.bincount(sites.pair, active, pairs)
    for _ in range(4):
        own = np.bincount(sites.pair, active * sigmoid(sites.logit + shift[sites.pair]), pairs)
        share = np.clip((own + steadiness * usual) / (count + steadiness), 1e-5, 1 - 1e-5)
        shift = np.log(share) - np.log1p(-share) - prior.expected
    return np.clip(shift, -3, 3)[sites.pair]


def _by_line(evidence: Floats, line_window: Ints, window_odds: Floats, stay: float) -> Floats:
    """Log-odds that each line is damaged if its window is, by forward–backward; windows that are not are passed over."""
    out = np.zeros(len(line_window))
    bounds = np.flatnonzero(np.diff(line_window, prepend=-1, append=-1))
    for lo, hi in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        if float(window_odds[line_window[lo]]) > -3:
            out[lo:hi] = forward_backward(evidence[lo:hi], stay)
    return out


def forward_backward(evidence: Floats, stay: float) -> Floats:
    """Posterior log-odds of each line in a chain of two states. evidence: log-likelihood ratios, (n,)."""
    low = math.log((1 - stay) / stay)

    def step(odds: float) -> float:
        if odds > 30 or odds < -30:
            return math.copysign(-low, odds)
        e = math.exp(odds)
        return math.log((stay * e + 1 - stay) / ((1 - stay) * e + stay))

    values = evidence.tolist()
    forward, backward = [], []
    odds = 1.0
    for value in values:
        forward.append(odds)
        odds = step(odds + value)
    odds = 0.0
    for value in reversed(values):
        backward.append(odds)
        odds = step(odds + value)
    posterior: Floats = np.array(forward) + np.array(backward[::-1]) + evidence
    return posterior
