"""Cache of clean files: the hashes of contents in which a set of rules and options would change nothing."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from platformdirs import user_cache_path

from . import __version__
from .context.model import weights_folder
from .document import DocumentError, write_bytes
from .pipeline import Normalizer

# A sha256, and the number of findings left to decide as four bytes.
_HASH, _SIZE = 32, 36
# Hashes kept for one set of options; more than this and the oldest go.
_MOST = 2_000_000


def folder() -> Path:
    """Where caches are kept: $JIAOKAN_CACHE_DIR, or the user's cache folder."""
    named = os.environ.get("JIAOKAN_CACHE_DIR")
    return Path(named) if named else user_cache_path("jiaokan", appauthor=False)


def options_digest(normalizer: Normalizer, encoding: str | None) -> str:
    """Stands for all that decides what is found: version, rules, weights, options, and the content of tables."""
    config = normalizer.config
    digest = hashlib.sha256()
    weights = weights_folder()
    for part in (__version__, normalizer.book.digest, (weights / "card.md").read_text("utf-8"), repr(config), encoding):
        digest.update(repr(part).encode("utf-8", "surrogatepass"))
    for table in config.substitution.tables:
        digest.update(Path(table).read_bytes())
    return digest.hexdigest()[:32]


class CleanCache:
    """Contents in which one set of options would change nothing, with the number of findings that are left to decide;
    keyed by content, never by name or time.

    A cache that cannot be read is empty, one that cannot be written is not kept: it only saves time.
    """

    def __init__(self, digest: str) -> None:
        self._path = folder() / f"clean-{digest}.bin"
        self._known = self._read()
        self._new: dict[bytes, int] = {}

    def _read(self) -> dict[bytes, int]:
        try:
            data = self._path.read_bytes()
        except OSError:
            return {}
        whole = range(0, len(data) - len(data) % _SIZE, _SIZE)
        return {data[i : i + _HASH]: int.from_bytes(data[i + _HASH : i + _SIZE], "little") for i in whole}

    def findings(self, digest: bytes) -> int | None:
        """How many findings a content has, None where it is not known to be clean."""
        return self._known.get(digest)

    def add(self, digest: bytes, findings: int) -> None:
        self._known[digest] = self._new[digest] = findings

    def save(self) -> None:
        """Adds what is new to what another run may have written meanwhile."""
        if not self._new:
            return
        kept = list((self._read() | self._new).items())[-_MOST:]
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(self._path, b"".join(key + count.to_bytes(4, "little") for key, count in kept))
        except (OSError, DocumentError):
            return
        self._new.clear()
