"""Findings for people: one line each, with the place marked below it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from ..edit import Edit
from ..ledger import Lines
from ..messages import Messages
from ..pipeline import Finding
from ..rulebook import Rulebook

# Code points of context on each side of the place.
_AROUND = 16


def visible(text: str) -> str:
    """The text with newlines and invisible characters written out, as <U+200B> or ⏎."""
    return "".join(
        "⏎" if c == "\n" else f"<U+{ord(c):04X}>" if unicodedata.category(c)[0] == "C" or c in "\u00a0\u3000" else c
        for c in text
    )


def width(text: str) -> int:
    """Columns that a text takes in a terminal: two for wide characters, none for combining ones."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def evidence_line(evidence: Mapping[str, Any], confidence: float | None, words: Messages) -> str:
    """What a decision about a word rests on, in one line; "" where a rule gives no such evidence."""
    if "pair" not in evidence:
        return ""
    parts = [] if confidence is None else [words["sure"].format(share=f"{confidence:.0%}")]
    parts.append(words["passage"].format(odds=f"{evidence['passage']:+.0f}"))
    parts.append(words["sites"].format(count=evidence["sites"], families="/".join(evidence["families"])))
    if evidence["context"]:
        parts.append(words["context"].format(context=", ".join(evidence["context"])))
    if "runner_up" in evidence:
        parts.append(words["runner_up"].format(share=f"{evidence['runner_up']:.0%}"))
    return "; ".join(parts)


def render(
    path: str, source: str, items: Sequence[Edit | Finding], book: Rulebook, words: Messages, carets: bool = True
) -> str:
    """`path:line:col ID [level] before → after  title`, each with its context and a caret line under it."""
    lines = Lines(source)
    titles = {r.id: r.title if words.chinese else r.name.replace("-", " ") for r in book.rules}
    out: list[str] = []
    for item in items:
        line, column = lines.at(item.start)
        change = visible(item.before)
        if item.after is not None and item.after != item.before:
            change += " → " + (visible(item.after) or words["nothing"])
        shadow = getattr(item, "shadowed_by", "")
        tail = f"  ({words['shadowed']} {shadow})" if shadow else ""
        if reason := evidence_line(item.evidence, item.confidence, words):
            tail += f"  ({reason})"
        out.append(
            f"{path}:{line}:{column} {'+'.join(item.rules)} [{item.level}] {change}  {titles[item.rules[0]]}{tail}"
        )
        if carets:
            left = visible(source[max(0, item.start - _AROUND) : item.start].rpartition("\n")[2])
            here = visible(source[item.start : item.end])
            right = visible(source[item.end : item.end + _AROUND].partition("\n")[0])
            out.append(f"    {left}{here}{right}")
            out.append(f"    {' ' * width(left)}{'^' * max(1, width(here))}")
    return "\n".join(out) + ("\n" if out else "")
