"""What the command says, in Chinese and in English."""

from __future__ import annotations

import os

_TEXT: dict[str, tuple[str, str]] = {
    "summary": (
        "jiaokan: {edits} 处修改，{findings} 处待定（{name}）",
        "jiaokan: {edits} edits, {findings} left to decide ({name})",
    ),
    "fixed": ("已修复 {path}：{counts}", "Fixed {path}: {counts}"),
    "total": (
        "{files} 个文件，{changed} 个有改动，{edits} 处修改，{findings} 处待定",
        "{files} files, {changed} changed, {edits} edits, {findings} left to decide",
    ),
    "nothing": ("（删除）", "(deleted)"),
    "shadowed": ("让位于", "gave way to"),
    "sure": ("把握 {share}", "{share} sure"),
    "passage": ("此段受损对数几率 {odds}", "log-odds that the passage is damaged {odds}"),
    "sites": ("此对共 {count} 处（{families}）", "{count} places of this pair ({families})"),
    "context": ("依据 {context}", "because of {context}"),
    "runner_up": ("次选 {share}", "next candidate {share}"),
    "restored": ("已还原 {path}", "Restored {path}"),
    "detected": ("{path}：识别为 {encoding} 编码", "{path}: read as {encoding}"),
    "undecoded": ("错误：", "error: "),
    "same_output": ("{path}：输出就是输入；请用 --in-place", "{path}: output is the input; use --in-place"),
    "one_output": ("-o 只能用于一个文件；多个文件请用 --in-place", "-o takes one file; use --in-place for several"),
    "stdin_in_place": ("标准输入不能就地修改；请给文件名", "standard input cannot be changed in place; name a file"),
    "unused_fragment": ("{origin}：这一行没有屏蔽任何东西", "{origin}: this line suppresses nothing"),
    "stale": (
        "{path}：基线中有 {count} 处已不存在；用 jiaokan baseline --update 收缩",
        "{path}: {count} places of the baseline are gone; shrink it with jiaokan baseline --update",
    ),
    "baseline": ("{path}：{count} 处记入基线", "{path}: {count} places in the baseline"),
    "tests": ("{passed} passed, {failed} failed", "{passed} passed, {failed} failed"),
    "tty": ("等待标准输入……（jiaokan --help 查看用法）", "reading standard input … (jiaokan --help tells more)"),
    "not_in_log": ("{path}：日志里没有这个文件；日志里有 {known}", "{path}: not in the log; it has {known}"),
}


class Messages:
    """Texts by key in one language; `chinese` tells which."""

    def __init__(self, lang: str | None = None) -> None:
        if lang is None:
            lang = next((v for k in ("LC_ALL", "LC_MESSAGES", "LANG") if (v := os.environ.get(k))), "en")
        self.chinese = lang.lower().startswith("zh")

    def __getitem__(self, key: str) -> str:
        return _TEXT[key][0 if self.chinese else 1]
