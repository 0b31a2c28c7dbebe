"""Marks in the text and lines of a sidecar file: what they hold back, and what is told of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from normalizer import Config, Normalizer
from normalizer.configuration import Configuration, ConfigurationError
from normalizer.suppression import read_fragments

LINE = "今天,各部门在会议室里开会讨论明年的各项工作安排和经费预算。"


@pytest.mark.parametrize(
    ("text", "repaired", "told"),
    [
        (f"{LINE}<!-- jiaokan: ignore[WID001] 原样 -->\n{LINE}", 1, ()),
        (f"<!-- jiaokan: ignore[WID] 诗 -->\n{LINE}\n{LINE}\n\n{LINE}", 1, ()),
        (f"<!-- jiaokan: off[WID001] 引文 -->\n{LINE}\n\n{LINE}\n<!-- jiaokan: on[WID001] -->\n{LINE}", 1, ()),
        (f"<!-- jiaokan: off[WID001] 引文 -->\n{LINE}\n\n{LINE}", 0, ()),
        (f"{LINE}\n\n{LINE}\n# jiaokan: ignore-file[WID001] 旧刊\n{LINE}", 0, ()),
        (f"{LINE}<!-- jiaokan: ignore[PUN001] 原样 -->", 1, ("SUP001",)),
        (f"{LINE}<!-- jiaokan: ignore[WID999] 原样 -->", 1, ("SUP002",)),
        (f"{LINE}<!-- jiaokan: ignore 原样 -->", 1, ("SUP003",)),
        (f"{LINE}<!-- jiaokan: on[WID001] -->", 1, ("SUP004",)),
        (f"{LINE}<!-- jiaokan: ignore[WID001,PUN001] 原样 -->", 0, ()),
        (f"{LINE}说 jiaokan: ignore[WID001] 是标记", 1, ()),
    ],
)
def test_marks(text: str, repaired: int, told: tuple[str, ...]) -> None:
    outcome = Normalizer()(text)
    assert outcome.text.count("今天，") == repaired
    assert tuple(f.rules[0] for f in outcome.findings) == told
    assert outcome.undo() == text


def test_spans_move_with_the_text() -> None:
    text = "今\u200b天\u200b开\u200b会\u200b了。\n\n<!-- jiaokan: ignore[WID001] 原样 -->\n" + LINE + "\n\n" + LINE
    assert Normalizer()(
        text
    ).text == "今天开会了。\n\n<!-- jiaokan: ignore[WID001] 原样 -->\n" + LINE + "\n\n" + LINE.replace(",", "，")


def test_a_sidecar_survives_moved_lines(tmp_path: Path) -> None:
    (tmp_path / ".jiaokan-ignore").write_text("# 引文\n*.txt | WID001 | 会议-,今天\\,,-各部门 | 原文如此\n", "utf-8")
    resolved = Configuration().of(tmp_path / "a.txt")
    outcome = Normalizer(resolved.config())(f"一。\n二。\n会议{LINE}\n{LINE}")
    assert outcome.text == f"一。\n二。\n会议{LINE}\n{LINE.replace(',', '，')}"
    assert outcome.suppressed == {f"{tmp_path / '.jiaokan-ignore'}:2"}
    assert Configuration().of(tmp_path / "a.md").config() == Config()
    (tmp_path / ".jiaokan-ignore").write_text("*.txt | WID001 | 今天\n", "utf-8")
    with pytest.raises(ConfigurationError, match=r":1: needs glob"):
        Configuration().of(tmp_path / "b.txt")


def test_fragments_of_a_range() -> None:
    ((_, fragment),) = read_fragments(["* | WID | 第一,结束 | 理由"], "f")
    assert list(fragment.places("第一段，结束。第一，没有了")) == [(0, 6)]
