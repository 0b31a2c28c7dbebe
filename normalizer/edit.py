"""Edit and Patch: replacements with provenance that apply, invert and compose.

Offsets are code points of the decoded text, half open. A `Patch` holds its edits in columns, because a
long document has hundreds of thousands of them (one a comma); `Edit` objects are made when looked at.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, overload

import numpy as np
import numpy.typing as npt

Offsets = npt.NDArray[np.int64]


class _NoEvidence(Mapping[str, Any]):
    """The empty mapping that everything without evidence shares, in every process."""

    def __getitem__(self, key: str) -> Any:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "{}"

    def __reduce__(self) -> str:
        return "NO_EVIDENCE"


NO_EVIDENCE: Mapping[str, Any] = _NoEvidence()


class Level(StrEnum):
    """How freely an edit may be applied: `safe` by default, `unsafe` on request, `suggest` only by a reviewer."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    SUGGEST = "suggest"

    @property
    def rank(self) -> int:
        """0 for safe, 1 for unsafe, 2 for suggest: lower is surer."""
        return _RANK[self]


_RANK = {Level.SAFE: 0, Level.UNSAFE: 1, Level.SUGGEST: 2}
LEVELS = (Level.SAFE, Level.UNSAFE, Level.SUGGEST)


class StaleEditError(ValueError):
    """An edit's `before` is not what stands in the text it is applied to."""


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of an edit besides its text; shared by all edits that have it in common."""

    rules: tuple[str, ...] = ()
    level: Level = Level.SAFE
    confidence: float | None = None
    evidence: Mapping[str, Any] = field(default_factory=lambda: NO_EVIDENCE)

    def __reduce__(self) -> tuple[Any, ...]:
        return _note, (self.rules, str(self.level), self.confidence, dict(self.evidence))


def _note(rules: tuple[str, ...], level: str, confidence: float | None, evidence: dict[str, Any]) -> Note:
    return Note(rules, Level(level), confidence, evidence or NO_EVIDENCE)


@dataclass(frozen=True, slots=True)
class Edit:
    """One replacement: `text[start:end]`, which reads `before`, becomes `after`.

    start, end: code point offsets, half open. rules: ids of the rules that made it, in stage order; an edit merged
    across stages carries several and is one unit of undo. confidence: probability in 0..1 that the edit is right,
    None where it has not been measured. evidence: JSON-serialisable facts that carried the decision.
    """

    start: int
    end: int
    before: str
    after: str
    rules: tuple[str, ...] = ()
    level: Level = Level.SAFE
    confidence: float | None = None
    evidence: Mapping[str, Any] = field(default_factory=lambda: NO_EVIDENCE)

    def __post_init__(self) -> None:
        if self.start < 0 or self.end - self.start != len(self.before):
            raise ValueError(f"edit {self.start}:{self.end} does not span its before text {self.before!r}")

    @property
    def note(self) -> Note:
        return Note(self.rules, self.level, self.confidence, self.evidence)

    def to_json(self) -> dict[str, Any]:
        """The edit as plain JSON types; `Edit.from_json` gives it back."""
        return {
            "start": self.start,
            "end": self.end,
            "before": self.before,
            "after": self.after,
            "rules": list(self.rules),
            "level": str(self.level),
            "confidence": self.confidence,
            "evidence": dict(self.evidence),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Edit:
        """Raises KeyError for a missing field and ValueError for one that makes no sense."""
        return cls(
            int(data["start"]),
            int(data["end"]),
            str(data["before"]),
            str(data["after"]),
            tuple(data.get("rules", ())),
            Level(data.get("level", "safe")),
            data.get("confidence"),
            dict(data.get("evidence") or {}) or NO_EVIDENCE,
        )


class EditView(Sequence[Edit]):
    """The edits of a patch as a sequence; each Edit is made when asked for."""

    __slots__ = ("_patch",)

    def __init__(self, patch: Patch) -> None:
        self._patch = patch

    def __len__(self) -> int:
        return len(self._patch)

    @overload
    def __getitem__(self, index: int) -> Edit: ...
    @overload
    def __getitem__(self, index: slice) -> list[Edit]: ...
    def __getitem__(self, index: int | slice) -> Edit | list[Edit]:
        if isinstance(index, slice):
            return [self._patch.edit(i) for i in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._patch.edit(index)

    def __iter__(self) -> Iterator[Edit]:
        p = self._patch
        for s, e, b, a, n in zip(p.start.tolist(), p.end.tolist(), p.before, p.after, p.notes, strict=True):
            yield Edit(s, e, b, a, n.rules, n.level, n.confidence, n.evidence)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __repr__(self) -> str:
        return f"EditView({list(self)!r})"


class Patch:
    """Sorted, disjoint edits against one revision of a text.

    Columns: `start`, `end` (int64, shape (n,)), `before`, `after` (lists of str), `notes` (list of Note).
    Two edits may touch; two insertions at one offset may not, since their order would be undefined.
    """

    __slots__ = ("_out", "after", "before", "end", "notes", "start")

    def __init__(self, start: Offsets, end: Offsets, before: list[str], after: list[str], notes: list[Note]) -> None:
        """Columns must already be sorted and disjoint; use `Patch.of` for edits in any order."""
        self.start = start
        self.end = end
        self.before = before
        self.after = after
        self.notes = notes
        self._out: tuple[Offsets, Offsets] | None = None

    @classmethod
    def of(cls, edits: Iterable[Edit]) -> Patch:
        """A patch of edits in any order. Raises ValueError when two overlap."""
        ordered = sorted(edits, key=lambda e: (e.start, e.end))
        for left, right in zip(ordered, ordered[1:], strict=False):
            if right.start < left.end or left.start == left.end == right.start == right.end:
                raise ValueError(f"edits overlap: {left.start}:{left.end} and {right.start}:{right.end}")
        return cls(
            np.array([e.start for e in ordered], dtype=np.int64),
            np.array([e.end for e in ordered], dtype=np.int64),
            [e.before for e in ordered],
            [e.after for e in ordered],
            [e.note for e in ordered],
        )

    @classmethod
    def empty(cls) -> Patch:
        none = np.empty(0, dtype=np.int64)
        return cls(none, none, [], [], [])

    def __len__(self) -> int:
        return len(self.before)

    def __bool__(self) -> bool:
        return bool(self.before)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Patch)
            and np.array_equal(self.start, other.start)
            and np.array_equal(self.end, other.end)
            and self.before == other.before
            and self.after == other.after
            and self.notes == other.notes
        )

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return Patch, (self.start, self.end, self.before, self.after, self.notes)

    def __repr__(self) -> str:
        return f"Patch({list(self.edits)!r})"

    @property
    def edits(self) -> EditView:
        return EditView(self)

    def edit(self, index: int) -> Edit:
        n = self.notes[index]
        return Edit(
            int(self.start[index]), int(self.end[index]), self.before[index], self.after[index],
            n.rules, n.level, n.confidence, n.evidence,
        )  # fmt: skip

    @property
    def out_start(self) -> Offsets:
        """Where each edit's `after` begins in the output, shape (n,)."""
        return self._out_spans()[0]

    @property
    def out_end(self) -> Offsets:
        """Where each edit's `after` ends in the output, shape (n,)."""
        return self._out_spans()[1]

    def _out_spans(self) -> tuple[Offsets, Offsets]:
        if self._out is None:
            grown = np.fromiter(map(len, self.after), dtype=np.int64, count=len(self.after))
            shift = np.cumsum(grown - (self.end - self.start))
            out_end = self.end + shift
            self._out = (out_end - grown, out_end)
        return self._out

    def apply(self, text: str) -> str:
        """The text with every edit made. Raises StaleEditError when a `before` does not stand there."""
        parts: list[str] = []
        last = 0
        for s, e, b, a in zip(self.start.tolist(), self.end.tolist(), self.before, self.after, strict=True):
            if text[s:e] != b:
                raise StaleEditError(f"at {s}:{e} the text reads {text[s:e]!r}, the edit expects {b!r}")
            parts.append(text[last:s])
            parts.append(a)
            last = e
        parts.append(text[last:])
        return "".join(parts)

    def invert(self) -> Patch:
        """The patch that takes the output back to the input."""
        return Patch(self.out_start, self.out_end, self.after, self.before, self.notes)

    def subset(self, indices: Iterable[int]) -> Patch:
        """The patch of the edits with these indices, against the same revision."""
        keep = sorted(set(indices))
        at = np.array(keep, dtype=np.int64)
        return Patch(
            self.start[at],
            self.end[at],
            [self.before[i] for i in keep],
            [self.after[i] for i in keep],
            [self.notes[i] for i in keep],
        )

    def undo(self, output: str, indices: Iterable[int] | None = None) -> str:
        """Takes these edits (default: all) back in the output: the input with the other edits applied.

        Raises StaleEditError when `output` is not what this patch made.
        """
        inverse = self.invert()
        return (inverse if indices is None else inverse.subset(indices)).apply(output)

    def to_input(self, offset: int) -> int:
        """The input offset of an output offset; inside an edit, that edit's start."""
        i = bisect.bisect_right(self.out_end, offset)
        if i < len(self) and self.out_start[i] < offset:
            return int(self.start[i])
        return offset + (int(self.end[i - 1] - self.out_end[i - 1]) if i else 0)

    def to_output(self, offset: int) -> int:
        """The output offset of an input offset; inside an edit, the start of what replaced it."""
        i = bisect.bisect_right(self.end, offset)
        if i < len(self) and self.start[i] < offset:
            return int(self.out_start[i])
        return offset + (int(self.out_end[i - 1] - self.end[i - 1]) if i else 0)

    def map_spans(self, start: Offsets, end: Offsets) -> tuple[Offsets, Offsets]:
        """Input spans as output spans, for spans that no edit reaches into (edits may touch their edges)."""
        if not len(self) or not len(start):
            return start, end
        shift = np.concatenate(([0], self.out_end - self.end))
        return (
            start + shift[np.searchsorted(self.end, start, side="right")],
            end + shift[np.searchsorted(self.start, end, side="left")],
        )

    def source_spans(self, start: Offsets, end: Offsets) -> tuple[Offsets, Offsets]:
        """Output spans as the smallest input spans that cover them; an edit reached into is covered whole."""
        if not len(self) or not len(start):
            return start, end
        back = np.concatenate(([0], self.end - self.out_end))
        lo = np.searchsorted(self.out_end, start, side="right")
        hi = np.searchsorted(self.out_start, end, side="left")
        source_start = start + back[lo]
        source_end = np.where(start == end, source_start, end + back[hi])
        inside = lo < hi
        first, last = lo[inside], hi[inside] - 1
        source_start[inside] = np.where(self.out_start[first] < start[inside], self.start[first], source_start[inside])
        source_end[inside] = np.where(self.out_end[last] > end[inside], self.end[last], source_end[inside])
        return source_start, source_end

    def compose(self, then: Patch) -> Patch:
        """One patch that does what this one and `then`, applied to its output, do.

        Edits of the two that overlap become one edit that carries the rules of both, the weaker level and the lower
        confidence; edits that merely touch stay apart. A merged edit that changes nothing is dropped.
        """
        if not self or not then:
            return self if self else then
        return _compose(self, then)

    def to_json(self) -> list[dict[str, Any]]:
        return [e.to_json() for e in self.edits]

    @classmethod
    def from_json(cls, data: Iterable[Mapping[str, Any]]) -> Patch:
        return cls.of(Edit.from_json(d) for d in data)


