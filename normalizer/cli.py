"""The command `jiaokan`: verbs, streams and exit codes."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from . import __version__
from .messages import Messages

if TYPE_CHECKING:
    from .document import Document
    from .ledger import LedgerWriter
    from .pipeline import Normalizer, Outcome

EXIT_FOUND = 1
EXIT_ERROR = 2
F = TypeVar("F", bound=Callable[..., Any])


class _Verbs(click.Group):
    """A group that filters standard input when no verb is given."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {"--version", "--help", "-h"}
        verbless = not any(a in self.commands for a in args) and not own & set(args)
        if verbless and (args or not sys.stdin.isatty()):
            if unknown := next((a for a in args if not a.startswith("-") and not _is_value(a, args)), None):
                ctx.fail(f"no such command {unknown!r}; to repair a file: jiaokan fix {unknown}")
            args = ["fix", *args, "-"]
        return super().parse_args(ctx, args)


def _is_value(word: str, args: list[str]) -> bool:
    i = args.index(word)
    return i > 0 and args[i - 1].startswith("-") and "=" not in args[i - 1]


def _rule_options(command: F) -> F:
    for option in (
        click.option("--select", multiple=True, metavar="ID", help="Run only these rules (id, prefix or name; ALL)."),
        click.option("--ignore", multiple=True, metavar="ID", help="Do not run these rules."),
        click.option("--level", type=click.Choice(["safe", "unsafe"]), default="safe", show_default=True,
                     help="Which edits are made."),
        click.option("--assume-infected", "assume", is_flag=False, flag_value="any", default="", metavar="[FAMILY]",
                     help="Take words as substituted without asking whether the text was damaged."),
        click.option("--pairs", multiple=True, metavar="TSV", help="Further pairs: columns substitute and source."),
        click.option("--without", multiple=True, metavar="NAME", help="Leave out a family, or a pair such as 发展→开展."),
        click.option("--protect", multiple=True, metavar="WORD|@FILE",
                     help="Never touch this string, or the strings in a file, one a line."),
        click.option("--encoding", metavar="NAME", help="utf-8 (default), gb18030, big5, … or auto."),
        click.option("--lang", metavar="zh|en", help="Language of messages (default: the locale's)."),
        click.option("--statistics", is_flag=True, help="Counts by rule, on stderr."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group(cls=_Verbs, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="jiaokan")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Gives damaged Chinese text back its original words.

    Without a verb, filters standard input to standard output: jiaokan < damaged.txt > repaired.txt
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


class _Run:
    """One call of the command: the rules, the messages, and what has happened so far."""

    def __init__(self, options: dict[str, Any]) -> None:
        from .kinds import Settings
        from .pipeline import Config, Normalizer

        self.words = Messages(options["lang"])
        self.encoding: str | None = options["encoding"]
        self.statistics: bool = options["statistics"]
        try:
            settings = Settings(options["assume"], tuple(options["pairs"]), tuple(_split(options["without"])))
            protect = [word for value in options["protect"] for word in _words(value)]
            self.normalizer: Normalizer = Normalizer(
                Config.of(options["level"], _split(options["select"]), _split(options["ignore"]), protect, settings)
            )
        except KeyError as error:
            raise click.UsageError(str(error.args[0])) from None
        self.files = self.changed = self.edits = self.findings = 0
        self.failed = False
        self.rules: Counter[str] = Counter()

    def outcomes(
        self, paths: tuple[str, ...], name: str = "<stdin>"
    ) -> Iterator[tuple[Path | None, Document, Outcome, bytes]]:
        """Each file in turn; one that cannot be read is reported, and the others are still done."""
        from .document import Document, DocumentError, read_bytes

        for path in paths:
            try:
                data = sys.stdin.buffer.read() if path == "-" else read_bytes(Path(path))
                document = Document.decode(data, self.encoding, name if path == "-" else path)
                if document.detected:
                    self.say("detected", path=document.name, encoding=document.encoding)
                outcome = self.normalizer(document.text)
                self.files += 1
                self.changed += bool(outcome.patch)
                self.edits += len(outcome.patch)
                self.findings += len(outcome.findings)
                self.rules.update(r for note in outcome.patch.notes for r in note.rules)
                yield (None if path == "-" else Path(path)), document, outcome, data
            except DocumentError as error:
                self.error(str(error))

    def say(self, key: str, **values: object) -> None:
        click.echo(self.words[key].format(**values), err=True)

    def error(self, message: str) -> None:
        click.echo(self.words["undecoded"] + message, err=True)
        self.failed = True

    def finish(self, code: int = 0) -> None:
        if self.statistics:
            for rule, count in sorted(self.rules.items(), key=lambda r: (-r[1], r[0])):
                click.echo(f"{count:8d} {rule} {self.normalizer.book.rule(rule).name}", err=True)
        raise SystemExit(EXIT_ERROR if self.failed else code)


def _words(value: str) -> list[str]:
    """A protected string, or those of the file that @ names."""
    if not value.startswith("@"):
        return [value]
    try:
        return [line.strip() for line in Path(value[1:]).read_text("utf-8").split("\n") if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"--protect {value}: {error}") from None


def _split(values: tuple[str, ...]) -> list[str]:
    return [v.strip() for value in values for v in value.split(",") if v.strip()]


@contextlib.contextmanager
def _log(path: str | None, context: str, normalizer: Normalizer) -> Iterator[LedgerWriter | None]:
    """The log of this run; every file it changes is in it."""
    if path is None:
        yield None
        return
    import io

    from .document import write_bytes
    from .ledger import LedgerWriter

    if context != "none" and not context.isdigit():
        raise click.UsageError(f"--log-context takes a number or none, not {context!r}")
    buffer = io.StringIO()
    writer = LedgerWriter(buffer, normalizer, None if context == "none" else int(context))
    writer.begin()

    def save() -> None:
        write_bytes(Path(path), buffer.getvalue().encode("utf-8", "surrogatepass"))

    # A log that cannot be written is found out before a file is changed; one that is cut short by Ctrl-C or an error
    # still tells of the files that were changed.
    save()
    try:
        yield writer
    finally:
        writer.end()
        save()


@cli.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE|-…")
@click.option("-o", "--output", metavar="PATH", help="Write the repaired text here.")
@click.option("-i", "--in-place", is_flag=True, help="Write each file back; exit 1 when one changed.")
@click.option("--log", metavar="PATH", help="Write the edit log (JSON Lines) here.")
@click.option(
    "--log-context", default="10", show_default=True, metavar="N|none", help="Characters around each edit in the log."
)
@click.option("--stdin-filename", default="<stdin>", metavar="NAME", help="What to call standard input.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 even when files were changed.")
@_rule_options
def fix(
    files: tuple[str, ...], output: str | None, in_place: bool, log: str | None, log_context: str,
    stdin_filename: str, exit_zero: bool, **options: Any,
) -> None:  # fmt: skip
    """Repair files: prints the text, or writes it with -o or --in-place."""
    from .document import DocumentError, write_bytes

    run = _Run(options)
    if output is not None and (len(files) > 1 or in_place):
        raise click.UsageError(run.words["one_output"])
    if in_place and "-" in files:
        raise click.UsageError(run.words["stdin_in_place"])
    if output is not None and files[0] != "-" and os.path.realpath(output) == os.path.realpath(files[0]):
        raise click.UsageError(run.words["same_output"].format(path=output))
    try:
        with _log(log, log_context, run.normalizer) as writer:
            for path, document, outcome, data in run.outcomes(files, stdin_filename):
                repaired = document.encode(outcome.text) if outcome.patch else data
                if in_place and path is not None:
                    if outcome.patch:
                        write_bytes(path, repaired)
                        run.say("fixed", path=path, counts=_counts(outcome))
                elif output is not None:
                    write_bytes(Path(output), repaired)
                else:
                    sys.stdout.buffer.write(repaired)
                if writer:
                    writer.file(document, outcome, data, repaired)
                if not in_place:
                    run.say("summary", edits=len(outcome.patch), findings=len(outcome.findings), name=document.name)
        sys.stdout.flush()
    except DocumentError as error:
        run.error(str(error))
    run.finish(EXIT_FOUND if in_place and run.changed and not exit_zero else 0)


def _counts(outcome: Outcome) -> str:
    rules = Counter(r for note in outcome.patch.notes for r in note.rules)
    return ", ".join(f"{rule} {count}" for rule, count in sorted(rules.items()))


@cli.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE|-…")
@click.option("--show-suggestions/--hide-suggestions", default=True, help="Also list what only a person decides.")
@click.option("--no-context", is_flag=True, help="One line each, without the place.")
@click.option("--stdin-filename", default="<stdin>", metavar="NAME", help="What to call standard input.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 even with findings.")
@_rule_options
def check(
    files: tuple[str, ...],
    show_suggestions: bool,
    no_context: bool,
    stdin_filename: str,
    exit_zero: bool,
    **options: Any,
) -> None:
    """List what would be repaired; exit 1 when there is something at or above the level."""
    from .reports import text

    run = _Run(options)
    for _, document, outcome, _data in run.outcomes(files, stdin_filename):
        held = outcome.findings if show_suggestions else ()
        items = sorted([*outcome.patch.edits, *held], key=lambda f: (f.start, f.end))
        click.echo(
            text.render(document.name, document.text, items, run.normalizer.book, run.words, not no_context), nl=False
        )
    run.say("total", files=run.files, changed=run.changed, edits=run.edits, findings=run.findings)
    run.finish(EXIT_FOUND if run.edits and not exit_zero else 0)


@cli.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE|-…")
@click.option("--stdin-filename", default="stdin", metavar="NAME", help="What to call standard input.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 even with a difference.")
@_rule_options
def diff(files: tuple[str, ...], stdin_filename: str, exit_zero: bool, **options: Any) -> None:
    """Show the repair as a unified diff that `patch -p1` applies; exit 1 when there is one."""
    from .reports import diff as renderer

    run = _Run(options)
    for _, document, outcome, _data in run.outcomes(files, stdin_filename):
        rendered = renderer.render(document.name, document.text, outcome.text)
        try:
            sys.stdout.buffer.write(rendered.encode(document.encoding if not document.bom else "utf-8"))
        except UnicodeEncodeError as error:
            run.error(f"{document.name}: {document.encoding} has no {rendered[error.start]!r}; convert to UTF-8 first")
    sys.stdout.flush()
    run.finish(EXIT_FOUND if run.changed and not exit_zero else 0)


@cli.command()
@click.argument("log", metavar="LOG")
@click.argument("file", metavar="FILE")
@click.option(
    "--only", multiple=True, metavar="RULE|N", help="Take back only edits of this rule, or the edit of this number."
)
@click.option("-o", "--output", metavar="PATH", help="Write the result here (default: standard output).")
@click.option("-i", "--in-place", is_flag=True, help="Write the file back.")
@click.option("--lang", metavar="zh|en")
def undo(log: str, file: str, only: tuple[str, ...], output: str | None, in_place: bool, lang: str | None) -> None:
    """Give back the original of a repaired FILE, or take back only some of the edits in LOG."""
    from . import ledger
    from .document import DocumentError, read_bytes, write_bytes

    words = Messages(lang)
    try:
        data = read_bytes(Path(file))
        entries = list(ledger.read(read_bytes(Path(log)).decode("utf-8", "replace").split("\n"), log))
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
        original = ledger.undo_bytes(chosen[0], data, file, _split(only))
        if output or in_place:
            write_bytes(Path(output or file), original)
            click.echo(words["restored"].format(path=output or file), err=True)
        else:
            sys.stdout.buffer.write(original)
            sys.stdout.flush()
    except (ledger.LedgerError, DocumentError) as error:
        click.echo(words["undecoded"] + str(error), err=True)
        raise SystemExit(EXIT_ERROR) from None


@cli.command()
@click.argument("rule", metavar="RULE")
@click.option("--lang", metavar="zh|en")
def explain(rule: str, lang: str | None) -> None:
    """Tell what a rule repairs, why, and what it leaves alone."""
    from .reports.text import visible
    from .rulebook import rulebook

    words = Messages(lang)
    try:
        r = rulebook().rule(rule)
    except KeyError as error:
        raise click.UsageError(str(error.args[0])) from None
    click.echo(f"{r.id} {r.name} [{r.level}] {r.status}\n{r.title}\n\n{r.why}\n")
    for f in r.fixes:
        click.echo(f"  - {visible(f.bad)}\n  + {visible(f.good)}")
    click.echo("\n不改：" if words.chinese else "\nLeft alone:")
    for keep in r.keeps:
        click.echo(f"    {visible(keep)}")


@cli.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def rules(form: str) -> None:
    """List the rules in the order in which they run."""
    from .rulebook import rulebook

    book = rulebook()
    if form == "json":
        import json

        click.echo(json.dumps(
            [{"id": r.id, "name": r.name, "title": r.title, "stage": r.stage, "kind": r.kind, "level": str(r.level),
              "status": r.status, "default": r.default} for r in book.rules], ensure_ascii=False, indent=1))  # fmt: skip
    elif sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table

        table = Table("ID", "level", "stage", "name", "title", box=None, header_style="bold")
        for r in book.rules:
            table.add_row(r.id, str(r.level), r.stage, r.name + ("" if r.default else " (off)"), r.title)
        Console().print(table)
    else:
        for r in book.rules:
            click.echo(f"{r.id}\t{r.level}\t{r.stage}\t{r.name}\t{r.title}")


@cli.command()
@click.argument("file", metavar="FILE|-")
@click.option(
    "--family",
    "names",
    multiple=True,
    default=("a",),
    show_default=True,
    metavar="NAME|TSV",
    help="A shipped family, or a TSV of substitute and source; several work in turn.",
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--share", type=click.FloatRange(0, 1), default=0.7, show_default=True, help="Share of the family's pairs."
)
@click.option("--rows", type=click.FloatRange(0, 1), default=1.0, show_default=True, help="Share of lines damaged.")
@click.option("--gold", metavar="PATH", help="Write the repair of each place here (JSON Lines, offsets in the output).")
@click.option("-o", "--output", metavar="PATH", help="Write the damaged text here (default: standard output).")
def simulate(
    file: str, names: tuple[str, ...], seed: int, share: float, rows: float, gold: str | None, output: str | None
) -> None:
    """Damage a clean text as document-sharing sites do, for tests and training."""
    import json

    from .context import families
    from .context import simulate as simulator
    from .document import Document, DocumentError, read_bytes, write_bytes

    shipped = families.families()
    try:
        turns = [shipped[n] if n in shipped else tuple(families.read_pairs(Path(n))) for n in names]
        document = Document.decode(sys.stdin.buffer.read() if file == "-" else read_bytes(Path(file)), None, file)
        done = simulator.simulate(document.text, turns, seed, simulator.Damage(share=share, infected_rows=rows))
        data = document.encode(done.text)
        if gold:
            lines = (json.dumps(e.to_json(), ensure_ascii=False) + "\n" for e in done.damage.invert().edits)
            write_bytes(Path(gold), "".join(lines).encode())
        if output:
            write_bytes(Path(output), data)
        else:
            sys.stdout.buffer.write(data)
            sys.stdout.flush()
    except DocumentError as error:
        click.echo(str(error), err=True)
        raise SystemExit(EXIT_ERROR) from None


@cli.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="FOLDER")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FOLDER",
              help="Where weights and model card go (default: into the package).")  # fmt: skip
