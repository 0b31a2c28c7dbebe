"""Verbs that read files: fix, check, diff."""

from __future__ import annotations

import contextlib
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .app import EXIT_FOUND, cli
from .run import Run, rule_options

if TYPE_CHECKING:
    from ..batch import Result
    from ..ledger import LedgerWriter
    from ..pipeline import Normalizer, Outcome


@contextlib.contextmanager
def _log(path: str | None, context: str, normalizer: Normalizer) -> Iterator[LedgerWriter | None]:
    """The log of this run. A log that cannot be written is found out before a file is changed."""
    if path is None:
        yield None
        return
    from ..document import DocumentError
    from ..ledger import LedgerWriter

    if context != "none" and not context.isdigit():
        raise click.UsageError(f"--log-context takes a number or none, not {context!r}")
    with contextlib.ExitStack() as stack:
        try:
            out = stack.enter_context(Path(path).open("w", encoding="utf-8", errors="surrogatepass", newline="\n"))
        except OSError as error:
            raise DocumentError(f"{path}: the log cannot be written: {error.strerror}; no file was changed") from None
        writer = LedgerWriter(out, normalizer, None if context == "none" else int(context))
        writer.begin()
        try:
            yield writer
        finally:
            writer.end()


@cli.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE|FOLDER|-…")
@click.option("-o", "--output", metavar="PATH", help="Write the repaired text here.")
@click.option("-i", "--in-place", is_flag=True, help="Write each file back; exit 1 when one changed.")
@click.option("--backup", metavar="SUFFIX", help="With --in-place: keep each old file under its name and this suffix.")
@click.option("--log", metavar="PATH", help="Write the edit log (JSON Lines) here.")
@click.option(
    "--log-context", default="10", show_default=True, metavar="N|none", help="Characters around each edit in the log."
)
@click.option("--stdin-filename", default="<stdin>", metavar="NAME", help="What to call standard input.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 even when files were changed.")
@rule_options
def fix(
    files: tuple[str, ...], output: str | None, in_place: bool, backup: str | None, log: str | None, log_context: str,
    stdin_filename: str, exit_zero: bool, **options: Any,
) -> None:  # fmt: skip
    """Repair files: prints the text, or writes it with -o or --in-place."""
    from ..document import DocumentError, write_bytes

    run = Run(options, cached=in_place, listing=log is not None)
    if output is not None and (len(files) > 1 or in_place):
        raise click.UsageError(run.words["one_output"])
    if in_place and "-" in files:
        raise click.UsageError(run.words["stdin_in_place"])
    if backup is not None and (not in_place or not backup or "/" in backup):
        raise click.UsageError("--backup takes a suffix such as .orig and goes with --in-place")
    if output is not None and files[0] != "-" and os.path.realpath(output) == os.path.realpath(files[0]):
        raise click.UsageError(run.words["same_output"].format(path=output))
    try:
        with _log(log, log_context, run.normalizer) as writer:
            for result in run.results(files, stdin_filename):
                document, outcome = result.document, result.outcome
                assert document is not None and outcome is not None
                if writer:
                    # written before the file is, so that the log tells of every file that may have changed
                    writer.file(document, outcome, result.data, result.repaired)
                    writer.sync()
                if in_place:
                    if outcome.patch:
                        _replace(run, result, backup, writer)
                elif output is not None:
                    write_bytes(Path(output), result.repaired)
                else:
                    sys.stdout.buffer.write(result.repaired)
                if not in_place:
                    run.say("summary", edits=len(outcome.patch), findings=len(outcome.findings), name=document.name)
        sys.stdout.flush()
    except DocumentError as error:
        run.error(str(error))
    if in_place and run.files > 1:
        run.say("total", files=run.files, changed=run.changed, edits=run.edits, findings=run.findings)
    run.finish(EXIT_FOUND if in_place and run.changed and not exit_zero else 0)


def _replace(run: Run, result: Result, backup: str | None, writer: LedgerWriter | None) -> None:
    """Writes one file back if it still is what was read; a failure is reported and the others are still done."""
    from ..document import DocumentError, read_bytes, write_bytes

    path = Path(result.name)
    assert result.outcome is not None
    try:
        if read_bytes(path) != result.data:
            raise DocumentError(f"{path}: was changed while it was being read; nothing written, run again")
        if backup:
            write_bytes(path.with_name(path.name + backup), result.data)
        write_bytes(path, result.repaired)
    except DocumentError as error:
        run.error(str(error))
        run.changed -= 1
        if writer:
            writer.failed(result.name, str(error))
    else:
        run.say("fixed", path=path, counts=_counts(result.outcome))


def _counts(outcome: Outcome) -> str:
    rules = Counter(r for note in outcome.patch.notes for r in note.rules)
    return ", ".join(f"{rule} {count}" for rule, count in sorted(rules.items()))


