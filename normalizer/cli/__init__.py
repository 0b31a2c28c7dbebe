"""The command `jiaokan`: one module a group of verbs; whatever is heavy is imported inside the verb."""

from . import about, learning, repair, settings, undoing
from .app import cli, main

__all__ = ["about", "cli", "learning", "main", "repair", "settings", "undoing"]
