"""Folders of files: configuration, workers, cache, kill and undo, as a user runs them."""

from __future__ import annotations

import json
import os
import random
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

BAD = "今天,我们“开会〞。\n"
GOOD = "今天，我们“开会”。\n"


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("JIAOKAN_CACHE_DIR", str(folder))
    return folder


def run(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "normalizer", *args], capture_output=True, cwd=cwd, timeout=120, encoding="utf-8"
    )


def make(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def test_a_folder_is_walked_and_what_git_ignores_is_left_alone(tmp_path: Path) -> None:
    make(tmp_path, {
        ".git/HEAD": "", ".gitignore": "build/\n*.bak.txt\n", "a.txt": BAD, "b/c.md": BAD, "build/d.txt": BAD,
        "x.bak.txt": BAD, "b/.gitignore": "!y.bak.txt\nno.txt\n", "b/y.bak.txt": BAD, "b/no.txt": BAD, "code.py": BAD,
        ".hidden/e.txt": BAD,
    })  # fmt: skip
    done = run("fix", "-i", ".", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    changed = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file() and p.read_text("utf-8") == GOOD}  # fmt: skip
    assert changed == {"a.txt", "b/c.md", "b/y.bak.txt"}
    assert "3 files, 3 changed" in done.stderr
    assert run("fix", "-i", ".", "--no-gitignore", cwd=tmp_path).returncode == 1
    assert (tmp_path / "build/d.txt").read_text("utf-8") == GOOD


def test_the_nearest_configuration_wins_and_paths_have_their_own(tmp_path: Path) -> None:
    make(tmp_path, {
        ".git/HEAD": "",
        ".jiaokan.toml": 'ignore = ["WID"]\nexclude = ["skip/"]\n[per-file."draft/*"]\nignore = ["PUN"]\n',
        "a.txt": BAD, "draft/a.txt": BAD, "skip/a.txt": BAD, "sub/a.txt": BAD,
        "sub/pyproject.toml": '[tool.jiaokan]\nextend = "../.jiaokan.toml"\nselect = ["PUN", "WID"]\nignore = []\n',
        "other/pyproject.toml": "[tool.ruff]\n", "other/a.txt": BAD,
    })  # fmt: skip
    assert run("fix", "-i", ".", cwd=tmp_path).returncode == 1
    read = {n: (tmp_path / n / "a.txt").read_text("utf-8") for n in (".", "draft", "skip", "sub", "other")}
    half = BAD.replace("〞", "”")
    assert read == {".": half, "draft": BAD.replace(",", "，"), "skip": BAD, "sub": GOOD, "other": half}
    shown = run("config", "sub/a.txt", cwd=tmp_path).stdout
    assert (
        'select = ["PUN", "WID"]  # ' in shown
        and "sub/pyproject.toml" in shown
        and 'level = "safe"  # default' in shown
    )
    assert "# command line" in run("config", "--level", "unsafe", cwd=tmp_path).stdout
    assert run("fix", "-i", "skip/a.txt", cwd=tmp_path).returncode == 1
    make(tmp_path, {"skip/a.txt": BAD})
    assert run("fix", "-i", "--force-exclude", "skip/a.txt", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('ingore = ["WID"]', "did you mean 'ignore'"),
        ("level = 1", "must be a string"),
        ('ignore = "WID"', "must be a list of strings"),
        ('level = "all"', "not safe or unsafe"),
        ('select = ["WID9"]', "no rule 'WID9'"),
        ('extend = "gone.toml"', "there is no file"),
        ('extend = ".jiaokan.toml"', "extends itself"),
        ('[per-file."*.md"]\ninclude = ["x"]', "unknown key"),
        ("level = ", "not valid TOML"),
        ('protect = ["@gone.txt"]', "gone.txt"),
    ],
)
def test_a_wrong_configuration_names_file_and_remedy(tmp_path: Path, text: str, said: str) -> None:
    make(tmp_path, {".jiaokan.toml": text, "a.txt": BAD})
    done = run("fix", "-i", "a.txt", cwd=tmp_path)
    assert done.returncode == 2 and said in done.stderr and ".jiaokan.toml" in done.stderr, done.stderr
    assert (tmp_path / "a.txt").read_text("utf-8") == BAD
    assert run("fix", "-i", "a.txt", "--isolated", cwd=tmp_path).returncode == 1


