"""Scan and Found: one stage's view of the text, shared by its rules, and the columns of edits a rule proposes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .charclass import NEWLINE, Classes, CodePoints, class_table, code_points
from .edit import Note, Offsets, Patch

Mask = npt.NDArray[np.bool_]

# Characters that only one of the two scripts writes; enough to tell them apart within a few words of running text.
_HANS_ONLY = "们这为国会来时说对学发过还现经进问间无应关门车长东书两见听让认请语讲论议证话该词读谁调谈变义务产业"
_HANT_ONLY = "們這為國會來時說對學發過還現經進問間無應關門車長東書兩見聽讓認請語講論議證話該詞讀誰調談變義務產業"


class Scan:
    """What the rules of a stage may ask of the text; each answer is computed once, and only if asked for."""

    def __init__(self, text: str, earlier: Patch | None = None) -> None:
        """earlier: the net patch of the stages before, whose output is `text`."""
        self.text = text
        self._earlier = earlier

    def repaired_by(self, rule: str) -> Offsets:
        """Where in the text an earlier stage made an edit of this rule: what is mended is still evidence, shape (n,)."""
        if not self._earlier:
            return np.empty(0, dtype=np.int64)
        mine = [i for i, note in enumerate(self._earlier.notes) if rule in note.rules]
        return self._earlier.out_start[mine]

    @cached_property
    def cp(self) -> CodePoints:
        """Code points, shape (len(text),)."""
        return code_points(self.text)

    @cached_property
    def cls(self) -> Classes:
        """Class bits (see charclass) of each code point, shape (len(text),)."""
        return class_table()[self.cp]

    @cached_property
    def _present(self) -> Mask:
        present = np.zeros(0x110000, dtype=bool)
        present[self.cp] = True
        return present

    def has_any(self, chars: str) -> bool:
        """Whether one of these characters is in the text."""
        return bool(self._present[[ord(c) for c in chars]].any())

    def find_all(self, chars: str) -> Offsets:
        """Offsets of all these characters, ascending, shape (n,)."""
        wanted = [c for c in chars if self._present[ord(c)]]
        if not wanted:
            return np.empty(0, dtype=np.int64)
        hit = self.cp == ord(wanted[0])
        for c in wanted[1:]:
            hit |= self.cp == ord(c)
        return np.flatnonzero(hit)

    @cached_property
    def line_starts(self) -> Offsets:
        """Where each line begins, shape (lines,); lines end at \\n, \\r\\n and \\r only."""
        ends = np.flatnonzero(self.cls & NEWLINE)
        if len(ends):
            cr = ends[self.cp[ends] == 13]
            inner = cr[(cr + 1 < len(self.cp)) & (self.cp[np.minimum(cr + 1, len(self.cp) - 1)] == 10)]
            ends = np.setdiff1d(ends, inner, assume_unique=True)
        return np.concatenate(([0], ends + 1)).astype(np.int64)

    @cached_property
    def line_ends(self) -> Offsets:
        """Where each line's text ends, its newline excluded, shape (lines,)."""
        starts = self.line_starts
        ends = np.append(starts[1:] - 1, len(self.text)).astype(np.int64)
        crlf = np.flatnonzero(ends[:-1] > starts[:-1])
        crlf = crlf[(self.cp[ends[crlf]] == 10) & (self.cp[ends[crlf] - 1] == 13)]
        ends[crlf] -= 1
        return ends

    def line_of(self, offset: Offsets) -> Offsets:
        """The index of the line that each offset stands in, same shape."""
        return np.searchsorted(self.line_starts, offset, side="right") - 1

    @cached_property
    def simplified(self) -> bool:
        """Whether the text is in simplified script; texts that cannot be told count as simplified."""
        sample = self.text if len(self.text) < 20000 else self.text[:20000]
        hans, hant = (len(re.findall(f"[{chars}]", sample)) for chars in (_HANS_ONLY, _HANT_ONLY))
        return hans >= hant


@dataclass(slots=True)
class Found:
    """Edits that one rule proposes against one revision: columns of equal length, in any order.

    after: None where the rule only points at something. The notes' first rule is the proposing one.
    """

    start: Offsets
    end: Offsets
    after: Sequence[str | None]
    notes: Sequence[Note]

    def __len__(self) -> int:
        return len(self.after)

    @classmethod
    def none(cls) -> Found:
        empty = np.empty(0, dtype=np.int64)
        return cls(empty, empty, [], [])


@dataclass(slots=True)
class Finds:
    """A Found in the making, one proposal at a time."""

    start: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)
    after: list[str | None] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def add(self, start: int, end: int, after: str | None, note: Note) -> None:
        self.start.append(start)
        self.end.append(end)
        self.after.append(after)
        self.notes.append(note)

    def found(self) -> Found:
        return Found(np.array(self.start, np.int64), np.array(self.end, np.int64), self.after, self.notes)
