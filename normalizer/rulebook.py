"""The rule files of rules/: read, checked against the schema, and made into Rule objects."""

from __future__ import annotations

import difflib
import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from .edit import Level

SCHEMA = 1
KINDS = ("table", "pattern", "encoding", "layout", "quotes", "width", "substitution", "suppression")
STATUSES = ("preview", "stable", "deprecated")
SEVERITIES = ("error", "warning", "note")
_ID = re.compile(r"[A-Z]{3}[0-9]{3}")
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_TEXT_KEYS = {"id", "name", "title", "summary", "why", "stage", "kind", "status", "level", "severity", "since"}
_KEYS = _TEXT_KEYS | {
    "schema", "priority", "default", "profiles", "tags", "match", "guard", "provenance", "fix", "keep", "known_failure",
}  # fmt: skip
_REQUIRED = ("schema", "id", "name", "title", "why", "stage", "kind", "status", "level")
_EXAMPLE_KEYS = {"fix": {"bad", "good", "count", "level", "why"}, "keep": {"text", "why"},
                 "known_failure": {"bad", "good", "why"}}  # fmt: skip


class RuleError(Exception):
    """A rule file that does not hold to the schema; the message names file, key and remedy."""


@dataclass(frozen=True, slots=True)
class Fix:
    """An example of damage and its repair. level: the level that repairs it (default: the rule's own)."""

    bad: str
    good: str
    count: int = 1
    level: Level | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as data; `kinds` turns it into code. `default` is False for rules that must be selected to run."""

    id: str
    name: str
    title: str
    why: str
    stage: str
    kind: str
    status: str
    level: Level
    path: Path
    priority: int = 0
    default: bool = True
    summary: str = ""
    severity: str = "warning"
    profiles: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    since: str = ""
    match: Mapping[str, Any] = field(default_factory=dict)
    guard: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    fixes: tuple[Fix, ...] = ()
    keeps: tuple[str, ...] = ()
    known_failures: tuple[Fix, ...] = ()

    def error(self, key: str, problem: str) -> RuleError:
        return RuleError(f"{self.path}: {key}: {problem}")


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All rules in stage order, the regex classes they name, and a digest of the files they came from."""

    rules: tuple[Rule, ...]
    stages: tuple[str, ...]
    classes: Mapping[str, str]
    digest: str

    def rule(self, rule_id: str) -> Rule:
        """The rule of this id. Raises KeyError that names the nearest one."""
        for rule in self.rules:
            if rule_id in (rule.id, rule.name):
                return rule
        near = difflib.get_close_matches(rule_id.upper(), [r.id for r in self.rules], 1, 0.5)
        raise KeyError(f"no rule {rule_id!r}" + (f"; did you mean {near[0]}?" if near else ""))

    def selected(self, select: Iterable[str] | None, ignore: Iterable[str] | None) -> tuple[Rule, ...]:
        """The rules whose id starts with a prefix in `select` (default: all that are on) and none in `ignore`.

        Raises KeyError for a prefix that no rule has.
        """
        wanted = tuple(select or ())
        unwanted = tuple(ignore or ())
        for prefix in (*wanted, *unwanted):
            if prefix != "ALL" and not any(r.id.startswith(prefix) or r.name == prefix for r in self.rules):
                self.rule(prefix)

        def named(rule: Rule, prefixes: tuple[str, ...]) -> bool:
            return any(p == "ALL" or rule.id.startswith(p) or rule.name == p for p in prefixes)

        return tuple(
            r for r in self.rules
            if (named(r, wanted) if wanted else r.default and r.status != "deprecated") and not named(r, unwanted)
        )  # fmt: skip


def rules_folder() -> Path:
    """Where the rule files lie: inside the installed package, or beside it in a checkout or editable install."""
    package = Path(__file__).resolve().parent
    for folder in (package / "rules", package.parent / "rules"):
        if (folder / "pipeline.toml").is_file():
            return folder
    raise RuleError(f"{package}: no rules folder with pipeline.toml beside it; install jiaokan again")


@cache
def rulebook() -> Rulebook:
    """The rules that ship with the package, read once a process."""
    return load(rules_folder())


