"""Restorer: finds the places where a word may have been substituted, and says how likely each is and why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..charclass import CodePoints
from ..edit import Offsets
from .features import REACH, SHOWN, Bigrams, Contexts, bigram_hash, folded
from .inference import Floats, Ints, Mask, Sites, Survivors, Verdict, Weighing, infer
from .model import UNIT, Model
from .pairs import PairSet

# Passages are lines; a long line is cut at sentence ends. Windows are runs of passages that share one table.
_PASSAGE = 800
_WINDOW = 24_000
# A window is read closely when the log-odds of damage from the presence of words alone reach _GATE; one pair adds at
# most _GATE_PAIR before it is known how likely a table has it.
_GATE, _GATE_PAIR = 0.0, 4.0
_SECOND_GATE = -3.0
# Posterior of the known families together above which only their pairs and the telling ones are read.
_KNOWN = 0.9
# Strings that only blind replacement leaves behind; see rules/80-lexical.
IMPOSSIBLE = re.compile(
    "原那么(?![多大小快好高长])|规那么|否那么(?![多大小快好高长些])|假设干(?![扰部涉预])|确实定性|准那么(?![多大小])|细那么(?![多大小])|分局部|总那么(?![多大小])|附那么|不能能"
)
_IMPOSSIBLE_ODDS, _PRIME_ODDS, _TRACE_CAP = 4.0, 2.0, 6.0


@dataclass(frozen=True, slots=True)
class Scene:
    """A text made ready: padded and hashed, the words in it, the line of each word, where lines begin and their windows."""

    padded: CodePoints
    bigrams: Bigrams
    at: Offsets
    words: npt.NDArray[np.int32]
    line: Ints
    lines: Offsets
    line_window: Ints

    @property
    def windows(self) -> int:
        return int(self.line_window[-1]) + 1


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
    """The best candidate of a site: which row of the candidates, and its calibrated probability.

    raw, runner_up: what the inference gives the best candidate and the next.
    """

    start: int
    end: int
    row: int
    pair: int
    raw: float
    runner_up: float
    probability: float


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
        # pairs whose source is the commoner word: to find it missing tells something
        self._telling = pairs.prior.expected > 0
        self._gate_present, self._gate_absent = self._gate_tables()

    def _gate_tables(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """What the mere presence of words says of a window, by kind of table.

        For a pair whose substitute is there and whose source is not, (kinds, K); for a source that is there, (words, kinds).
        """
        pairs, g, a = self.pairs, self.weighing, self.activity
        usual = np.minimum(np.logaddexp(0.0, pairs.prior.expected), _GATE_PAIR)
        absent = np.minimum(np.log1p(a * np.expm1(usual)), g.window_cap)
        survived = np.log1p(a * np.expm1(g.survivor))
        present = np.stack([np.bincount(pairs.source, row, len(pairs.words)) for row in survived], axis=1)
        return present.astype(np.float32), absent.T.astype(np.float32)

    def _presence(self, scene: Scene) -> tuple[Mask, Floats]:
        """By window: which pairs have their substitute and no source in it, and what the presence of words says of it."""
        pairs = self.pairs
        there = np.zeros((scene.windows, len(pairs.words)), dtype=bool)
        there[scene.line_window[scene.line], scene.words] = True
        replaced = there[:, pairs.substitute] & ~there[:, pairs.source]
        odds = there.astype(np.float32) @ self._gate_present + replaced.astype(np.float32) @ self._gate_absent
        return replaced, odds.max(axis=1).astype(np.float64)

    def restore(
        self, text: str, cp: CodePoints, primes: Offsets, given: Mask | None = None, least: float = 0.1
    ) -> tuple[Reading, Verdict, list[Restoration]]:
        """Reads closely only what may be damaged, in three steps: presence of words, the pairs whose source is missing,
        and all pairs.

        primes: offsets of 〞, as they stand or stood. given: kinds of table taken as given, see `infer`. least: the
        least raw probability of a restoration.
        """
        scene = self.scene(text, cp)
        traces = self.traces(text, scene.lines, primes)
        allowed = np.ones((scene.windows, len(self.pairs)), dtype=bool)
        if given is None:
            replaced, odds = self._presence(scene)
            odds += np.bincount(scene.line_window, traces, scene.windows)
            allowed = (replaced & self._telling) | self.pairs.prior.observed
            allowed[odds <= _GATE] = False
            if allowed.any():
                reading = self.read(scene, allowed)
                first = self.weigh(reading, traces)
                opened = first.window_odds > _SECOND_GATE
                # a window of a known family has little to find among the other pairs of the dictionary
                known = first.kinds[: len(self.pairs.families)].sum(axis=0) > _KNOWN
                if not (opened & ~known).any():
                    return reading, first, self.best(reading, first, least)
                allowed[opened & ~known] = True
                allowed[~opened] = False
        reading = self.read(scene, allowed)
        verdict = self.weigh(reading, traces, given=given)
        return reading, verdict, self.best(reading, verdict, least)

    def scene(self, text: str, cp: CodePoints) -> Scene:
        """The words of a text and where its passages are; nothing is scored yet."""
        padded = folded(cp)
        bigrams = bigram_hash(padded[:-1], padded[1:])
        inner = padded[REACH : REACH + len(cp)]
        at, words = self.pairs.matcher.find(inner, bigrams[REACH : REACH + max(0, len(cp) - 1)])
        lines, line_window = passages(text, cp)
        return Scene(padded, bigrams, at, words, np.searchsorted(lines, at, side="right") - 1, lines, line_window)

    def read(self, scene: Scene, allowed: Mask | None = None) -> Reading:
        """The candidates of a text, scored. allowed: which pairs to look for in which window, (windows, K)."""
        pairs = self.pairs
        at, words, line, window = scene.at, scene.words, scene.line, scene.line_window[scene.line]
        row, pair = pairs.by_substitute.expand(words)
        survivor, of_pair = pairs.by_source.expand(words)
        if allowed is not None:
            wanted = allowed[window[row], pair]
            row, pair = row[wanted], pair[wanted]
            wanted = allowed[window[survivor], of_pair]
            survivor, of_pair = survivor[wanted], of_pair[wanted]
        used, site = np.unique(row, return_inverse=True)
        start, word = at[used], words[used].astype(np.int64)
        end = start + pairs.matcher.lengths[word]
        contexts = Contexts(scene.padded, scene.bigrams, start, end, self.model.near, self.model.topic)
        own = self.model.score(contexts, np.arange(len(used)), pairs.key[word], pairs.edge[:, word], pairs.known[word])
        source = pairs.source[pair]
        theirs = self.model.score(contexts, site, pairs.key[source], pairs.edge[:, source], pairs.known[source])
        logit = theirs - own[site] + pairs.prior.expected[pair]
        weights = self._weights(scene.padded, start, end, word, window[used])
        sites = Sites(site, line[row], window[row], pair, logit, weights[site])
        survivors = Survivors(line[survivor], window[survivor], of_pair)
        return Reading(start, end, sites, survivors, scene.lines, scene.line_window, contexts)

    def _weights(self, padded: CodePoints, start: Offsets, end: Offsets, word: Ints, window: Ints) -> Floats:
        """One over how often the word stands beside the same two characters in its window."""
        a, b = start + (REACH - 1), end + REACH
        key = (window * len(self.pairs.words) + word).astype(np.uint64) << np.uint64(32)
        repeats = np.ones(len(start), dtype=np.int64)
        for first, second in ((padded[a], padded[a - 1]), (padded[b], padded[b + 1])):
            _, inverse, count = np.unique(
                key | (first * np.uint32(0x9E3779B1) + second), return_inverse=True, return_counts=True
            )
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

    def weigh(self, reading: Reading, traces: Floats, given: Mask | None = None) -> Verdict:
        """What the inference makes of a reading. given: see `infer`."""
        return infer(
            reading.sites, reading.survivors, traces, reading.line_window, self.pairs.prior, self.activity,
            self.model.evidence, self.weighing, given,
        )  # fmt: skip

    def best(self, reading: Reading, verdict: Verdict, least: float) -> list[Restoration]:
        """The likeliest restorations that do not overlap, in order of place. least: the least raw probability."""
        row, second = self.leading(reading, verdict, least)
        if not len(row):
            return []
        site = reading.sites.site
        raw = verdict.probability[row]
        sure = self.model.calibrated(self.decisive(reading, verdict, row, second))
        start, end = reading.start[site[row]], reading.end[site[row]]
        taken = np.zeros(int(end.max()) + 1, dtype=bool)
        found = []
        for i in np.lexsort((start, start - end, -np.round(sure, 2))).tolist():
            a, b = int(start[i]), int(end[i])
            if not taken[a:b].any():
                taken[a:b] = True
                pair = int(reading.sites.pair[row[i]])
                found.append(Restoration(a, b, int(row[i]), pair, float(raw[i]), float(second[i]), float(sure[i])))
        return sorted(found, key=lambda f: f.start)

    def leading(self, reading: Reading, verdict: Verdict, least: float) -> tuple[Ints, Floats]:
        """The row of each site's best candidate, and the raw probability of its runner-up, (n,) each."""
        site = reading.sites.site
        # a runner-up too weak to matter is taken for none
        likely = np.flatnonzero(verdict.probability >= least / 4)
        order = likely[np.lexsort((-verdict.probability[likely], site[likely]))]
        first = np.flatnonzero(np.diff(site[order], prepend=-1))
        row = order[first]
        following = order[np.minimum(first + 1, len(order) - 1)]
        second = np.where((site[following] == site[row]) & (following != row), verdict.probability[following], 0.0)
        enough = verdict.probability[row] >= least
        return row[enough], second[enough]

    def decisive(self, reading: Reading, verdict: Verdict, row: Ints, runner_up: Floats) -> Floats:
        """What the probability of a restoration is learnt from, (n, 6)."""
        sites = reading.sites
        active = np.clip(verdict.active[row], 1e-6, 1 - 1e-6)
        count = np.bincount(sites.pair, verdict.probability, len(self.pairs))[sites.pair[row]]
        return np.stack(
            [
                np.clip(np.log(active) - np.log1p(-active), -8, 8) / 3,
                np.clip(verdict.logit[row], -8, 12) / 3,
                np.clip(verdict.line_odds[row], -8, 8) / 3,
                runner_up,
                np.clip(self.pairs.prior.expected[sites.pair[row]], -6, 8) / 3,
                np.minimum(np.log1p(count), 4),
            ],
            axis=1,
        )

    def reasons(self, text: str, reading: Reading, found: Sequence[Restoration], count: int = 2) -> list[list[str]]:
        """For each restoration the contexts that speak loudest for the source, as `left＿right +log-odds`."""
        if not found:
            return []
        rows = np.array([f.row for f in found])
        site, pair = reading.sites.site[rows], reading.sites.pair[rows]
        source, substitute = self.pairs.source[pair], self.pairs.substitute[pair]
        gain = self.model.parts(reading.contexts, site, self.pairs.key[source], self.pairs.edge[:, source])
        gain = gain - self.model.parts(
            reading.contexts, site, self.pairs.key[substitute], self.pairs.edge[:, substitute]
        )
        gain = gain[: len(SHOWN)]
        top = np.argsort(-gain, axis=0, kind="stable")[:count]
        out = []
        for n, f in enumerate(found):
            shown = []
            for t in top[:, n].tolist():
                value = int(gain[t, n]) / UNIT
                if value > 0:
                    left = (
                        min((-k for k in SHOWN[t] if k < 0), default=0),
                        max((-k for k in SHOWN[t] if k < 0), default=0),
                    )
                    right = (
                        min((k for k in SHOWN[t] if k > 0), default=0),
                        max((k for k in SHOWN[t] if k > 0), default=0),
                    )
                    before = text[max(0, f.start - left[1]) : max(0, f.start - left[0] + 1)] if left[1] else ""
                    after = text[f.end + right[0] - 1 : f.end + right[1]] if right[1] else ""
                    shown.append(f"{before}＿{after} +{value:.1f}".replace("\n", "⏎"))
            out.append(shown)
        return out