def _compose(first: Patch, then: Patch) -> Patch:
    out_start, out_end = first.out_start, first.out_end
    back = np.concatenate(([0], first.end - out_end))
    lo = np.searchsorted(out_end, then.start, side="right")
    hi = np.searchsorted(out_start, then.end, side="left")
    empty = then.start == then.end
    # An insertion has no inside: it also meets deletions at its offset and insertions that it touches.
    for j in np.flatnonzero(empty & (lo >= hi)).tolist():
        p = int(then.start[j])
        a = int(np.searchsorted(out_end, p, side="left"))
        b = int(np.searchsorted(out_start, p, side="right"))
        met = [i for i in range(a, b) if out_start[i] == out_end[i] or first.start[i] == first.end[i]]
        lo[j], hi[j] = (met[0], met[-1] + 1) if met else (a, a)
    merging = lo < hi
    at_start = then.start + back[np.searchsorted(out_end, then.start, side="right")]
    at_end = np.where(empty, at_start, then.end + back[np.searchsorted(out_start, then.end, side="left")])
    dropped: list[int] = []
    merged_start: list[int] = []
    merged_before: list[str] = []
    merged_after: list[str] = []
    merged_notes: list[Note] = []
    pending = np.flatnonzero(merging).tolist()
    los, his = lo.tolist(), hi.tolist()
    columns = (out_start.tolist(), out_end.tolist(), then.start.tolist(), then.end.tolist()) if pending else ([],) * 4
    first_start, then_at = first.start.tolist(), at_start.tolist()
    notes: dict[tuple[int, ...], Note] = {}
    k = 0
    while k < len(pending):
        js = [pending[k]]
        i0, i1 = los[js[0]], his[js[0]]
        k += 1
        while k < len(pending) and los[pending[k]] < i1:
            js.append(pending[k])
            i1 = max(i1, his[pending[k]])
            k += 1
        dropped.extend(range(i0, i1))
        before, after = _merge(first, range(i0, i1), then, js, columns)
        if before == after:
            continue
        starts_first = columns[0][i0] <= columns[2][js[0]]
        merged_start.append(first_start[i0] if starts_first else then_at[js[0]])
        merged_before.append(before)
        merged_after.append(after)
        parts = [*(first.notes[i] for i in range(i0, i1)), *(then.notes[j] for j in js)]
        key = tuple(map(id, parts))
        if key not in notes:
            notes[key] = _merged_note(parts)
        merged_notes.append(notes[key])
    merged_at = np.array(merged_start, dtype=np.int64)
    merged_end = merged_at + np.fromiter(map(len, merged_before), dtype=np.int64, count=len(merged_before))
    kept_first = np.ones(len(first), dtype=bool)
    kept_first[dropped] = False
    keep_i = np.flatnonzero(kept_first)
    keep_j = np.flatnonzero(~merging)
    start = np.concatenate((first.start[keep_i], at_start[keep_j], merged_at))
    end = np.concatenate((first.end[keep_i], at_end[keep_j], merged_end))
    order = np.lexsort((end, start))
    source = order.tolist()
    li, lj = keep_i.tolist(), keep_j.tolist()
    befores = [first.before[i] for i in li] + [then.before[j] for j in lj] + merged_before
    afters = [first.after[i] for i in li] + [then.after[j] for j in lj] + merged_after
    all_notes = [first.notes[i] for i in li] + [then.notes[j] for j in lj] + merged_notes
    return Patch(
        start[order],
        end[order],
        [befores[o] for o in source],
        [afters[o] for o in source],
        [all_notes[o] for o in source],
    )


