"""The README's before/after block and its Python example hold, and its commands are the ones CI runs."""

from __future__ import annotations

import re
from pathlib import Path

from normalizer import normalize

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def test_before_and_after() -> None:
    before, after = re.search(r"before  (.*)\nafter   (.*)\n", README).groups()  # type: ignore[union-attr]
    assert normalize(before).text == after


def test_python_example() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README, re.S)
    exec(compile(block, "README.md", "exec"), {})


def test_ci_runs_the_readme_command() -> None:
    command = "pip install -q -e '.[dev]' && python -m pytest"
    assert command in README and command in (ROOT / ".ci" / "run").read_text("utf-8")


def test_every_rule_prefix_is_in_the_readme() -> None:
    from normalizer.rulebook import rulebook

    assert all(prefix in README for prefix in {r.id[:3] for r in rulebook().rules})
