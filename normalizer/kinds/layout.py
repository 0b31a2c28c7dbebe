"""Sentences cut by a page break or a hard wrap: joined where weighed signals, none of them required, say so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property

import numpy as np

from ..blocks import CLOSERS, LABEL, STOPS, Kind, is_verse, line_kind
from ..charclass import CJK_OPEN, DIGIT, HAN, LATIN, NEWLINE, OPENERS, SPACE
from ..edit import Level, Note, Offsets
from ..lexicon import word_across
from ..rulebook import Rule
from ..scan import Finds, Found, Scan

MATCH_KEYS = ("what",)
GUARD_KEYS = ()
_BLANK = " \t\u00a0\u3000"
_HANGING = "，。、；）》”’」』】〞″,;)"
_COMMAS = "，、,"
# A clause does not end with these.
_UNFINISHED = "和与及或在对把被将让向从以而并使因如但且又所每各其该这那"
_STOP_MARKS = "。！？!?"
_PROSE_MARKS = "。；，,;！？!?"
SAFE_SCORE = 4.0
UNSAFE_SCORE = 3.0
# What the document's habits can add to a break when other breaks are joined.
_HABITS = 2.0


class LayoutFinder:
    """Joins lines; the candidates come from arrays, the weighing is done in Python for the few."""

    any = "\n\r"

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    def find(self, scan: Scan) -> Found:
        lines = _Lines(scan)
        candidates = lines.candidates()
        if not candidates:
            return Found.none()
        scores: dict[int, float] = dict.fromkeys(candidates, SAFE_SCORE)
        safe = _grown(lines, scores, {}, SAFE_SCORE)
        # What hangs on an unsafe join is unsafe too, however sure it is by itself.
        joined = _grown(lines, scores, safe, UNSAFE_SCORE)
        finds = Finds()
        for k, (score, signals) in sorted(joined.items()):
            level = Level.SAFE if k in safe else Level.UNSAFE
            level = max(level, self.rule.level, key=lambda v: v.rank)
            evidence = {"score": round(score, 2), "signals": {s: round(w, 2) for s, w in signals.items()}}
            start, end = lines.gap(k)
            finds.add(start, end, "", Note((self.rule.id,), level, None, evidence))
        return finds.found()


_Joins = dict[int, tuple[float, dict[str, float]]]


def _grown(lines: _Lines, scores: dict[int, float], joined: _Joins, threshold: float) -> _Joins:
    """The joins given and those that reach the threshold beside them, each with its score and signals.

    A join changes what its neighbours look like, so this runs until nothing changes; a second run of the whole tool
    then has nothing left to do. scores: the latest score of every break that may be joined, kept up to date here.
    """
    joined = dict(joined)
    pending = [k for k, score in scores.items() if score >= threshold - _HABITS and k not in joined]
    while True:
        habit = lines.habit(joined)
        known_gaps = {lines.gap_text(k) for k in joined} - {lines.usual_gap}
        applied: _Joins = {}
        for k in pending:
            signals = lines.weigh(k, joined, habit)
            if not signals:
                scores[k] = -np.inf
                continue
            if lines.gap_text(k) in known_gaps:
                signals["same break as a surer one"] = 1.0
            scores[k] = score = sum(signals.values())
            if score >= threshold:
                applied[k] = (score, signals)
        if not applied:
            return joined
        joined |= applied
        beside = {n for k in applied for n in (k - 1, k + 1) if n in scores}
        close = {k for k in pending if scores[k] >= threshold - _HABITS}
        pending = sorted((close | beside) - set(joined))


class _Lines:
    """The lines of a text that have words, numbered in order; a break k lies between line k and line k + 1."""

    def __init__(self, scan: Scan) -> None:
        self.scan = scan
        ink = np.flatnonzero((scan.cls & (SPACE | NEWLINE)) == 0)
        first, last = np.searchsorted(ink, scan.line_starts), np.searchsorted(ink, scan.line_ends)
        self.line: Offsets = np.flatnonzero(first < last)
        first, last = first[self.line], last[self.line]
        self.start: Offsets = ink[first] if len(ink) else first
        self.end: Offsets = (ink[last - 1] if len(ink) else last) + 1
        self.ink: Offsets = last - first
        # A dot after a Chinese character is a full stop that lost its width.
        dots = scan.find_all(".")
        dots = dots[(dots > 0) & ((scan.cls[dots - 1] & HAN) != 0)]
        self.stop_marks = np.union1d(scan.find_all(_STOP_MARKS), dots)
        self.prose_marks = np.union1d(scan.find_all(_PROSE_MARKS), dots)
        self.stops = self._counted(self.stop_marks)
        self.prose = self._counted(self.prose_marks)

    def _counted(self, marks: Offsets) -> Offsets:
        """How many of these offsets lie in each line, its last character excluded, shape (lines,)."""
        return np.searchsorted(marks, self.end - 1) - np.searchsorted(marks, self.start)

    def gap(self, k: int) -> tuple[int, int]:
        return int(self.end[k]), int(self.start[k + 1])

    def gap_text(self, k: int) -> str:
        start, end = self.gap(k)
        return self.scan.text[start:end]

    @cached_property
    def usual_gap(self) -> str:
        """What stands most often between two lines of this text."""
        return Counter(self.gap_text(k) for k in range(min(2000, len(self.start) - 1))).most_common(1)[0][0]

    def candidates(self) -> list[int]:
        """Breaks where the line before does not end a sentence and the next one may go on with it."""
        if len(self.start) < 2:
            return []
        scan = self.scan
        tail, head = scan.cp[self.end[:-1] - 1], scan.cp[self.start[1:]]
        tail_bits, head_bits = scan.cls[self.end[:-1] - 1], scan.cls[self.start[1:]]
        comma = np.isin(tail, [ord(c) for c in _COMMAS])
        open_end = ((tail_bits & (HAN | DIGIT | LATIN | CJK_OPEN)) != 0) | comma
        hanging = np.isin(head, [ord(c) for c in _HANGING])
        goes_on = ((head_bits & (HAN | DIGIT | LATIN | CJK_OPEN)) != 0) | hanging
        wanted = (np.diff(self.line) <= 4) & goes_on & open_end
        wanted &= ((tail_bits & (DIGIT | LATIN)) == 0) | ((head_bits & (DIGIT | LATIN)) == 0)
        wanted &= (self.ink[:-1] >= 8) | hanging
        # A line without any pause, or a title below it, never weighs enough to be joined safely.
        plain = (self.prose == 0) & ~np.isin(scan.cp[self.end - 1], [ord(c) for c in _COMMAS])
        wanted &= hanging | ~(plain[:-1] & (self.ink[:-1] < 15))
        return [int(k) for k in np.flatnonzero(wanted)]

    @cached_property
    def width(self) -> int:
        """The width in characters at which the text is wrapped, 0 where it is not.

        A wrapped text has many open lines of one width and, but for stray ones, none that is longer.
        """
        tail = self.scan.cp[self.end - 1]
        open_ink = self.ink[~np.isin(tail, [ord(c) for c in STOPS + CLOSERS])]
        if len(open_ink) < 8:
            return 0
        usual = int(np.median(open_ink))
        narrow = float((np.abs(open_ink - usual) <= 2).mean()) >= 0.6
        return usual if usual >= 15 and narrow and float(np.quantile(self.ink, 0.95)) <= usual + 3 else 0

    def habit(self, joined: Mapping[int, object]) -> float:
        """How often lines of prose end with a full stop, 0..1."""
        keep = np.ones(len(self.start), dtype=bool)
        keep[list(joined)] = False
        first = np.flatnonzero(np.concatenate(([True], keep[:-1])))
        ink = np.add.reduceat(self.ink, first)
        prose = (np.add.reduceat(self.stops, first) > 0) & (ink >= 30)
        ends = np.isin(self.scan.cp[self.end[keep] - 1], [ord(c) for c in STOPS + CLOSERS])
        return float(ends[prose].mean()) if prose.any() else 0.0

    def weigh(self, k: int, joined: Mapping[int, object], regular: float) -> dict[str, float] | None:
        """The signals for joining at break k, positive and negative; None where lines must stay apart."""
        text = self.scan.text
        # the line before and the line after, as they read with the joins so far
        a, b = k, k + 1
        while a - 1 in joined:
            a -= 1
        while b in joined:
            b += 1
        tail, head = text[int(self.end[k]) - 1], text[int(self.start[k + 1])]
        ink_before, ink_after = int(self.ink[a : k + 1].sum()), int(self.ink[k + 1 : b + 1].sum())
        hanging = head in _HANGING and tail not in OPENERS
        signals: dict[str, float] = {}
        if hanging:
            signals["hanging punctuation"] = 3.0
        if tail in _COMMAS:
            # Where code or a formula was lost from a text, the line above it ends with a comma too.
            signals["ends with a comma"] = 1.0 if self.gap_text(k) == self.usual_gap else 2.0
        elif tail in _UNFINISHED:
            signals["ends with an unfinished word"] = 1.0
        if self._any(self.stops, self.stop_marks, a, k):
            signals["prose before"] = 1.0
        elif self._any(self.prose, self.prose_marks, a, k):
            signals["prose before"] = 0.5
        elif not hanging:
            signals["may be a heading"] = -2.0
        ending = text[max(int(self.start[b]), int(self.end[b]) - 4) : int(self.end[b])].rstrip(CLOSERS + "″")[-1:]
        if self._any(self.prose, self.prose_marks, k + 1, b) or (ending and ending in _PROSE_MARKS + "."):
            signals["prose after"] = 1.0
            if ending and ending in STOPS:
                signals["sentence ends after"] = 0.5
        elif ink_after < 30:
            signals["may be a title"] = -3.0
        if ink_before < 15:
            signals["short line"] = -1.5
        if regular >= 0.7 and ink_before >= 40 and signals.get("prose before"):
            signals["paragraphs here end with a full stop"] = 1.0
        if self.width and abs(int(self.ink[k]) - self.width) <= 2:
            signals["wrapped at this width"] = 2.0
        elif int(self.line[k + 1] - self.line[k]) > 1:
            signals["page break"] = 0.5
        # What the word and the habits can still add would not be enough.
        if sum(signals.values()) < UNSAFE_SCORE - (0 if hanging else 2.0) - _HABITS or self._apart(k, a, b):
            return None
        if not hanging and sum(signals.values()) >= 1.5 and (word := self._word(k)):
            signals[f"word {word}"] = 2.0
        return signals

    def _any(self, counts: Offsets, marks: Offsets, a: int, b: int) -> bool:
        """Whether lines a to b have one of the marks anywhere but at their very end."""
        if counts[a : b + 1].any():
            return True
        inner = self.end[a:b] - 1
        return bool(len(inner) and np.isin(inner, marks).any())

    def _apart(self, k: int, a: int, b: int) -> bool:
        """Whether the lines at break k are of kinds that are never joined."""
        text = self.scan.text
        before = text[int(self.start[a]) : int(self.end[k])]
        after = text[int(self.start[k + 1]) : int(self.end[b])]
        edges = before[-80:] + after[:80]
        if any(c in edges for c in "`$<>|\t\\@") or "://" in edges or LABEL.match(after) or before[0] in "#>":
            return True
        if not any(int(c) & HAN for c in self.scan.cls[int(self.end[k]) - 4 : int(self.end[k])]):
            return True
        if {line_kind(before), line_kind(after)} & {Kind.TABLE, Kind.FURNITURE}:
            return True
        around = range(max(0, k - 1), min(len(self.start), k + 3))
        return is_verse([text[int(self.start[i]) : int(self.end[i])] for i in around])

    def _word(self, k: int) -> str:
        text = self.scan.text
        end, start = self.gap(k)
        left = text[max(int(self.start[k]), end - 5) : end]
        right = text[start : min(start + 5, int(self.end[k + 1]))]
        if left[-2:-1].isdigit():
            return ""
        if "\u4e00" <= left[-1:] <= "\u9fff" and "\u4e00" <= right[:1] <= "\u9fff":
            return word_across(left, right)
        return ""


def build(rule: Rule, classes: Mapping[str, str]) -> LayoutFinder:
    if rule.match.get("what") != "cut-sentences":
        raise rule.error("match.what", "must be cut-sentences")
    return LayoutFinder(rule)
