"""A rule file that is wrong is refused with file, key and remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from normalizer.kinds import build
from normalizer.rulebook import RuleError, parse, rulebook

GOOD: dict[str, Any] = {
    "schema": 1, "id": "SPC999", "name": "a-rule", "title": "t", "why": "w", "stage": "spacing", "kind": "pattern",
    "status": "stable", "level": "safe", "match": {"pattern": "a", "replace": "b"},
    "fix": [{"bad": "a", "good": "b"}], "keep": [{"text": "c"}],
}  # fmt: skip
PATH = Path("SPC999-a-rule.toml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"titel": "x"}, "titel: unknown key; did you mean title"),
        ({"id": "X1"}, "id: must be three capital letters"),
        ({"name": "other"}, "the file must be called SPC999-other.toml"),
        ({"stage": "nowhere"}, "stage: 'nowhere' is not one of"),
        ({"kind": "magic"}, "kind: 'magic' is not one of"),
        ({"level": "sure"}, "level: 'sure' is not one of"),
        ({"schema": 2}, "schema: this version reads schema 1"),
        ({"fix": []}, "fix: needs at least one example"),
        ({"keep": []}, "keep: needs at least one example"),
        ({"keep": [{"txt": "c"}]}, "keep 1: unknown key 'txt'"),
        ({"fix": [{"bad": "a"}]}, "fix 1: needs both"),
    ],
)
def test_schema(change: dict[str, Any], message: str) -> None:
    with pytest.raises(RuleError, match=message) as caught:
        parse(PATH, GOOD | change, rulebook().stages)
    assert "SPC999-a-rule.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("match", "message"),
    [
        ({"pattern": "a", "replace": "b", "regon": "x"}, "match.regon: unknown key; did you mean region"),
        ({"replace": "b"}, "match.pattern: missing"),
        ({"pattern": "{{hann}}", "replace": ""}, "unknown class"),
        ({"pattern": "a*", "replace": ""}, "may match nothing"),
        ({"pattern": "(?:ab)+", "replace": ""}, "unbounded repeat over a group"),
        ({"pattern": "(", "replace": ""}, "not a regular expression"),
    ],
)
def test_patterns(match: dict[str, Any], message: str) -> None:
    with pytest.raises(RuleError, match=message):
        build(parse(PATH, GOOD | {"match": match}, rulebook().stages), rulebook().classes)
