"""Quotation marks: primes and straight marks paired into “ ” ‘ ’, and marks that are lost or the wrong way round."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from ..charclass import CJK, CJK_OPEN, CJK_POINT, HAN, LATIN, class_table
from ..edit import Level, Note
from ..rulebook import Rule
from ..scan import Finds, Found, Scan

MATCH_KEYS = ("what",)
GUARD_KEYS = ()
_MARKS = re.compile(r"[“”〝〞″]|\n[ \t\u00a0\u3000]*\r?\n|\r[ \t\u00a0\u3000]*\r(?!\n)")
# Lines in which straight marks belong to a notation: CSV, JSON, attributes, escapes.
_NOTATION = re.compile(r'""|="|\\"|"\s*[:\]}]\s*["\[{0-9]|[\[{]\s*"|",\s*"|^\s*"[^"]*",|\t')
_LINE_FEEDS = "\n\r"


def _bits(text: str, i: int) -> int:
    return int(class_table()[ord(text[i])]) if 0 <= i < len(text) else 0


class QuotesFinder:
    def __init__(self, rule: Rule, any_of: str, find: Callable[[QuotesFinder, Scan], Found]) -> None:
        self.any = any_of
        self._find = find
        self.note = Note((rule.id,), rule.level)
        self.weaker = Note((rule.id,), Level.UNSAFE if rule.level is Level.SAFE else rule.level)

    def find(self, scan: Scan) -> Found:
        return self._find(self, scan)


def _primes(finder: QuotesFinder, scan: Scan) -> Found:
    """〞 closes the “ that is open in its paragraph; 〝 opens what a ” closes; a balanced 〝…〞 is left alone."""
    text = scan.text
    finds = Finds()
    stack: list[tuple[str, int]] = []
    for m in _MARKS.finditer(text):
        i, mark = m.start(), m[0]
        if mark[0] in _LINE_FEEDS:
            stack.clear()
        elif mark in "“〝":
            stack.append((mark, i))
        elif mark == "”":
            opener = stack.pop() if stack else None
            if opener and opener[0] == "〝":
                finds.add(opener[1], opener[1] + 1, "“", finder.note)
        elif mark == "″":
            if stack and i and text[i - 1] not in "0123456789０１２３４５６７８９′'":
                opener = stack.pop()
                if opener[0] == "〝":
                    finds.add(opener[1], opener[1] + 1, "“", finder.note)
                finds.add(i, i + 1, "”", finder.note)
        elif stack:
            if stack.pop()[0] == "“":
                finds.add(i, i + 1, "”", finder.note)
        elif _opens(text, i) and _closed_in_line(text, i):
            stack.append(("“", i))
            finds.add(i, i + 1, "“", finder.weaker)
        else:
            finds.add(i, i + 1, "”", finder.note)
    return finds.found()


def _opens(text: str, i: int) -> bool:
    """Whether a mark stands where only an opening one can: after a pause or at a line's start, before a word."""
    before = _bits(text, i - 1)
    at_start = i == 0 or text[i - 1] in _LINE_FEEDS
    pause = bool(before & (CJK_POINT | CJK_OPEN)) or (i > 0 and text[i - 1] in ",:;?!(")
    return (at_start or pause) and bool(_bits(text, i + 1) & (HAN | LATIN))


def _closed_in_line(text: str, i: int) -> bool:
    m = re.compile(r"[^“〝\r\n]{0,300}?[〞”]").match(text, i + 1)
    return m is not None


