"""Clusters: groups bigrams that keep the same company, next door (syntax) or further off (subject)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..charclass import code_points
from .features import BIGRAM_BITS, ClusterIds, bigram_hash, folded

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float32]

VOCABULARY = 40_000
COMPANY = 2_500
CLUSTERS = 600
_DIMENSIONS = 100
_APART = (-12, -9, -7, -5, -3, 3, 5, 7, 9, 12)
_CHUNK = 8_000_000


def cluster_bigrams(texts: Sequence[str], seed: int = 1) -> tuple[ClusterIds, ClusterIds]:
    """The cluster of each bigram hash by neighbours and by subject, 0 for rare ones, shape (2^BIGRAM_BITS,) each.

    Bigrams of Han characters are described by positive pointwise mutual information with the characters and bigrams
    beside them (neighbours) or with bigrams 3 to 12 characters away (subject), reduced by a randomised singular value
    decomposition (Halko, Martinsson and Tropp 2011) and parted by spherical k-means.
    """
    cp = folded(code_points("\n\n".join(texts)))
    han = (cp >= 0x4E00) & (cp <= 0x9FFF)
    keys = (cp[:-1].astype(np.int64) << 21) | cp[1:]
    seen, counts = np.unique(keys[han[:-1] & han[1:]], return_counts=True)
    common = seen[np.argsort(-counts, kind="stable")]
    vocabulary, company = np.sort(common[:VOCABULARY]), np.sort(common[:COMPANY])
    chars = np.zeros(0x110000, dtype=np.int64)
    top = np.argsort(-np.bincount(cp, minlength=0x110000), kind="stable")[:COMPANY]
    chars[top] = np.arange(1, len(top) + 1)
    row, column = _index(vocabulary, keys), _index(company, keys) + 1
    margin = max(_APART) + 2
    at = np.flatnonzero(row[margin:-margin] >= 0) + margin
    width = COMPANY + 1
    beside = np.zeros((len(vocabulary), 4 * width), dtype=np.uint16)
    apart = np.zeros((len(vocabulary), width), dtype=np.uint16)
    for lo in range(0, len(at), _CHUNK):
        i = at[lo : lo + _CHUNK]
        for k, company_of in enumerate((chars[cp[i - 1]], chars[cp[i + 2]], column[i - 2], column[i + 2])):
            _count(beside, row[i], np.where(company_of > 0, company_of + k * width, 0))
        for k in _APART:
            _count(apart, row[i], column[i + k])
    slots = bigram_hash((vocabulary >> 21).astype(np.uint32), (vocabulary & 0x1FFFFF).astype(np.uint32))
    results = []
    for table in (beside, apart):
        table[:, 0] = 0
        out = np.zeros(1 << BIGRAM_BITS, dtype=np.uint16)
        out[slots] = _kmeans(_vectors(table, seed), seed) + 1
        results.append(out)
    return results[0], results[1]


def _index(sorted_keys: Ints, keys: Ints) -> Ints:
    if not len(sorted_keys):
        return np.full(len(keys), -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    return np.where(sorted_keys[at] == keys, at, -1)


def _count(table: npt.NDArray[np.uint16], row: Ints, column: Ints) -> None:
    cells, n = np.unique(row * table.shape[1] + column, return_counts=True)
    flat = table.reshape(-1)
    flat[cells] = np.minimum(flat[cells].astype(np.int64) + n, 65535)


def _vectors(table: npt.NDArray[np.uint16], seed: int) -> Reals:
    counts = table.astype(np.float32)
    rows = counts.sum(axis=1, keepdims=True) + 1e-9
    columns = (counts.sum(axis=0, keepdims=True) + 1e-9) ** 0.75
    columns *= rows.sum() / columns.sum()
    counts *= rows.sum() / rows
    counts /= columns
    pmi = np.log(np.maximum(counts, 1))
    size = min(_DIMENSIONS, min(pmi.shape) - 1)
    sketch = pmi @ np.random.default_rng(seed).standard_normal((pmi.shape[1], size + 20), dtype=np.float32)
    for _ in range(2):
        sketch = pmi @ (pmi.T @ np.linalg.qr(sketch)[0])
    basis = np.linalg.qr(sketch)[0]
    left, strength, _ = np.linalg.svd(basis.T @ pmi, full_matrices=False)
    vectors = (basis @ left[:, :size]) * np.sqrt(strength[:size])
    unit: Reals = (vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9)).astype(np.float32)
    return unit


def _kmeans(vectors: Reals, seed: int, rounds: int = 15) -> Ints:
    rng = np.random.default_rng(seed)
    centres = vectors[rng.choice(len(vectors), min(CLUSTERS, len(vectors)), replace=False)]
    nearest = np.zeros(len(vectors), dtype=np.int64)
    for _ in range(rounds):
        nearest = (vectors @ centres.T).argmax(axis=1)
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, vectors)
        norm = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(norm > 0, sums / np.maximum(norm, 1e-9), centres)
    return nearest