def load(folder: Path) -> Rulebook:
    """Reads and checks every rule file under a folder. Raises RuleError."""
    digest = hashlib.sha256()
    stages = _read(folder / "pipeline.toml").get("stages")
    if not isinstance(stages, list) or not all(isinstance(s, str) for s in stages):
        raise RuleError(f"{folder / 'pipeline.toml'}: stages: must be a list of stage names")
    classes = _read(folder / "classes.toml")
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".toml", ".tsv"):
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    rules: list[Rule] = []
    seen: dict[str, Path] = {}
    for path in sorted(folder.glob("*/*.toml")):
        rule = parse(path, _read(path), stages)
        if rule.id in seen:
            raise RuleError(f"{path}: id: {rule.id} is taken by {seen[rule.id].name}; ids are never reused")
        seen[rule.id] = path
        rules.append(rule)
    rules.sort(key=lambda r: (stages.index(r.stage), r.id))
    return Rulebook(tuple(rules), tuple(stages), classes, digest.hexdigest())


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise RuleError(f"{path}: missing") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RuleError(f"{path}: not valid TOML: {error}") from None


def parse(path: Path, data: Mapping[str, Any], stages: Iterable[str]) -> Rule:
    """The rule that a parsed file describes. Raises RuleError that names file and key."""

    def fail(key: str, problem: str) -> RuleError:
        return RuleError(f"{path}: {key}: {problem}")

    def one_of(key: str, allowed: Iterable[str]) -> None:
        if data[key] not in allowed:
            raise fail(key, f"{data[key]!r} is not one of {', '.join(allowed)}")

    for key, value in data.items():
        if key not in _KEYS:
            near = difflib.get_close_matches(key, _KEYS, 1)
            raise fail(key, "unknown key" + (f"; did you mean {near[0]}?" if near else ""))
        if key in _TEXT_KEYS and not (isinstance(value, str) and value.strip()):
            raise fail(key, "must be a non-empty string")
    for key in _REQUIRED:
        if key not in data:
            raise fail(key, "missing")
    if data["schema"] != SCHEMA:
        raise fail("schema", f"this version reads schema {SCHEMA}")
    one_of("stage", list(stages))
    one_of("kind", KINDS)
    one_of("status", STATUSES)
    one_of("level", [str(v) for v in Level])
    if not _ID.fullmatch(data["id"]):
        raise fail("id", "must be three capital letters and three digits")
    if not _NAME.fullmatch(data["name"]):
        raise fail("name", "must be kebab-case")
    if path.stem != f"{data['id']}-{data['name']}":
        raise fail("name", f"the file must be called {data['id']}-{data['name']}.toml")
    if data.get("severity", "warning") not in SEVERITIES:
        raise fail("severity", f"must be one of {', '.join(SEVERITIES)}")
    if not isinstance(data.get("priority", 0), int):
        raise fail("priority", "must be a whole number")
    for key, allowed in _EXAMPLE_KEYS.items():
        for n, example in enumerate(data.get(key, []), 1):
            if unknown := set(example) - allowed:
                raise fail(f"{key} {n}", f"unknown key {sorted(unknown)[0]!r}")
            if key != "keep" and not {"bad", "good"} <= set(example):
                raise fail(f"{key} {n}", "needs both bad and good")
            if key == "keep" and "text" not in example:
                raise fail(f"{key} {n}", "needs text")
    if not data.get("fix") or not data.get("keep"):
        raise fail("fix" if not data.get("fix") else "keep", "needs at least one example")

    def examples(key: str) -> tuple[Fix, ...]:
        return tuple(
            Fix(e["bad"], e["good"], e.get("count", 1), Level(e["level"]) if "level" in e else None)
            for e in data.get(key, [])
        )

    return Rule(
        data["id"], data["name"], data["title"], data["why"], data["stage"], data["kind"], data["status"],
        Level(data["level"]), path,
        priority=data.get("priority", 0), default=data.get("default", True), summary=data.get("summary", ""),
        severity=data.get("severity", "warning"), profiles=tuple(data.get("profiles", ())),
        tags=tuple(data.get("tags", ())), since=data.get("since", ""), match=data.get("match", {}),
        guard=data.get("guard", {}), provenance=data.get("provenance", {}), fixes=examples("fix"),
        keeps=tuple(e["text"] for e in data["keep"]), known_failures=examples("known_failure"),
    )  # fmt: skip
