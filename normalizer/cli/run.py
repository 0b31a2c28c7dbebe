"""What the verbs that read files share: their options, one pass over the files, counts and messages."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..messages import Messages
from .app import EXIT_ERROR

if TYPE_CHECKING:
    from ..batch import Result
    from ..pipeline import Config

F = TypeVar("F", bound=Callable[..., Any])


def rule_options(command: F) -> F:
    for option in (
        click.option("--select", multiple=True, metavar="ID", help="Run only these rules (id, prefix or name; ALL)."),
        click.option("--ignore", multiple=True, metavar="ID", help="Do not run these rules."),
        click.option("--level", type=click.Choice(["safe", "unsafe"]), help="Which edits are made (default: safe)."),
        click.option("--assume-infected", "assume", is_flag=False, flag_value="any", default="", metavar="[FAMILY]",
                     help="Take words as substituted without asking whether the text was damaged."),
        click.option("--pairs", multiple=True, metavar="TSV", help="Further pairs: columns substitute and source."),
        click.option("--without", multiple=True, metavar="NAME", help="Leave out a family, or a pair such as 发展→开展."),
        click.option("--protect", multiple=True, metavar="WORD|@FILE",
                     help="Never touch this string, or the strings in a file, one a line."),
        click.option("--encoding", metavar="NAME", help="utf-8 (default), gb18030, big5, … or auto."),
        click.option("--lang", metavar="zh|en", help="Language of messages (default: the locale's)."),
        click.option("--statistics", is_flag=True, help="Counts by rule, on stderr."),
        click.option("--jobs", type=click.IntRange(0), default=0, metavar="N",
                     help="Worker processes (default 0: one a processor)."),
        click.option("--isolated", is_flag=True, help="Read no configuration file."),
        click.option("--force-exclude", is_flag=True, help="Excluded files stay out even when they are named."),
        click.option("--no-gitignore", is_flag=True, help="Also take what a .gitignore names."),
        click.option("--no-cache", is_flag=True, help="Also read files that are known to be clean."),
    ):  # fmt: skip
        command = option(command)
    return command


def configuration_options(options: dict[str, Any]) -> dict[str, Any]:
    """What the command line says of settings, under the keys of configuration files."""
    return {
        "level": options["level"],
        "select": split(options["select"]),
        "ignore": split(options["ignore"]),
        "protect": list(options["protect"]),
        "pairs": list(options["pairs"]),
        "without": split(options["without"]),
        "assume-infected": options["assume"] or None,
        "encoding": options["encoding"],
    }


class Run:
    """One call of the command: settings, messages, and what has happened so far."""

    def __init__(self, options: dict[str, Any], cached: bool = False, listing: bool = True) -> None:
        """cached, listing: see Batch."""
        from ..batch import Batch
        from ..configuration import Configuration

        self.words = Messages(options["lang"])
        self.statistics: bool = options["statistics"]
        self.force_exclude: bool = options["force_exclude"]
        self.gitignore = not options["no_gitignore"]
        self.configuration = Configuration(configuration_options(options), options["isolated"])
        self.batch = Batch(options["jobs"], cached and not options["no_cache"], listing)
        self.normalizer = self.batch.normalizer(self._config(Path.cwd())[0])
        self.files = self.changed = self.edits = self.findings = 0
        self.failed = False
        self.in_use: set[str] = set()
        self.known = False
        self.rules: Counter[str] = Counter()

    def _config(self, path: Path) -> tuple[Config, str | None]:
        """Options and encoding for a path, seen to be usable."""
        resolved = self.configuration.of(path)
        config = resolved.config()
        try:
            self.batch.normalizer(config)
        except KeyError as error:
            files = {o for key in ("select", "ignore") if (o := resolved.origins[key]).endswith((".toml", '"'))}
            raise click.UsageError(": ".join([*sorted(files), str(error.args[0])])) from None
        return config, resolved.values["encoding"]

    def results(self, paths: Sequence[str], name: str = "<stdin>") -> Iterator[Result]:
        """Each file in turn that was read and is not known to be clean; others are counted, or reported."""
        from ..discovery import STANDARD_INPUT, discover

        files = []
        for path in discover(paths, self.configuration, self.force_exclude, self.gitignore):
            called = name if path == STANDARD_INPUT else path
            files.append((path, called, *self._config(Path(called))))
        results = self.batch.run(files)
        with contextlib.closing(results), self._progress(len(files)) as advance:
            for result in results:
                advance()
                if result.error:
                    self.error(result.error)
                    continue
                self.files += 1
                if result.known:
                    self.known = True
                    self.findings += result.findings
                    continue
                document, outcome = result.document, result.outcome
                assert document is not None and outcome is not None
                self.in_use |= outcome.suppressed
                if document.detected:
                    self.say("detected", path=document.name, encoding=document.encoding)
                self.changed += bool(outcome.patch)
                self.edits += len(outcome.patch)
                self.findings += len(outcome.findings)
                self.rules.update(r for note in outcome.patch.notes for r in note.rules)
                yield result

    @contextlib.contextmanager
    def _progress(self, files: int) -> Iterator[Callable[[], None]]:
        """A bar with rate and remaining time where a person watches; silent in a pipe."""
        if files < 20 or not sys.stderr.isatty():
            yield lambda: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=files, rate="")

            def advance() -> None:
                speed = bar.tasks[0].speed
                bar.update(task, advance=1, rate=f"{speed:.0f}/s" if speed else "")

            yield advance

    def say(self, key: str, **values: object) -> None:
        click.echo(self.words[key].format(**values), err=True)

    def error(self, message: str) -> None:
        click.echo(self.words["undecoded"] + message, err=True)
        self.failed = True

    def finish(self, code: int = 0) -> None:
        # files that were not read again may be what a line is for
        for origin in sorted(self.configuration.fragments() - self.in_use) if self.files and not self.known else ():
            self.say("unused_fragment", origin=origin)
        if self.statistics:
            for rule, count in sorted(self.rules.items(), key=lambda r: (-r[1], r[0])):
                click.echo(f"{count:8d} {rule} {self.normalizer.book.rule(rule).name}", err=True)
        raise SystemExit(EXIT_ERROR if self.failed else code)


def split(values: Sequence[str]) -> list[str]:
    return [v.strip() for value in values for v in value.split(",") if v.strip()]
