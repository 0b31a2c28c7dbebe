"""What the rules do to clean text: edits per 100,000 characters by genre and rule, and samples of each rule to read.

python benchmarks/harm.py ../shared/corpus --split dev --documents 2000 --sample 100 --out harm.txt
"""

from __future__ import annotations

import argparse
import json
import lzma
import random
from collections import Counter, defaultdict
from pathlib import Path

from normalizer import Config, Level, Normalizer


def documents(folder: Path, split: str, count: int) -> dict[str, list[str]]:
    """Documents of a split, the same number from every genre as far as it has them."""
    genres: dict[str, list[str]] = {}
    files = sorted(folder.glob("*.jsonl.xz"))
    pick = random.Random(1)
    for path in files:
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            texts = [d["text"] for d in map(json.loads, lines) if d["split"] == split]
        pick.shuffle(texts)
        genres[path.name.split(".")[0]] = texts[: count // len(files)]
    return genres


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--split", default="dev")
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--sample", type=int, default=0, help="edits of each rule and level to print")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    normalizer = Normalizer(Config(Level.UNSAFE))
    table: dict[str, Counter[str]] = {}
    samples: dict[str, list[str]] = defaultdict(list)
    chars: Counter[str] = Counter()
    read = 0
    for genre, texts in documents(args.corpus, args.split, args.documents).items():
        counts: Counter[str] = Counter()
        for text in texts:
            read += 1
            chars[genre] += len(text)
            outcome = normalizer(text)
            for e in (*outcome.patch.edits, *outcome.findings):
                key = f"{e.rules[0]} {e.level}"
                counts[key] += 1
                around = text[max(0, e.start - 22) : e.start] + "⟦" + e.before + "→" + str(e.after) + "⟧"
                samples[key].append(f"{genre}: {around}{text[e.end : e.end + 22]}".replace("\n", "⏎"))
        table[genre] = counts
    keys = sorted({k for c in table.values() for k in c})
    print("edits per 100,000 characters\n" + "\t".join(["rule", *table, "all"]))
    total = sum(chars.values())
    for key in keys:
        cells = [f"{1e5 * c[key] / max(1, chars[g]):.1f}" for g, c in table.items()]
        print("\t".join([key, *cells, f"{1e5 * sum(c[key] for c in table.values()) / total:.2f}"]))
    print(f"{read} documents, {total:,} characters")
    if args.sample and args.out:
        pick = random.Random(2)
        with args.out.open("w", encoding="utf-8") as out:
            for key in keys:
                some = samples[key] if len(samples[key]) <= args.sample else pick.sample(samples[key], args.sample)
                out.write(f"\n== {key} ({len(samples[key])})\n" + "\n".join(some) + "\n")


if __name__ == "__main__":
    main()
