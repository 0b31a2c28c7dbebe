"""The pipeline: stages of rules, conflicts settled by a total order, one net patch; `Normalizer` and its Outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .edit import LEVELS, NO_EVIDENCE, Edit, Level, Note, Offsets, Patch
from .kinds import Finder, Settings, build
from .meaning import touches_meaning
from .protect import protected_spans
from .rulebook import Rule, Rulebook, rulebook
from .scan import Found, Scan
from .suppression import TRIGGER, UNUSED, Fragment, Span, Suppressions


@dataclass(frozen=True, slots=True)
class Finding:
    """Something found and not changed: an edit above the level asked for, a suggestion, or a defect without a repair.

    start, end, before: in the text given. after: what would stand there, None where no repair is known.
    shadowed_by: the rule whose edit took its place, '' for a finding that was not shadowed.
    """

    start: int
    end: int
    before: str
    after: str | None
    rules: tuple[str, ...]
    level: Level
    confidence: float | None = None
    evidence: Mapping[str, Any] = field(default_factory=lambda: NO_EVIDENCE)
    shadowed_by: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one text. `text` is `patch.apply(source)`, always. suppressed: origins of the fragments in use."""

    source: str
    text: str
    patch: Patch
    findings: tuple[Finding, ...]
    suppressed: frozenset[str] = frozenset()

    def undo(self, indices: Iterable[int] | None = None) -> str:
        """The source with all edits but these (default: with none) applied."""
        return self.patch.undo(self.text, indices)


@dataclass(frozen=True, slots=True)
class Config:
    """What a Normalizer does. select, ignore: rule ids, names or id prefixes (`ALL` for every rule).

    protect: strings (names, terms, quotations) that no edit may touch. substitution: see Settings. fragments: places
    where a rule shall not act.
    """

    level: Level = Level.SAFE
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    protect: tuple[str, ...] = ()
    substitution: Settings = field(default_factory=Settings)
    fragments: tuple[Fragment, ...] = ()

    @classmethod
    def of(
        cls, level: str = "safe", select: Iterable[str] | None = None, ignore: Iterable[str] | None = None,
        protect: Iterable[str] | None = None, substitution: Settings | None = None,
        fragments: Iterable[Fragment] = (),
    ) -> Config:  # fmt: skip
        """Raises ValueError for a level that is not one an edit may be applied at."""
        if level not in ("safe", "unsafe"):
            raise ValueError(f"level {level!r} is not safe or unsafe; suggestions need a reviewer")
        words = tuple(sorted({w for w in protect or () if w}))
        return cls(
            Level(level), tuple(select or ()), tuple(ignore or ()), words, substitution or Settings(), tuple(fragments)
        )


class Normalizer:
    """Rules made ready to run; reusable, and safe to share between threads since running one changes nothing in it."""

    def __init__(self, config: Config | None = None, book: Rulebook | None = None) -> None:
        """Raises KeyError for an unknown rule in the configuration and RuleError for a rule file that is wrong."""
        self.config = config or Config()
        self.book = book or rulebook()
        self.rules = self.book.selected(self.config.select, self.config.ignore)
        self._stages: list[list[tuple[Rule, Finder]]] = [
            [(r, build(r, self.book.classes, self.config.substitution)) for r in self.rules if r.stage == stage]
            for stage in self.book.stages
        ]

    def __reduce__(self) -> tuple[Callable[..., Normalizer], tuple[Config, Rulebook]]:
        return Normalizer, (self.config, self.book)

    def __call__(self, text: str) -> Outcome:
        """Runs every stage once, forwards, and returns the repaired text with its net patch and the findings."""
        patch = Patch.empty()
        current = text
        findings: list[Finding] = []
        protected: tuple[Offsets, Offsets] | None = None
        scan = Scan(text)
        marks: Suppressions | None = None
        if self.config.fragments or TRIGGER in text:
            marks = Suppressions.of(text, self.config.fragments, self._known)
            suppressed = _columns(marks)
        for stage in self._stages:
            rules = stage
            for turn in range(_TURNS):
                found = [
                    (rule, f) for rule, finder in rules
                    if (not finder.any or scan.has_any(finder.any)) and len(f := finder.find(scan))
                ]  # fmt: skip
                if turn:
                    # what was held back is weighed anew in the mended context
                    again = {rule.id for rule, _ in rules}
                    findings = [f for f in findings if f.rules[0] not in again]
                if not found:
                    break
                if protected is None:
                    protected = protected_spans(text, self.config.protect)
                if marks and marks.spans:
                    found = _allowed(found, marks, *suppressed)
                    if not found:
                        break
                settled = _settle(found, current, protected, self.config.level)
                findings += _findings(settled, current, text, patch)
                if not settled.applied:
                    break
                current = settled.applied.apply(current)
                patch = patch.compose(settled.applied)
                protected = settled.applied.map_spans(*protected)
                if marks:
                    suppressed = settled.applied.map_spans(*suppressed)
                scan = Scan(current, patch)
                rules = [(rule, finder) for rule, finder in stage if rule.kind == "substitution"]
                if not rules:
                    break
        if marks:
            findings += self._marks(text, marks)
        findings.sort(key=lambda f: (f.start, f.end, f.rules))
        in_use = frozenset(span.origin for span in marks.spans if span.used and span.origin) if marks else frozenset()
        return Outcome(text, current, patch, tuple(findings), in_use)

    def _known(self, prefix: str) -> bool:
        return any(rule.id.startswith(prefix) or rule.name == prefix for rule in self.book.rules)

    def _marks(self, text: str, marks: Suppressions) -> Iterator[Finding]:
        """What is wrong with the marks of a text; a mark for a rule that did not run is not judged unused."""
        problems = list(marks.problems)
        of_mark: dict[tuple[int, int], list[Span]] = {}
        for span in marks.spans:
            if not span.origin:
                of_mark.setdefault(span.mark, []).append(span)
        for mark, spans in of_mark.items():
            ran = any(rule.id.startswith(r) for rule in self.rules for span in spans for r in span.rules)
            if ran and not any(span.used for span in spans):
                problems.append((*mark, UNUSED))
        telling = {rule.match["what"]: rule for rule in self.rules if rule.kind == "suppression"}
        for start, end, problem in problems:
            if problem in telling:
                rule = telling[problem]
                yield Finding(start, end, text[start:end], "", (rule.id,), rule.level)


