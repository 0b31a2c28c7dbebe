"""The verb undo: gives back what a log tells of, one file or a whole batch."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..messages import Messages
from .app import EXIT_ERROR, cli
from .run import split

if TYPE_CHECKING:
    from ..ledger import FileEntry


@cli.command()
@click.argument("log", metavar="LOG")
@click.argument("file", metavar="[FILE]", required=False)
@click.option(
    "--only", multiple=True, metavar="RULE|N", help="Take back only edits of this rule, or the edit of this number."
)
@click.option("-o", "--output", metavar="PATH", help="Write the result here (default: standard output).")
@click.option("-i", "--in-place", is_flag=True, help="Write the file back.")
@click.option("--lang", metavar="zh|en")
def undo(
    log: str, file: str | None, only: tuple[str, ...], output: str | None, in_place: bool, lang: str | None
) -> None:
    """Give back the original of a repaired FILE, or take back only some of the edits in LOG.

    Without FILE and with --in-place, every file in the log; files that cannot be given back are named, the others are.
    """
    from .. import ledger
    from ..document import DocumentError, read_bytes, write_bytes

    words = Messages(lang)
    try:
        entries = list(ledger.read(read_bytes(Path(log)).decode("utf-8", "surrogatepass").split("\n"), log))
        if file is None:
            if not in_place or output or any(o.isdigit() for o in split(only)):
                raise click.UsageError(
                    "without FILE, undo takes back a whole batch: it needs --in-place, and rules only"
                )
            raise SystemExit(_batch(entries, split(only), words))
        data = read_bytes(Path(file))
        digest = ledger.sha256(data)
        chosen = (
            [e for e in entries if e.record["sha256_after"] == digest and e.path == file]
            or [e for e in entries if e.record["sha256_after"] == digest]
            or [e for e in entries if e.path == file]
            or (entries if len(entries) == 1 else [])
        )
        if not chosen:
            raise ledger.LedgerError(
                words["not_in_log"].format(path=file, known=", ".join(e.path for e in entries[:5]))
            )
        original = ledger.undo_bytes(chosen[0], data, file, split(only))
        if output or in_place:
            write_bytes(Path(output or file), original)
            click.echo(words["restored"].format(path=output or file), err=True)
        else:
            sys.stdout.buffer.write(original)
            sys.stdout.flush()
    except (ledger.LedgerError, DocumentError) as error:
        click.echo(words["undecoded"] + str(error), err=True)
        raise SystemExit(EXIT_ERROR) from None


def _batch(entries: list[FileEntry], only: list[str], words: Messages) -> int:
    """Gives back every file of a log; what was never written, or had no edit, is passed over."""
    from .. import ledger
    from ..document import DocumentError, read_bytes, write_bytes

    failed = False
    for entry in entries:
        path = Path(entry.path)
        wanted = [o for o in only if any(r.startswith(o) for note in entry.patch.notes for r in note.rules)]
        if not entry.patch or (only and not wanted):
            continue
        try:
            data = read_bytes(path)
            if ledger.sha256(data) == entry.record["sha256_before"]:
                continue
            write_bytes(path, ledger.undo_bytes(entry, data, entry.path, wanted))
            click.echo(words["restored"].format(path=path), err=True)
        except (ledger.LedgerError, DocumentError) as error:
            click.echo(words["undecoded"] + str(error), err=True)
            failed = True
    return EXIT_ERROR if failed else 0
