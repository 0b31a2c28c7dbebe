"""The verb config: the settings in force for a path, and where each comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .app import cli
from .run import configuration_options, rule_options


@cli.command()
@click.argument("path", default=".", metavar="[FILE|FOLDER]")
@rule_options
def config(path: str, **options: Any) -> None:
    """Show the settings in force for a file or folder, each with its origin."""
    from ..configuration import Configuration, render

    for line in render(Configuration(configuration_options(options), options["isolated"]).of(Path(path))):
        click.echo(line)
