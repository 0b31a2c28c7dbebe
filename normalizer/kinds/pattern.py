"""Rules that are a regular expression: where it matches, and no guard objects, the template replaces it."""

from __future__ import annotations

import re
import re._parser as sre_parse
from collections.abc import Iterator, Mapping
from typing import Any

from ..edit import Note
from ..rulebook import Rule
from ..scan import Finds, Found, Scan

MATCH_KEYS = ("any", "pattern", "region", "replace")
GUARD_KEYS = ("unless", "requires")
_GROUP = re.compile(r"\\([1-9])")
_NAMED = re.compile(r"\{\{(\w+)\}\}")
# A guard looks at the line around a hit, and no further than this many characters to each side.
GUARD_REACH = 60


def expand(rule: Rule, key: str, source: str, classes: Mapping[str, str]) -> re.Pattern[str]:
    """Compiles a pattern with its {{classes}} filled in. Raises RuleError for what would be wrong or slow."""

    def named(m: re.Match[str]) -> str:
        if m[1] not in classes:
            raise rule.error(key, f"unknown class {{{{{m[1]}}}}}; classes.toml has {', '.join(classes)}")
        return classes[m[1]]

    text = _NAMED.sub(named, source)
    try:
        compiled = re.compile(text, re.MULTILINE)
        tree = sre_parse.parse(text)
    except re.error as error:
        raise rule.error(key, f"not a regular expression: {error}") from None
    if not key.startswith("guard.unless") and tree.getwidth()[0] == 0:
        raise rule.error(key, "may match nothing; a match must have at least one character")
    if _unbounded_group(tree):
        raise rule.error(key, "an unbounded repeat over a group takes quadratic time; write {1,8} and not +")
    return compiled


def _unbounded_group(tree: Any) -> bool:
    for op, argument in tree:
        for inner in _subpatterns(argument):
            if _unbounded_group(inner):
                return True
        if op in (sre_parse.MAX_REPEAT, sre_parse.MIN_REPEAT) and argument[1] == sre_parse.MAXREPEAT:
            body = argument[2]
            if len(body) > 1 or any(o == sre_parse.SUBPATTERN for o, _ in body):
                return True
    return False


def _subpatterns(argument: Any) -> Iterator[Any]:
    if isinstance(argument, sre_parse.SubPattern):
        yield argument
    elif isinstance(argument, list | tuple):
        for item in argument:
            yield from _subpatterns(item)


class PatternFinder:
    def __init__(self, rule: Rule, classes: Mapping[str, str]) -> None:
        match, guard = rule.match, rule.guard
        for key in ("pattern", "replace"):
            if not isinstance(match.get(key), str):
                raise rule.error(f"match.{key}", "missing")
        self.any: str = match.get("any", "")
        self.pattern = expand(rule, "match.pattern", match["pattern"], classes)
        self.region = expand(rule, "match.region", match["region"], classes) if "region" in match else None
        self.replace: str = match["replace"]
        self.template = self._parsed(rule)
        self.unless = [expand(rule, "guard.unless", u, classes) for u in guard.get("unless", [])]
        requires = guard.get("requires")
        self.requires = expand(rule, "guard.requires", requires, classes) if requires else None
        self.note = Note((rule.id,), rule.level)

    def _parsed(self, rule: Rule) -> list[tuple[str, int]]:
        """The template as literals, each with the number of the group that follows it (0 at the end)."""
        parts = _GROUP.split(self.replace)
        groups = [int(g) for g in parts[1::2]]
        if groups != sorted(set(groups)) or any(g > self.pattern.groups for g in groups):
            raise rule.error("match.replace", "groups must exist and stand in the order of the pattern, once each")
        return list(zip(parts[::2], [*groups, 0], strict=True))

    def find(self, scan: Scan) -> Found:
        text = scan.text
        if self.requires and not self.requires.search(text):
            return Found.none()
        finds = Finds()
        for m in self._matches(text):
            if self.unless and self._disarmed(text, m.start(), m.end()):
                continue
            for start, end, after in self._pieces(m):
                if after != text[start:end]:
                    finds.add(start, end, after, self.note)
        return finds.found()

    def _matches(self, text: str) -> Iterator[re.Match[str]]:
        if self.region is None:
            yield from self.pattern.finditer(text)
            return
        for r in self.region.finditer(text):
            yield from self.pattern.finditer(text, r.start(), r.end())

    def _pieces(self, m: re.Match[str]) -> Iterator[tuple[int, int, str]]:
        """What changes around the groups that the template keeps."""
        at = m.start()
        for literal, group in self.template:
            end = m.start(group) if group else m.end()
            yield at, end, literal
            at = m.end(group) if group else end

    def _disarmed(self, text: str, start: int, end: int) -> bool:
        lo, hi = max(0, start - GUARD_REACH), min(len(text), end + GUARD_REACH)
        return any(m.start() < end and m.end() > start for u in self.unless for m in u.finditer(text, lo, hi))


def build(rule: Rule, classes: Mapping[str, str]) -> PatternFinder:
    return PatternFinder(rule, classes)
