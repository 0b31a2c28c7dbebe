"""Character classes: the code point table that the array rules look up, and the regex classes that pattern rules name."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

CodePoints = npt.NDArray[np.uint32]
Classes = npt.NDArray[np.uint8]

# One bit a class, so that a rule asks for a union with one `&`.
HAN, DIGIT, LATIN, SPACE, NEWLINE, CJK_OPEN, CJK_CLOSE, CJK_POINT = (1 << i for i in range(8))
CJK = HAN | CJK_OPEN | CJK_CLOSE | CJK_POINT

HAN_RANGES = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))
OPENERS = "“‘（《〈「『【〔〖〝"
CLOSERS = "”’）》〉」』】〕〗〞"
POINTS = "，。、；：？！…—·～"


@cache
def class_table() -> Classes:
    """The class bits of every code point, shape (0x110000,)."""
    table = np.zeros(0x110000, dtype=np.uint8)
    for first, last in HAN_RANGES:
        table[first : last + 1] = HAN
    table[0x3007] = HAN
    for first, last in ((0x30, 0x39), (0xFF10, 0xFF19)):
        table[first : last + 1] = DIGIT
    for first, last in ((0x41, 0x5A), (0x61, 0x7A), (0xC0, 0x24F), (0x370, 0x52F), (0xFF21, 0xFF3A), (0xFF41, 0xFF5A)):
        table[first : last + 1] = LATIN
    table[[0xD7, 0xF7]] = 0
    for text, bit in (
        (" \t\u00a0\u3000", SPACE), ("\n\r", NEWLINE), (OPENERS, CJK_OPEN), (CLOSERS, CJK_CLOSE), (POINTS, CJK_POINT),
    ):  # fmt: skip
        table[[ord(c) for c in text]] = bit
    return table


def code_points(text: str) -> CodePoints:
    """The code points of a text, shape (len(text),)."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
