"""Model: the trained weights, and the log-odds they give each word that may have stood at a site."""

from __future__ import annotations

import math
import zipfile
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .features import BIGRAM_BITS, ClusterIds, Contexts, Hashes
from .inference import crossed

Codes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

# Weights are stored as four bits each: an index into these levels, in 1/128 of a natural log-odds unit.
UNIT = 128
LEVELS = np.array(
    [0, 8, 16, 25, 36, 50, 68, 95, 0, -8, -16, -25, -36, -50, -68, -95], dtype=np.int16
)  # fmt: skip
# Two codes a byte, looked up together with which of the two is meant: index = byte + 256·odd.
_UNPACK = np.concatenate([LEVELS[np.arange(256) & 15], LEVELS[np.arange(256) >> 4]]).astype(np.int32)
_BATCH = 2048
# Log-odds of source against substitute where one of them was not learnt: who lists such a pair has seen it.
_STRANGE = 2.0


class ModelError(Exception):
    """Weights that are missing or do not belong together; the message names the file and the remedy."""


@dataclass(frozen=True)
class Model:
    """packed: two weights a byte, (size // 2,). counts: how often each word stood in the training text.

    near, topic: the cluster of each bigram hash, (2^BIGRAM_BITS,). evidence, decision, calibration: what
    `calibrate` has learnt.
    """

    packed: Codes
    words: tuple[str, ...]
    counts: npt.NDArray[np.int64]
    near: ClusterIds
    topic: ClusterIds
    evidence: Floats
    decision: Floats
    calibration: Floats

    @property
    def size(self) -> int:
        return 2 * len(self.packed)

    @cached_property
    def count_of(self) -> dict[str, int]:
        return dict(zip(self.words, self.counts.tolist(), strict=True))

    def expected(self, source: str, substitute: str) -> float:
        """Log-odds of source against substitute by frequency alone, in whole units of 1/UNIT."""
        count = self.count_of
        if source not in count or substitute not in count:
            return _STRANGE
        odds = math.log(count[source] + 1) - math.log(count[substitute] + 1)
        return round(odds * UNIT) / UNIT

    def score(
        self, contexts: Contexts, rows: npt.NDArray[np.int64], key: Hashes, edge: Hashes, known: npt.NDArray[np.bool_]
    ) -> Floats:
        """What the contexts say for one word each, in natural log-odds up to a constant of the context.

        rows: which context, (n,). key, edge: of the word, (n,) and (EDGES, n). known: whether the word was learnt, (n,);
        of others only the edges count. Sums are of integers, so that they are the same on every machine.
        """
        own = len(contexts.own)
        strange = not known.all()
        total = np.empty(len(rows), dtype=np.int64)
        for lo in range(0, len(rows), _BATCH):
            part = slice(lo, lo + _BATCH)
            slots = contexts.slots(key[part], edge[:, part], self.size, rows[part])
            odd = slots & 1
            slots >>= 1
            said = _UNPACK[self.packed[slots] + (odd << 8)]
            if strange:
                said[:own, ~known[part]] = 0
            total[part] = said.sum(axis=0)
        return total / UNIT

    def parts(
        self, contexts: Contexts, rows: npt.NDArray[np.int64], key: Hashes, edge: Hashes
    ) -> npt.NDArray[np.int32]:
        """What each template says, in 1/UNIT of a log-odds unit: (templates, n)."""
        slots = contexts.slots(key, edge, self.size, rows)
        parts: npt.NDArray[np.int32] = _UNPACK[self.packed[slots >> 1] + ((slots & 1) << 8)]
        return parts

    def calibrated(self, features: Floats) -> Floats:
        """The share of such restorations that is right, rounded to four places. features: (n, F), see `Restorer.decisive`."""
        score = crossed(features) @ self.decision
        shares: Floats = np.round(np.interp(score, self.calibration[0], self.calibration[1]), 4)
        return shares


def pack(weights: npt.NDArray[np.float32]) -> Codes:
    """Weights in natural log-odds as codes of the nearest level, two a byte; len(weights) must be even."""
    order = np.argsort(LEVELS, kind="stable")
    order = order[LEVELS[order] != 0]
    order = np.concatenate([order[LEVELS[order] < 0], [0], order[LEVELS[order] > 0]])
    levels = LEVELS[order].astype(np.float32) / UNIT
    codes = order[np.searchsorted((levels[1:] + levels[:-1]) / 2, weights)].astype(np.uint8)
    packed: Codes = (codes[0::2] | (codes[1::2] << np.uint8(4))).astype(np.uint8)
    return packed


def weights_folder() -> Path:
    return Path(__file__).resolve().parent / "weights"


def save(folder: Path, model: Model) -> None:
    """Writes weights.npy, which is mapped into memory, and tables.npz, which is read."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "weights.npy", model.packed)
    clustered = np.flatnonzero((model.near > 0) | (model.topic > 0)).astype(np.uint32)
    np.savez_compressed(
        folder / "tables.npz",
        words=np.frombuffer("\n".join(model.words).encode(), dtype=np.uint8),
        counts=model.counts,
        bigrams=clustered,
        near=model.near[clustered],
        topic=model.topic[clustered],
        evidence=model.evidence,
        decision=model.decision,
        calibration=model.calibration,
    )


def load(folder: Path) -> Model:
    """Raises ModelError when a file is missing or broken."""
    try:
        packed = np.load(folder / "weights.npy", mmap_mode="r")
        with np.load(folder / "tables.npz") as tables:
            near, topic = np.zeros(1 << BIGRAM_BITS, dtype=np.uint16), np.zeros(1 << BIGRAM_BITS, dtype=np.uint16)
            near[tables["bigrams"]] = tables["near"]
            topic[tables["bigrams"]] = tables["topic"]
            words = tuple(tables["words"].tobytes().decode().split("\n"))
            return Model(  # fmt: skip
                packed.view(np.ndarray),
                words,
                tables["counts"],
                near,
                topic,
                tables["evidence"],
                tables["decision"],
                tables["calibration"],
            )
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"{folder}: no usable weights ({error}); install jiaokan again or run `jiaokan train`"
        ) from None


@cache
def model() -> Model:
    """The weights that ship with the package, mapped once a process."""
    return load(weights_folder())
