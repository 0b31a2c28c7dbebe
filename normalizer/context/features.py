"""Features: what stands around a site, as hashed templates that are crossed with the words that may stand there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..charclass import CodePoints
from ..edit import Offsets

Hashes = npt.NDArray[np.uint64]
Slots = npt.NDArray[np.int64]
Bigrams = npt.NDArray[np.uint32]
ClusterIds = npt.NDArray[np.uint16]

# How many characters a site's features see to each side; texts are padded by as many.
REACH = 14
BIGRAM_BITS = 20

# Templates as offsets: -1 is the character before the site, +1 the one after it.
_NEAR: tuple[tuple[int, ...], ...] = (
    (-1,), (-2, -1), (-3, -2, -1), (-4, -3, -2, -1),
    (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4),
    (-1, 1), (-2, -1, 1), (-1, 1, 2), (-2, -1, 1, 2),
    (-3, -2), (2, 3), (-4, -3), (3, 4),
)  # fmt: skip
# Crossed with a word's outer characters instead of the word: shared by all words that begin or end alike.
_LEFT_EDGE: tuple[tuple[tuple[int, ...], int], ...] = (((-1,), 1), ((-2, -1), 1), ((-1,), 2), ((-2, -1), 2))
_RIGHT_EDGE: tuple[tuple[tuple[int, ...], int], ...] = (((1,), 1), ((1, 2), 1), ((1,), 2), ((1, 2), 2))
# Clusters of neighbouring bigrams, alone and with a neighbour: (-2, -1) and (1, 2) are the closest bigrams.
_CLUSTERED = 9
# Bigrams further off, as a bag: only their topical cluster counts, not where they stand.
_BAG = tuple(range(-REACH + 1, -2)) + tuple(range(3, REACH))

# The templates whose contents can be shown to a reader, the first rows of `Contexts.own`.
SHOWN = _NEAR
EDGES = len(_LEFT_EDGE) + len(_RIGHT_EDGE)
TEMPLATES = len(_NEAR) + _CLUSTERED + EDGES + len(_BAG)


def _odd(n: int) -> np.uint64:
    """The n-th of a fixed sequence of odd 64-bit constants (splitmix64)."""
    z = (n + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
    return np.uint64((z ^ (z >> 31)) | 1)


_PLACE = {k: _odd(k + 100) for k in range(-REACH, REACH + 1)}
_KIND = [_odd(k + 1000) for k in range(100)]
_MIX = _odd(7)
_HIGH = np.uint64(32)
_FOLD = np.uint64(31)


@cache
def _folding() -> npt.NDArray[np.uint32]:
    """Code point → the character that stands for it in features: script, widths, digits, letters and quotation
    marks alike."""
    table = np.arange(0x110000, dtype=np.uint32)
    _, traditional, simplified, _ = (Path(__file__).parent / "traditional.txt").read_text("utf-8").split("\n")
    table[[ord(c) for c in traditional]] = [ord(c) for c in simplified]
    table[0xFF01:0xFF5F] = np.arange(0x21, 0x7F)
    for char, mark in (
        ("，", ","),
        ("。", "."),
        ("；", ";"),
        ("：", ":"),
        ("？", "?"),
        ("！", "!"),
        ("（", "("),
        ("）", ")"),
    ):
        table[ord(char)] = ord(mark)
    for first, last, to in ((0x30, 0x39, "0"), (0xFF10, 0xFF19, "0"), (0x41, 0x5A, "a"), (0x61, 0x7A, "a"),
                            (0xFF21, 0xFF3A, "a"), (0xFF41, 0xFF5A, "a")):  # fmt: skip
        table[first : last + 1] = ord(to)
    table[[ord(c) for c in '“”〝〞„‟「」『』"＂']] = ord('"')
    table[[ord(c) for c in "‘’＇'"]] = ord("'")
    table[[ord(c) for c in "\t\u00a0\u3000\u2002\u2003"]] = ord(" ")
    table[[ord(c) for c in "\r\x0b\x0c\u2028\u2029"]] = ord("\n")
    return table


def folded(cp: CodePoints) -> CodePoints:
    """The text as features see it, padded by REACH line ends on both sides; shape (len(cp) + 2·REACH,)."""
    out = np.full(len(cp) + 2 * REACH, ord("\n"), dtype=np.uint32)
    out[REACH : REACH + len(cp)] = _folding()[cp]
    return out


def bigram_hash(first: CodePoints, second: CodePoints) -> Bigrams:
    """A hash of BIGRAM_BITS bits for each pair of characters."""
    mixed: Bigrams = first * np.uint32(0x9E3779B1)
    mixed += second
    mixed *= np.uint32(0x85EBCA6B)
    mixed >>= np.uint32(32 - BIGRAM_BITS)
    return mixed


def word_keys(words: Sequence[str]) -> tuple[Hashes, Hashes]:
    """For each word the hash of its text, shape (n,), and of its edges for the edge templates, (EDGES, n)."""
    keys = _string_hashes(words, 1)
    edges = [_string_hashes([w[:n] for w in words], 2) for _, n in _LEFT_EDGE]
    edges += [_string_hashes([w[-n:] for w in words], 3) for _, n in _RIGHT_EDGE]
    return keys, np.stack(edges)


def _string_hashes(words: Sequence[str], seed: int) -> Hashes:
    """A hash of each word (FNV-1a over code points, stirred), shape (n,)."""
    chars = np.array(list(words), dtype=np.str_)
    columns = chars.view(np.uint32).reshape(len(words), -1) if len(words) else np.zeros((0, 0), np.uint32)
    hashes = np.full(len(words), 0xCBF29CE484222325 ^ (seed * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF), dtype=np.uint64)
    for column in columns.T.astype(np.uint64):
        mixed = (hashes ^ column) * np.uint64(0x100000001B3)
        mixed ^= mixed >> np.uint64(29)
        hashes = np.where(column > 0, mixed, hashes)
    return hashes * np.uint64(0xBF58476D1CE4E5B9)


class Contexts:
    """The contexts of n sites: a hash for each template and site, before it is crossed with any word."""

    def __init__(
        self, text: CodePoints, bigrams: Bigrams, start: Offsets, end: Offsets, near: ClusterIds, topic: ClusterIds
    ) -> None:
        """text: as `folded` gives it. bigrams: `bigram_hash` of its neighbours. start, end: the sites' offsets before
        padding, shape (n,). near, topic: the cluster of each bigram hash, by neighbours and by subject, (2^BIGRAM_BITS,).
        """
        left, right = start + (REACH - 1), end + REACH
        at = {}
        for k in range(1, 5):
            at[-k] = text[left - (k - 1)] * _PLACE[-k]
            at[k] = text[right + (k - 1)] * _PLACE[k]
        own = np.empty((len(_NEAR) + _CLUSTERED, len(start)), dtype=np.uint64)
        for t, offsets in enumerate(_NEAR):
            own[t] = sum((at[k] for k in offsets[1:]), at[offsets[0]]) * _KIND[t]
        l1, l2, l3 = (near[bigrams[left - k]] * _PLACE[-k - 5] for k in (1, 2, 3))
        r1, r2, r3 = (near[bigrams[right + k]] * _PLACE[k + 6] for k in (0, 1, 2))
        clustered = (l1, r1, l1 + r1, l1 + at[1], r1 + at[-1], l2 + at[-1], r2 + at[1], l3, r3)
        for t, value in enumerate(clustered, len(_NEAR)):
            own[t] = value * _KIND[t]
        self.edge = np.empty((EDGES, len(start)), dtype=np.uint64)
        for t, (offsets, n) in enumerate((*_LEFT_EDGE, *_RIGHT_EDGE)):
            self.edge[t] = sum((at[k] for k in offsets[1:]), at[offsets[0]]) * _KIND[40 + t + 10 * n]
        bag = np.empty((len(_BAG), len(start)), dtype=np.uint64)
        for t, k in enumerate(_BAG):
            bag[t] = topic[bigrams[left + (k + 1)] if k < 0 else bigrams[right + (k - 1)]] * _KIND[90]
        self.own = np.concatenate([own, bag])

    def slots(self, key: Hashes, edge: Hashes, size: int, rows: Offsets | slice = slice(None)) -> Slots:
        """Indices into `size` weights for one word a site: (TEMPLATES, n). key: (n,), edge: (EDGES, n)."""
        mixed = np.concatenate([self.own[:, rows] ^ key, self.edge[:, rows] ^ edge])
        mixed ^= mixed >> _FOLD
        mixed *= _MIX
        mixed >>= _HIGH
        mixed *= np.uint64(size)
        mixed >>= _HIGH
        return mixed.view(np.int64)
