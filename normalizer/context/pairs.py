"""PairSet: pairs compiled for look-up, with what is known of each before a text is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .families import Pair
from .features import word_keys
from .inference import Floats, Ints, Prior
from .matcher import Matcher
from .model import Model

# The family of pairs that a user gives.
USER = "user"


@dataclass(frozen=True, slots=True)
class Listing:
    """For each word the pairs it belongs to: `pair[first[w]:first[w + 1]]`."""

    first: Ints
    pair: Ints

    @classmethod
    def of(cls, word: Ints, words: int) -> Listing:
        order = np.argsort(word, kind="stable")
        return cls(np.searchsorted(word[order], np.arange(words + 1)), order)

    def expand(self, words: npt.NDArray[np.int32]) -> tuple[Ints, Ints]:
        """For each word in turn its pairs: which of the words given, and which pair."""
        first = self.first[words]
        count = self.first[words + 1] - first
        row = np.repeat(np.arange(len(words)), count)
        return row, self.pair[np.repeat(first - (np.cumsum(count) - count), count) + np.arange(len(row))]


class PairSet:
    """K distinct pairs of words. source, substitute: indices into `words`, (K,). families: their names in order."""

    def __init__(self, pairs: Iterable[Pair], model: Model) -> None:
        listed: dict[tuple[str, str], list[Pair]] = {}
        for pair in pairs:
            listed.setdefault((pair.source, pair.substitute), []).append(pair)
        names = sorted(listed)
        self.names = names
        self.origins = [tuple(listed[n]) for n in names]
        self.words = sorted({w for n in names for w in n})
        index = {w: i for i, w in enumerate(self.words)}
        self.source = np.array([index[s] for s, _ in names], dtype=np.int64)
        self.substitute = np.array([index[w] for _, w in names], dtype=np.int64)
        self.matcher = Matcher(self.words)
        self.key, self.edge = word_keys(self.words)
        self.known = np.array([w in model.count_of for w in self.words], dtype=bool)
        self.by_substitute = Listing.of(self.substitute, len(self.words))
        self.by_source = Listing.of(self.source, len(self.words))
        observed = np.array([any(p.grade != "C" for p in o) for o in self.origins], dtype=bool)
        self.families = sorted({p.family for o in self.origins for p in o if p.grade != "C"})
        member = np.array(
            [[any(p.family == f and p.grade != "C" for p in o) for f in self.families] for o in self.origins]
        )
        expected: Floats = np.array([model.expected(s, w) for s, w in names], dtype=np.float64)
        self.prior = Prior(
            expected,
            np.bincount(self.source, minlength=len(self.words))[self.source],
            member.reshape(len(names), len(self.families)).astype(bool),
            observed,
            self.matcher.lengths[self.substitute] == 1,
            np.array([any(p.family == USER for p in o) for o in self.origins], dtype=bool),
        )

    def __len__(self) -> int:
        return len(self.names)
