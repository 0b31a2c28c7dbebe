"""The rules are found from a built wheel, an editable install and a checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "import normalizer, normalizer.rulebook as r; print(r.rules_folder(), normalizer.normalize('今天,好〞').text)"


def run(where: Path, path: Path | None, *flags: str) -> str:
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | ({"PYTHONPATH": str(path)} if path else {})
    return subprocess.run(
        [sys.executable, *flags, "-c", PROGRAM], cwd=where, env=env, check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling")
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return next(out.glob("*.whl"))


def test_wheel_carries_the_rules(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path)
    assert "normalizer/rules/pipeline.toml" in names and "normalizer/py.typed" in names
    # -I would hide PYTHONPATH; -P keeps the checkout out
    printed = run(tmp_path, tmp_path, "-P")
    assert str(tmp_path / "normalizer" / "rules") in printed and "今天，好”" in printed


def test_checkout(tmp_path: Path) -> None:
    printed = run(tmp_path, ROOT, "-P")
    assert str(ROOT / "rules") in printed


def test_editable_install(tmp_path: Path) -> None:
    import normalizer

    if Path(str(normalizer.__file__)).parent.parent != ROOT:
        pytest.skip("not an editable install")
    assert str(ROOT / "rules") in run(tmp_path, None)


def test_version_needs_no_heavy_import() -> None:
    code = "import sys, normalizer.cli; print([m for m in ('numpy', 'jieba', 'ftfy', 'rich') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_a_one_line_filter_loads_neither_jieba_nor_ftfy() -> None:
    code = (
        "import sys, normalizer; normalizer.normalize('今天,好〞'); "
        "print([m for m in ('jieba', 'ftfy', 'rich', 'charset_normalizer') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
