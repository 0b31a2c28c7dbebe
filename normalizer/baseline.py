"""Baseline: findings that a project has seen and lives with, told from new ones by what they are, not where."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from .document import write_bytes
from .edit import Edit
from .pipeline import Finding

NAME = ".jiaokan-baseline.jsonl"
# Code points either side, within the line, that tell one place from another and outlive moved lines.
_AROUND = 8


class BaselineError(Exception):
    """A baseline that cannot be read; the message names file, line and remedy."""


def _record(path: str, source: str, item: Edit | Finding) -> dict[str, Any]:
    left = source[max(0, item.start - _AROUND) : item.start].rpartition("\n")[2]
    right = source[item.end : item.end + _AROUND].partition("\n")[0]
    rule, name = item.rules[0], PurePath(path).as_posix()
    key = hashlib.sha256("\0".join((rule, name, item.before, left, right)).encode("utf-8", "surrogatepass"))
    return {"key": key.hexdigest()[:32], "rule": rule, "path": name, "before": item.before, "after": item.after,
            "left": left, "right": right}  # fmt: skip


@dataclass(slots=True)
class Baseline:
    """The records of a baseline by key, each with its count, and how many of each have been met in this run."""

    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    met: Counter[str] = field(default_factory=Counter)
    paths: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, path: Path) -> Baseline:
        """Raises BaselineError for what is not a baseline."""
        baseline = cls()
        try:
            lines = path.read_text("utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise BaselineError(f"{path}: cannot be read: {error}; make one with jiaokan baseline") from None
        for n, line in enumerate(lines, 1):
            if line.strip():
                try:
                    record = json.loads(line)
                    baseline.records[record["key"]] = record
                    record["count"], record["rule"], record["path"]
                except (ValueError, KeyError, TypeError) as error:
                    raise BaselineError(f"{path}:{n}: not a record of a baseline ({error})") from None
        return baseline

    def new(self, path: str, source: str, items: Sequence[Edit | Finding]) -> list[Edit | Finding]:
        """The items of one file that the baseline does not have, or not so often."""
        self.paths.add(PurePath(path).as_posix())
        left = []
        for item in items:
            key = _record(path, source, item)["key"]
            if self.met[key] < self.records.get(key, {"count": 0})["count"]:
                self.met[key] += 1
            else:
                left.append(item)
        return left

    def add(self, path: str, source: str, items: Iterable[Edit | Finding]) -> None:
        for item in items:
            record = _record(path, source, item)
            kept = self.records.setdefault(record["key"], {**record, "count": 0})
            kept["count"] += 1

    def stale(self) -> list[dict[str, Any]]:
        """Records of files read in this run that were met less often than the baseline says."""
        return [r for k, r in self.records.items() if r["path"] in self.paths and self.met[k] < r["count"]]

    def shrink(self) -> None:
        """Takes out what was not met in the files read; nothing is ever added."""
        for record in self.stale():
            record["count"] = self.met[record["key"]]
        self.records = {k: r for k, r in self.records.items() if r["count"]}

    def write(self, path: Path) -> None:
        """One record a line, sorted by path, rule and text, so that differences are easy to read."""
        ordered = sorted(self.records.values(), key=lambda r: (r["path"], r["rule"], r["left"], r["before"], r["key"]))
        write_bytes(path, "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in ordered).encode())