@cli.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE|FOLDER|-…")
@click.option("--format", "form", type=click.Choice(["text", "jsonl", "sarif", "github"]), default="text",
              show_default=True, help="For people, as the log, for code hosts, or as annotations of GitHub Actions.")  # fmt: skip
@click.option("--baseline", "baseline_path", metavar="PATH",
              help="Leave out what this baseline has (default: .jiaokan-baseline.jsonl, where there is one).")  # fmt: skip
@click.option("--show-suggestions/--hide-suggestions", default=True, help="Also list what only a person decides.")
@click.option("--no-context", is_flag=True, help="One line each, without the place.")
@click.option("--stdin-filename", default="<stdin>", metavar="NAME", help="What to call standard input.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 even with findings.")
@rule_options
def check(
    files: tuple[str, ...], form: str, baseline_path: str | None, show_suggestions: bool, no_context: bool, stdin_filename: str, exit_zero: bool,
    **options: Any,
) -> None:  # fmt: skip
    """List what would be repaired; exit 1 when there is something at or above the level."""
    from ..baseline import NAME, Baseline
    from ..edit import Edit
    from ..reports import github, sarif, text

    run = Run(options, cached=True)
    chosen = Path(baseline_path or NAME)
    baseline = Baseline.read(chosen) if baseline_path or chosen.is_file() else None
    new = 0
    writer = None
    if form == "jsonl":
        from ..ledger import LedgerWriter

        writer = LedgerWriter(sys.stdout, run.normalizer)
        writer.begin()
    book = run.normalizer.book
    collected: list[sarif.Reported] = []
    for result in run.results(files, stdin_filename):
        document, outcome = result.document, result.outcome
        assert document is not None and outcome is not None
        held = outcome.findings if show_suggestions else ()
        items: list[Any] = sorted([*outcome.patch.edits, *held], key=lambda f: (f.start, f.end))
        if baseline:
            items = baseline.new(document.name, document.text, items)
        new += sum(isinstance(item, Edit) for item in items)
        if writer:
            writer.file(document, outcome, result.data, result.repaired)
        elif form == "sarif":
            collected.append(sarif.Reported(document.name, document.text, items))
        elif form == "github":
            click.echo(github.render(document.name, document.text, items, book, run.words), nl=False)
        else:
            click.echo(text.render(document.name, document.text, items, book, run.words, not no_context), nl=False)
    if writer:
        writer.end()
    if form == "sarif":
        click.echo(sarif.render(collected, book, run.words), nl=False)
    run.say("total", files=run.files, changed=run.changed, edits=run.edits, findings=run.findings)
    if baseline and (stale := baseline.stale()):
        run.say("stale", path=chosen, count=len(stale))
    run.finish(EXIT_FOUND if new and not exit_zero else 0)


@cli.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE|FOLDER…")
@click.option("-o", "--output", metavar="PATH", help="Where the baseline is (default: .jiaokan-baseline.jsonl).")
@click.option("--update", is_flag=True, help="Take out what is gone; nothing is added.")
@rule_options
def baseline(files: tuple[str, ...], output: str | None, update: bool, **options: Any) -> None:
    """Write down what `check` finds now, so that from then on it tells only of what is new."""
    from ..baseline import NAME, Baseline

    run = Run(options)
    path = Path(output or NAME)
    known = Baseline.read(path) if update else Baseline()
    for result in run.results(files):
        document, outcome = result.document, result.outcome
        assert document is not None and outcome is not None
        items = [*outcome.patch.edits, *outcome.findings]
        if update:
            known.new(document.name, document.text, items)
        else:
            known.add(document.name, document.text, items)
    if update:
        known.shrink()
    if not run.failed:
        known.write(path)
        run.say("baseline", path=path, count=sum(record["count"] for record in known.records.values()))
    run.finish()


@cli.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE|FOLDER|-…")
@click.option("--stdin-filename", default="stdin", metavar="NAME", help="What to call standard input.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 even with a difference.")
@rule_options
def diff(files: tuple[str, ...], stdin_filename: str, exit_zero: bool, **options: Any) -> None:
    """Show the repair as a unified diff that `patch -p1` applies; exit 1 when there is one."""
    from ..reports import diff as renderer

    run = Run(options, cached=True, listing=False)
    for result in run.results(files, stdin_filename):
        document, outcome = result.document, result.outcome
        assert document is not None and outcome is not None
        rendered = renderer.render(document.name, document.text, outcome.text)
        try:
            sys.stdout.buffer.write(rendered.encode(document.encoding if not document.bom else "utf-8"))
        except UnicodeEncodeError as error:
            run.error(f"{document.name}: {document.encoding} has no {rendered[error.start]!r}; convert to UTF-8 first")
    sys.stdout.flush()
    run.finish(EXIT_FOUND if run.changed and not exit_zero else 0)
