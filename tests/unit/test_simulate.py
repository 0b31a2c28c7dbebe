"""Families are well formed; the simulator damages as the real tools do and knows the way back."""

from __future__ import annotations

from pathlib import Path

import pytest

from normalizer.context.families import families, forward_table, read_pairs
from normalizer.context.simulate import Damage, simulate
from normalizer.rulebook import RuleError

CLEAN = """关于加强服务的意见

坚持安全发展的原则，按照规范提供服务，打牢基础。他说：“要保证产品的确定性。”
若干单位的基础较好，不进则退。
"""
ALL = Damage(share=1.0, near_total=1.0)


def test_shipped_families() -> None:
    shipped = families()
    assert sum(map(len, shipped.values())) >= 3000
    seen = {(p.substitute, p.source) for p in shipped["a"]}
    assert {("开展", "发展"), ("那么", "则"), ("正确的选项是", "正确的是")} <= seen
    # dictionary candidates may stand in both directions, since tools differ in theirs; what one family was seen to do
    # may not
    for name, pairs in shipped.items():
        listed = {(p.substitute, p.source) for p in pairs}
        assert name == "spinner" or not {(b, a) for a, b in listed} & listed, name


def test_damage_is_raw_replacement_and_titles_stay() -> None:
    done = simulate(CLEAN, [families()["a"]], 1, ALL)
    assert done.text.split("\n")[0] == "关于加强服务的意见"
    for damaged in ("平安开展的原那么", "提供效劳", "根底", "确实定性。〞", "假设干单位", "不进那么退"):
        assert damaged in done.text
    assert done.damage.apply(CLEAN) == done.text
    assert done.damage.invert().apply(done.text) == CLEAN


def test_two_families_in_turn_compose() -> None:
    one = tuple(read for read in families()["a"] if read.source == "发展")
    two = tuple(read for read in families()["b"])
    done = simulate("提高发展水平，要落实好各项发展任务。", [one, two], 3, ALL)
    assert "开展" in done.text and "进步" in done.text
    assert done.damage.invert().apply(done.text) == "提高发展水平，要落实好各项发展任务。"


def test_the_seed_decides() -> None:
    a, b, c = (simulate(CLEAN * 20, [families()["a"]], seed) for seed in (5, 5, 6))
    assert a.text == b.text != c.text


def test_clean_rows_stay_in_a_mixed_set() -> None:
    done = simulate("推动发展，提供服务。\n" * 200, [families()["a"]], 9, Damage(share=1.0, infected_rows=0.25))
    damaged = sum("开展" in line for line in done.text.split("\n"))
    assert 20 < damaged < 80


def test_a_wrong_probability_is_an_error() -> None:
    with pytest.raises(ValueError, match="share must be between 0 and 1"):
        simulate("", [], 0, Damage(share=2.0))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("word\tother\n", "header"),
        ("substitute\tsource\n开展\n", ":2: needs 2 cells"),
        ("substitute\tsource\n开展\t开展\n", "replaced by itself"),
        ("substitute\tsource\n开展\t发展\n开展\t发展\n", ":3: 发展→开展 stands twice"),
        ("substitute\tsource\tgrade\n开展\t发展\tX\n", "grade 'X' is not one of"),
    ],
)
def test_a_wrong_table_names_its_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "mine.tsv"
    path.write_text(content, "utf-8")
    with pytest.raises(RuleError, match=message):
        read_pairs(path)


def test_forward_table_keeps_the_first_substitute() -> None:
    pairs = [p for p in families()["a"] if p.source == "叙述"]
    assert forward_table(pairs) == {"叙述": pairs[0].substitute}
