"""Meaning first: tells edits that touch a number, a negation or a modal of law, which are never `safe`."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

_WEIGHTY = re.compile(
    r"[0-9０-９]|[〇零一二两三四五六七八九十百千万亿半几]|[不没无未非莫勿毋]|应当|必须|可以|应该|不得|禁止|须|准许|允许"
)


@lru_cache(maxsize=65536)
def touches_meaning(before: str, after: str) -> bool:
    """Whether the numbers, negations or modals of `after` are others than those of `before`."""
    if before == after:
        return False
    return Counter(_WEIGHTY.findall(before)) != Counter(_WEIGHTY.findall(after))
