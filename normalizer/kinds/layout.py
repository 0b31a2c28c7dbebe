"""Sentences cut by a page break or a hard wrap: joined where weighed signals, none of them required, say so."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import cached_property

import numpy as np

from ..blocks import CLOSERS, LABEL, STOPS, Kind, is_verse, line_kind
from ..charclass import CJK_CLOSE, CJK_OPEN, CJK_POINT, DIGIT, HAN, LATIN, OPENERS, SPACE
from ..edit import Level, Note, Offsets
from ..lexicon import word_across
from ..rulebook import Rule
from ..scan import Finds, Found, Scan

MATCH_KEYS = ("what",)
GUARD_KEYS = ()
_BLANK = " \t\u00a0\u3000"
_HANGING = "，。、；）》”’」』】〞,;)"
_COMMAS = "，、,"
# A clause does not end with these.
_UNFINISHED = "和与及或在对把被将让向从以而并使因如但且又所每各其该这那"
_PROSE = "。，；,;！？"
SAFE_SCORE = 4.0
UNSAFE_SCORE = 3.0


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
        joined: dict[int, tuple[float, dict[str, float]]] = {}
        # A join changes what its neighbours look like, so this runs until nothing changes; a second run of the whole
        # tool then has nothing left to do.
        while True:
            habit = lines.habit(joined)
            known_gaps = {lines.gap_text(k) for k in joined} - {lines.usual_gap}
            fresh = {}
            for k in candidates:
                if k not in joined:
                    signals = lines.weigh(k, joined, habit)
                    if signals and lines.gap_text(k) in known_gaps:
                        signals["same break as a surer one"] = 1.0
                    if signals and (score := sum(signals.values())) >= UNSAFE_SCORE:
                        fresh[k] = (score, signals)
            applied = {k: v for k, v in fresh.items() if v[0] >= SAFE_SCORE}
            joined |= applied
            if not applied:
                weak = {k: v for k, v in fresh.items() if k not in joined}
                break
        finds = Finds()
        for k, (score, signals) in sorted((joined | weak).items()):
            level = Level.SAFE if score >= SAFE_SCORE else Level.UNSAFE
            level = max(level, self.rule.level, key=lambda v: v.rank)
            evidence = {"score": round(score, 2), "signals": {s: round(w, 2) for s, w in signals.items()}}
            start, end = lines.gap(k)
            finds.add(start, end, "", Note((self.rule.id,), level, None, evidence))
        return finds.found()


_WIDE = str.maketrans(",:;?!()〞", "，：；？！（）”", " \u00a0")
_DOT = re.compile(r"(?<=[\u4e00-\u9fff])\.")


def _folded(line: str) -> str:
    """The line as later stages will leave it, so that a second run weighs what the first one did."""
    return _DOT.sub("。", line.translate(_WIDE))


class _Lines:
    """The lines of a text that have words, numbered in order; a break k lies between line k and line k + 1."""

    def __init__(self, scan: Scan) -> None:
        self.scan = scan
        ink = np.flatnonzero((scan.cls & SPACE == 0) & (scan.cp != 10) & (scan.cp != 13))
        line = scan.line_of(ink)
        first = np.flatnonzero(np.diff(line, prepend=-1))
        last = np.append(first[1:] - 1, len(ink) - 1) if len(ink) else first
        self.start: Offsets = ink[first]
        self.end: Offsets = ink[last] + 1
        self.line: Offsets = line[first]
        self.ink: Offsets = last - first + 1

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
        open_end = ((tail_bits & (HAN | DIGIT | LATIN | CJK_OPEN)) != 0) | np.isin(tail, [ord(c) for c in _COMMAS])
        goes_on = ((head_bits & (HAN | DIGIT | LATIN | CJK_OPEN)) != 0) | np.isin(head, [ord(c) for c in _HANGING])
        hanging = np.isin(head, [ord(c) for c in _HANGING])
        near = np.diff(self.line) <= 4
        closed = np.isin(tail, [ord(c) for c in STOPS + "：:；;"]) | ((tail_bits & (CJK_POINT | CJK_CLOSE)) != 0)
        wanted = near & goes_on & open_end & (~closed | np.isin(tail, [ord(c) for c in _COMMAS]))
        wanted &= ((tail_bits & (DIGIT | LATIN)) == 0) | ((head_bits & (DIGIT | LATIN)) == 0)
        wanted &= (self.ink[:-1] >= 8) | hanging
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
        narrow = float((np.abs(open_ink - usual) <= 2).mean()) >= 0.6 and float(np.quantile(self.ink, 0.95)) <= usual + 3
        return usual if usual >= 15 and narrow else 0

    def habit(self, joined: Mapping[int, object]) -> float:
        """How often lines of prose end with a full stop, 0..1."""
        scan = self.scan
        keep = np.ones(len(self.start), dtype=bool)
        keep[list(joined)] = False
        tail = scan.cp[self.end - 1]
        stops = np.isin(tail, [ord(c) for c in STOPS + CLOSERS])
        starts = self.start[np.concatenate(([True], keep[:-1]))]
        ink = np.add.reduceat(self.ink, np.flatnonzero(np.concatenate(([True], keep[:-1]))))
        has_stop = np.searchsorted(self._stop_marks, self.end[keep] - 1) > np.searchsorted(self._stop_marks, starts)
        prose = has_stop & (ink >= 30)
        return float(stops[keep][prose].mean()) if prose.any() else 0.0

    @cached_property
    def _stop_marks(self) -> Offsets:
        return self.scan.find_all("。！？!?")

    def _text(self, k: int, joined: Mapping[int, object], back: bool) -> str:
        """The line k as it reads with the joins so far, backwards or forwards from its break; blanks left out."""
        a = b = k
        while back and a - 1 in joined:
            a -= 1
        while not back and b in joined:
            b += 1
        parts = [self.scan.text[int(self.start[i]) : int(self.end[i])] for i in range(a, b + 1)]
        return "".join(parts)

    def weigh(self, k: int, joined: Mapping[int, object], habit: float) -> dict[str, float] | None:
        """The signals for joining at break k, positive and negative; None where lines must stay apart."""
        scan = self.scan
        raw_before, raw_after = self._text(k, joined, True), self._text(k + 1, joined, False)
        before, after = _folded(raw_before), _folded(raw_after)
        edge_before, edge_after = before[-80:], after[:80]
        if any(c in edge_before or c in edge_after for c in "`$<>|\t\\"):
            return None
        if "://" in edge_before or "@" in edge_before or LABEL.match(after):
            return None
        hanging = after[0] in _HANGING and before[-1] not in OPENERS
        if {line_kind(raw_before), line_kind(raw_after)} & {Kind.TABLE, Kind.FURNITURE}:
            return None
        if before[0] in "#>" or not any(int(b) & HAN for b in scan.cls[int(self.start[k]) : int(self.end[k])][-4:]):
            return None
        n = len(self.start)
        around = [scan.text[int(self.start[i]) : int(self.end[i])] for i in range(max(0, k - 1), min(n, k + 3))]
        if is_verse(around):
            return None
        signals: dict[str, float] = {}
        if hanging:
            signals["hanging punctuation"] = 3.0
        if before[-1] in _COMMAS:
            # Where code or a formula was lost from a text, the line above it ends with a comma too.
            signals["ends with a comma"] = 1.0 if self.gap_text(k) == self.usual_gap else 2.0
        elif before[-1] in _UNFINISHED:
            signals["ends with an unfinished word"] = 1.0
        if any(c in before for c in "。！？"):
            signals["prose before"] = 1.0
        elif any(c in before[:-1] for c in _PROSE):
            signals["prose before"] = 0.5
        elif not hanging:
            signals["may be a heading"] = -2.0
        if any(c in after for c in _PROSE):
            signals["prose after"] = 1.0
            if after.rstrip(CLOSERS)[-1:] in tuple(STOPS):
                signals["sentence ends after"] = 0.5
        elif len(after) < 30:
            signals["may be a title"] = -3.0
        if len(before) < 15:
            signals["short line"] = -1.5
        regular, width = habit, self.width
        if regular >= 0.7 and len(before) >= 40 and "prose before" in signals:
            signals["paragraphs here end with a full stop"] = 1.0
        if width and abs(int(self.ink[k]) - width) <= 2:
            signals["wrapped at this width"] = 2.0
        elif int(self.line[k + 1] - self.line[k]) > 1:
            signals["page break"] = 0.5
        if not hanging and sum(signals.values()) >= 1.5 and (word := self._word(before, after)):
            signals[f"word {word}"] = 2.0
        return signals

    def _word(self, before: str, after: str) -> str:
        left, right = before[-5:], after[:5]
        if before[-2:-1].isdigit():
            return ""
        if "\u4e00" <= left[-1:] <= "\u9fff" and "\u4e00" <= right[:1] <= "\u9fff":
            return word_across(left, right)
        return ""


def build(rule: Rule, classes: Mapping[str, str]) -> LayoutFinder:
    if rule.match.get("what") != "cut-sentences":
        raise rule.error("match.what", "must be cut-sentences")
    return LayoutFinder(rule)
