"""Unified diff of a repair, as `patch -p1` reads it."""

from __future__ import annotations

import re
from difflib import unified_diff

_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def render(path: str, before: str, after: str) -> str:
    """The diff from `before` to `after`, '' when they are equal. Lines end at \\n only, as patch counts them."""
    out: list[str] = []
    name = path.lstrip("/")
    for line in unified_diff(_LINE.findall(before), _LINE.findall(after), f"a/{name}", f"b/{name}"):
        out.append(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n")
    return "".join(out)
