"""jiaokan: gives damaged Chinese text back its original words, with a reversible log of every edit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .edit import Edit, Level, Patch, StaleEditError
    from .pipeline import Config, Finding, Normalizer, Outcome, check, normalize, undo

__version__ = "0.1.0"
__all__ = [
    "Config", "Edit", "Finding", "Level", "Normalizer", "Outcome", "Patch", "StaleEditError", "check", "normalize",
    "undo",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    # NumPy takes longer to import than `jiaokan --version` may take in all.
    if name in ("Edit", "Level", "Patch", "StaleEditError"):
        from . import edit

        return getattr(edit, name)
    if name in __all__:
        from . import pipeline

        return getattr(pipeline, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
