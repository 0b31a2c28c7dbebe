"""Speed beside autocorrect-py, ftfy and OpenCC in one run, on damaged and on clean text.

    python benchmarks/speed.py [--megabytes 10] [--profile]

Each text is repeated up to the size asked for. In process: best of three, the log held in memory. As a whole process:
the command with a file on standard input, best of three. Ratios are to jiaokan's rate in the same run.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


def texts(megabytes: float) -> dict[str, str]:
    """Damaged and clean text of a size: the shared sample where there is one, else the project's own."""
    sample = SHARED / "samples" / "speech.txt"
    if not sample.exists():
        sample = ROOT / "tests" / "data" / "damaged.txt"
    from normalizer import normalize

    damaged = sample.read_bytes().decode("utf-8")
    clean = normalize(damaged, level="unsafe").text
    return {
        name: text * (int(megabytes * 1e6 / len(text.encode())) + 1)
        for name, text in (("damaged", damaged), ("clean", clean))
    }


def best(work: Callable[[], object], times: int = 3) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return min(took)


def in_process(text: str) -> dict[str, float]:
    """MB/s of each tool."""
    from normalizer import Normalizer

    size = len(text.encode()) / 1e6
    normalizer = Normalizer()
    normalizer(text[:100_000])
    rates = {"jiaokan": size / best(lambda: normalizer(text))}
    try:
        import autocorrect_py

        part = text[:700_000]
        rates["autocorrect-py"] = len(part.encode()) / 1e6 / best(lambda: autocorrect_py.format(part), 1)
    except ImportError:
        pass
    try:
        import ftfy

        config = ftfy.TextFixerConfig(
            unescape_html=False, fix_latin_ligatures=False, fix_character_width=False, uncurl_quotes=False,
            fix_line_breaks=False, normalization=None,
        )  # fmt: skip
        part = text[:700_000]
        rates["ftfy"] = (
            len(part.encode())
            / 1e6
            / best(lambda: [ftfy.fix_text(line, config) for line in part.splitlines(keepends=True)], 1)
        )
    except ImportError:
        pass
    try:
        import opencc

        converter = opencc.OpenCC("t2s")
        rates["OpenCC t2s"] = size / best(lambda: converter.convert(text))
    except ImportError:
        pass
    return rates


def whole_process(path: Path) -> dict[str, float]:
    size = path.stat().st_size / 1e6
    commands = {
        "jiaokan": [sys.executable, "-m", "normalizer", "fix", str(path)],
        "ftfy": [sys.executable, "-m", "ftfy.cli", str(path)],
    }
    rates = {}
    for name, command in commands.items():
        done = subprocess.run(command, capture_output=True)
        if done.returncode == 0:
            rates[name] = size / best(
                lambda c=command: subprocess.run(c, capture_output=True), 1 if name == "ftfy" else 3
            )
    return rates


def show(title: str, rates: dict[str, float]) -> None:
    print(f"\n{title}")
    for name, rate in rates.items():
        print(f"  {name:16s} {rate:8.1f} MB/s   jiaokan is {rates['jiaokan'] / rate:6.2f} times as fast")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=10)
    parser.add_argument("--profile", action="store_true")
    args = parser.parse_args()
    for name, text in texts(args.megabytes).items():
        show(f"{name}, in process, {len(text.encode()) / 1e6:.1f} MB", in_process(text))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "text.txt"
            path.write_bytes(text.encode())
            show(f"{name}, whole process", whole_process(path))
        if args.profile:
            from normalizer import Normalizer

            normalizer = Normalizer()
            normalizer(text[:100_000])
            profile = cProfile.Profile()
            profile.runcall(normalizer, text)
            pstats.Stats(profile).sort_stats("cumulative").print_stats(30)
    line = "今天,我们“开会〞。\n".encode()
    for name, command in {"--version": ["--version"], "one-line filter": []}.items():
        took = best(
            lambda c=command: subprocess.run([sys.executable, "-m", "normalizer", *c], input=line, capture_output=True),
            7,
        )
        print(f"start-up, {name}: {took * 1000:.0f} ms")


if __name__ == "__main__":
    main()
