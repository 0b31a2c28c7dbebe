"""Verbs for those who train: simulate, train."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .app import EXIT_ERROR, cli


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

    from ..context import families
    from ..context import simulate as simulator
    from ..document import Document, DocumentError, read_bytes, write_bytes

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
    from ..context import card, corpus, families
    from ..context.model import weights_folder

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
