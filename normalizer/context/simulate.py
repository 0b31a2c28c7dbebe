"""Simulator: corrupts clean text as the real tools do, and knows the repair of every place that it touched."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..blocks import Kind, line_kind
from ..edit import Edit, Patch
from ..scan import Scan
from .families import Pair, forward_table


@dataclass(frozen=True, slots=True)
class Simulation:
    """A corrupted text. `damage` takes the clean text to it; `damage.invert()` is the repair, place by place."""

    text: str
    damage: Patch
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Damage:
    """How a document is damaged.

    share: the probability that the tool's table has a given pair of the family. near_total: the probability that an
    occurrence of a word in the table is replaced. quotes: whether ” becomes 〞. keep_titles: whether headings and site
    furniture stay clean. infected_rows: the share of lines that are damaged at all; below 1 for mixed data sets.
    """

    share: float = 0.7
    near_total: float = 0.98
    quotes: bool = True
    keep_titles: bool = True
    infected_rows: float = 1.0


def simulate(text: str, turns: Sequence[Sequence[Pair]], seed: int, damage: Damage | None = None) -> Simulation:
    """Damages a text by one family of pairs, or by several in turn, each working on the output of the one before.

    Replacement is of raw strings, leftmost and longest first, across word boundaries: 原则 becomes 原那么. The result
    depends on the arguments alone. Raises ValueError for a probability outside 0..1.
    """
    damage = damage or Damage()
    for name in ("share", "near_total", "infected_rows"):
        if not 0 <= getattr(damage, name) <= 1:
            raise ValueError(f"{name} must be between 0 and 1, not {getattr(damage, name)}")
    rng = random.Random(seed)
    current, net, used = text, Patch.empty(), []
    infected = _infected_lines(text, damage, rng)
    for turn, pairs in enumerate(turns):
        chosen = [p for p in pairs if rng.random() < damage.share]
        table = forward_table(chosen)
        if damage.quotes and turn == 0:
            table["”"] = "〞"
        edits = _replacements(current, table, infected, damage.near_total, rng)
        patch = Patch.of(edits)
        current = patch.apply(current)
        net = net.compose(patch)
        used += chosen
    return Simulation(current, net, tuple(used))


def _infected_lines(text: str, damage: Damage, rng: random.Random) -> list[bool]:
    scan = Scan(text)
    infected = []
    for start, end in zip(scan.line_starts.tolist(), scan.line_ends.tolist(), strict=True):
        line = text[start:end]
        clean = damage.keep_titles and line_kind(line) in (Kind.HEADING, Kind.FURNITURE)
        infected.append(rng.random() < damage.infected_rows and not clean)
    return infected


def _replacements(
    text: str, table: Mapping[str, str], infected: Sequence[bool], near_total: float, rng: random.Random
) -> list[Edit]:
    if not table:
        return []
    pattern = re.compile("|".join(map(re.escape, sorted(table, key=lambda s: (-len(s), s)))))
    scan = Scan(text)
    edits = []
    for line, (start, end) in enumerate(zip(scan.line_starts.tolist(), scan.line_ends.tolist(), strict=True)):
        if infected[line]:
            for m in pattern.finditer(text, start, end):
                if rng.random() < near_total:
                    edits.append(Edit(m.start(), m.end(), m[0], table[m[0]], ("SIM",)))
    return edits
