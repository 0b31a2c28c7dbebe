"""Bytes to Document and back: encoding, byte order mark and newlines kept; files read and written whole."""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

_NEWLINE = re.compile(r"\r\n|\n|\r")
_MARKS = (  # the UTF-32 marks begin with the UTF-16 ones, so they come first
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class DocumentError(Exception):
    """Input that cannot be read, or output that cannot be written; the message names file, place and remedy."""


@dataclass(frozen=True, slots=True)
class Document:
    """A decoded text with what is needed to write it back as it came.

    text: newlines as found; the byte order mark is not part of it. encoding: Python codec name. detected: True where
    a detector chose the encoding.
    """

    text: str
    encoding: str = "utf-8"
    bom: bytes = b""
    name: str = "<text>"
    detected: bool = False

    @classmethod
    def decode(cls, data: bytes, encoding: str | None = None, name: str = "<stdin>") -> Document:
        """Decodes UTF-8, or UTF-16 with a mark; or `encoding`, a codec name or `auto`.

        Raises DocumentError for bytes that do not decode, with the first bad offset, and for binary data.
        """
        bom = b""
        detected = False
        for mark, codec in _MARKS:
            if data.startswith(mark):
                bom, chosen = mark, codec
                break
        else:
            chosen = encoding or "utf-8"
            wide = chosen.lower().replace("_", "-").startswith(("utf-16", "utf-32", "utf16", "utf32"))
            if b"\0" in data and not wide:
                at = data.index(b"\0")
                raise DocumentError(f"{name}: byte {at} is NUL, this looks like a binary file; left alone")
            if chosen == "auto":
                chosen, detected = _detect(data, name), True
        try:
            text = data[len(bom) :].decode(chosen)
        except LookupError:
            raise DocumentError(f"{name}: unknown encoding {chosen!r}; try utf-8, gb18030, big5 or auto") from None
        except UnicodeDecodeError as error:
            at = error.start + len(bom)
            bad = data[at : at + 1].hex()
            raise DocumentError(
                f"{name}: byte {at} (0x{bad}) is not {chosen}; give --encoding gb18030, big5, … or --encoding auto"
            ) from None
        if "\0" in text:
            at = len(text[: text.index("\0")].encode(chosen)) + len(bom)
            raise DocumentError(f"{name}: byte {at} is NUL, this looks like a binary file; left alone")
        return cls(text, chosen, bom, name, detected)

    def encode(self, text: str | None = None) -> bytes:
        """The bytes of `text` (default: the document's own) in the document's encoding, mark included.

        Raises DocumentError for a character that the encoding lacks.
        """
        text = self.text if text is None else text
        try:
            return self.bom + text.encode(self.encoding)
        except UnicodeEncodeError as error:
            char = text[error.start]
            line = 1 + len(_NEWLINE.findall(text, 0, error.start))
            raise DocumentError(
                f"{self.name}: line {line}: {self.encoding} has no {char!r} (U+{ord(char):04X}), nothing written; "
                "leave out the rule that makes it with --ignore, or convert the file to UTF-8 first"
            ) from None

    @property
    def newline(self) -> str:
        """The newline that most lines end with: `\\n`, `\\r\\n` or `\\r`; `\\n` for a text of one line."""
        crlf = self.text.count("\r\n")
        counts = {"\r\n": crlf, "\n": self.text.count("\n") - crlf, "\r": self.text.count("\r") - crlf}
        return max(counts, key=lambda k: (counts[k], k == "\n"))


def _detect(data: bytes, name: str) -> str:
    """The encoding a detector finds likeliest; UTF-8 whenever the bytes are valid UTF-8."""
    with contextlib.suppress(UnicodeDecodeError):
        data.decode("utf-8")
        return "utf-8"
    from charset_normalizer import from_bytes

    best = from_bytes(data, cp_isolation=["gb18030", "big5", "big5hkscs", "utf_16_le", "utf_16_be", "cp1252"]).best()
    if best is None:
        raise DocumentError(f"{name}: no encoding found that fits; give one with --encoding")
    return best.encoding


def read_bytes(path: Path) -> bytes:
    """The bytes of a file. Raises DocumentError that says what stands in the way."""
    try:
        return path.read_bytes()
    except IsADirectoryError:
        raise DocumentError(f"{path}: is a folder; name the files in it") from None
    except OSError as error:
        raise DocumentError(f"{path}: cannot be read: {error.strerror}") from None


def write_bytes(path: Path, data: bytes) -> None:
    """Puts `data` in place of a file in one step, keeping its mode; a link is followed, never replaced.

    Raises DocumentError; the old file is then still there, whole.
    """
    target = Path(os.path.realpath(path))
    handle = None
    try:
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
        if target.exists() and not os.access(target, os.W_OK):
            raise DocumentError(f"{path}: is read-only; nothing written")
        fd, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".jiaokan")
        handle = Path(temporary)
        with os.fdopen(fd, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        handle.chmod(mode if mode is not None else 0o666 & ~_umask())
        handle.replace(target)
        handle = None
    except OSError as error:
        raise DocumentError(f"{path}: cannot be written: {error.strerror}; the old file is untouched") from None
    finally:
        if handle is not None:
            handle.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
