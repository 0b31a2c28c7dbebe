"""Suppression: places where a writer has said that a rule shall not act, by a mark in the text or in a sidecar file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

# What stands in a text that has any mark.
TRIGGER = "jiaokan:"
UNUSED, UNKNOWN, UNNAMED, UNMATCHED = "unused", "unknown", "unnamed", "unmatched"
_MARK = re.compile(
    r"(?P<html><!--[ \t]*jiaokan:[ \t]*(?P<a>[a-z-]+)[ \t]*(?:\[(?P<b>[^\]\n]{0,200})\])?(?P<c>[^\n]{0,300}?)-->)"
    r"|(?P<line>(?:(?<=\s)|^)(?:#|//|;|%)[ \t]*jiaokan:[ \t]*(?P<d>[a-z-]+)[ \t]*(?:\[(?P<e>[^\]\n]{0,200})\])?(?P<f>[^\r\n]{0,300}))",
    re.M,
)
_VERBS = ("ignore", "ignore-file", "off", "on")
_BLANK = re.compile(r"\n[ \t]*(?:\r?\n|\Z)")


@dataclass(frozen=True, slots=True)
class Fragment:
    """A line of a sidecar file: where `prefix` start … end `suffix` stands, a rule shall not act.

    rule: an id or a prefix of ids. end: '' for a place that is `start` alone. origin: file and line, for messages.
    """

    rule: str
    start: str
    end: str = ""
    prefix: str = ""
    suffix: str = ""
    reason: str = ""
    origin: str = ""

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        """Every place of the fragment: what lies between prefix and suffix."""
        at = text.find(self.prefix + self.start)
        while at >= 0:
            first = at + len(self.prefix)
            last = first + len(self.start)
            if self.end:
                stop = text.find(self.end, last)
                last = stop + len(self.end) if stop >= 0 else -1
            if last >= 0 and text.startswith(self.suffix, last):
                yield first, last
            at = text.find(self.prefix + self.start, at + 1)


@dataclass(slots=True)
class Span:
    """Where rules shall not act. mark: the mark's own place, for telling of it; origin: of a fragment."""

    start: int
    end: int
    rules: tuple[str, ...]
    mark: tuple[int, int] = (0, 0)
    origin: str = ""
    used: bool = False


@dataclass(slots=True)
class Suppressions:
    """All that is suppressed in one text, and what is wrong with the marks themselves: (start, end, problem)."""

    spans: list[Span] = field(default_factory=list)
    problems: list[tuple[int, int, str]] = field(default_factory=list)

    @classmethod
    def of(cls, text: str, fragments: Sequence[Fragment], known: Callable[[str], bool]) -> Suppressions:
        """known: whether any rule has such an id or prefix."""
        found = cls()
        for fragment in fragments:
            found.spans += [Span(a, b, (fragment.rule,), origin=fragment.origin) for a, b in fragment.places(text)]
        if TRIGGER in text:
            found._read(text, known)
        return found

    def _read(self, text: str, known: Callable[[str], bool]) -> None:
        opened: dict[str, Span] = {}
        for m in _MARK.finditer(text):
            verb, ids, _ = (m["a"], m["b"], m["c"]) if m["html"] else (m["d"], m["e"], m["f"])
            if verb not in _VERBS:
                continue
            rules = tuple(i.strip() for i in (ids or "").split(",") if i.strip())
            if not rules:
                self.problems.append((*m.span(), UNNAMED))
                continue
            if not all(known(rule) for rule in rules):
                self.problems.append((*m.span(), UNKNOWN))
                rules = tuple(rule for rule in rules if known(rule))
            if verb == "on":
                closed = [opened.pop(rule) for rule in rules if rule in opened]
                for span in closed:
                    span.end = m.start()
                if rules and not closed:
                    self.problems.append((*m.span(), UNMATCHED))
                continue
            for rule in rules:
                start, end = (0, len(text)) if verb == "ignore-file" else _reach(text, verb, m.start(), m.end())
                span = Span(start, end, (rule,), m.span())
                self.spans.append(span)
                if verb == "off":
                    opened[rule] = span

    def covers(self, rule: str, start: int, end: int, starts: Sequence[int], ends: Sequence[int]) -> bool:
        """Whether an edit of a rule lies in a span, which is then in use. starts, ends: of the spans, as they are now."""
        hit = False
        for span, a, b in zip(self.spans, starts, ends, strict=True):
            if a <= start and end <= b and any(rule.startswith(r) for r in span.rules):
                span.used = hit = True
        return hit


def _reach(text: str, verb: str, start: int, end: int) -> tuple[int, int]:
    """What a mark speaks for: its line, the next block where it stands alone, or all that follows."""
    if verb == "off":
        return end, len(text)
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", end)
    last = len(text) if last < 0 else last
    if text[first:start].strip() or text[end:last].strip():
        return first, last
    while last < len(text) and text[last : last + 1].isspace():
        last += 1
    blank = _BLANK.search(text, last)
    return first, blank.start() if blank else len(text)


def read_fragments(lines: Sequence[str], name: str) -> list[tuple[str, Fragment]]:
    """The lines of a sidecar file, `glob | rule | prefix-,start,end,-suffix | reason`, with the glob of each.

    Commas in the text are written \\,. Raises ValueError that names file, line and remedy.
    """
    found = []
    for n, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) != 4 or not all(cells):
            raise ValueError(f"{name}:{n}: needs glob | rule | text | reason, all of them filled")
        parts = [p.replace("\0", ",") for p in cells[2].replace("\\,", "\0").split(",")]
        prefix = parts.pop(0)[:-1] if len(parts) > 1 and parts[0].endswith("-") else ""
        suffix = parts.pop()[1:] if len(parts) > 1 and parts[-1].startswith("-") else ""
        if len(parts) > 2 or not parts[0]:
            raise ValueError(f"{name}:{n}: the text must be [prefix-,]start[,end][,-suffix]")
        end = parts[1] if len(parts) == 2 else ""
        found.append((cells[0], Fragment(cells[1], parts[0], end, prefix, suffix, cells[3], f"{name}:{n}")))
    return found
