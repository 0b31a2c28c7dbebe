"""Model card: trains, calibrates and saves the weights, and writes down what they were made from."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from .calibrate import calibrate
from .corpus import Document
from .families import Pair
from .model import save
from .train import Recipe, Say, train

_HAN = range(0x4E00, 0xA000)


def make(documents: Sequence[Document], pairs: Sequence[Pair], folder: Path, held_out: Sequence[str], say: Say) -> None:
    """Writes weights.npy, tables.npz and card.md into `folder`. Raises ValueError without documents of a split."""
    began = time.monotonic()
    lines: list[str] = []

    def note(line: str) -> None:
        lines.append(line)
        say(line)

    model = calibrate(train(documents, pairs, say=note), documents, pairs, note)
    save(folder, model)
    (folder / "card.md").write_text(_card(documents, pairs, folder, held_out, lines, time.monotonic() - began), "utf-8")
    say(f"saved to {folder}")


def _card(
    documents: Sequence[Document],
    pairs: Sequence[Pair],
    folder: Path,
    held_out: Sequence[str],
    log: Sequence[str],
    seconds: float,
) -> str:
    count: Counter[tuple[str, str]] = Counter()
    han: Counter[tuple[str, str]] = Counter()
    for d in documents:
        count[d.genre, d.split] += 1
        han[d.genre, d.split] += sum(n for c, n in Counter(d.text).items() if ord(c) in _HAN)
    out = [
        "# Model card",
        "",
        "What it is: for each word of the pairs in rules/families, the log-odds of contexts (hashed n-grams, clusters of",
        "neighbouring bigrams, a bag of topics), learnt together by one logistic regression on damaged copies of clean text;",
        "weights of four bits. What it is for: deciding whether a word stands where another stood. What it is not: a language",
        "model, or a judge of style.",
        "",
        f"- command: `jiaokan train FOLDER --exclude SENTENCES`{''.join(f' --hold-out {g}' for g in held_out)}, {seconds:.0f} s",
        f"- recipe: {Recipe()}",
        f"- pairs: {len({(p.source, p.substitute) for p in pairs})}",
        "- split: by document; train learns the weights, dev the calibration (one half the evidence, one half the rest); test",
        "  is not looked at",
        *(
            f"- sha256 of {n}: {hashlib.sha256((folder / n).read_bytes()).hexdigest()}"
            for n in ("weights.npy", "tables.npz")
        ),
        "",
        "| genre | split | documents | Han characters |",
        "|---|---|---:|---:|",
        *(f"| {g} | {s} | {count[g, s]} | {han[g, s]} |" for g, s in sorted(count) if s != "test"),
        "",
        "Training:",
        "",
        *(f"    {line}" for line in log),
    ]
    return "\n".join(out) + "\n"
