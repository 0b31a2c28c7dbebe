"""Bytes survive: encodings, marks, newlines and modes; what cannot be read or written says so."""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path

import pytest

from normalizer.document import Document, DocumentError, write_bytes

TEXT = "第一行，\r\n第二行。\r第三行\n𠮷\u2028末"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TEXT.encode(), None),
        (codecs.BOM_UTF8 + TEXT.encode(), None),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), None),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), None),
        (TEXT.encode("gb18030"), "gb18030"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (b"", None),
    ],
)
def test_round_trip(data: bytes, encoding: str | None) -> None:
    document = Document.decode(data, encoding)
    assert document.encode() == data
    assert document.text in (TEXT, "")


def test_auto_finds_gb18030_and_says_so() -> None:
    text = "关于进一步加强和改进新形势下档案工作的意见，请各单位认真贯彻执行。" * 20
    document = Document.decode(text.encode("gb18030"), "auto")
    assert document.text == text and document.detected


def test_bad_bytes_name_file_and_offset() -> None:
    with pytest.raises(DocumentError, match=r"a\.txt: byte 6 \(0xff\)"):
        Document.decode("中文".encode() + b"\xff", None, "a.txt")


def test_binary_is_refused() -> None:
    with pytest.raises(DocumentError, match="byte 2 is NUL"):
        Document.decode(b"PK\0\x01")


def test_unknown_encoding() -> None:
    with pytest.raises(DocumentError, match="unknown encoding 'klingon'"):
        Document.decode(b"a", "klingon")


def test_a_character_the_encoding_lacks_is_an_error() -> None:
    document = Document.decode("第一行\n第二行".encode("big5", "ignore"), "big5", "b.txt")
    with pytest.raises(DocumentError, match=r"b\.txt: line 2: big5 has no '发'"):
        document.encode("第一行\n发展")


def test_newline() -> None:
    assert Document("a\r\nb\r\nc\n").newline == "\r\n"
    assert Document("a").newline == "\n"


def test_writing_keeps_mode_and_follows_links(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link = tmp_path / "link.txt"
    link.symlink_to(target)
    write_bytes(link, b"new")
    assert link.is_symlink() and target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt", "link.txt"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.txt"
    target.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DocumentError, match="No space left"):
        write_bytes(target, b"new")
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
