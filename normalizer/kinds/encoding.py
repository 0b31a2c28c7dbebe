"""Text decoded with the wrong code page: ftfy repairs it line by line, and alignment turns that into edits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher

import numpy as np

from ..edit import Note
from ..rulebook import Rule
from ..scan import Finds, Found, Scan

MATCH_KEYS = ("what",)
GUARD_KEYS = ()
# A lead byte of UTF-8 read as Latin-1 or Windows-1252, followed by what a continuation byte reads as.
_LEADS = "".join(chr(c) for c in range(0xC2, 0xF5))
_MOJIBAKE = re.compile(
    "[\u00c2-\u00f4][\u0080-\u00bf\u20ac\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u017d"
    "\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u017e\u0178]"
)
# Alignment takes quadratic time; a longer differing stretch becomes one edit.
_ALIGNED = 2000


class EncodingFinder:
    any = _LEADS

    def __init__(self, rule: Rule) -> None:
        self.note = Note((rule.id,), rule.level)

    def find(self, scan: Scan) -> Found:
        text = scan.text
        finds = Finds()
        offsets = np.array([m.start() for m in _MOJIBAKE.finditer(text)], dtype=np.int64)
        if not len(offsets):
            return Found.none()
        from ftfy import TextFixerConfig, fix_encoding

        config = TextFixerConfig(
            unescape_html=False, fix_latin_ligatures=False, fix_character_width=False, uncurl_quotes=False,
            fix_line_breaks=False, normalization=None, remove_control_chars=False, remove_terminal_escapes=False,
            restore_byte_a0=True, replace_lossy_sequences=False,
        )  # fmt: skip
        for line in np.unique(scan.line_of(offsets)).tolist():
            s, e = int(scan.line_starts[line]), int(scan.line_ends[line])
            bad = text[s:e]
            good = fix_encoding(bad, config)
            # ftfy is trusted with Chinese only where its repair leaves nothing misread and gives Chinese
            if good == bad or _MOJIBAKE.search(good) or re.search("[\u2e80-\u9fff\uff00-\uffef]", good) is None:
                continue
            for a, b, replacement in aligned(bad, good):
                finds.add(s + a, s + b, replacement, self.note)
        return finds.found()


def aligned(before: str, after: str) -> Iterator[tuple[int, int, str]]:
    """The replacements (start, end, text) that turn one string into the other, as small as alignment makes them."""
    n = min(len(before), len(after))
    head = next((i for i in range(n) if before[i] != after[i]), n)
    tail = next((i for i in range(n - head) if before[-1 - i] != after[-1 - i]), n - head)
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    if len(old) + len(new) > _ALIGNED:
        yield head, len(before) - tail, new
        return
    for op, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if op != "equal":
            yield head + a, head + b, new[c:d]


def build(rule: Rule, classes: Mapping[str, str]) -> EncodingFinder:
    if rule.match.get("what") != "utf8":
        raise rule.error("match.what", "must be utf8")
    return EncodingFinder(rule)
