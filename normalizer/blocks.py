"""Blocks of a text: heading, paragraph, list item, table, verse, furniture, with the lines that each covers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from .scan import Scan


class Kind(StrEnum):
    BLANK = "blank"
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST = "list"
    TABLE = "table"
    VERSE = "verse"
    FURNITURE = "furniture"


@dataclass(frozen=True, slots=True)
class Block:
    """Lines first_line to last_line (inclusive, counted from 0) of one kind; start and end are code points."""

    kind: Kind
    first_line: int
    last_line: int
    start: int
    end: int


_NUMERAL = "〇零一二三四五六七八九十百千0-9０-９"
LABEL = re.compile(
    rf"[ \t\u3000\u00a0]*(?:第[{_NUMERAL}]{{1,6}}[条章节款编篇部分课讲题项步]|[{_NUMERAL}]{{1,4}}[、.．)）:：]|[（(〔\[【]|[①-⑳⑴-⒛㈠-㈩]"
    r"|[-*+•●■◆▲△◇□○★☆※√➢]|[#>|]|[A-Za-z][.．、)）:：]|附件?[：:一二三1-9]|[表图注][一二三0-9：: ]|答[：:]|问[：:]|[^，。；,;]{1,8}[：:])"
)
_HEADING = re.compile(rf"[ \t\u3000\u00a0]*(?:#{{1,6}} |第[{_NUMERAL}]{{1,6}}[章节编篇部]|[{_NUMERAL}]{{1,4}}、)")
_LIST = re.compile(rf"[ \t\u3000]*(?:[-*+•●■◆]|[{_NUMERAL}]{{1,4}}[.．)）、]|[（(][{_NUMERAL}]{{1,4}}[)）]|[①-⑳])")
_TABLE = re.compile(r"^[ \t]*\||\t|\S(?: {2,}|\u3000{2,})\S.*\S(?: {2,}|\u3000{2,})\S")
_GAPS = ("\t", "|", "  ", "\u3000\u3000")
_FURNITURE = re.compile(
    r"[ \t\u3000]*(?:当前位置|上一篇|下一篇|相关推荐|相关阅读|热门文章|猜你喜欢|版权说明|版权声明|下载本文档|下載本文檔|返回首页|"
    r"上传人|资源描述|文档简介|文檔簡介|已阅读|已閱讀|还剩|第\s*\d+\s*页|\S{0,80}_第\d+[页頁]|京公网安备|\|?\s*来源[:：])"
)
PAUSES = "，、；：,;:"
STOPS = "。！？…!?.．"
CLOSERS = "”’）》〉」』】〕〗〞\"')"
# The longest line of verse; classical lines have five or seven characters, modern ones seldom more than this.
_VERSE = 18


def line_kind(line: str) -> Kind:
    """What a single line looks like by itself; verse needs its neighbours and is told by `blocks`."""
    body = line.strip(" \t\u3000\u00a0")
    if not body:
        return Kind.BLANK
    if _FURNITURE.match(line):
        return Kind.FURNITURE
    if any(gap in line for gap in _GAPS) and _TABLE.search(line):
        return Kind.TABLE
    prose = any(c in body for c in "。，；,;") or len(body) > 45
    if _HEADING.match(line) and not prose:
        return Kind.HEADING
    if _LIST.match(line):
        return Kind.LIST
    if not prose and body[-1] not in STOPS and len(body) <= 30 and not body.endswith(("：", ":")):
        return Kind.HEADING
    return Kind.PARAGRAPH


def is_verse(lines: list[str]) -> bool:
    """Whether consecutive lines are verse: three or more, all short, none of them running prose."""
    bodies = [b for b in (x.strip(" \t\u3000\u00a0") for x in lines) if b]
    return len(bodies) >= 3 and all(
        len(b) <= _VERSE and not any(c in b[:-1] for c in "。！？!?") for b in bodies
    ) and sum(b[-1] in PAUSES + STOPS for b in bodies) * 2 >= len(bodies)  # fmt: skip


def blocks(scan: Scan) -> Iterator[Block]:
    """The blocks of a text in order; lines of one kind that follow each other without a blank line are one block.

    Every heading, paragraph and list item line is its own block, as documents copied from the web have them.
    """
    starts, ends = scan.line_starts.tolist(), scan.line_ends.tolist()
    lines = [scan.text[s:e] for s, e in zip(starts, ends, strict=True)]
    i = 0
    while i < len(lines):
        kind = line_kind(lines[i])
        j = i
        if kind in (Kind.TABLE, Kind.FURNITURE):
            while j + 1 < len(lines) and line_kind(lines[j + 1]) is kind:
                j += 1
        elif kind is not Kind.BLANK:
            while j + 1 < len(lines) and 0 < len(lines[j + 1].strip()) <= _VERSE:
                j += 1
            if is_verse(lines[i : j + 1]):
                kind = Kind.VERSE
            else:
                j = i
        if kind is not Kind.BLANK:
            yield Block(kind, i, j, starts[i], ends[j])
        i = j + 1
