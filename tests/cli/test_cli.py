"""Exit codes and streams of every verb, in one table; undo, interrupts and closed pipes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BAD = "今天,我们“开会〞。\n"
GOOD = "今天，我们“开会”。\n"


def run(*args: str, stdin: bytes = b"", cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "normalizer", *args], input=stdin, capture_output=True, cwd=cwd, timeout=120
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bad.txt").write_bytes(BAD.encode())
    (tmp_path / "good.txt").write_bytes(GOOD.encode())
    (tmp_path / "latin.txt").write_bytes(b"\xff\xfe\xfd")
    (tmp_path / "gbk.txt").write_bytes(BAD.replace("〞", "”").encode("gb18030"))
    (tmp_path / "binary").write_bytes(b"a\0b")
    return tmp_path


TABLE = [
    # arguments, stdin, exit code, stdout (None: anything), text in stderr
    ([], BAD, 0, GOOD, "2 "),
    (["--level", "unsafe"], BAD, 0, GOOD, "2 "),
    ([], GOOD, 0, GOOD, "0 "),
    (["fix", "-"], BAD, 0, GOOD, "2 "),
    (["fix", "bad.txt"], "", 0, GOOD, "bad.txt"),
    (["fix", "bad.txt", "-o", "out.txt"], "", 0, "", "bad.txt"),
    (["fix", "-i", "bad.txt"], "", 1, "", "WID001 1"),
    (["fix", "-i", "bad.txt", "--exit-zero"], "", 0, "", "bad.txt"),
    (["fix", "-i", "good.txt"], "", 0, "", ""),
    (["fix", "bad.txt", "-o", "bad.txt"], "", 2, "", "--in-place"),
    (["fix", "-i", "-"], BAD, 2, "", "standard input"),
    (["fix", "nowhere.txt"], "", 2, "", "nowhere.txt"),
    (["fix", "-i", "nowhere.txt", "bad.txt"], "", 2, "", "nowhere.txt"),
    (["fix", "latin.txt"], "", 2, "", "latin.txt: byte 2"),
    (["fix", "gbk.txt"], "", 2, "", "--encoding"),
    (["fix", "gbk.txt", "--encoding", "gb18030"], "", 0, None, "gbk.txt"),
    (["fix", "binary"], "", 2, "", "NUL"),
    (["fix", "bad.txt", "--ignore", "WID,PUN"], "", 0, BAD, "0 "),
    (["fix", "bad.txt", "--select", "WID9"], "", 2, "", "no rule 'WID9'"),
    (["check", "bad.txt"], "", 1, None, "2 "),
    (["check", "good.txt"], "", 0, "", "0 "),
    (["check", "bad.txt", "--exit-zero"], "", 0, None, ""),
    (["diff", "bad.txt"], "", 1, None, ""),
    (["diff", "good.txt"], "", 0, "", ""),
    (["explain", "WID001"], "", 0, None, ""),
    (["explain", "WID999"], "", 2, "", "did you mean"),
    (["rules"], "", 0, None, ""),
    (["test", "WID001"], "", 0, None, ""),
    (["simulate", "-", "--seed", "1", "--share", "1"], "推动发展，做好服务。", 0, "推动开展，做好效劳。", ""),
    (["simulate", "-", "--family", "nowhere.tsv"], "推动发展。", 2, "", "nowhere.tsv"),
    (["--version"], "", 0, None, ""),
    (["frobnicate"], "", 2, "", "frobnicate"),
    (["undo", "nolog.jsonl", "bad.txt"], "", 2, "", "nolog.jsonl"),
    (["undo", "good.txt", "bad.txt"], "", 2, "", "not a jiaokan log"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("args", "stdin", "code", "out", "err"), TABLE, ids=lambda v: " ".join(v) if isinstance(v, list) else ""
)
def test_exit_codes_and_streams(
    folder: Path, args: list[str], stdin: str, code: int, out: str | None, err: str
) -> None:
    done = run(*args, stdin=stdin.encode(), cwd=folder)
    assert done.returncode == code, done.stderr.decode()
    if out is not None:
        assert done.stdout.decode() == out
    assert err in done.stderr.decode()


def test_other_files_are_still_done(folder: Path) -> None:
    assert run("fix", "-i", "binary", "bad.txt", cwd=folder).returncode == 2
    assert (folder / "bad.txt").read_text("utf-8") == GOOD


def test_diff_applies_with_patch(folder: Path) -> None:
    (folder / "bad.txt").write_bytes(BAD.rstrip("\n").encode())
    patch = run("diff", "bad.txt", cwd=folder).stdout
    subprocess.run(["patch", "-p1"], input=patch, cwd=folder, check=True, capture_output=True)
    assert (folder / "bad.txt").read_text("utf-8") == GOOD.rstrip("\n")


def test_log_and_undo(folder: Path) -> None:
    run("fix", "bad.txt", "-o", "out.txt", "--log", "log.jsonl", "--log-context", "none", cwd=folder)
    records = [json.loads(line) for line in (folder / "log.jsonl").read_text("utf-8").splitlines()]
    assert [r["type"] for r in records] == ["run", "file", "edit", "edit", "summary"]
    assert records[2] | {"start": 2, "end": 3, "before": ",", "after": "，", "line": 1, "col": 3} == records[2]
    assert "left" not in records[2]
    assert run("undo", "log.jsonl", "out.txt", cwd=folder).stdout.decode() == BAD
    assert (
        run("undo", "log.jsonl", "out.txt", "--only", "PUN001", cwd=folder).stdout.decode() == "今天，我们“开会〞。\n"
    )
    assert run("undo", "log.jsonl", "out.txt", "--only", "1", cwd=folder).stdout.decode() == "今天,我们“开会”。\n"
    wrong = run("undo", "log.jsonl", "out.txt", "--only", "3", cwd=folder)
    assert wrong.returncode == 2 and b"edits 1 to 2" in wrong.stderr
    (folder / "out.txt").write_text("改过了", "utf-8")
    changed = run("undo", "log.jsonl", "out.txt", cwd=folder)
    assert changed.returncode == 2 and b"changed after the repair" in changed.stderr
    before = run("undo", "log.jsonl", "bad.txt", cwd=folder)
    assert before.returncode == 2 and b"nothing to undo" in before.stderr


def test_one_log_for_many_files(folder: Path) -> None:
    (folder / "two.txt").write_bytes(b"\xef\xbb\xbf" + "会议,开始\r\n".encode())
    run("fix", "-i", "bad.txt", "two.txt", "--log", "log.jsonl", cwd=folder)
    assert run("undo", "log.jsonl", "two.txt", "-i", cwd=folder).returncode == 0
    assert (folder / "two.txt").read_bytes() == b"\xef\xbb\xbf" + "会议,开始\r\n".encode()
    assert run("undo", "log.jsonl", "bad.txt", cwd=folder).stdout.decode() == BAD


def test_a_log_cut_short_is_an_error(folder: Path) -> None:
    run("fix", "bad.txt", "-o", "out.txt", "--log", "log.jsonl", cwd=folder)
    lines = (folder / "log.jsonl").read_text("utf-8").splitlines(keepends=True)
    (folder / "log.jsonl").write_text("".join(lines[:3]), "utf-8")
    done = run("undo", "log.jsonl", "out.txt", cwd=folder)
    assert done.returncode == 2 and b"cut short" in done.stderr


def test_a_closed_pipe_ends_quietly(folder: Path) -> None:
    (folder / "long.txt").write_text(BAD * 50_000, "utf-8")
    done = subprocess.run(
        f"{sys.executable} -m normalizer fix long.txt | head -c 10",
        shell=True,
        cwd=folder,
        capture_output=True,
        timeout=120,
    )
    assert b"Traceback" not in done.stderr and b"Broken" not in done.stderr


def test_messages_in_both_languages(folder: Path) -> None:
    assert "处修改" in run("fix", "bad.txt", "--lang", "zh", cwd=folder).stderr.decode()
    assert "edits" in run("fix", "bad.txt", "--lang", "en", cwd=folder).stderr.decode()


def test_carets_stand_under_wide_characters(folder: Path) -> None:
    lines = run("check", "bad.txt", "--lang", "en", cwd=folder).stdout.decode().splitlines()
    assert lines[0].startswith("bad.txt:1:3 WID001 [safe] , → ，")
    assert lines[2].index("^") == 4 + 4


def test_interrupt_ends_with_130_and_nothing_half_written(folder: Path) -> None:
    import signal
    import time

    process = subprocess.Popen(
        [sys.executable, "-m", "normalizer", "fix", "-", "-o", "out.txt"],
        cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(BAD.encode())
    process.stdin.flush()
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err.decode()
    assert b"Traceback" not in err and not (folder / "out.txt").exists()


def test_a_log_that_cannot_be_written_stops_before_any_file_changes(folder: Path) -> None:
    done = run("fix", "-i", "bad.txt", "--log", "nowhere/log.jsonl", cwd=folder)
    assert done.returncode == 2 and b"nowhere/log.jsonl" in done.stderr
    assert (folder / "bad.txt").read_text("utf-8") == BAD