def test_mode_links_and_backup(tmp_path: Path) -> None:
    make(tmp_path, {"a.txt": BAD, "b.txt": BAD})
    (tmp_path / "a.txt").chmod(0o640)
    (tmp_path / "link.txt").symlink_to("a.txt")
    assert run("fix", "-i", "link.txt", "--backup", ".orig", cwd=tmp_path).returncode == 1
    assert (tmp_path / "link.txt").is_symlink() and (tmp_path / "a.txt").read_text("utf-8") == GOOD
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640
    assert (tmp_path / "link.txt.orig").read_text("utf-8") == BAD
    assert run("fix", "-i", "b.txt", "--backup", "x/y", cwd=tmp_path).returncode == 2


def many(folder: Path, count: int = 400, size: int = 250) -> dict[str, bytes]:
    """Files of which every tenth is damaged, large enough together for workers."""
    clean = "会议指出，要坚持稳中求进，完善各项制度。\n" * size
    files = {}
    for n in range(count):
        # 〔 in the last line is found and held back, so that findings go through the workers too
        text = clean.replace("，", ",", 3) + "会议（〔一〕届）。“未完\n" if n % 10 == 0 else clean
        files[f"{n:03d}.txt"] = (f"第{n}号。\n" + text).encode()
        (folder / f"{n:03d}.txt").write_bytes(files[f"{n:03d}.txt"])
    return files


def test_workers_give_the_same_as_one_process_in_the_same_order(tmp_path: Path) -> None:
    many(tmp_path)
    one, two = (run("check", ".", "--format", "jsonl", "--no-cache", "--jobs", n, cwd=tmp_path) for n in "12")
    assert one.stdout == two.stdout and one.returncode == two.returncode == 1
    paths = [json.loads(line)["path"] for line in one.stdout.splitlines() if '"type": "file"' in line]
    assert paths == sorted(paths) and len(paths) == 400


def test_undo_takes_back_a_whole_batch(tmp_path: Path) -> None:
    before = many(tmp_path, 60)
    make(tmp_path, {"latin.txt": ""})
    (tmp_path / "latin.txt").write_bytes(b"\xff\xfe\xfd")
    done = run("fix", "-i", ".", "--log", "edits.jsonl", cwd=tmp_path)
    assert done.returncode == 2 and "latin.txt" in done.stderr and "60 files, 6 changed" in done.stderr
    assert run("undo", "edits.jsonl", cwd=tmp_path).returncode == 2
    (tmp_path / "010.txt").write_text("别的。\n", "utf-8")
    undone = run("undo", "edits.jsonl", "-i", cwd=tmp_path)
    assert undone.returncode == 2 and "010.txt: was changed" in undone.stderr
    assert all((tmp_path / n).read_bytes() == data for n, data in before.items() if n != "010.txt")


