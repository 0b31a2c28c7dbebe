"""Findings as annotations of GitHub Actions: one workflow command a line."""

from __future__ import annotations

from collections.abc import Sequence

from ..edit import Edit, Level
from ..ledger import Lines
from ..messages import Messages
from ..pipeline import Finding
from ..rulebook import Rulebook
from .text import visible


def _escaped(text: str, value: bool = False) -> str:
    """As the runner reads it: %, newlines, and in the value of a property also : and ,."""
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if value else text


def render(path: str, source: str, items: Sequence[Edit | Finding], book: Rulebook, words: Messages) -> str:
    """`::warning file=…,line=…::…` for each; columns only where a place lies in one line."""
    lines = Lines(source)
    out = []
    for item in items:
        rule = book.rule(item.rules[0])
        line, column = lines.at(item.start)
        last, end_column = lines.at(item.end)
        place = [f"file={_escaped(path, True)}", f"line={line}"]
        if last == line:
            place += [f"col={column}", f"endColumn={end_column}"]
        else:
            place.append(f"endLine={last}")
        change = visible(item.before)
        if item.after is not None:
            change += " → " + (visible(item.after) or words["nothing"])
        kind = "notice" if item.level is Level.SUGGEST else "warning"
        title = rule.title if words.chinese else rule.name.replace("-", " ")
        place.append(f"title={_escaped('+'.join(item.rules), True)}")
        out.append(f"::{kind} {','.join(place)}::{_escaped(f'{change}  {title} [{item.level}]')}\n")
    return "".join(out)
