"""Restorer: finds the places where a word may have been substituted, and says how likely each is and why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..charclass import CodePoints
from ..edit import Offsets
from .features import REACH, Contexts, bigram_hash, folded
from .inference import Floats, Ints, Mask, Sites, Survivors, Verdict, Weighing, infer
from .model import Model
from .pairs import PairSet

# Passages are lines; a long line is cut at sentence ends. Windows are runs of passages that share one table.
_PASSAGE = 800
_WINDOW = 24_000
# Strings that only blind replacement leaves behind; see rules/80-lexical.
IMPOSSIBLE = re.compile(
    "原那么(?![多大小快好高长])|规那么|否那么(?![多大小快好高长些])|假设干(?![扰部涉预])|确实定性|准那么(?![多大小])|细那么(?![多大小])|分局部|总那么(?![多大小])|附那么|不能能"
)
_IMPOSSIBLE_ODDS, _PRIME_ODDS, _TRACE_CAP = 4.0, 2.0, 6.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text offers to the inference: n sites, and candidates and survivors as `inference` wants them.

    start, end: of each site, (n,). lines: where each passage begins, (lines,). line_window: its window, (lines,).
    """

    start: Offsets
    end: Offsets
    sites: Sites
    survivors: Survivors
    lines: Offsets
    line_window: Ints
    contexts: Contexts


@dataclass(frozen=True, slots=True)
class Restoration:
    """The best candidate of a site: which row of the candidates, its probability, and the runner-up's."""

    start: int
    end: int
    row: int
    pair: int
    probability: float
    runner_up: float


def passages(text: str, cp: CodePoints) -> tuple[Offsets, Ints]:
    """Where passages begin, and the window of each."""
    starts = np.concatenate(([0], np.flatnonzero(cp == 10) + 1))
    if len(starts) > 1 and starts[-1] == len(cp):
        starts = starts[:-1]
    ends = np.append(starts[1:], len(cp))
    long = np.flatnonzero(ends - starts > _PASSAGE)
    if len(long):
        more: list[int] = []
        for lo, hi in zip(starts[long].tolist(), ends[long].tolist(), strict=True):
            while hi - lo > _PASSAGE:
                stop = text.find("。", lo + _PASSAGE // 2, min(hi, lo + 2 * _PASSAGE))
                lo = stop + 1 if stop >= 0 else lo + 2 * _PASSAGE
                if lo < hi:
                    more.append(lo)
        starts = np.sort(np.concatenate([starts, np.array(more, dtype=np.int64)]))
    window = np.zeros(len(starts), dtype=np.int64)
    base = 0
    for n, (a, b) in enumerate(zip(starts.tolist(), [*starts[1:].tolist(), len(cp)], strict=True)):
        if n:
            window[n] = window[n - 1]
            if b - base > _WINDOW and a > base:
                window[n] += 1
                base = a
    return starts, window


class Restorer:
    """Pairs and weights made ready; reading a text changes nothing in it."""

    def __init__(self, pairs: PairSet, model: Model, weighing: Weighing | None = None) -> None:
        self.pairs, self.model, self.weighing = pairs, model, weighing or Weighing()
        self.activity = pairs.prior.activity(self.weighing)

    def read(self, text: str, cp: CodePoints) -> Reading:
        """All candidates of a text, scored."""
        pairs = self.pairs
        padded = folded(cp)
        bigrams = bigram_hash(padded[:-1], padded[1:])
        inner = padded[REACH : REACH + len(cp)]
        at, words = pairs.matcher.find(inner, bigrams[REACH : REACH + max(0, len(cp) - 1)])
        lines, line_window = passages(text, cp)
        line = np.searchsorted(lines, at, side="right") - 1
        row, pair = pairs.by_substitute.expand(words)
        used, site = np.unique(row, return_inverse=True)
        start, word = at[used], words[used].astype(np.int64)
        end = start + pairs.matcher.lengths[word]
        contexts = Contexts(padded, bigrams, start, end, self.model.near, self.model.topic)
        own = self.model.score(contexts, np.arange(len(used)), pairs.key[word], pairs.edge[:, word])
        source = pairs.source[pair]
        theirs = self.model.score(contexts, site, pairs.key[source], pairs.edge[:, source])
        logit = theirs - own[site] + pairs.prior.expected[pair]
        window = line_window[line]
        sites = Sites(site, line[row], window[row], pair, logit, self._weights(padded, start, end, word, window[used])[site])
        row, pair = pairs.by_source.expand(words)
        return Reading(start, end, sites, Survivors(line[row], window[row], pair), lines, line_window, contexts)

    def _weights(self, padded: CodePoints, start: Offsets, end: Offsets, word: Ints, window: Ints) -> Floats:
        """One over how often the word stands beside the same two characters in its window."""
        a, b = start + (REACH - 1), end + REACH
        key = (window * len(self.pairs.words) + word).astype(np.uint64) << np.uint64(32)
        repeats = np.ones(len(start), dtype=np.int64)
        for first, second in ((padded[a], padded[a - 1]), (padded[b], padded[b + 1])):
            _, inverse, count = np.unique(key | (first * np.uint32(0x9E3779B1) + second), return_inverse=True, return_counts=True)
            repeats = np.maximum(repeats, count[inverse])
        return 1.0 / repeats

    def traces(self, text: str, lines: Offsets, primes: Sequence[int] | Offsets) -> Floats:
        """Log-odds of damage by passage from impossible strings and from 〞, whose offsets are given."""
        odds = np.zeros(len(lines))
        found = [m.start() for m in IMPOSSIBLE.finditer(text)]
        for places, weight in ((found, _IMPOSSIBLE_ODDS), (primes, _PRIME_ODDS)):
            if len(places):
                np.add.at(odds, np.searchsorted(lines, np.asarray(places), side="right") - 1, weight)
        return np.minimum(odds, _TRACE_CAP)

    def weigh(self, reading: Reading, traces: Floats, against: Floats | None = None, given: Mask | None = None) -> Verdict:
        return infer(
            reading.sites, reading.survivors, traces, reading.line_window, self.pairs.prior, self.activity,
            self.model.evidence, self.weighing, against, given,
        )  # fmt: skip

    def best(self, reading: Reading, verdict: Verdict, least: float) -> list[Restoration]:
        """The likeliest restorations that do not overlap, in order of place."""
        site = reading.sites.site
        if not len(site):
            return []
        order = np.lexsort((-verdict.probability, site))
        first = np.flatnonzero(np.diff(site[order], prepend=-1))
        row = order[first]
        following = order[np.minimum(first + 1, len(order) - 1)]
        second = np.where((site[following] == site[row]) & (following != row), verdict.probability[following], 0.0)
        chosen = np.flatnonzero(verdict.probability[row] >= least)
        chosen = chosen[np.lexsort((reading.start[site[row[chosen]]], -np.round(verdict.probability[row[chosen]], 4)))]
        taken: npt.NDArray[np.bool_] = np.zeros(int(reading.end.max()) + 1, dtype=bool)
        found = []
        for i in chosen.tolist():
            r = int(row[i])
            s = int(site[r])
            a, b = int(reading.start[s]), int(reading.end[s])
            if not taken[a:b].any():
                taken[a:b] = True
                found.append(Restoration(a, b, r, int(reading.sites.pair[r]), float(verdict.probability[r]), float(second[i])))
        return sorted(found, key=lambda f: f.start)