@click.option("--pairs", multiple=True, metavar="TSV", help="Further pairs to learn.")
@click.option("--hold-out", multiple=True, metavar="GENRE", help="Leave this genre out of training.")
@click.option("--exclude", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
              help="Sentences, one a line, whose lines are left out of training.")  # fmt: skip
def train(
    folder: Path, output: Path | None, pairs: tuple[str, ...], hold_out: tuple[str, ...], exclude: Path | None
) -> None:
    """Learn from a FOLDER of clean text (.txt, .jsonl, .jsonl.xz) which word stands where."""
    from .context import card, corpus, families
    from .context.model import weights_folder

    try:
        listed = [p for family in families.families().values() for p in family]
        listed += [p for path in pairs for p in families.read_pairs(Path(path))]
        sentences = exclude.read_text("utf-8").split("\n") if exclude else []
        held = [max(line.split("\t"), key=len) for line in sentences if line]
        documents = [d for d in corpus.without(corpus.read(folder), held) if d.genre not in hold_out]
        say = lambda line: click.echo(line, err=True)  # noqa: E731
        card.make(documents, listed, output or weights_folder(), hold_out, say)
    except (corpus.CorpusError, ValueError) as error:
        click.echo(str(error), err=True)
        raise SystemExit(EXIT_ERROR) from None


