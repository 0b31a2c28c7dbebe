"""Matcher: finds every occurrence of thousands of words in a text with array look-ups, overlapping ones included."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import numpy.typing as npt

from ..charclass import CodePoints, code_points
from ..edit import Offsets
from .features import BIGRAM_BITS, Bigrams, bigram_hash

_KEY_BITS = 21  # a code point fits into 21 bits
Ids = npt.NDArray[np.int32]


class Matcher:
    """A dictionary compiled for arrays; words are looked up by their first two characters, then compared in full."""

    def __init__(self, words: Sequence[str]) -> None:
        """words: non-empty and distinct; a match names a word by its index here. Raises ValueError otherwise."""
        if len(set(words)) != len(words) or not all(words):
            raise ValueError("words must be non-empty and distinct")
        self.words = tuple(words)
        self.lengths = np.array([len(w) for w in words], dtype=np.int32)
        self._single = np.full(0x110000, -1, dtype=np.int32)
        pairs: list[tuple[int, int]] = []
        for i, word in enumerate(words):
            if len(word) == 1:
                self._single[ord(word)] = i
            else:
                pairs.append(((ord(word[0]) << _KEY_BITS) | ord(word[1]), i))
        self._has_single = bool((self._single >= 0).any())
        pairs.sort()
        groups = [(key, [i for _, i in rows]) for key, rows in groupby(pairs, key=lambda p: p[0])]
        self._keys = np.array([k for k, _ in groups], dtype=np.uint64)
        self._first = np.cumsum([0] + [len(rows) for _, rows in groups]).astype(np.int64)
        self._rows = np.array([i for _, rows in groups for i in rows], dtype=np.int32)
        first = (self._keys >> np.uint64(_KEY_BITS)).astype(np.uint32)
        second = (self._keys & np.uint64((1 << _KEY_BITS) - 1)).astype(np.uint32)
        # hash → group, right for all but the few groups whose hashes meet; a wrong one is seen by its key
        self._slot = np.full(1 << BIGRAM_BITS, -1, dtype=np.int32)
        self._slot[bigram_hash(first, second)] = np.arange(len(self._keys), dtype=np.int32)
        longest = int(self.lengths.max()) if len(words) else 0
        self._chars = np.zeros((len(words), longest), dtype=np.uint32)
        for i, word in enumerate(words):
            self._chars[i, : len(word)] = code_points(word)

    def find(self, cp: CodePoints, bigrams: Bigrams | None = None) -> tuple[Offsets, Ids]:
        """Start offset and word index of every occurrence, sorted by offset then by length, shape (n,) each.

        bigrams: `bigram_hash(cp[:-1], cp[1:])`, if it is at hand.
        """
        starts: list[Offsets] = []
        ids: list[Ids] = []
        if self._has_single and len(cp):
            word = self._single[cp]
            at = np.flatnonzero(word >= 0)
            starts.append(at)
            ids.append(word[at])
        if len(self._keys) and len(cp) > 1:
            at, rows = self._prefixed(cp, bigram_hash(cp[:-1], cp[1:]) if bigrams is None else bigrams)
            starts.append(at)
            ids.append(rows)
        if not starts:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32)
        if len(starts) == 1:
            return starts[0], ids[0]
        start, word = np.concatenate(starts), np.concatenate(ids)
        order = np.lexsort((self.lengths[word], start))
        return start[order], word[order]

    def _prefixed(self, cp: CodePoints, bigrams: Bigrams) -> tuple[Offsets, Ids]:
        slot = self._slot[bigrams]
        at = np.flatnonzero(slot >= 0)
        slot = slot[at]
        key = (cp[at].astype(np.uint64) << np.uint64(_KEY_BITS)) | cp[at + 1]
        true = self._keys[slot] == key
        other = np.flatnonzero(~true)
        if len(other):
            slot[other] = np.minimum(np.searchsorted(self._keys, key[other]), len(self._keys) - 1)
            true[other] = self._keys[slot[other]] == key[other]
            at, slot = at[true], slot[true]
        first, count = self._first[slot], self._first[slot + 1] - self._first[slot]
        if len(count) and int(count.max()) > 1:
            offset = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
            at, first = np.repeat(at, count), np.repeat(first, count) + offset
        rows = self._rows[first]
        length = self.lengths[rows]
        if len(rows) and int(length.max()) > 2:
            fits = at + length <= len(cp)
            for k in range(2, self._chars.shape[1]):
                long = np.flatnonzero(fits & (length > k))
                if not len(long):
                    break
                fits[long] = cp[at[long] + k] == self._chars[rows[long], k]
            at, rows, length = at[fits], rows[fits], length[fits]
            order = np.lexsort((length, at))
            at, rows = at[order], rows[order]
        return at, rows
