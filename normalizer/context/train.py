"""Training: learns from damaged copies of clean text which of two words stood at a place."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..charclass import code_points
from .clusters import cluster_bigrams
from .corpus import Document, occurrences
from .families import Pair
from .features import Contexts, bigram_hash, folded, word_keys
from .matcher import Matcher
from .model import Model, pack

Ints = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float32]
Say = Callable[[str], None]

# 56 million weights of four bits: 28 MB.
SIZE = 56_000_000


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the weights are learnt.

    rate, start: AdaGrad's (Duchi, Hazan and Singer 2011) step and initial sum of squares. per_word: about how many
    examples the commonest words give. clean: the share of chunks that are not damaged. chunk: characters damaged by one
    table.
    """

    rate: float = 0.1
    start: float = 0.02
    per_word: int = 80_000
    clean: float = 0.25
    chunk: int = 120_000
    batch: int = 2048
    seed: int = 1


class Universe:
    """The pairs to be learnt: words, and for each pair the indices of its source and its substitute."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        distinct = sorted({(p.source, p.substitute) for p in pairs})
        self.words = sorted({w for p in distinct for w in p})
        index = {w: i for i, w in enumerate(self.words)}
        self.source = np.array([index[s] for s, _ in distinct], dtype=np.int64)
        self.substitute = np.array([index[w] for _, w in distinct], dtype=np.int64)
        seen = {(p.source, p.substitute) for p in pairs if p.grade != "C"}
        self.observed = np.array([p in seen for p in distinct], dtype=bool)
        self.matcher = Matcher(self.words)
        both = np.concatenate([self.source, self.substitute])
        order = np.argsort(both, kind="stable")
        self.pair_of = order % max(1, len(distinct))
        self.first = np.searchsorted(both[order], np.arange(len(self.words) + 1))

    def table(self, rng: np.random.Generator, clean: float) -> Ints | None:
        """A table that a tool might have: some of the observed pairs, some of the dictionary, or both; None for none."""
        kind = rng.random()
        if kind < clean:
            return None
        chosen = np.zeros(len(self.source), dtype=bool)
        if kind < clean + (1 - clean) * 0.7:
            chosen |= self.observed & (rng.random(len(chosen)) < rng.uniform(0.3, 1))
        if kind > clean + (1 - clean) * 0.35:
            chosen[rng.integers(0, len(chosen), int(10 ** rng.uniform(1.5, 3.5)))] = True
        table = np.full(len(self.words), -1, dtype=np.int64)
        order = rng.permutation(np.flatnonzero(chosen))
        table[self.source[order]] = self.substitute[order]
        return table


def train(
    documents: Sequence[Document], pairs: Sequence[Pair], recipe: Recipe | None = None, say: Say = print
) -> Model:
    """Weights learnt from the documents of the split `train`. Raises ValueError if there are none."""
    recipe = recipe or Recipe()
    began = time.monotonic()
    texts = [d.text for d in documents if d.split == "train"]
    if not texts:
        raise ValueError("no document of the split train")
    universe = Universe(pairs)
    counts = np.zeros(len(universe.words), dtype=np.int64)
    for text in texts:
        counts += np.bincount(universe.matcher.find(code_points(text))[1], minlength=len(counts))
    say(f"{len(universe.source)} pairs of {len(universe.words)} words counted in {len(texts)} documents")
    near, topic = cluster_bigrams(_sample([d for d in documents if d.split == "train"], recipe.seed))
    say(f"bigrams clustered after {time.monotonic() - began:.0f} s")
    blank = Model(
        np.zeros(0, np.uint8), tuple(universe.words), counts, near, topic, np.zeros(0), np.zeros(0), np.zeros((2, 0))
    )  # fmt: skip
    weights = _descend(texts, universe, blank, recipe, say)
    return replace(blank, packed=pack(weights), counts=_uncensored(universe.words, counts))


def _uncensored(words: Sequence[str], counts: Ints) -> Ints:
    """Counts no lower than those of jieba's dictionary, scaled alike.

    A corpus that was cleared of documents with marks of the damage lacks the very words that are such marks (效劳, 根底,
    本钱); taken as never used, each right use of them would be called damage.
    """
    from ..lexicon import frequencies

    known = np.array(frequencies(words), dtype=np.float64)
    both = (known > 50) & (counts > 50)
    scale = float(np.exp(np.median(np.log(counts[both] / known[both])))) if both.any() else 1.0
    return np.maximum(counts, (known * scale).astype(np.int64))


def _sample(documents: Sequence[Document], seed: int, per_genre: int = 6_000_000, longest: int = 20_000) -> list[str]:
    """Text of all genres in like measure, to cluster by."""
    rng = np.random.default_rng(seed)
    taken: dict[str, int] = {}
    out = []
    for i in rng.permutation(len(documents)).tolist():
        document = documents[i]
        if taken.get(document.genre, 0) < per_genre:
            out.append(document.text[:longest])
            taken[document.genre] = taken.get(document.genre, 0) + len(out[-1])
    return out


@dataclass(frozen=True, slots=True)
class Examples:
    """n places with a pair each: whether its source stood there, and the context, damaged as it will be in use."""

    contexts: Contexts
    pair: Ints
    label: npt.NDArray[np.bool_]


def examples(
    texts: Sequence[str], universe: Universe, model: Model, keep: npt.NDArray[np.float64], recipe: Recipe
) -> Iterator[Examples]:
    """Training examples, a chunk of text at a time. keep: the share of each word's occurrences that is used, (words,)."""
    rng = np.random.default_rng(recipe.seed)
    chunk: list[str] = []
    size = 0
    order = rng.permutation(len(texts)).tolist()
    for n, i in enumerate(order, 1):
        chunk.append(texts[i])
        size += len(texts[i])
        if size < recipe.chunk and n < len(order):
            continue
        found = occurrences(universe.matcher, "\n\n".join(chunk), universe.table(rng, recipe.clean))
        chunk, size = [], 0
        used = np.flatnonzero(rng.random(len(found.true)) < keep[found.true])
        true, start = found.true[used], found.start[used]
        first, count = universe.first[true], universe.first[true + 1] - universe.first[true]
        pair = universe.pair_of[first + (rng.random(len(true)) * count).astype(np.int64)]
        text = folded(found.cp)
        contexts = Contexts(
            text, bigram_hash(text[:-1], text[1:]), start, start + universe.matcher.lengths[found.seen[used]],
            model.near, model.topic,
        )  # fmt: skip
        yield Examples(contexts, pair, universe.source[pair] == true)


