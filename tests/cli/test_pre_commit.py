"""The hooks, run by the real pre-commit on a repository made here."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BAD = "今天,我们“开会〞。\n"
GOOD = "今天，我们“开会”。\n"


def git(folder: Path, *args: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", *args], cwd=folder, check=True, capture_output=True
    )


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as a repository of its own: pre-commit installs what is committed."""
    pytest.importorskip("pre_commit")
    folder = tmp_path_factory.mktemp("hooks") / "jiaokan"
    folder.mkdir()
    for name in ("normalizer", "rules", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "all")
    return folder


def test_hooks_fix_and_check(hooks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JIAOKAN_CACHE_DIR", str(tmp_path / "cache"))
    work = tmp_path / "work"
    work.mkdir()
    revision = subprocess.run(["git", "rev-parse", "HEAD"], cwd=hooks, capture_output=True, text=True).stdout.strip()

    def commit(hook: str) -> subprocess.CompletedProcess[str]:
        (work / ".pre-commit-config.yaml").write_text(
            f"repos:\n- repo: {hooks}\n  rev: {revision}\n  hooks: [{{id: {hook}}}]\n", "utf-8"
        )
        return subprocess.run(
            [sys.executable, "-m", "pre_commit", "run", "--all-files"], cwd=work, capture_output=True, encoding="utf-8",
            timeout=500,
        )  # fmt: skip

    git(work, "init", "-q")
    (work / ".jiaokan.toml").write_text('exclude = ["kept.txt"]\n', "utf-8")
    for name in ("bad.txt", "kept.txt"):
        (work / name).write_text(BAD, "utf-8")
    (work / "good.txt").write_text(GOOD, "utf-8")
    git(work, "add", "-A")
    checked = commit("jiaokan-check")
    assert checked.returncode == 1 and "+" + GOOD.strip() in checked.stdout, checked.stdout
    assert (work / "bad.txt").read_text("utf-8") == BAD
    fixed = commit("jiaokan-fix")
    assert fixed.returncode == 1 and "bad.txt" in fixed.stdout and "WID001 1" in fixed.stdout, fixed.stdout
    assert [(work / n).read_text("utf-8") for n in ("bad.txt", "kept.txt")] == [GOOD, BAD]
    assert commit("jiaokan-fix").returncode == 0
