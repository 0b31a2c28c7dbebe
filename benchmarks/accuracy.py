"""How many substituted words are restored, and how many right ones harmed.

Run: python benchmarks/accuracy.py SHARED [--split test] [--documents 40] [--part NAME …] [--plot benchmarks/reliability.svg]

SHARED: the folder with corpus/, real/, families/ and samples/. Every figure is of the whole pipeline. Recall: sites
restored; precision: word edits that are right; harmed: word edits where nothing was wrong.
"""

from __future__ import annotations

import argparse
import bisect
import json
import lzma
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from normalizer import pipeline
from normalizer.charclass import code_points
from normalizer.context import families as fam
from normalizer.context.corpus import Document, damage, read
from normalizer.context.matcher import Matcher
from normalizer.context.model import model
from normalizer.context.pairs import PairSet
from normalizer.context.restore import Restorer
from normalizer.kinds import substitution

WORD_RULES = ("SUB", "LEX")
LEVELS = ("safe", "unsafe")


@dataclass
class Tally:
    sites: int = 0
    restored: int = 0
    edits: int = 0
    right: int = 0
    harmed: int = 0

    def add(self, other: Tally) -> None:
        for name in ("sites", "restored", "edits", "right", "harmed"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def __str__(self) -> str:
        recall = f"{self.restored / self.sites:7.1%}" if self.sites else "      –"
        precision = f"{self.right / self.edits:7.2%}" if self.edits else "      –"
        return f"{recall} {precision} {self.sites:7d} {self.edits:7d} {self.harmed:6d}"


HEADER = f"{'':34s}  recall    prec.   sites   edits harmed"


@dataclass(frozen=True)
class Gold:
    """A damaged text: (start, end, repair) of each damaged place in order, and spans that are not judged."""

    text: str
    places: Sequence[tuple[int, int, str]]
    unjudged: Sequence[tuple[int, int]] = ()
    closed: bool = True  # whether every place outside `places` is known to be right
    kept: Sequence[tuple[int, int]] = ()


@dataclass
class Judge:
    """Runs the pipeline at both levels and compares its word edits with the gold repair."""

    config: dict[str, pipeline.Normalizer] = field(default_factory=dict)
    sure: list[tuple[float, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for level in LEVELS:
            self.config[level] = pipeline.Normalizer(pipeline.Config.of(level))

    def judge(self, gold: Gold, level: str, detail: dict[str, Tally] | None = None, key=None) -> Tally:  # type: ignore[no-untyped-def]
        tally = Tally(sites=len(gold.places))
        starts = [p[0] for p in gold.places]
        done: set[int] = set()
        for edit in self.config[level](gold.text).patch.edits:
            if not any(r.startswith(WORD_RULES) for r in edit.rules):
                continue
            lo = bisect.bisect_left(starts, edit.start)
            while lo > 0 and gold.places[lo - 1][1] > edit.start:
                lo -= 1
            hi = bisect.bisect_left(starts, edit.end)
            inside = list(range(lo, hi))
            if any(a < edit.end and b > edit.start for a, b in gold.unjudged):
                continue
            if not inside and not gold.closed and not any(a < edit.end and b > edit.start for a, b in gold.kept):
                continue
            a = min([edit.start, *(gold.places[i][0] for i in inside)])
            b = max([edit.end, *(gold.places[i][1] for i in inside)])
            mine = gold.text[a : edit.start] + edit.after + gold.text[edit.end : b]
            want, at = "", a
            for i in inside:
                s, e, repair = gold.places[i]
                want += gold.text[at:s] + repair
                at = e
            want += gold.text[at:b]
            right = re.sub(r"\s", "", mine) == re.sub(r"\s", "", want)
            tally.edits += 1
            tally.right += right
            tally.harmed += not inside
            if right:
                done.update(inside)
            if edit.confidence is not None and level == "unsafe":
                self.sure.append((edit.confidence, right))
        tally.restored = len(done)
        if detail is not None and key is not None:
            for i, place in enumerate(gold.places):
                one = detail.setdefault(key(place), Tally())
                one.sites += 1
                one.restored += i in done
        return tally


def documents(shared: Path, split: str) -> list[Document]:
    return [d for d in read(shared / "corpus") if d.split == split]


def chosen(docs: Iterable[Document], per_genre: int, least: int = 200) -> list[Document]:
    """The same documents in every run: those of each genre whose checksum is smallest."""
    by_genre: dict[str, list[Document]] = {}
    for d in docs:
        if len(d.text) >= least:
            by_genre.setdefault(d.genre, []).append(d)
    return [
        d for g in sorted(by_genre) for d in sorted(by_genre[g], key=lambda d: zlib.crc32(d.text.encode()))[:per_genre]
    ]


def raw_tables(shared: Path) -> list[tuple[str, str]]:
    """All pairs (source, substitute) of the dictionary and the evidence table, before any filter of ours."""
    pairs: set[tuple[str, str]] = set()
    han = re.compile("[\u4e00-\u9fff]+")
    with lzma.open(shared / "families/spinner-dictionary.txt.xz", "rt", encoding="utf-8") as lines:
        for line in lines:
            a, _, b = line.strip().partition("→")
            pairs.add((a, b))
    for line in (shared / "families/evidence.tsv").read_text("utf-8").split("\n")[1:]:
        cells = line.split("\t")
        if len(cells) > 1:
            pairs.add((cells[1].strip(), cells[0].strip()))
    return sorted(p for p in pairs if han.fullmatch(p[0]) and han.fullmatch(p[1]) and p[0] != p[1])


class Simulator:
    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.words = sorted({w for p in pairs for w in p})
        self.index = {w: i for i, w in enumerate(self.words)}
        self.matcher = Matcher(self.words)

    def __call__(self, text: str, table: dict[str, str], primes: bool) -> Gold:
        columns = np.full(len(self.words), -1, dtype=np.int64)
        for source, substitute in table.items():
            columns[self.index[source]] = self.index[substitute]
        done = damage(self.matcher, text, columns, [True] * (text.count("\n") + 1), primes)
        return Gold(
            done.text,
            [
                (a, a + len(self.words[w]), self.words[s])
                for a, s, w in zip(done.at.tolist(), done.source.tolist(), done.substitute.tolist(), strict=True)
            ],
        )


def snippets(gold: Gold, size: int, limit: int) -> Iterator[Gold]:
    for n, lo in enumerate(range(0, len(gold.text), size)):
        if n >= limit:
            return
        hi = lo + size
        yield Gold(gold.text[lo:hi], [(a - lo, b - lo, r) for a, b, r in gold.places if a >= lo and b <= hi])


def simulated(shared: Path, split: str, per_genre: int, judge: Judge) -> None:
    raw = raw_tables(shared)
    rng = np.random.default_rng(20261124)
    drawn = [raw[i] for i in rng.permutation(len(raw))[:1000].tolist()]
    known = {f: [(p.source, p.substitute) for p in pairs] for f, pairs in fam.families().items() if f != "spinner"}
    tables: dict[str, list[tuple[str, str]]] = {"a": known["a"], "drawn": drawn, "b": known["b"], "f": known["f"]}
    simulator = Simulator([*raw, *(p for pairs in known.values() for p in pairs)])
    count = model().count_of
    by: dict[str, dict[str, Tally]] = {}
    total = {level: Tally() for level in LEVELS}
    frequency: dict[str, Tally] = {}
    common: Counter[str] = Counter()
    golds: list[tuple[str, str, Gold]] = []
    for n, d in enumerate(chosen(documents(shared, split), per_genre)):
        name = ("drawn", "a", "drawn", "b", "drawn", "f")[n % 6]
        table: dict[str, str] = {}
        for source, substitute in tables[name]:
            if rng.random() < 0.8:
                table.setdefault(source, substitute)
        golds.append((name, d.genre, simulator(d.text, table, name == "a")))
    for _, _, gold in golds:
        common.update(f"{r}→{gold.text[a:b]}" for a, b, r in gold.places)
    fifty = {p for p, _ in common.most_common(50)}
    commonest = Tally()
    for name, genre, gold in golds:
        for level in LEVELS:

            def band(place: tuple[int, int, str], text: str = gold.text) -> str:
                n = count.get(place[2], 0)
                return "not in our tables" if not n or text[place[0] : place[1]] not in count else (
                    "source < 1,000" if n < 1000 else "source < 30,000" if n < 30000 else "source ≥ 30,000"
                )  # fmt: skip

            tally = judge.judge(gold, level, frequency if level == "unsafe" else None, band)
            total[level].add(tally)
            for key in (f"family {name}", f"genre {genre}"):
                by.setdefault(key, {}).setdefault(level, Tally()).add(tally)
        few = Gold(gold.text, [p for p in gold.places if f"{p[2]}→{gold.text[p[0] : p[1]]}" in fifty])
        detail: dict[str, Tally] = {}
        judge.judge(gold, "unsafe", detail, lambda p, text=gold.text: f"{p[2]}→{text[p[0] : p[1]]}")
        for pair, tally in detail.items():
            if pair in fifty:
                commonest.sites += tally.sites
                commonest.restored += tally.restored
        del few
    print(f"\nSimulated, split {split}, {len(golds)} whole documents\n{HEADER}")
    for level in LEVELS:
        print(f"{'all':28s}{level:6s} {total[level]}")
    for key in sorted(by):
        for level in LEVELS:
            print(f"{key:28s}{level:6s} {by[key][level]}")
    for key in sorted(frequency):
        print(
            f"{key:28s}unsafe {frequency[key].restored / frequency[key].sites:7.1%} {'':7s} {frequency[key].sites:7d}"
        )
    print(
        f"{'fifty commonest pairs':28s}unsafe {commonest.restored / max(1, commonest.sites):7.1%} {'':7s} {commonest.sites:7d}"
    )
    for size in (100, 300, 1000):
        for level in LEVELS:
            tally = Tally()
            for _, _, gold in golds[:: max(1, len(golds) // 120)]:
                for part in snippets(gold, size, 12):
                    tally.add(judge.judge(part, level))
            print(f"{f'snippets of {size}':28s}{level:6s} {tally}")


def clean(shared: Path, split: str, judge: Judge) -> None:
    docs = documents(shared, split)
    print(f"\nClean text, split {split}: word edits")
    for size in (0, 1000, 300, 100):
        for level in LEVELS:
            edits = han = 0
            by_genre: Counter[str] = Counter()
            for d in docs:
                texts = (
                    [d.text] if not size else [d.text[i : i + size] for i in range(0, min(len(d.text), 6 * size), size)]
                )
                for text in texts:
                    cp = code_points(text)
                    han += int(((cp >= 0x4E00) & (cp <= 0x9FFF)).sum())
                    for e in judge.config[level](text).patch.edits:
                        if any(r.startswith(WORD_RULES) for r in e.rules):
                            edits += 1
                            by_genre[d.genre] += 1
                            print(
                                f"    {d.genre}: {text[max(0, e.start - 10) : e.start]}[{e.before}→{e.after}]{text[e.end : e.end + 10]} {e.rules} {e.confidence}".replace(
                                    "\n", "⏎"
                                )
                            )
            print(
                f"{f'snippets of {size}' if size else 'whole documents':20s} {level:6s} {edits:4d} edits in {han / 1e6:.2f} M Han {dict(by_genre) or ''}"
            )


def gold_files(shared: Path) -> Iterator[tuple[str, Gold]]:
    for path in sorted((shared / "real").glob("*/*.gold.jsonl")):
        text = (path.parent / path.name.replace(".gold.jsonl", ".txt")).read_bytes().decode()
        rows = [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
        span = {k: [(r["pos"], r["pos"] + len(r["bad"])) for r in rows if r["kind"] == k] for k in ("soft", "keep")}
        places = sorted((r["pos"], r["pos"] + len(r["bad"]), r["good"]) for r in rows if r["kind"] == "fix")
        yield f"{path.parent.name}/{path.name[:3]}", Gold(text, places, span["soft"], False, span["keep"])


def without_evidence_of(name: str) -> list[fam.Pair]:
    """The pairs that would be known had this document not been read."""
    pairs = []
    for listed in fam.families().values():
        for p in listed:
            seen = [d for d in p.origin.split() if d != name]
            if p.grade == "C" or seen:
                pairs.append(p)
            elif (p.source, p.substitute) in DICTIONARY:
                # what only this document showed is still a candidate, if the public dictionary has it
                pairs.append(fam.Pair(p.substitute, p.source, "spinner"))
    return pairs


DICTIONARY: set[tuple[str, str]] = set()


def real(shared: Path, judge: Judge) -> None:
    DICTIONARY.update(raw_tables(shared))
    print(f"\nReal documents\n{HEADER}")
    shipped = substitution._restorer
    for label, leave_out in (("all evidence", False), ("own evidence left out", True)):
        total: dict[tuple[str, str], Tally] = {}
        kept: Counter[str] = Counter()
        for name, gold in gold_files(shared):
            if leave_out:
                restorer = Restorer(PairSet(without_evidence_of(name), model()), model())
                substitution._restorer = lambda tables, left, r=restorer: r  # type: ignore[assignment]
                judge = Judge()
            for level in LEVELS:
                tally = judge.judge(gold, level)
                for key in (name[0], "all"):
                    total.setdefault((key, level), Tally()).add(tally)
            kept["all"] += len(gold.kept)
            kept[name[0]] += len(gold.kept)
        substitution._restorer = shipped
        for (key, level), tally in sorted(total.items()):
            print(
                f"{f'{key} ({label})':28s}{level:6s} {tally}  of {kept[key]} kept: {tally.harmed / max(1, kept[key]):.1%}"
            )


def traps(shared: Path, judge: Judge) -> None:
    rows = [line.split("\t") for line in (shared / "families/traps.tsv").read_text("utf-8").split("\n")[1:] if line]
    print(f"\nTraps: {len(rows)} sentences")
    for level in LEVELS:
        harmed = [
            (word, e) for word, sentence in rows for e in judge.config[level](sentence).patch.edits
            if any(r.startswith(WORD_RULES) for r in e.rules)
        ]  # fmt: skip
        print(f"{level:6s} {len(harmed)} word edits {[(w, e.before, e.after, e.confidence) for w, e in harmed]}")


def speech(shared: Path, judge: Judge) -> None:
    text = (shared / "samples/speech.txt").read_bytes().decode()
    table = (Path(__file__).parent / "speech.tsv").read_text("utf-8").split("\n")[2:]
    found: dict[str, list[tuple[int, int, str]]] = {"=": [], "?": [], "": []}
    for word, number, original in (line.split("\t") for line in table if line):
        at = -1
        for _ in range(int(number)):
            at = text.index(word, at + 1)
        found.get(original, found[""]).append((at, at + len(word), original))
    spans = {mark: sorted((a, b) for a, b, _ in found[mark]) for mark in "=?"}
    gold = Gold(text, sorted(found[""]), spans["?"], False, spans["="])
    kept = spans["="]
    print(f"\nThe sample speech\n{HEADER}")
    for level in LEVELS:
        print(f"{'':28s}{level:6s} {judge.judge(gold, level)}  of {len(kept)} kept")


def baseline(shared: Path, judge: Judge) -> None:
    """The table of family A applied backwards everywhere, on the real documents of that family."""
    table = {p.substitute: p.source for p in fam.families()["a"]}
    pattern = re.compile("|".join(sorted(map(re.escape, table), key=len, reverse=True)))
    tally = Tally()
    for name, gold in gold_files(shared):
        if name[0] != "A":
            continue
        want = {(a, b): r for a, b, r in gold.places}
        tally.sites += len(want)
        for m in pattern.finditer(gold.text):
            kept = any(a < m.end() and b > m.start() for a, b in gold.kept)
            if m.span() in want or kept:
                right = want.get(m.span()) == table[m[0]]
                tally.edits += 1
                tally.right += right
                tally.restored += right
                tally.harmed += kept
    print(f"\nNaive table, real documents of family A\n{HEADER}\n{'':34s} {tally}")


def plot(judge: Judge, path: Path) -> None:
    """A reliability diagram: how often edits of a stated probability were right, with the number of edits."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    sure = np.array(judge.sure)
    edges = np.array([0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.96, 0.98, 0.99, 1.0])
    which = np.digitize(sure[:, 0], edges)
    points = [
        (sure[which == k, 0].mean(), sure[which == k, 1].mean(), (which == k).sum())
        for k in range(len(edges) + 1)
        if (which == k).sum() >= 20
    ]
    figure, axes = pyplot.subplots(figsize=(5, 4.2))
    axes.plot([0.3, 1], [0.3, 1], color="0.7", linewidth=1)
    axes.plot([p[0] for p in points], [p[1] for p in points], "o-", color="#1a5fb4")
    for k, (x, y, n) in enumerate(points):
        axes.annotate(
            f"{n}", (x, y), textcoords="offset points", xytext=(6, -3) if k % 2 else (-28, -3), fontsize=7, color="0.35"
        )
    axes.set(xlabel="stated probability", ylabel="share of edits that is right", xlim=(0.7, 1.03), ylim=(0.3, 1.03))
    axes.set_title("Simulated damage, test split", fontsize=10)
    figure.tight_layout()
    figure.savefig(path)
    print("\nReliability\n  stated  right  edits")
    for x, y, n in points:
        print(f"  {x:6.3f} {y:6.3f} {n:6d}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--split", default="dev")
    parser.add_argument("--documents", type=int, default=40, help="a genre, simulated")
    parser.add_argument(
        "--part", action="append", choices=["simulated", "clean", "real", "traps", "speech", "baseline"]
    )
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    parts = given.part or ["simulated", "real", "traps", "speech", "baseline", "clean"]
    judge = Judge()
    if "simulated" in parts:
        simulated(given.shared, given.split, given.documents, judge)
        if given.plot:
            plot(judge, given.plot)
    for name, part in (("real", real), ("traps", traps), ("speech", speech), ("baseline", baseline)):
        if name in parts:
            part(given.shared, judge)
    if "clean" in parts:
        clean(given.shared, given.split, judge)


if __name__ == "__main__":
    main()
