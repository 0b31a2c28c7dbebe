"""Families: the tables of word pairs that document-sharing sites and spinners replaced, with what vouches for each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..rulebook import RuleError, rules_folder

GRADES = {
    "P": "a clean copy of the document proves it",
    "M": "the context forces it",
    "I": "inferred",
    "C": "a candidate from a dictionary, seen in no document yet",
}
_HEADER = ["substitute", "source", "grade", "origin"]


@dataclass(frozen=True, slots=True)
class Pair:
    """`source` was replaced by `substitute`. grade: a key of GRADES. origin: where the pair was seen."""

    substitute: str
    source: str
    family: str
    grade: str = "C"
    origin: str = ""


def read_pairs(path: Path, family: str | None = None) -> list[Pair]:
    """The pairs of a TSV with the columns substitute, source and, if known, grade and origin.

    Raises RuleError that names file, line and remedy: a missing cell, a pair that stands twice, an unknown grade, or a
    word that is replaced by itself.
    """
    try:
        lines = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise RuleError(f"{path}: cannot be read: {error}") from None
    pairs: dict[tuple[str, str], Pair] = {}
    header: list[str] | None = None
    for n, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.rstrip("\r").split("\t")
        if header is None:
            header = cells
            if header != _HEADER[: len(header)] or len(header) < 2:
                raise RuleError(f"{path}:{n}: the header must be {', '.join(_HEADER)} (the last two may be left out)")
            continue
        if len(cells) != len(header) or not cells[0] or not cells[1]:
            raise RuleError(f"{path}:{n}: needs {len(header)} cells separated by tabs, substitute and source filled")
        row = dict(zip(header, cells, strict=True))
        pair = Pair(row["substitute"], row["source"], family or path.stem, row.get("grade", "C"), row.get("origin", ""))
        key = (pair.substitute, pair.source)
        if key in pairs:
            raise RuleError(f"{path}:{n}: {pair.source}→{pair.substitute} stands twice")
        if pair.substitute == pair.source:
            raise RuleError(f"{path}:{n}: {pair.source} is replaced by itself")
        if pair.grade not in GRADES:
            raise RuleError(f"{path}:{n}: grade {pair.grade!r} is not one of {', '.join(GRADES)}")
        pairs[key] = pair
    return list(pairs.values())


@cache
def families() -> dict[str, tuple[Pair, ...]]:
    """The families that ship with the package, by name."""
    folder = rules_folder() / "families"
    return {path.stem: tuple(read_pairs(path)) for path in sorted(folder.glob("*.tsv"))}


def forward_table(pairs: Iterable[Pair]) -> dict[str, str]:
    """source → substitute. A source with several substitutes keeps the first, as a tool with one table does."""
    table: dict[str, str] = {}
    for pair in pairs:
        table.setdefault(pair.source, pair.substitute)
    return table
