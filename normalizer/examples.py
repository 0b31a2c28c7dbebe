"""The examples in the rule files, run as tests: by `jiaokan test` and by the test suite."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .edit import Level
from .pipeline import Config, Normalizer
from .rulebook import Fix, Rule


@dataclass(frozen=True, slots=True)
class Example:
    """One example's result; `problem` is '' when it holds."""

    rule: str
    text: str
    problem: str


def run_examples(rules: Iterable[Rule]) -> Iterator[Example]:
    """Every `fix`, `keep` and `known_failure` of these rules, each by its rule alone."""
    for rule in rules:
        alone = Normalizer(Config(Level.UNSAFE, (rule.id,)))
        for fix in rule.fixes:
            yield Example(rule.id, fix.bad, _fix_problem(alone, rule, fix))
        for text in rule.keeps:
            outcome = alone(text)
            found = [*outcome.patch.edits, *outcome.findings]
            yield Example(rule.id, text, f"keep {text!r} gives {found[0]}" if found else "")
        for fix in rule.known_failures:
            works = not _fix_problem(alone, rule, fix)
            yield Example(rule.id, fix.bad, f"known_failure {fix.bad!r} works now: make it a fix" if works else "")


def _fix_problem(alone: Normalizer, rule: Rule, fix: Fix) -> str:
    outcome = alone(fix.bad)
    level = fix.level or rule.level
    found = [*outcome.patch.edits, *outcome.findings]
    if len(found) != fix.count:
        return f"fix {fix.bad!r} gives {len(found)} findings, not {fix.count}"
    if any(f.level is not level for f in found):
        return f"fix {fix.bad!r} is at {', '.join(sorted({str(f.level) for f in found}))}, not {level}"
    repaired = fix.bad
    for f in sorted(found, key=lambda f: -f.start):
        if f.after is None:
            return f"fix {fix.bad!r} has a finding without a repair"
        if (
            rule.kind == "pattern"
            and f.before
            and f.after
            and (f.before[:1] == f.after[:1] or f.before[-1:] == f.after[-1:])
        ):
            return f"fix {fix.bad!r}: edit {f.before!r} → {f.after!r} is wider than what changes"
        repaired = repaired[: f.start] + f.after + repaired[f.end :]
    if repaired != fix.good:
        return f"fix {fix.bad!r} gives {repaired!r}, not {fix.good!r}"
    again = alone(fix.good)
    if again.patch or again.findings:
        return f"fix {fix.good!r} is changed again"
    if outcome.undo() != fix.bad:
        return f"fix {fix.bad!r} is not undone"
    return ""