def _descend(texts: Sequence[str], universe: Universe, model: Model, recipe: Recipe, say: Say) -> Weights:
    """One pass of AdaGrad over the logistic loss of all pairs at once.

    An occurrence is an example of one of its word's pairs, drawn at random; what that does to the odds is undone by an
    offset, so that the weights learn the odds of running text.
    """
    keep = np.minimum(1.0, recipe.per_word / np.maximum(model.counts, 1))
    shared = np.maximum(np.diff(universe.first), 1)
    s, w = universe.source, universe.substitute
    offset = np.log(keep[s] / shared[s]) - np.log(keep[w] / shared[w])
    offset += np.log(model.counts[s] + 1) - np.log(model.counts[w] + 1)
    key, edge = word_keys(universe.words)
    weights = np.zeros(SIZE, dtype=np.float32)
    squares = np.full(SIZE, recipe.start, dtype=np.float32)
    total = sum(map(len, texts))
    seen, loss, right = 0, 0.0, 0
    began = time.monotonic()
    for n, part in enumerate(examples(texts, universe, model, keep, recipe)):
        rate = np.float32(recipe.rate * max(0.1, 1 - n * recipe.chunk / total))
        for lo in range(0, len(part.pair), recipe.batch):
            rows = np.arange(lo, min(lo + recipe.batch, len(part.pair)))
            pair, label = part.pair[rows], part.label[rows]
            plus = part.contexts.slots(key[s[pair]], edge[:, s[pair]], SIZE, rows)
            minus = part.contexts.slots(key[w[pair]], edge[:, w[pair]], SIZE, rows)
            odds = weights[plus].sum(axis=0) - weights[minus].sum(axis=0) + offset[pair]
            p = 1 / (1 + np.exp(-odds))
            loss -= float(np.log(np.maximum(np.where(label, p, 1 - p), 1e-9)).sum())
            right += int(((odds > 0) == label).sum())
            seen += len(rows)
            step = np.broadcast_to((p - label).astype(np.float32), plus.shape)
            slots = np.concatenate([plus.ravel(), minus.ravel()])
            gradient = np.concatenate([step.ravel(), -step.ravel()])
            np.add.at(squares, slots, gradient * gradient)
            np.subtract.at(weights, slots, rate * gradient / np.sqrt(squares[slots]))
        if n % 200 == 199:
            say(f"{seen} examples, loss {loss / seen:.4f}, {right / seen:.2%} right, {time.monotonic() - began:.0f} s")
    return weights
