"""A repository of many files, a tenth of them damaged: rates, processors, the second run, and kills at random moments.

    python benchmarks/batch.py SHARED [--files 10000] [--kills 20]

Says how long `jiaokan fix -i` takes with one worker and with all, how many files came out other than a single process
makes them, what a second and a third run take beside sha256sum, and whether a killed run left a broken file.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from normalizer import Config, Normalizer
from normalizer.batch import processors
from normalizer.context import families
from normalizer.context.corpus import read
from normalizer.context.simulate import Damage, simulate


def make(shared: Path, folder: Path, count: int) -> None:
    """Documents of dev and test that jiaokan finds nothing in, in folders of 500; every tenth damaged by family a."""
    normalizer = Normalizer(Config.of("unsafe"))
    documents = [d for d in read(shared / "corpus") if d.split in ("dev", "test")]
    random.Random(1).shuffle(documents)
    pairs = families.families()["a"]
    for n in range(count):
        text = normalizer(documents[n % len(documents)].text).text + f"\n第{n}号\n"
        if n % 10 == 0:
            text = simulate(text, [pairs], n, Damage(share=0.8)).text
        path = folder / f"{n // 500:03d}" / f"{n:05d}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def digests(folder: Path) -> dict[str, str]:
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*.txt"))}


def fix(folder: Path, *flags: str) -> tuple[float, str]:
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "normalizer", "fix", "-i", ".", *flags], cwd=folder, capture_output=True, check=False
    )
    return time.perf_counter() - began, done.stderr.decode().strip().rpartition("\n")[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        os.environ["JIAOKAN_CACHE_DIR"] = f"{name}/cache"
        first = Path(name) / "first"
        make(options.shared, first, options.files)
        before = digests(first)
        size = sum(Path(p).stat().st_size for p in before) / 1e6
        print(f"{len(before)} files, {size:.1f} MB")
        second = Path(name) / "second"
        shutil.copytree(first, second)
        original = Path(name) / "original"
        shutil.copytree(first, original)
        one, said = fix(first, "--jobs", "1", "--no-cache", "--exit-zero")
        print(f"one worker     {one:6.1f} s  {size / one:5.1f} MB/s  {said}")
        all_, said = fix(second, "--exit-zero")
        print(f"all {processors()} workers  {all_:6.1f} s  {one / all_:5.2f} times as fast  {said}")
        after, other = list(digests(first).values()), list(digests(second).values())
        print(f"files that differ between the two: {sum(a != b for a, b in zip(after, other, strict=True))}")
        touched = [n for n, (a, b) in enumerate(zip(before.values(), after, strict=True)) if a != b]
        print(f"files changed: {len(touched)}, of them not damaged by us: {sum(n % 10 > 0 for n in touched)}")
        for turn in ("second", "third"):
            again, said = fix(second)
            print(f"{turn} run     {again:6.2f} s  {said}")
        began = time.perf_counter()
        subprocess.run(
            "find . -name '*.txt' -print0 | xargs -0 sha256sum > /dev/null", shell=True, cwd=second, check=True
        )
        print(f"sha256sum      {time.perf_counter() - began:6.2f} s")
        whole = dict(zip([p.name for p in sorted(original.rglob("*.txt"))], zip(before.values(), after, strict=True), strict=True))  # fmt: skip
        rng, broken, torn = random.Random(7), 0, 0
        for turn in range(options.kills):
            process = subprocess.Popen(
                [sys.executable, "-m", "normalizer", "fix", "-i", ".", "--no-cache", "--log", "../log.jsonl"],
                cwd=original, stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
            time.sleep(rng.uniform(0, 1) * all_ * 0.9)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            broken += sum(d not in whole[Path(p).name] for p, d in digests(original).items())
            if (Path(name) / "log.jsonl").exists() and turn % 2:
                subprocess.run([sys.executable, "-m", "normalizer", "undo", "../log.jsonl", "-i"], cwd=original, capture_output=True, check=False)  # fmt: skip
                torn += sum(d not in whole[Path(p).name] for p, d in digests(original).items())
        print(f"killed {options.kills} times: {broken} broken files; after undo: {torn}")


if __name__ == "__main__":
    main()
