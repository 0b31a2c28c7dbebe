"""Half-width punctuation in Chinese text made full width: points, brackets and full stops. Never the reverse."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from ..charclass import CJK_CLOSE, CJK_OPEN, CJK_POINT, DIGIT, HAN, LATIN, NEWLINE, SPACE, class_table
from ..edit import Level, Note, Offsets
from ..rulebook import Rule
from ..scan import Finds, Found, Mask, Scan

MATCH_KEYS = ("what",)
GUARD_KEYS = ()
_POINTS = dict(zip(",:;?!", "，：；？！", strict=True))
_PASSED_OVER = " \t\u00a0\u3000,:;?!.()\"'%“”‘’（）《》〈〉「」『』【】〔〕〖〗〝〞，。、；：？！…—·～"


def _signs(scan: Scan, at: Offsets) -> tuple[Offsets, Offsets]:
    """Class bits of the nearest word character before and after each offset in its line; points are passed over.

    The two widths of a mark are passed over alike, so that widening one mark changes nothing for its neighbours.
    """
    return _sign(scan, at, -1), _sign(scan, at, 1)


# Farther than this no word is looked for; a longer run of marks is ornament.
_REACH = 64


def _sign(scan: Scan, at: Offsets, step: int) -> Offsets:
    padded = np.concatenate((np.array([10], np.uint32), scan.cp, np.array([10], np.uint32)))
    passed = _passed_over()
    result = np.full(len(at), NEWLINE, dtype=np.int64)
    open_, place = np.arange(len(at)), at + 1
    for _ in range(_REACH):
        place = place + step
        char = padded[place]
        skip = passed[char]
        result[open_[~skip]] = class_table()[char[~skip]]
        open_, place = open_[skip], place[skip]
        if not len(open_):
            break
    return result


_passed_table: list[Mask] = []


def _passed_over() -> Mask:
    if not _passed_table:
        table = np.zeros(0x110000, dtype=bool)
        table[[ord(c) for c in _PASSED_OVER]] = True
        _passed_table.append(table)
    return _passed_table[0]


def chinese_lines(scan: Scan) -> Mask:
    """Which lines are Chinese: at least one Han character to two Latin letters, shape (lines,)."""
    if not len(scan.cp):
        return np.zeros(1, dtype=bool)
    starts = np.minimum(scan.line_starts, len(scan.cp) - 1)
    han = np.add.reduceat((scan.cls & HAN) != 0, starts, dtype=np.int64)
    latin = np.add.reduceat((scan.cls & LATIN) != 0, starts, dtype=np.int64)
    return (han > 0) & (2 * han >= latin)


def _record_lines(scan: Scan, commas: Offsets) -> Mask:
    """Which lines are records whose commas separate fields, shape (lines,).

    A line that starts with a number and a comma, or any line where four in five have the same number of commas.
    """
    n = len(scan.line_starts)
    counts = np.bincount(scan.line_of(commas), minlength=n)
    records = np.zeros(n, dtype=bool)
    filled = scan.line_ends > scan.line_starts
    used = counts[filled]
    if len(used) >= 3 and used.max(initial=0):
        common = int(np.bincount(used[used > 0]).argmax())
        if common >= 1 and (used == common).mean() >= 0.8:
            records[:] = True
            return records
    for line in np.flatnonzero(counts >= 2).tolist():
        s, e = int(scan.line_starts[line]), int(scan.line_ends[line])
        head = scan.text[s : min(e, s + 12)].split(",", 1)
        if len(head) == 2 and head[0].strip('"').isdigit():
            records[line] = True
    return records


class WidthFinder:
    def __init__(self, rule: Rule, any_of: str, find: Callable[[WidthFinder, Scan], Found]) -> None:
        self.any = any_of
        self._find = find
        self.notes = {level: Note((rule.id,), max(level, rule.level, key=lambda v: v.rank)) for level in Level}

    def find(self, scan: Scan) -> Found:
        return self._find(self, scan)


def _points(finder: WidthFinder, scan: Scan) -> Found:
    at = scan.find_all(",:;?!")
    cp, cls = scan.cp, scan.cls
    char = cp[at]
    padded = np.concatenate((np.array([10], np.uint32), cp, np.array([10], np.uint32)))
    near = np.concatenate((np.array([NEWLINE], np.uint8), cls, np.array([NEWLINE], np.uint8)))
    previous, following = near[at], near[at + 2]
    next_char = padded[at + 2]
    left, right = _signs(scan, at)
    line = scan.line_of(at)
    colon, comma = char == ord(":"), char == ord(",")
    is_space = (following & SPACE) != 0
    # after a Chinese word or mark
    after_point = np.isin(padded[at], [ord(c) for c in _POINTS])
    chinese_left = ((left & HAN) != 0) & ((previous & SPACE) == 0) & ~after_point | (
        (previous & (CJK_CLOSE | CJK_POINT)) != 0
    )
    # between a number or a Latin word and a Chinese word
    chinese_right = ((right & HAN) != 0) & ~colon & ((previous & (SPACE | NEWLINE)) == 0)
    chinese_right &= ~(is_space & ((left & LATIN) != 0))
    # the mark belongs to what a Latin quotation says: "Hello, world!"
    quoted = ((following & CJK_CLOSE) != 0) | np.isin(next_char, [ord(c) for c in "\"')"])
    chinese_right &= ~(quoted & ((left & LATIN) != 0))
    chinese_right |= ((following & CJK_OPEN) != 0) & ((left & (DIGIT | LATIN)) != 0) & ~colon
    eligible = ~(((previous & DIGIT) != 0) & ((following & DIGIT) != 0))
    eligible &= chinese_lines(scan)[line]
    # operators, addresses, drives and smileys: != ?= := :// C:\ :) :-
    operator = np.isin(next_char, [ord(c) for c in "=/\\&|<>*_^~-"]) & np.isin(char, [ord(c) for c in ":?!"])
    eligible &= ~(colon & ((padded[at] == ord(":")) | (next_char == ord(":"))))
    eligible &= ~operator & ~(colon & (next_char == ord(")")))
    # a ? that stands for a lost character: ?施工规范?, 浙江?。?025年
    mark = char == ord("?")
    beside_stop = (next_char == ord("。")) | (padded[at] == ord("。"))
    word_before = (previous & (HAN | DIGIT | LATIN | CJK_CLOSE)) != 0
    orphan = (
        mark & ~word_before & ((following & (HAN | NEWLINE)) != 0) & ~np.isin(padded[at], [ord(c) for c in "?!？！"])
    )
    eligible &= ~(mark & (beside_stop | np.isin(line, line[orphan]) | (int(orphan.sum()) > 1)))
    if comma.any():
        eligible &= ~(comma & _record_lines(scan, at[comma])[line])
    # a label that opens its line: 1,  a:  3;
    eligible &= ~(_opens_line_as_label(scan, at, line) & ((left & (DIGIT | LATIN)) != 0))
    wanted = eligible & (chinese_left | chinese_right)
    at = at[_spread(at, wanted, eligible)]
    text = scan.text
    return Found(at, at + 1, [_POINTS[text[i]] for i in at.tolist()], [finder.notes[Level.SAFE]] * len(at))


def _spread(at: Offsets, wanted: Mask, eligible: Mask) -> Mask:
    """`wanted`, spread over the eligible points that follow a wanted one without a gap (什么?!!)."""
    k = np.arange(len(at))
    apart = np.concatenate(([True], np.diff(at) != 1))[: len(at)] | ~eligible
    run_start = np.maximum.accumulate(np.where(apart, k, 0)) if len(at) else k
    last_wanted = np.maximum.accumulate(np.where(wanted, k, -1)) if len(at) else k
    return eligible & (last_wanted >= run_start)


def _opens_line_as_label(scan: Scan, at: Offsets, line: Offsets) -> Mask:
    """Whether nothing but three letters or digits, and blanks, stands before each offset in its line."""
    label = at - scan.line_starts[line] <= 8
    for k in np.flatnonzero(label).tolist():
        head = scan.text[int(scan.line_starts[line[k]]) : int(at[k])].strip()
        label[k] = len(head) <= 3 and head.isascii() and head.isalnum()
    return label


_PINYIN = re.compile(r"[a-zü\u00e0-\u01dc]{1,6}[1-5]?")
_BRACKETS = {"(": "（", ")": "）"}


def _brackets(finder: WidthFinder, scan: Scan) -> Found:
    finds = Finds()
    text, table = scan.text, class_table()
    chinese = chinese_lines(scan)
    for line, marks in _bracket_lines(scan):
        if not chinese[line]:
            continue
        s, e = int(scan.line_starts[line]), int(scan.line_ends[line])
        stack: list[int] = []
        for i in marks:
            if text[i] in "(（":
                stack.append(i)
            elif stack:
                a = stack.pop()
                level = _widens(text, a, i, s, e, table)
                if level is not None:
                    for k in (a, i):
                        if text[k] in _BRACKETS:
                            finds.add(k, k + 1, _BRACKETS[text[k]], finder.notes[level])
    return finds.found()


def _bracket_lines(scan: Scan) -> Iterator[tuple[int, list[int]]]:
    """Lines with a half-width bracket, and the offsets of all round brackets in each."""
    half = np.unique(scan.line_of(scan.find_all("()")))
    at = scan.find_all("()（）")
    line = scan.line_of(at)
    lo, hi = np.searchsorted(line, half, "left"), np.searchsorted(line, half, "right")
    for k, a, b in zip(half.tolist(), lo.tolist(), hi.tolist(), strict=True):
        yield k, at[a:b].tolist()


def _widens(text: str, a: int, b: int, s: int, e: int, table: np.typing.NDArray[np.uint8]) -> Level | None:
    """The level at which the pair of brackets at `a` and `b` becomes full width, None where it stays."""
    inside = text[a + 1 : b]
    if text[a] == "（" and text[b] == "）":
        return None
    if text[a] == "（" or text[b] == "）":
        return Level.SAFE if len(inside) < 200 else Level.UNSAFE
    if len(inside) > 500:
        return None
    before = int(table[ord(text[a - 1])]) if a > s else 0
    outer_left = next((int(table[ord(c)]) for c in reversed(text[max(s, a - 6) : a]) if c not in _PASSED_OVER), 0)
    outer_right = next((int(table[ord(c)]) for c in text[b + 1 : min(e, b + 7)] if c not in _PASSED_OVER), 0)
    bits = 0
    for c in inside:
        bits |= int(table[ord(c)])
    if not inside.strip():
        # the blank that an examinee fills in
        beside = next((int(table[ord(c)]) for c in reversed(text[max(s, a - 3) : a]) if c not in " \u3000"), 0)
        return Level.SAFE if beside & HAN else None
    if _PINYIN.fullmatch(inside) and before & HAN:
        return None  # an annotation, or damage of another kind: 規(guī)定
    label = len(inside) <= 3 and inside.isascii() and inside.isalnum()
    if label and not (before & HAN and outer_right & HAN and not inside.isdigit()):
        return None
    if before & (LATIN | DIGIT) or (a > s and text[a - 1] in "_]}*^|\\"):
        return Level.UNSAFE if bits & HAN and outer_right & HAN else None
    if bits & HAN:
        return Level.SAFE
    if label:
        return None
    return Level.SAFE if outer_left & HAN and outer_right & HAN and not any(c in "=+*/^<>" for c in inside) else None


# A full stop ends a clause of some length; the dot of 约翰.史密斯 or 北京.上海 does not.
_CLAUSE = 10


def _stops(finder: WidthFinder, scan: Scan) -> Found:
    cp, cls = scan.cp, scan.cls
    at = scan.find_all(".")
    near = np.concatenate((np.array([NEWLINE], np.uint8), cls, np.array([NEWLINE], np.uint8)))
    previous, following = near[at], near[at + 2]
    ends = (following & (NEWLINE | CJK_CLOSE)) != 0
    at_end = ends[...]
    wanted = ((previous & (HAN | CJK_CLOSE)) != 0) & (ends | ((following & HAN) != 0))
    at, at_end = at[wanted], at_end[wanted]
    if not len(at):
        return Found.none()
    finds = Finds()
    text = scan.text
    breaks = np.flatnonzero((cls & NEWLINE) != 0)
    stops = np.union1d(np.union1d(breaks, scan.find_all(".。！？!?")), [-1, len(cp)])
    line = scan.line_of(at)
    chinese = chinese_lines(scan)
    for i, end, ln in zip(at.tolist(), at_end.tolist(), line.tolist(), strict=True):
        if not chinese[ln]:
            continue
        k = int(np.searchsorted(stops, i))
        clause = text[int(stops[k - 1]) + 1 : i]
        s, e = int(scan.line_starts[ln]), int(scan.line_ends[ln])
        own_stops = "。" in text[s:e]
        if end:
            if len(clause) >= _CLAUSE and (any(c in clause for c in "，,、；;") or not own_stops and len(clause) >= 16):
                finds.add(i, i + 1, "。", finder.notes[Level.SAFE])
            continue
        after = int(stops[k + 1]) - i - 1
        pause = any(c in clause for c in "，,；;") or len(clause) >= 24
        if len(clause) >= _CLAUSE and after >= _CLAUSE and pause:
            finds.add(i, i + 1, "。", finder.notes[Level.UNSAFE if own_stops else Level.SAFE])
    return finds.found()


_WHAT: dict[str, tuple[str, Callable[[WidthFinder, Scan], Found]]] = {
    "points": (",:;?!", _points),
    "brackets": ("()", _brackets),
    "stops": (".", _stops),
}


def build(rule: Rule, classes: Mapping[str, str]) -> WidthFinder:
    what = rule.match.get("what")
    if what not in _WHAT:
        raise rule.error("match.what", f"must be one of {', '.join(_WHAT)}")
    return WidthFinder(rule, *_WHAT[what])
