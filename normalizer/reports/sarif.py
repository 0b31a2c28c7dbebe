"""Findings as SARIF 2.1.0, which code hosts read."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from .. import __version__
from ..edit import Edit, Level
from ..ledger import Lines
from ..messages import Messages
from ..pipeline import Finding
from ..rulebook import Rule, Rulebook
from .text import evidence_line, visible

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Level.SAFE: "warning", Level.UNSAFE: "warning", Level.SUGGEST: "note"}
# Code points each side that go into a fingerprint: enough to tell places apart, few enough to outlive other changes.
_AROUND = 8


@dataclass(frozen=True, slots=True)
class Reported:
    """The findings of one file, in order of place."""

    path: str
    source: str
    items: Sequence[Edit | Finding]


def render(files: Sequence[Reported], book: Rulebook, words: Messages) -> str:
    """One run. Columns and offsets are code points, lines and columns count from 1."""
    used = sorted({item.rules[0] for file in files for item in file.items})
    index = {rule: n for n, rule in enumerate(used)}
    results = [r for file in files for r in _results(file, index, book, words)]
    log = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "jiaokan",
                        "version": __version__,
                        "rules": [_rule(book.rule(r), words) for r in used],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }
    return json.dumps(log, ensure_ascii=False, indent=1) + "\n"


def _rule(rule: Rule, words: Messages) -> dict[str, Any]:
    title = rule.title if words.chinese else rule.name.replace("-", " ")
    return {
        "id": rule.id,
        "name": "".join(part.capitalize() for part in rule.name.split("-")),
        "shortDescription": {"text": title},
        "fullDescription": {"text": rule.why},
    }


def _results(file: Reported, index: dict[str, int], book: Rulebook, words: Messages) -> list[dict[str, Any]]:
    lines = Lines(file.source)
    uri = quote(PurePath(file.path).as_posix())
    seen: Counter[str] = Counter()
    found = []
    for item in file.items:
        line, column = lines.at(item.start)
        last, end = lines.at(item.end)
        region = {
            "startLine": line, "startColumn": column, "endLine": last, "endColumn": end,
            "charOffset": item.start, "charLength": item.end - item.start,
        }  # fmt: skip
        around = file.source[max(0, item.start - _AROUND) : item.end + _AROUND]
        key = hashlib.sha256("\0".join([*item.rules, file.path, item.before, around]).encode("utf-8", "replace"))
        seen[key.hexdigest()] += 1
        change = visible(item.before)
        if item.after is not None:
            change += " → " + (visible(item.after) or words["nothing"])
        if reason := evidence_line(item.evidence, item.confidence, words):
            change += f" ({reason})"
        place = {"artifactLocation": {"uri": uri}, "region": region}
        result: dict[str, Any] = {
            "ruleId": item.rules[0],
            "ruleIndex": index[item.rules[0]],
            "level": _LEVELS[item.level],
            "message": {"text": f"{change} [{item.level}]"},
            "locations": [{"physicalLocation": place}],
            "partialFingerprints": {"jiaokan/v1": f"{key.hexdigest()[:32]}:{seen[key.hexdigest()]}"},
        }
        if item.after is not None:
            replacement = {"deletedRegion": region, "insertedContent": {"text": item.after}}
            change_here = {"artifactLocation": {"uri": uri}, "replacements": [replacement]}
            result["fixes"] = [{"description": {"text": change}, "artifactChanges": [change_here]}]
        found.append(result)
    return found
