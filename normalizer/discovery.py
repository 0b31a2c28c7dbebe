"""Discovery: which files the paths of a command line stand for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from pathspec import GitIgnoreSpec

from .configuration import Configuration

STANDARD_INPUT = "-"
# A .gitignore and the folder it speaks for.
_Ignores = tuple[tuple[str, GitIgnoreSpec], ...]


@cache
def _spec(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines(patterns)


def discover(
    paths: Iterable[str], configuration: Configuration, force_exclude: bool = False, gitignore: bool = True
) -> Iterator[str]:
    """The files that the paths name, each once: folders are walked in order of names, files come as they are given.

    A walk takes what `include` names and neither `exclude` nor a .gitignore does, and enters no hidden folder and
    follows no link. A file that is named itself is taken, with force_exclude only if `exclude` does not name it.
    """
    seen: set[str] = set()
    for path in paths:
        if path != STANDARD_INPUT and os.path.isdir(path):  # noqa: PTH112
            found: Iterable[str] = _walk(path, configuration, _above(path) if gitignore else (), gitignore)
        elif force_exclude and path != STANDARD_INPUT and _excluded(Path(path), configuration):
            continue
        else:
            found = (path,)
        for file in found:
            if file not in seen:
                seen.add(file)
                yield file


def _excluded(path: Path, configuration: Configuration) -> bool:
    resolved = configuration.of(path)
    root = resolved.root or Path.cwd()
    path = path.absolute()
    return path.is_relative_to(root) and _spec(tuple(resolved.values["exclude"])).match_file(
        path.relative_to(root).as_posix()
    )


def _above(folder: str) -> _Ignores:
    """The .gitignore files of the folders above, down from the root of the repository."""
    found: list[tuple[str, GitIgnoreSpec]] = []
    here = Path(folder).absolute()
    for parent in here.parents:
        if (here / ".git").exists():
            break
        found += _ignore_file(str(parent))
        if (parent / ".git").exists():
            return tuple(reversed(found))
    return ()


def _ignore_file(folder: str) -> _Ignores:
    try:
        with open(f"{folder}/.gitignore", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return ((str(Path(folder).absolute()), GitIgnoreSpec.from_lines(file)),)
    except OSError:
        return ()


def _walk(folder: str, configuration: Configuration, ignores: _Ignores, gitignore: bool) -> Iterator[str]:
    if gitignore:
        ignores += _ignore_file(folder)
    absolute = str(Path(folder).absolute())
    resolved = configuration.of(Path(folder))
    root = str(resolved.root) if resolved.root else absolute
    wanted = _matcher(_spec(tuple(resolved.values["include"])), root)
    unwanted = _matcher(_spec(tuple(resolved.values["exclude"])), root)
    with os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda e: e.name)
    for entry in ordered:
        path = f"{absolute}/{entry.name}"
        if entry.is_symlink():
            continue
        if entry.is_dir():
            if not entry.name.startswith(".") and not _ignored(path + "/", ignores) and not unwanted(path + "/"):
                yield from _walk(os.path.join(folder, entry.name), configuration, ignores, gitignore)  # noqa: PTH118
        elif wanted(path) and not unwanted(path) and not _ignored(path, ignores):
            yield os.path.join(folder, entry.name)  # noqa: PTH118


def _matcher(spec: GitIgnoreSpec, root: str) -> Callable[[str], bool]:
    prefix = root.rstrip("/") + "/"
    if not len(spec.patterns):
        return lambda path: False
    return lambda path: spec.match_file(path.removeprefix(prefix))


def _ignored(path: str, ignores: _Ignores) -> bool:
    """The deepest .gitignore that says anything of a path decides."""
    for folder, spec in reversed(ignores):
        said = spec.check_file(path.removeprefix(folder.rstrip("/") + "/")).include
        if said is not None:
            return said
    return False
