"""Protected spans: the parts of a text that no edit may touch (code, addresses, markup, mathematics, [sic])."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np

from .edit import Offsets

# Each pattern runs only when its trigger is in the text; a bare `in` costs a memory scan, a regex far more.
_SPANS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("---", re.compile(r"\A\ufeff?---[ \t]*\r?\n(?:(?!---[ \t]*\r?$)[^\n]*\n){0,200}---[ \t]*(?=\r?$|\Z)", re.M)),
    ("```", re.compile(r"^[ \t]{0,3}(`{3,})[^`\n]*\n(?:[^\n]*\n)*?[ \t]{0,3}\1`*[ \t]*(?=\r?$)", re.M)),
    ("~~~", re.compile(r"^[ \t]{0,3}(~{3,})[^~\n]*\n(?:[^\n]*\n)*?[ \t]{0,3}\1~*[ \t]*(?=\r?$)", re.M)),
    ("`", re.compile(r"(?<!`)(`{1,2})(?!`)[^`\r\n]{1,400}(?<!`)\1(?!`)")),
    ("://", re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{1,15}://[!#-;=?-\[\]_a-z~%]+(?<![,.;:?!)\]])")),
    ("www.", re.compile(r"(?<![A-Za-z0-9])www\.[!#-;=?-\[\]_a-z~%]+(?<![,.;:?!)\]])")),
    ("@", re.compile(r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+){1,5}")),
    (
        "](",
        re.compile(r"(?<=\])\([^()\s]{1,500}(?:\([^()\s]{0,200}\)[^()\s]{0,200})?(?:[ \t]+\"[^\"\r\n]{0,200}\")?\)"),
    ),
    ("]:", re.compile(r"^[ \t]{0,3}\[[^\]\r\n]{1,200}\]:[ \t]*\S+", re.M)),
    ("<", re.compile(r"<(?:/?[A-Za-z][A-Za-z0-9\-]*(?:[ \t\r\n][^<>]{0,600})?/?|!--(?:(?!-->)[\s\S]){0,4000}--)>")),
    ("&", re.compile(r"&(?:#\d{1,7}|#x[0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")),
    (
        "$",
        re.compile(
            r"\$\$[^$]{1,2000}\$\$|(?<![\\$A-Za-z0-9])\$(?=[^\s$])[^$\r\n\u4e00-\u9fff]{1,200}(?<=[^\s$\\])\$(?![\d$])"
        ),
    ),
    ("\\", re.compile(r"\\\((?:(?!\\\))[^\r\n]){1,400}\\\)|\\\[(?:(?!\\\])[\s\S]){1,2000}\\\]")),
    ("sic", re.compile(r"[^\s，。、；：？！,;:?!]{1,12}[ \t]?\[sic\]", re.I)),
    ("原文如此", re.compile(r"[^\s，。、；：？！,;:?!]{1,12}[（〔\[(]原文如此[）〕\])]")),
)


def protected_spans(text: str, words: Sequence[str] = ()) -> tuple[Offsets, Offsets]:
    """The protected spans of a text, and wherever one of `words` stands: starts and ends, sorted and disjoint, (n,) each."""
    return _union(chain(_found(text), _standing(text, words)))


def _standing(text: str, words: Sequence[str]) -> Iterator[tuple[int, int]]:
    for word in words:
        at = text.find(word)
        while at >= 0:
            yield at, at + len(word)
            at = text.find(word, at + 1)


def _found(text: str) -> Iterator[tuple[int, int]]:
    for trigger, pattern in _SPANS:
        if trigger in text:
            for m in pattern.finditer(text):
                yield m.span()


def _union(spans: Iterator[tuple[int, int]]) -> tuple[Offsets, Offsets]:
    merged: list[list[int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    columns = np.array(merged, dtype=np.int64).reshape(-1, 2)
    return columns[:, 0].copy(), columns[:, 1].copy()