def _straight(finder: QuotesFinder, scan: Scan) -> Found:
    """Straight marks of a line, paired in turn; a line in which one pair is doubtful is left alone whole."""
    finds = Finds()
    text = scan.text
    for mark, left, right in (('"', "“", "”"), ("'", "‘", "’")):
        if not scan.has_any(mark):
            continue
        at = scan.find_all(mark)
        lines, counts = np.unique(scan.line_of(at), return_counts=True)
        first = 0
        for line, count in zip(lines.tolist(), counts.tolist(), strict=True):
            marks = at[first : first + count].tolist()
            first += count
            if count % 2:
                continue
            s, e = int(scan.line_starts[line]), int(scan.line_ends[line])
            if mark == '"' and _NOTATION.search(text, s, e):
                continue
            pairs = list(zip(marks[::2], marks[1::2], strict=True))
            if all(_quotes_chinese(text, a, b, s, e, mark) for a, b in pairs):
                for a, b in pairs:
                    finds.add(a, a + 1, left, finder.note)
                    finds.add(b, b + 1, right, finder.note)
    return finds.found()


def _quotes_chinese(text: str, a: int, b: int, s: int, e: int, mark: str) -> bool:
    inside = text[a + 1 : b]
    if not inside or len(inside) > 300 or inside[0] in " \t\u3000" or inside[-1] in " \t\u3000":
        return False
    before, after = (_bits(text, a - 1) if a > s else CJK), (_bits(text, b + 1) if b + 1 < e else CJK)
    if not (_chinese(text, a - 1, s, e) or text[a - 1] == " " and _chinese(text, a - 2, s, e)):
        return False
    if not (_chinese(text, b + 1, s, e) or text[b + 1] == " " and _chinese(text, b + 2, s, e)):
        return False
    if a > s and text[a - 1] in "(（" and _bits(text, a - 2) & LATIN:
        return False
    edges = all(_chinese(inside, k, 0, len(inside)) for k in (0, len(inside) - 1))
    if mark == "'":
        return bool(edges and re.search(r"[A-Za-z]", inside) is None)
    has_han = any(_bits(inside, k) & HAN for k in range(len(inside)))
    return bool(has_han or (a > s and b + 1 < e and before & HAN and after & HAN))


def _chinese(text: str, i: int, s: int, e: int) -> bool:
    """Whether a Chinese character, a point of either width or the line's edge stands at i."""
    return not s <= i < e or bool(_bits(text, i) & CJK) or text[i] in ",:;?!.()\"'″"


def _unpaired(finder: QuotesFinder, scan: Scan) -> Found:
    """Marks that lost their partner (pointed out) or stand the wrong way round (turned)."""
    text = scan.text
    finds = Finds()
    for s, e in _paragraphs(scan):
        opened: list[int] = []
        for m in re.compile(r"[“”〞]").finditer(text, s, e):
            i = m.start()
            if m[0] == "“":
                opened.append(i)
            elif opened:
                opened.pop()
            elif m[0] == "”" and _opens(text, i) and "”" in text[i + 1 : e] and "“" not in text[i + 1 : e]:
                finds.add(i, i + 1, "“", finder.note)
                opened.append(i)
            else:
                finds.add(i, i + 1, None, finder.note)
        # A quotation that runs over paragraphs is closed in its last one only, and reopened in each.
        if opened and not re.compile(r"\s*[“‘]").match(text, e):
            finds.add(opened[0], opened[0] + 1, None, finder.note)
    return finds.found()


def _paragraphs(scan: Scan) -> Iterator[tuple[int, int]]:
    """Lines with an unequal number of “ and of ” or 〞."""
    n = len(scan.line_starts)
    opening = np.bincount(scan.line_of(scan.find_all("“")), minlength=n)
    closing = np.bincount(scan.line_of(scan.find_all("”〞")), minlength=n)
    for line in np.flatnonzero(opening != closing).tolist():
        yield int(scan.line_starts[line]), int(scan.line_ends[line])


_WHAT: dict[str, tuple[str, Callable[[QuotesFinder, Scan], Found]]] = {
    "primes": ("〝〞″", _primes),
    "straight": ("\"'", _straight),
    "unpaired": ("“”", _unpaired),
}


def build(rule: Rule, classes: Mapping[str, str]) -> QuotesFinder:
    what = rule.match.get("what")
    if what not in _WHAT:
        raise rule.error("match.what", f"must be one of {', '.join(_WHAT)}")
    return QuotesFinder(rule, *_WHAT[what])
