"""The command itself: the group of verbs, exit codes, and what ends it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import click

from .. import __version__

EXIT_FOUND = 1
EXIT_ERROR = 2
EXIT_PIPE = 141


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


@click.group(cls=_Verbs, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="jiaokan")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Gives damaged Chinese text back its original words.

    Without a verb, filters standard input to standard output: jiaokan < damaged.txt > repaired.txt
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main() -> None:
    """The console command. A closed pipe and Ctrl-C end it quietly."""
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
    except BrokenPipeError:
        # the default action of the signal would also end us when a worker that we stop closes its pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(EXIT_PIPE) from None
    except click.ClickException as error:
        error.show()
        raise SystemExit(EXIT_ERROR) from None
    except Exception as error:
        from ..baseline import BaselineError
        from ..configuration import ConfigurationError
        from ..context.model import ModelError
        from ..document import DocumentError
        from ..rulebook import RuleError

        if isinstance(error, RuleError | ModelError | ConfigurationError | BaselineError | DocumentError):
            click.echo(str(error), err=True)
            raise SystemExit(EXIT_ERROR) from None
        raise