# Words restored in one turn are better context for the next; more turns than this have not been seen to find anything.
_TURNS = 3


def _columns(marks: Suppressions) -> tuple[Offsets, Offsets]:
    spans = np.array([(span.start, span.end) for span in marks.spans], dtype=np.int64).reshape(-1, 2)
    return spans[:, 0].copy(), spans[:, 1].copy()


def _allowed(
    found: Sequence[tuple[Rule, Found]], marks: Suppressions, starts: Offsets, ends: Offsets
) -> list[tuple[Rule, Found]]:
    """What is left when the suppressed is taken out."""
    left = []
    first, last = starts.tolist(), ends.tolist()
    for rule, f in found:
        places = zip(f.start.tolist(), f.end.tolist(), strict=True)
        stays = np.array([not marks.covers(rule.id, a, b, first, last) for a, b in places], dtype=bool)
        if stays.all():
            left.append((rule, f))
        elif stays.any():
            kept = np.flatnonzero(stays).tolist()
            left.append(
                (rule, Found(f.start[stays], f.end[stays], [f.after[i] for i in kept], [f.notes[i] for i in kept]))
            )
    return left


@dataclass(slots=True)
class _Settled:
    applied: Patch
    held: list[tuple[int, int, str | None, Note, str]]


def _settle(
    found: Sequence[tuple[Rule, Found]], text: str, protected: tuple[Offsets, Offsets], level: Level
) -> _Settled:
    """Drops what touches protected text, settles overlaps by the total order, and parts applied from held back."""
    start = np.concatenate([f.start for _, f in found])
    end = np.concatenate([f.end for _, f in found])
    after: list[str | None] = [a for _, f in found for a in f.after]
    notes: list[Note] = [n for _, f in found for n in f.notes]
    for offset, (rule, f) in zip(np.cumsum([0, *(len(f) for _, f in found)]).tolist(), found, strict=False):
        if rule.guard.get("meaning", rule.kind in ("pattern", "table", "substitution")):
            _weigh_meaning(notes, after, start, end, text, offset, len(f))
    rank = np.fromiter((_RANKS[n.level] for n in notes), dtype=np.int8, count=len(notes))
    if len(protected[0]):
        k = np.searchsorted(protected[1], start, side="right")
        reach = np.append(protected[0], np.iinfo(np.int64).max)[k]
        free = reach >= end
    else:
        free = np.ones(len(start), dtype=bool)
    shadow: dict[int, str] = {}
    order = np.lexsort((end, start))
    order = order[free[order]]
    s, e = start[order], end[order]
    touched = np.flatnonzero(
        (s[1:] < np.maximum.accumulate(e)[:-1]) | ((s[1:] == s[:-1]) & (e[1:] == e[:-1]))
    ) if len(order) > 1 else np.empty(0, dtype=np.int64)  # fmt: skip
    if len(touched):
        priority = [rule.priority for rule, f in found for _ in range(len(f))]
        shadow = _shadowed(order, touched, start, end, rank, priority, notes)
    lost = np.zeros(len(start), dtype=bool)
    lost[list(shadow)] = True
    has_after = np.fromiter((a is not None for a in after), dtype=bool, count=len(after))
    goes = free & ~lost & (rank <= level.rank) & has_after
    at = order[goes[order]]
    picks = at.tolist()
    starts, ends = start[at], end[at]
    applied = Patch(
        starts,
        ends,
        [text[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)],
        [str(after[i]) for i in picks],
        [notes[i] for i in picks],
    )
    held = [(int(start[i]), int(end[i]), after[i], notes[i], shadow.get(i, "")) for i in order[~goes[order]].tolist()]
    return _Settled(applied, held)


