"""Rules that are a table: a TSV of strings and what replaces each, with the contexts that the rule file allows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..edit import Note
from ..rulebook import Rule
from ..scan import Finds, Found, Scan

MATCH_KEYS = ("table", "before", "after")
GUARD_KEYS = ("unless",)
# How far to each side the context of a string is looked at.
_CONTEXT = 24


@dataclass(frozen=True, slots=True)
class Row:
    """key → value, with regular expressions for what must stand before and after it ('' where anything may).

    hant: the value in a text of traditional script, where it differs.
    """

    key: str
    value: str
    before: str = ""
    after: str = ""
    hant: str = ""


def read_table(rule: Rule, path: Path) -> list[Row]:
    """Rows of a TSV with a header line and # comments. Raises RuleError that names file and line."""
    try:
        lines = path.read_text("utf-8").split("\n")
    except OSError as error:
        raise rule.error("match.table", f"{path}: {error.strerror}") from None
    header: list[str] | None = None
    rows: dict[str, Row] = {}
    for n, line in enumerate(lines, 1):
        if not line or line.startswith("#"):
            continue
        cells = line.split("\t")
        if header is None:
            header = cells
            if header[:2] != ["key", "value"] or set(header[2:]) - {"before", "after", "hant", "why"}:
                raise rule.error("match.table", f"{path}:{n}: header must be key, value and before, after, hant, why")
            continue
        named = dict(zip(header, cells, strict=False))
        named.pop("why", None)
        row = Row(**named)
        if not row.key or len(cells) > len(header):
            raise rule.error("match.table", f"{path}:{n}: a row has a key and at most {len(header)} cells")
        if row.key in rows:
            raise rule.error("match.table", f"{path}:{n}: {row.key} stands twice")
        rows[row.key] = row
    if not rows:
        raise rule.error("match.table", f"{path}: has no rows")
    return list(rows.values())


class CharTableFinder:
    """A table of single characters, looked up in arrays; `before` and `after` are of the rule, for all rows."""

    def __init__(self, rule: Rule, rows: list[Row], before: str, after: str) -> None:
        self.any = "".join(r.key for r in rows)
        self.hans = {ord(r.key): r.value for r in rows}
        self.hant = {ord(r.key): r.hant or r.value for r in rows}
        self.before, self.after = (re.compile(p) if p else None for p in (before, after))
        self.wanted = np.zeros(0x110000, dtype=bool)
        self.wanted[list(self.hans)] = True
        self.note = Note((rule.id,), rule.level)

    def find(self, scan: Scan) -> Found:
        at = np.flatnonzero(self.wanted[scan.cp])
        if self.before or self.after:
            at = at[[self._fits(scan.text, i) for i in at.tolist()]] if len(at) else at
        if not len(at):
            return Found.none()
        table = self.hans if scan.simplified else self.hant
        return Found(at, at + 1, [table[c] for c in scan.cp[at].tolist()], [self.note] * len(at))

    def _fits(self, text: str, i: int) -> bool:
        window = text[max(0, i - 8) : i]
        return (self.before is None or bool(self.before.search(window))) and (
            self.after is None or bool(self.after.match(text, i + 1))
        )


class StringTableFinder:
    """A table of strings, each with its own context; longest first, found in one pass."""

    def __init__(self, rule: Rule, rows: list[Row], classes: Mapping[str, str], guards: list[str]) -> None:
        from .pattern import expand

        # The last character is the rarest: a key is skipped unless it stands in the text.
        self.any = ""
        self.rows = sorted(rows, key=lambda r: -len(r.key))
        self.contexts = [
            (
                expand(rule, f"guard.unless {r.key}", f"(?:{r.before})\\Z", classes) if r.before else None,
                expand(rule, f"guard.unless {r.key}", r.after, classes) if r.after else None,
            )
            for r in self.rows
        ]
        self.unless = [expand(rule, "guard.unless", u, classes) for u in guards]
        self.note = Note((rule.id,), rule.level)

    def find(self, scan: Scan) -> Found:
        finds = Finds()
        text = scan.text
        taken: set[int] = set()
        for row, (before, after) in zip(self.rows, self.contexts, strict=True):
            start = text.find(row.key)
            while start >= 0:
                end = start + len(row.key)
                if (
                    start not in taken
                    and (before is None or before.search(text, max(0, start - _CONTEXT), start))
                    and (after is None or after.match(text, end))
                    and not self._disarmed(text, start, end)
                ):
                    taken.update(range(start, end))
                    finds.add(start, end, row.value, self.note)
                start = text.find(row.key, end)
        return finds.found()

    def _disarmed(self, text: str, start: int, end: int) -> bool:
        lo, hi = max(0, start - _CONTEXT), min(len(text), end + _CONTEXT)
        return any(g.start() < end and g.end() > start for u in self.unless for g in u.finditer(text, lo, hi))


def build(rule: Rule, classes: Mapping[str, str]) -> CharTableFinder | StringTableFinder:
    if not isinstance(rule.match.get("table"), str):
        raise rule.error("match.table", "missing: the TSV beside the rule file")
    rows = read_table(rule, rule.path.parent / rule.match["table"])
    if all(len(r.key) == 1 and not r.before and not r.after for r in rows):
        contexts = [
            re.sub(r"\{\{(\w+)\}\}", lambda m: classes[m[1]], rule.match.get(k, "")) for k in ("before", "after")
        ]
        return CharTableFinder(rule, rows, *contexts)
    return StringTableFinder(rule, rows, classes, list(rule.guard.get("unless", [])))
