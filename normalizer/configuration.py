"""Configuration files: where they are found, what they may say, and where each value in force comes from."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pathspec import GitIgnoreSpec

from .kinds import Settings
from .pipeline import Config
from .suppression import Fragment, read_fragments

FILE, PROJECT, TABLE = ".jiaokan.toml", "pyproject.toml", "jiaokan"
SIDECAR = ".jiaokan-ignore"
DEFAULT = "default"
COMMAND_LINE = "command line"
# What a folder walk takes when nothing is said: formats in which people keep Chinese prose.
TEXT = (
    "*.txt", "*.text", "*.md", "*.markdown", "*.rst", "*.adoc", "*.tex", "*.html", "*.htm", "*.csv", "*.tsv", "*.srt",
)  # fmt: skip
# Settings that a path may have of its own.
_BY_PATH: dict[str, type[Any]] = {
    "level": str, "select": list, "ignore": list, "protect": list, "pairs": list, "without": list,
    "assume-infected": str, "encoding": str,
}  # fmt: skip
_KEYS: dict[str, type[Any]] = {**_BY_PATH, "include": list, "exclude": list, "extend": str, "per-file": dict}
_DEFAULTS: dict[str, Any] = {
    "level": "safe", "select": (), "ignore": (), "protect": (), "pairs": (), "without": (), "assume-infected": "",
    "encoding": None, "include": TEXT, "exclude": (),
}  # fmt: skip
_VCS = (".git", ".hg", ".svn")


class ConfigurationError(Exception):
    """A configuration that cannot be used; the message names file, key and remedy."""


@dataclass(frozen=True)
class Resolved:
    """The settings in force for one path, by key, and where each comes from.

    root: the folder that `include` and `exclude` are relative to, None where no file says anything. fragments: what the
    nearest sidecar file says of the path.
    """

    values: Mapping[str, Any]
    origins: Mapping[str, str]
    root: Path | None = None
    fragments: tuple[Fragment, ...] = ()

    def config(self) -> Config:
        """What a Normalizer needs. Raises ConfigurationError for a level or a protect file that does not exist."""
        v = self.values
        settings = Settings(v["assume-infected"], tuple(v["pairs"]), tuple(v["without"]))
        try:
            return Config.of(v["level"], v["select"], v["ignore"], self._protected(), settings, self.fragments)
        except ValueError as error:
            raise ConfigurationError(f"{self.origins['level']}: {error}") from None

    def _protected(self) -> list[str]:
        words: list[str] = []
        for value in self.values["protect"]:
            if not value.startswith("@"):
                words.append(value)
                continue
            try:
                lines = Path(value[1:]).read_text("utf-8").split("\n")
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigurationError(f"{self.origins['protect']}: protect {value}: {error}") from None
            words += [line.strip() for line in lines if line.strip()]
        return words


@dataclass(frozen=True)
class _Layer:
    """One configuration file with all that it extends: values, origins, and settings by path in order."""

    folder: Path
    values: dict[str, Any]
    origins: dict[str, str]
    by_path: list[tuple[str, GitIgnoreSpec, Path, dict[str, Any]]] = field(default_factory=list)

    @cached_property
    def resolved(self) -> Resolved:
        return Resolved(
            {**_DEFAULTS, **self.values}, {**dict.fromkeys(_DEFAULTS, DEFAULT), **self.origins}, self.folder
        )


class Configuration:
    """Finds the configuration of each path. given: settings of the command line, which go before those of files.

    isolated: no file is looked for.
    """

    def __init__(self, given: Mapping[str, Any] | None = None, isolated: bool = False) -> None:
        self.given = {k: v for k, v in (given or {}).items() if v not in (None, (), [])}
        self.isolated = isolated
        self._by_folder: dict[Path, _Layer | None] = {}
        self._sidecars: dict[Path, list[tuple[GitIgnoreSpec, Path, Fragment]]] = {}
        self._resolved: dict[tuple[int, tuple[int, ...], tuple[Fragment, ...]], Resolved] = {}

    def of(self, path: Path) -> Resolved:
        """The settings for a file, or for the files of a folder. Raises ConfigurationError."""
        path = path.absolute()
        layer = None if self.isolated else self._nearest(path if path.is_dir() else path.parent)
        mine = () if layer is None else tuple(n for n, rule in enumerate(layer.by_path) if _matches(rule, path))
        said = () if self.isolated else self._fragments(path)
        key = (id(layer), mine, said)
        if key not in self._resolved:
            self._resolved[key] = replace(self._merged(layer, mine), fragments=said)
        return self._resolved[key]

    def _merged(self, layer: _Layer | None, mine: tuple[int, ...]) -> Resolved:
        base = layer.resolved if layer else Resolved(_DEFAULTS, dict.fromkeys(_DEFAULTS, DEFAULT))
        values, origins = dict(base.values), dict(base.origins)
        for n in mine:
            assert layer is not None
            origin, _, _, own = layer.by_path[n]
            values |= own
            origins |= dict.fromkeys(own, origin)
        values |= self.given
        origins |= dict.fromkeys(self.given, COMMAND_LINE)
        return Resolved(values, origins, base.root)

    def fragments(self) -> set[str]:
        """The origins of all sidecar lines that were read."""
        return {fragment.origin for listed in self._sidecars.values() for _, _, fragment in listed}

    def _fragments(self, path: Path) -> tuple[Fragment, ...]:
        return tuple(
            fragment for spec, folder, fragment in self._sidecar(path if path.is_dir() else path.parent)
            if spec.match_file(path.relative_to(folder).as_posix())
        )  # fmt: skip

    def _sidecar(self, folder: Path) -> list[tuple[GitIgnoreSpec, Path, Fragment]]:
        if folder not in self._sidecars:
            at_root = any((folder / name).exists() for name in _VCS) or folder.parent == folder
            found = _read_sidecar(folder)
            self._sidecars[folder] = found if found or at_root else self._sidecar(folder.parent)
        return self._sidecars[folder]

    def _nearest(self, folder: Path) -> _Layer | None:
        if folder not in self._by_folder:
            found = _read_folder(folder)
            at_root = any((folder / name).exists() for name in _VCS)
            if found is None and not at_root and folder.parent != folder:
                found = self._nearest(folder.parent)
            self._by_folder[folder] = found
        return self._by_folder[folder]


def _matches(rule: tuple[str, GitIgnoreSpec, Path, dict[str, Any]], path: Path) -> bool:
    _, spec, folder, _ = rule
    return path.is_relative_to(folder) and spec.match_file(path.relative_to(folder).as_posix())


def _read_sidecar(folder: Path) -> list[tuple[GitIgnoreSpec, Path, Fragment]]:
    path = folder / SIDECAR
    if not path.is_file():
        return []
    try:
        listed = read_fragments(path.read_text("utf-8").split("\n"), str(path))
    except (OSError, ValueError) as error:
        raise ConfigurationError(str(error)) from None
    return [(GitIgnoreSpec.from_lines([glob]), folder, fragment) for glob, fragment in listed]


def _read_folder(folder: Path) -> _Layer | None:
    """The configuration that a folder holds itself; a pyproject.toml without our table is passed over."""
    if (folder / FILE).is_file():
        return _read(folder / FILE, ())
    if (folder / PROJECT).is_file() and TABLE in _toml(folder / PROJECT).get("tool", {}):
        return _read(folder / PROJECT, ())
    return None


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: not valid TOML: {error}") from None


def _read(path: Path, seen: tuple[Path, ...]) -> _Layer:
    if path in seen:
        raise ConfigurationError(f"{path}: extends itself, by way of {seen[-1]}")
    data = _toml(path)
    if path.name == PROJECT:
        data = data.get("tool", {}).get(TABLE, {})
    _check(path, "", data, _KEYS)
    folder = path.parent
    layer = _Layer(folder, {}, {})
    if "extend" in data:
        target = Path(_absolute(folder, data["extend"]))
        if not target.is_file():
            raise ConfigurationError(f"{path}: extend: there is no file {target}")
        parent = _read(target.resolve(), (*seen, path))
        layer = _Layer(folder, dict(parent.values), dict(parent.origins), list(parent.by_path))
    for key, value in data.items():
        if key not in ("extend", "per-file"):
            layer.values[key] = _placed(folder, key, value)
            layer.origins[key] = str(path)
    for pattern, own in data.get("per-file", {}).items():
        where = f'per-file."{pattern}"'
        if not isinstance(own, dict):
            raise ConfigurationError(f"{path}: {where} must be a table of settings")
        _check(path, where, own, _BY_PATH)
        spec = GitIgnoreSpec.from_lines([pattern])
        layer.by_path.append((f"{path} {where}", spec, folder, {k: _placed(folder, k, v) for k, v in own.items()}))
    return layer


def _check(path: Path, where: str, table: Mapping[str, Any], known: Mapping[str, type[Any]]) -> None:
    for key, value in table.items():
        name = f"{where}.{key}" if where else key
        if key not in known:
            close = difflib.get_close_matches(key, known, 1, 0.5)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(sorted(known))}"
            raise ConfigurationError(f"{path}: unknown key {name!r}; {hint}")
        kind = known[key]
        right = isinstance(value, kind) and (not isinstance(value, list) or all(isinstance(v, str) for v in value))
        if not right:
            wanted = {"str": "a string", "list": "a list of strings", "dict": "a table"}[kind.__name__]
            raise ConfigurationError(f"{path}: {name} must be {wanted}, not {value!r}")


def _placed(folder: Path, key: str, value: Any) -> Any:
    """Paths in a file are relative to it."""
    if key == "pairs":
        return tuple(_absolute(folder, v) for v in value)
    if key == "protect":
        return tuple("@" + _absolute(folder, v[1:]) if v.startswith("@") else v for v in value)
    return tuple(value) if isinstance(value, list) else value


def _absolute(folder: Path, path: str) -> str:
    return str((folder / Path(path).expanduser()).absolute())


def render(resolved: Resolved) -> Iterable[str]:
    """The settings in force as TOML, each with its origin as a comment."""
    for key, value in resolved.values.items():
        shown = "[" + ", ".join(_quoted(v) for v in value) + "]" if isinstance(value, tuple | list) else _quoted(value)
        yield f"{key} = {shown}  # {resolved.origins[key]}" if value is not None else f"# {key} is not set"


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
