"""Blocks, lines, protected spans and meaning: what rules ask of a text."""

from __future__ import annotations

import pytest

from normalizer.blocks import Kind, blocks
from normalizer.meaning import touches_meaning
from normalizer.protect import protected_spans
from normalizer.scan import Scan

PAGE = """当前位置：范文网
一、总体要求
各单位要提高认识，落实责任，把工作做好。

- 第一项
姓名\t单位
张三\t市府

床前明月光，
疑是地上霜。
举头望明月，
低头思故乡。
"""


def test_blocks() -> None:
    found = [(b.kind, b.first_line, b.last_line) for b in blocks(Scan(PAGE))]
    assert found == [
        (Kind.FURNITURE, 0, 0), (Kind.HEADING, 1, 1), (Kind.PARAGRAPH, 2, 2), (Kind.LIST, 4, 4), (Kind.TABLE, 5, 6),
        (Kind.VERSE, 8, 11),
    ]  # fmt: skip


def test_blocks_cover_their_lines() -> None:
    lines = PAGE.split("\n")
    for b in blocks(Scan(PAGE)):
        assert PAGE[b.start : b.end] == "\n".join(lines[b.first_line : b.last_line + 1])


def test_lines_end_at_three_newlines_only() -> None:
    scan = Scan("一\r\n二\r三\n四\u2028五\x0b六\r\n")
    assert [scan.text[s:e] for s, e in zip(scan.line_starts, scan.line_ends, strict=True)] == [
        "一", "二", "三", "四\u2028五\x0b六", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("见`a,b`中", ["`a,b`"]),
        ("前\n```\n中,文\n```\n后", ["```\n中,文\n```"]),
        ("见http://a.b/c,d?e=f，好", ["http://a.b/c,d?e=f"]),
        ("见https://a.b/c.", ["https://a.b/c"]),
        ("写信a.b@c.com，好", ["a.b@c.com"]),
        ("[文,档](a,b)", ["(a,b)"]),
        ("甲<b c='d,e'>乙</b>", ["<b c='d,e'>", "</b>"]),
        ("---\na: 甲,乙\n---\n丙,丁", ["---\na: 甲,乙\n---"]),
        ("设$x,y$与\\(a,b\\)", ["$x,y$", "\\(a,b\\)"]),
        ("写作原那么[sic]，误", ["写作原那么[sic]"]),
        ("写作原那么（原文如此），误", ["写作原那么（原文如此）"]),
        ("价格$5，总共$10", []),
        ("3 < 5，a > b", []),
    ],
)
def test_protected(text: str, spans: list[str]) -> None:
    assert [text[s:e] for s, e in zip(*protected_spans(text), strict=True)] == spans


@pytest.mark.parametrize(
    ("before", "after", "touches"),
    [
        ("原那么", "原则", False),
        ("二O", "二〇", True),
        ("必需", "必须", True),
        ("末", "未", True),
        ("不能能", "不可能", False),
    ],
)
def test_meaning(before: str, after: str, touches: bool) -> None:
    assert touches_meaning(before, after) is touches
