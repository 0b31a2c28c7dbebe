"""Rules about suppression marks: the pipeline finds what they tell of, since only it knows which marks were in use."""

from __future__ import annotations

from collections.abc import Mapping

from ..rulebook import Rule
from ..scan import Found, Scan
from ..suppression import TRIGGER, UNKNOWN, UNMATCHED, UNNAMED, UNUSED

MATCH_KEYS = ("what",)
GUARD_KEYS: tuple[str, ...] = ()


class MarkFinder:
    """Finds nothing in a text by itself. what: the problem with a mark that the rule tells of."""

    def __init__(self, what: str) -> None:
        self.any, self.what = TRIGGER[0], what

    def find(self, scan: Scan) -> Found:
        return Found.none()


def build(rule: Rule, classes: Mapping[str, str]) -> MarkFinder:
    what = rule.match.get("what")
    if what not in (UNUSED, UNKNOWN, UNNAMED, UNMATCHED):
        raise rule.error("match.what", f"must be {UNUSED}, {UNKNOWN}, {UNNAMED} or {UNMATCHED}")
    return MarkFinder(str(what))
