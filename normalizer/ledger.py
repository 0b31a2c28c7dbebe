"""The edit log: JSON Lines with typed records (run, file, edit, finding, summary); written, read and undone."""

from __future__ import annotations

import hashlib
import json
import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import IO, Any

from . import __version__
from .document import Document, DocumentError
from .edit import Edit, Patch
from .pipeline import Normalizer, Outcome

SCHEMA = 1


class LedgerError(Exception):
    """A log that cannot be read, or that does not belong to the file; the message says what to do."""


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Lines:
    """Line and column (both from 1, columns in code points) of offsets in a text; lines end at \\n, \\r\\n and \\r."""

    def __init__(self, text: str) -> None:
        whole = text.replace("\r\n", "\r\0").replace("\r", "\n").replace("\n\0", "\0\n") if "\r" in text else text
        self._starts = [0, *accumulate(len(part) + 1 for part in whole.split("\n")[:-1])]

    def at(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


@dataclass(frozen=True, slots=True)
class FileEntry:
    """What the log says of one file: its `file` record and the patch that its edits make up.

    complete: False for the last file of a run that was killed while it wrote the log; the file itself was not touched.
    """

    record: dict[str, Any]
    patch: Patch
    complete: bool = True

    @property
    def path(self) -> str:
        return str(self.record["path"])


@dataclass(slots=True)
class LedgerWriter:
    """Writes one log for any number of files; `context` code points either side of each edit, None for none."""

    out: IO[str]
    normalizer: Normalizer
    context: int | None = 10
    _files: int = 0
    _edits: int = 0
    _findings: int = 0
    _rules: dict[str, int] = field(default_factory=dict)

    def begin(self) -> None:
        config = self.normalizer.config
        self._put(
            type="run", schema=SCHEMA, tool="jiaokan", version=__version__, rules_digest=self.normalizer.book.digest,
            options={"level": str(config.level), "select": list(config.select), "ignore": list(config.ignore)},
        )  # fmt: skip

    def file(self, document: Document, outcome: Outcome, before: bytes, after: bytes) -> None:
        """The records of one file: its own, and one each for its edits and findings."""
        path = document.name
        self._put(
            type="file", path=path, sha256_before=sha256(before), sha256_after=sha256(after),
            encoding=document.encoding, bom=bool(document.bom), newline=document.newline,
            edits=len(outcome.patch), findings=len(outcome.findings),
        )  # fmt: skip
        lines = Lines(outcome.source)
        out_start, out_end = outcome.patch.out_start.tolist(), outcome.patch.out_end.tolist()
        for n, (edit, a, b) in enumerate(zip(outcome.patch.edits, out_start, out_end, strict=True), 1):
            line, column = lines.at(edit.start)
            record = {"type": "edit", "n": n, "path": path, **edit.to_json(), "out_start": a, "out_end": b}
            self._put(**record, line=line, col=column, **self._around(outcome.source, edit.start, edit.end))
            for rule in edit.rules:
                self._rules[rule] = self._rules.get(rule, 0) + 1
        for f in outcome.findings:
            line, column = lines.at(f.start)
            self._put(
                type="finding", path=path, start=f.start, end=f.end, before=f.before, after=f.after,
                rules=list(f.rules), level=str(f.level), confidence=f.confidence, evidence=dict(f.evidence),
                shadowed_by=f.shadowed_by or None, line=line, col=column,
                **self._around(outcome.source, f.start, f.end),
            )  # fmt: skip
        self._files += 1
        self._edits += len(outcome.patch)
        self._findings += len(outcome.findings)

    def failed(self, path: str, message: str) -> None:
        """A file told of before could not be written: it is as it was."""
        self._put(type="error", path=path, message=message)

    def sync(self) -> None:
        """Sees to it that what was written outlives a crash."""
        self.out.flush()
        os.fsync(self.out.fileno())

    def end(self) -> None:
        self._put(type="summary", files=self._files, edits=self._edits, findings=self._findings, by_rule=self._rules)

    def _around(self, text: str, start: int, end: int) -> dict[str, str]:
        if self.context is None:
            return {}
        return {"left": text[max(0, start - self.context) : start], "right": text[end : end + self.context]}

    def _put(self, **record: Any) -> None:
        self.out.write(json.dumps(record, ensure_ascii=False) + "\n")


def read(lines: Iterable[str], name: str) -> Iterator[FileEntry]:
    """The files of a log. Raises LedgerError that names the line for what is not a log of ours."""
    record: dict[str, Any] | None = None
    edits: list[Edit] = []
    seen_run = finished = False
    lines = list(lines)
    # a run that was killed leaves a line half written: its file had not been touched yet
    if lines and lines[-1].strip():
        lines[-1] = "" if not lines[-1].endswith("}") else lines[-1]

    def entry() -> FileEntry:
        assert record is not None
        if len(edits) != record["edits"]:
            raise LedgerError(f"{name}: {record['path']}: {record['edits']} edits announced, {len(edits)} found; "
                              "the log was cut short or changed")  # fmt: skip
        return FileEntry(record, Patch.of(edits))

    for n, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
            kind = data["type"]
            if kind == "run":
                if data.get("tool") != "jiaokan" or data.get("schema") != SCHEMA:
                    raise LedgerError(f"{name}:{n}: a log of {data.get('tool')} schema {data.get('schema')}; "
                                      f"this version reads jiaokan schema {SCHEMA}")  # fmt: skip
                seen_run = True
            elif kind == "file":
                if record is not None:
                    yield entry()
                record, edits = data, []
                record["path"], record["edits"], record["sha256_after"]
            elif kind == "summary":
                finished = True
            elif kind == "edit":
                edits.append(Edit.from_json(data))
        except (ValueError, KeyError, TypeError) as error:
            raise LedgerError(f"{name}:{n}: not a jiaokan log ({error})") from None
        if not seen_run:
            raise LedgerError(f"{name}:{n}: not a jiaokan log: its first record must be of type run")
    if record is None:
        raise LedgerError(f"{name}: the log names no file")
    if finished or len(edits) == record["edits"]:
        yield entry()
    else:
        yield FileEntry(record, Patch.of(edits), complete=False)


def undo_bytes(entry: FileEntry, data: bytes, name: str, only: Iterable[str] = ()) -> bytes:
    """The bytes before the edits of a log entry, or with only some of them taken back.

    only: rule ids (or prefixes) and edit numbers as the log counts them. Raises LedgerError when the file is not what
    the log says it was after the repair, or when nothing answers to a rule or number.
    """
    if sha256(data) != entry.record["sha256_after"]:
        if sha256(data) == entry.record["sha256_before"]:
            raise LedgerError(f"{name}: this is the file before the repair; there is nothing to undo")
        raise LedgerError(f"{name}: was changed after the repair, or is not the file of this log ({entry.path}); "
                          "undo needs the very bytes that jiaokan wrote")  # fmt: skip
    if not entry.complete:
        raise LedgerError(f"{name}: {entry.record['edits']} edits announced, {len(entry.patch)} found; "
                          "the log was cut short")  # fmt: skip
    bom = bool(entry.record.get("bom"))
    document = Document.decode(data, None if bom else entry.record["encoding"], name)
    wanted = tuple(only)
    indices: list[int] | None = None
    if wanted:
        indices = []
        for item in wanted:
            if item.isdigit():
                if not 1 <= int(item) <= len(entry.patch):
                    raise LedgerError(f"{name}: the log has edits 1 to {len(entry.patch)}, not {item}")
                indices.append(int(item) - 1)
                continue
            hits = [i for i, note in enumerate(entry.patch.notes) if any(r.startswith(item) for r in note.rules)]
            if not hits:
                raise LedgerError(f"{name}: no edit in the log is of rule {item}")
            indices += hits
    try:
        return document.encode(entry.patch.undo(document.text, indices))
    except (ValueError, DocumentError) as error:
        raise LedgerError(f"{name}: the log does not fit the file: {error}") from None