@cli.command()
@click.argument("rule_ids", nargs=-1, metavar="[RULE…]")
def test(rule_ids: tuple[str, ...]) -> None:
    """Run the examples in the rule files; exit 1 when one fails."""
    from .examples import run_examples
    from .rulebook import rulebook

    try:
        chosen = rulebook().selected(rule_ids or ("ALL",), ())
    except KeyError as error:
        raise click.UsageError(str(error.args[0])) from None
    passed = failed = 0
    for example in run_examples(chosen):
        passed += not example.problem
        failed += bool(example.problem)
        if example.problem:
            click.echo(f"{example.rule}: {example.problem}")
    click.echo(Messages()["tests"].format(passed=passed, failed=failed))
    raise SystemExit(EXIT_FOUND if failed else 0)


def main() -> None:
    """The console command. A closed pipe and Ctrl-C end it quietly."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Callable[..., None] | None = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="backslashreplace") if stream is sys.stderr else reconfigure(encoding="utf-8")
    try:
        cli(standalone_mode=False)
    except click.exceptions.Abort:
        raise SystemExit(130) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except click.ClickException as error:
        error.show()
        raise SystemExit(EXIT_ERROR) from None
    except Exception as error:
        from .context.model import ModelError
        from .rulebook import RuleError

        if isinstance(error, RuleError | ModelError):
            click.echo(str(error), err=True)
            raise SystemExit(EXIT_ERROR) from None
        raise
