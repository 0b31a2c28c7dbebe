"""What a user may say about substituted words, and what is never `safe`."""

from __future__ import annotations

from pathlib import Path

import pytest

from normalizer.edit import Level
from normalizer.kinds import Settings
from normalizer.pipeline import Config, Normalizer
from normalizer.rulebook import RuleError

DAMAGED = (
    "推动经济高质量开展，提高公共效劳水平，夯实根底，为经济社会开展提供有力保证。"
    "要坚持公开、公平、公正的原那么，制定规那么，完善效劳体系，强化平安生产。"
)


def run(text: str, level: str = "unsafe", protect: tuple[str, ...] = (), **settings: object) -> str:
    return Normalizer(Config.of(level, protect=protect, substitution=Settings(**settings)))(text).text  # type: ignore[arg-type]


def test_damage_is_found_and_restored() -> None:
    assert run(DAMAGED) == DAMAGED.replace("开展", "发展").replace("效劳", "服务").replace("根底", "基础").replace(
        "那么", "则"
    ).replace("平安", "安全")  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "各地组织开展志愿服务活动，从根本上解决问题。",
        "平安银行股份有限公司开展业务。安康市气象台发布消息。决战平安京开服。",
        "如果明天下雨，那么比赛改期。他确实来过，比方说昨天。",
        "正方体的外表面涂成红色，局部完备集是拓扑学的概念。",
        "",
        "no Chinese at all",
    ],
)
def test_right_words_stay(text: str) -> None:
    assert run(text) == text


def test_one_word_alone_is_no_proof() -> None:
    for text in ("他一生为国家效劳。", "这家店本钱不高，根底却好。"):
        assert run(text, "safe") == text


def test_assumed_damage_is_restored_where_nothing_else_shows_it() -> None:
    text = "推动经济高质量开展。"
    assert run(text) == text
    assert run(text, assume="a") == "推动经济高质量发展。"
    assert run(text, assume="any") == "推动经济高质量发展。"


def test_switches_and_protection() -> None:
    assert "开展" in run(DAMAGED, without=("发展→开展",)) and "效劳" not in run(DAMAGED, without=("发展→开展",))
    assert "效劳" in run(DAMAGED, protect=("效劳",)) and "开展" not in run(DAMAGED, protect=("效劳",))


def test_a_table_of_the_user_works_at_once(tmp_path: Path) -> None:
    table = tmp_path / "mine.tsv"
    table.write_text("substitute\tsource\n民营机构\t民营企业\n", "utf-8")
    text = "广大民营机构家座谈会在京召开，推动经济高质量开展。" + DAMAGED
    assert "民营企业家座谈会" in run(text, tables=(str(table),)) and "民营机构家" in run(text)


def test_what_does_not_exist_is_a_clear_error(tmp_path: Path) -> None:
    for settings, message in (
        (Settings(assume="zz"), "no family 'zz'"),
        (Settings(without=("zz",)), "no family 'zz'"),
        (Settings(tables=(str(tmp_path / "none.tsv"),)), "none.tsv"),
    ):
        with pytest.raises(RuleError, match=message):
            Normalizer(Config.of(substitution=settings))


def test_modals_negation_and_titles_are_never_safe() -> None:
    text = DAMAGED + "\n依据《经济开展促进法》，当事人能够申请复议，不克不及拖延。" + DAMAGED
    outcome = Normalizer(Config.of("safe"))(text)
    for edit in outcome.patch.edits:
        assert edit.level is Level.SAFE
        assert edit.before not in ("能够", "不克不及")
        assert not (text.index("《") < edit.start < text.index("》"))
