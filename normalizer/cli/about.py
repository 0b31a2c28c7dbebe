"""Verbs that tell of the rules: explain, rules, test."""

from __future__ import annotations

import sys

import click

from ..messages import Messages
from .app import EXIT_FOUND, cli


@cli.command()
@click.argument("rule", metavar="RULE")
@click.option("--lang", metavar="zh|en")
def explain(rule: str, lang: str | None) -> None:
    """Tell what a rule repairs, why, and what it leaves alone."""
    from ..reports.text import visible
    from ..rulebook import rulebook

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
    from ..rulebook import rulebook

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
@click.argument("rule_ids", nargs=-1, metavar="[RULE…]")
def test(rule_ids: tuple[str, ...]) -> None:
    """Run the examples in the rule files; exit 1 when one fails."""
    from ..examples import run_examples
    from ..rulebook import rulebook

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
