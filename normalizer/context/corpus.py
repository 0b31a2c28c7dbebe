"""Corpus: reads folders of training text, and damages arrays of it as the tools do, knowing each true word."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..charclass import CodePoints, code_points
from ..edit import Offsets
from .matcher import Matcher

Ints = npt.NDArray[np.int64]


class CorpusError(Exception):
    """Training text that cannot be read; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Document:
    text: str
    genre: str
    split: str


def read(folder: Path) -> Iterator[Document]:
    """Documents under a folder: *.txt, one each, and *.jsonl or *.jsonl.xz with the fields text and, if known, split.

    The genre is the file's (for .txt: its folder's) name. Documents without a split are parted by position: of every 25,
    one is dev and one is test. Raises CorpusError.
    """
    paths = sorted(p for p in folder.rglob("*") if p.name.endswith((".txt", ".jsonl", ".jsonl.xz")))
    if not paths:
        raise CorpusError(f"{folder}: no .txt, .jsonl or .jsonl.xz file in it")
    n = 0
    for path in paths:
        for text, split, genre in _documents(path):
            yield Document(text, genre, split or ("dev" if n % 25 == 7 else "test" if n % 25 == 19 else "train"))
            n += 1


def _documents(path: Path) -> Iterator[tuple[str, str, str]]:
    try:
        if path.suffix == ".txt":
            yield path.read_text("utf-8"), "", path.parent.name
            return
        with lzma.open(path, "rt", encoding="utf-8") if path.suffix == ".xz" else path.open(encoding="utf-8") as lines:
            for n, line in enumerate(lines, 1):
                try:
                    row = json.loads(line)
                    yield row["text"], row.get("split", ""), path.name.split(".")[0]
                except (json.JSONDecodeError, KeyError, TypeError) as error:
                    raise CorpusError(f"{path}:{n}: needs JSON with a field text ({error})") from None
    except (OSError, UnicodeDecodeError, lzma.LZMAError) as error:
        raise CorpusError(f"{path}: {error}") from None


def without(documents: Iterable[Document], held_out: Sequence[str]) -> Iterator[Document]:
    """The documents with the lines taken out in which a held-out sentence stands."""
    keys = sorted({s[:12] for s in held_out if len(s) >= 12})
    matcher = Matcher(keys)
    for document in documents:
        found = matcher.find(code_points(document.text))[1]
        if len(found):
            marks = [keys[i] for i in set(found.tolist())]
            lines = [line for line in document.text.split("\n") if not any(mark in line for mark in marks)]
            document = Document("\n".join(lines), document.genre, document.split)
        yield document


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Where words stand in a text: start, the word seen, and the word that stood there before any damage, (n,) each."""

    cp: CodePoints
    start: Offsets
    seen: Ints
    true: Ints


def occurrences(matcher: Matcher, text: str, table: npt.NDArray[np.int64] | None) -> Occurrences:
    """Damages a text by a table and finds every word in what comes of it.

    table: for each word of the matcher the index of its substitute, or -1, (words,). Replacement is of raw strings,
    leftmost and longest first. Words that overlap a replaced place in part are left out: what they were is undefined.
    """
    cp = code_points(text)
    at, ids = matcher.find(cp)
    if table is None or not (table[ids] >= 0).any():
        return Occurrences(cp, at, ids.astype(np.int64), ids.astype(np.int64))
    cp, at, source, substitute = _replace(matcher, cp, at, ids, table)
    start, ids = matcher.find(cp)
    true = ids.astype(np.int64)
    edge = np.zeros(len(cp) + 1, dtype=np.int32)
    np.add.at(edge, at, 1)
    np.add.at(edge, at + matcher.lengths[substitute], -1)
    covered = np.concatenate(([0], np.cumsum(np.cumsum(edge[:-1]) > 0)))
    touches = covered[start + matcher.lengths[ids]] > covered[start]
    near = np.minimum(np.searchsorted(at, start), len(at) - 1)
    exact = (at[near] == start) & (substitute[near] == ids)
    true[exact] = source[near[exact]]
    known = exact | ~touches
    return Occurrences(cp, start[known], ids[known].astype(np.int64), true[known])


def _replace(
    matcher: Matcher, cp: CodePoints, at: Offsets, ids: npt.NDArray[np.int32], table: Ints,
    where: npt.NDArray[np.bool_] | None = None,
) -> tuple[CodePoints, Offsets, Ints, Ints]:  # fmt: skip
    """The damaged text, and where in it which source became which substitute. where: what may be touched, (len(cp),)."""
    hit = (table[ids] >= 0) if where is None else (table[ids] >= 0) & where[at]
    at, word = at[hit], ids[hit].astype(np.int64)
    length = matcher.lengths[word].astype(np.int64)
    order = np.lexsort((-length, at))
    free, keep = 0, []
    for i, a, n in zip(order.tolist(), at[order].tolist(), length[order].tolist(), strict=True):
        if a >= free:
            keep.append(i)
            free = a + n
    at, word, length = at[keep], word[keep], length[keep]
    substitute = table[word]
    new = [code_points(matcher.words[w]) for w in substitute.tolist()]
    parts, last = [], 0
    for a, n, chars in zip(at.tolist(), length.tolist(), new, strict=True):
        parts += [cp[last:a], chars]
        last = a + n
    parts.append(cp[last:])
    grown = matcher.lengths[substitute] - length
    return np.concatenate(parts), at + np.cumsum(grown) - grown, word, substitute


@dataclass(frozen=True, slots=True)
class Damaged:
    """A damaged text and its repair: at offset `at` stands word `substitute` where word `source` stood, (n,) each."""

    text: str
    at: Offsets
    source: Ints
    substitute: Ints


def damage(matcher: Matcher, text: str, table: Ints, infected: Sequence[bool], primes: bool) -> Damaged:
    """Damages the lines of a text that are marked as infected. primes: ” becomes 〞 there too."""
    cp = code_points(text)
    line = np.cumsum(cp == 10) - (cp == 10)
    where = np.array(infected, dtype=bool)[line] if len(cp) else np.zeros(0, dtype=bool)
    if primes:
        cp = np.where(where & (cp == ord("”")), np.uint32(ord("〞")), cp)
    at, ids = matcher.find(cp)
    if not len(at):
        return Damaged(text, at, ids.astype(np.int64), ids.astype(np.int64))
    new, at, source, substitute = _replace(matcher, cp, at, ids, table, where)
    return Damaged(new.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass"), at, source, substitute)