_RANKS = {level: level.rank for level in LEVELS}


def _weigh_meaning(
    notes: list[Note], after: list[str | None], start: Offsets, end: Offsets, text: str, first: int, count: int
) -> None:
    """Demotes safe edits that touch a number, a negation or a modal of law."""
    for i in range(first, first + count):
        note, new = notes[i], after[i]
        if note.level is Level.SAFE and new is not None and touches_meaning(text[int(start[i]) : int(end[i])], new):
            notes[i] = Note(note.rules, Level.UNSAFE, note.confidence, {**note.evidence, "meaning": True})


def _shadowed(
    order: Offsets, touched: Offsets, start: Offsets, end: Offsets, rank: Any, priority: list[int], notes: list[Note]
) -> dict[int, str]:
    """Edits that lose to another, with the winner's rule: level, priority, longer, earlier, id decide."""
    lost: dict[int, str] = {}
    done = -1
    for t in touched.tolist():
        if t < done:
            continue
        lo, reach = t, int(end[order[t]])
        while lo > 0 and int(end[order[lo - 1]]) > int(start[order[lo]]):
            lo -= 1
        for i in range(lo, t + 1):
            reach = max(reach, int(end[order[i]]))
        hi = t + 1
        while hi < len(order) and (int(start[order[hi]]) < reach or _same(order, hi, start, end)):
            reach = max(reach, int(end[order[hi]]))
            hi += 1
        done = hi
        cluster = sorted(
            order[lo:hi].tolist(),
            key=lambda i: (int(rank[i]), -priority[i], int(start[i] - end[i]), int(start[i]), notes[i].rules),
        )
        kept: list[int] = []
        for i in cluster:
            a, b = int(start[i]), int(end[i])
            winner = next(
                (k for k in kept if (int(start[k]) < b and a < int(end[k])) or (a, b) == (int(start[k]), int(end[k]))),
                None,
            )
            if winner is None:
                kept.append(i)
            else:
                lost[i] = notes[winner].rules[0]
    return lost


def _same(order: Offsets, i: int, start: Offsets, end: Offsets) -> bool:
    a, b = order[i - 1], order[i]
    return bool(start[a] == start[b] and end[a] == end[b])


def _findings(settled: _Settled, current: str, source: str, patch: Patch) -> list[Finding]:
    """What was held back, as spans of the text given."""
    if not settled.held:
        return []
    cur_start = np.array([h[0] for h in settled.held], dtype=np.int64)
    cur_end = np.array([h[1] for h in settled.held], dtype=np.int64)
    starts, ends = patch.source_spans(cur_start, cur_end)
    result = []
    for s, e, (a, b, after, note, shadow) in zip(starts.tolist(), ends.tolist(), settled.held, strict=True):
        if after is not None and patch:
            after = current[patch.to_output(s) : a] + after + current[b : max(b, patch.to_output(e))]
        result.append(Finding(s, e, source[s:e], after, note.rules, note.level, note.confidence, note.evidence, shadow))
    return result


def normalize(
    text: str, level: str = "safe", select: Iterable[str] | None = None, ignore: Iterable[str] | None = None
) -> Outcome:
    """Repairs a text.

    level: `safe` applies only safe edits, `unsafe` those too. select, ignore: rule ids or prefixes. Raises ValueError
    for another level and KeyError for a rule that does not exist.
    """
    return _ready(Config.of(level, select, ignore))(text)


def check(text: str, select: Iterable[str] | None = None, ignore: Iterable[str] | None = None) -> list[Edit | Finding]:
    """All that the rules find in a text, in order: edits they would make at `unsafe`, then what only a person decides."""
    outcome = _ready(Config.of("unsafe", select, ignore))(text)
    return sorted([*outcome.patch.edits, *outcome.findings], key=lambda f: (f.start, f.end))


def undo(text: str, patch: Patch, indices: Iterable[int] | None = None) -> str:
    """Takes edits of `patch` back in its output `text`: all, or those with these indices. Raises StaleEditError."""
    return patch.undo(text, indices)


_made: dict[Config, Normalizer] = {}


def _ready(config: Config) -> Normalizer:
    if config not in _made:
        _made[config] = Normalizer(config)
    return _made[config]