def _merge(first: Patch, fs: range, then: Patch, js: list[int], columns: tuple[list[int], ...]) -> tuple[str, str]:
    """What a chain of overlapping edits of two passes replaces, and by what."""
    out_start, out_end, then_start, then_end = columns
    if len(fs) == len(js) == 1:
        i, j = fs[0], js[0]
        before, after = then.before[j], first.after[i]
        lead, trail = out_start[i] - then_start[j], then_end[j] - out_end[i]
        return (
            (before[:lead] if lead > 0 else "") + first.before[i] + (before[-trail:] if trail > 0 else ""),
            (after[:-lead] if lead < 0 else "") + then.after[j] + (after[trail:] if trail < 0 else ""),
        )
    fo = [(out_start[i], out_end[i]) for i in fs]
    so = [(then_start[j], then_end[j]) for j in js]
    m0, m1 = min(fo[0][0], so[0][0]), max(fo[-1][1], so[-1][1])
    middle = [""] * (m1 - m0)
    for (s, _), j in zip(so, js, strict=True):
        middle[s - m0 : s - m0 + len(then.before[j])] = then.before[j]
    for (s, _), i in zip(fo, fs, strict=True):
        middle[s - m0 : s - m0 + len(first.after[i])] = first.after[i]

    def rebuilt(spans: list[tuple[int, int]], texts: Iterable[str]) -> str:
        parts, last = [], m0
        for (s, e), text in zip(spans, texts, strict=True):
            parts += [*middle[last - m0 : s - m0], text]
            last = e
        return "".join([*parts, *middle[last - m0 :]])

    return rebuilt(fo, (first.before[i] for i in fs)), rebuilt(so, (then.after[j] for j in js))


def _merged_note(notes: list[Note]) -> Note:
    rules = tuple(dict.fromkeys(r for n in notes for r in n.rules))
    known = [n.confidence for n in notes if n.confidence is not None]
    evidence: dict[str, Any] = {}
    for n in notes:
        evidence.update(n.evidence)
    level = max((n.level for n in notes), key=lambda v: v.rank)
    return Note(rules, level, min(known) if known else None, evidence or NO_EVIDENCE)