def test_the_cache_knows_content_and_options_not_time(tmp_path: Path, cache: Path) -> None:
    many(tmp_path, 30)
    assert run("fix", "-i", ".", "--ignore", "WID", cwd=tmp_path).returncode == 0
    kept = list(cache.iterdir())
    assert len(kept) == 1 and kept[0].stat().st_size == 30 * 36
    first, again = (run("check", ".", "--ignore", "WID", cwd=tmp_path) for _ in range(2))
    assert first.stdout == again.stdout and first.stdout.count("\n") >= 3
    known = run("fix", "-i", ".", "--ignore", "WID", cwd=tmp_path).stderr
    assert "30 files, 0 changed" in known and known.split(",")[-1] == first.stderr.split(",")[-1] != " 0 left to decide"
    assert "30 files, 3 changed" in run("fix", "-i", ".", cwd=tmp_path).stderr
    kept[0].write_bytes(b"broken")
    times = {p: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    (tmp_path / "001.txt").write_text(BAD, "utf-8")
    os.utime(tmp_path / "001.txt", ns=(times[tmp_path / "001.txt"],) * 2)
    assert run("fix", "-i", ".", cwd=tmp_path).returncode == 1
    assert (tmp_path / "001.txt").read_text("utf-8") == GOOD


def test_killed_at_any_moment_every_file_is_whole_and_the_log_undoes_the_rest(tmp_path: Path) -> None:
    rng = random.Random(4)
    before = many(tmp_path, 300)
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "normalizer", "check", ".", "--no-cache"], cwd=tmp_path, capture_output=True)
    usual = time.monotonic() - began
    repaired = {n: data.replace(b",", "，".encode()) for n, data in before.items()}
    for turn in range(4):
        process = subprocess.Popen(
            [sys.executable, "-m", "normalizer", "fix", "-i", ".", "--log", "log.jsonl", "--no-cache"],
            cwd=tmp_path, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        time.sleep(rng.uniform(0.3, 1.0) * usual)
        os.killpg(process.pid, signal.SIGKILL) if turn < 3 else os.kill(process.pid, signal.SIGINT)
        code = process.wait(30)
        assert turn < 3 or code in (0, 1, 130)
        for name, data in before.items():
            assert (tmp_path / name).read_bytes() in (data, repaired[name])
        if (tmp_path / "log.jsonl").stat().st_size > 300:
            assert run("undo", "log.jsonl", "-i", cwd=tmp_path).returncode == 0
        assert all((tmp_path / n).read_bytes() == data for n, data in before.items())


def test_formats(tmp_path: Path) -> None:
    make(tmp_path, {"目录/a,b.txt": "好。\n今天,我们“开会〞100%。\n"})
    sarif = json.loads(run("check", ".", "--format", "sarif", cwd=tmp_path).stdout)
    (one,) = sarif["runs"]
    assert sarif["version"] == "2.1.0" and one["columnKind"] == "unicodeCodePoints"
    first = one["results"][0]
    region = first["locations"][0]["physicalLocation"]["region"]
    assert (region["startLine"], region["startColumn"], region["endColumn"], region["charOffset"]) == (2, 3, 4, 5)
    assert first["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"] == {"text": "，"}
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].isascii()
    assert one["tool"]["driver"]["rules"][first["ruleIndex"]]["id"] == first["ruleId"] == "WID001"
    github = run("check", ".", "--format", "github", cwd=tmp_path).stdout.splitlines()
    assert github[0].startswith("::warning file=./目录/a%2Cb.txt,line=2,col=3,endColumn=4,title=WID001::, → ，")


def test_a_baseline_tells_only_of_what_is_new_and_only_shrinks(tmp_path: Path) -> None:
    make(tmp_path, {"a.txt": BAD * 2, "b.txt": BAD})
    assert "6 places" in run("baseline", ".", cwd=tmp_path).stderr
    assert run("check", ".", cwd=tmp_path).returncode == 0
    make(tmp_path, {"a.txt": "新的一行。\n\n" + BAD + "又,一行新的内容。\n"})
    checked = run("check", ".", cwd=tmp_path)
    assert checked.returncode == 1 and checked.stdout.count("WID001") == 1 and "gone" in checked.stderr
    before = (tmp_path / ".jiaokan-baseline.jsonl").read_text("utf-8")
    assert "4 places" in run("baseline", ".", "--update", cwd=tmp_path).stderr
    after = (tmp_path / ".jiaokan-baseline.jsonl").read_text("utf-8")
    keys = [{json.loads(line)["key"] for line in text.splitlines()} for text in (before, after)]
    assert keys[1] <= keys[0] and json.loads(after.splitlines()[0])["path"] == "a.txt"
    assert run("check", ".", cwd=tmp_path).returncode == 1
    (tmp_path / ".jiaokan-baseline.jsonl").write_text("{}\n", "utf-8")
    assert "baseline.jsonl:1" in run("check", ".", cwd=tmp_path).stderr
    assert run("fix", "-i", ".", cwd=tmp_path).returncode == 1
    assert (tmp_path / "b.txt").read_text("utf-8") == GOOD


def test_an_unused_line_of_a_sidecar_is_told(tmp_path: Path) -> None:
    make(tmp_path, {"a.txt": BAD, ".jiaokan-ignore": "*.txt | WID001 | 今天\\, | 原样\n*.txt | WID | 没有 | 原样\n"})
    done = run("fix", "-i", ".", cwd=tmp_path)
    assert ".jiaokan-ignore:2" in done.stderr and ".jiaokan-ignore:1" not in done.stderr
    assert (tmp_path / "a.txt").read_text("utf-8") == BAD.replace("〞", "”")
