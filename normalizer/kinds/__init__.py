"""One module a rule kind: each turns a rule's data into a Finder that proposes edits for a Scan."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from ..rulebook import Rule, RuleError
from ..scan import Found, Scan


class Finder(Protocol):
    """The code of one rule. `any`: characters of which one must be in the text for the rule to find anything."""

    any: str

    def find(self, scan: Scan) -> Found: ...


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user says about substituted words.

    assume: "" to find out, "any" or a family's name to take the text as damaged. tables: TSV files of further pairs.
    without: families, or pairs written 发展→开展, that are left out.
    """

    assume: str = ""
    tables: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


def build(rule: Rule, classes: Mapping[str, str], settings: Settings | None = None) -> Finder:
    """The Finder of a rule. Raises RuleError for options that its kind does not have or that make no sense."""
    module = import_module(f".{rule.kind}", __name__)
    check_options(rule, "match", rule.match, module.MATCH_KEYS)
    check_options(rule, "guard", rule.guard, {*module.GUARD_KEYS, "meaning"})
    finder: Finder = module.build(rule, classes)
    if settings is not None and hasattr(finder, "configure"):
        finder.configure(settings)
    return finder


def check_options(rule: Rule, table: str, given: Mapping[str, Any], allowed: Iterable[str]) -> None:
    """Raises RuleError for a key that the rule's kind does not know."""
    known = sorted(allowed)
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; kind {rule.kind} has {', '.join(known) or 'none'}"
            raise rule.error(f"{table}.{key}", "unknown key" + hint)


__all__ = ["Finder", "RuleError", "Settings", "build", "check_options"]
