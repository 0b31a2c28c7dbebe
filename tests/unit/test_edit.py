"""Patches apply, invert, compose and come undone, whatever the edits and the text."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer.edit import Edit, Level, Patch, StaleEditError

TEXT = st.text(alphabet="ab中，𠮷\r\n\u2028 😀", max_size=24)


@st.composite
def patches(draw: st.DrawFn, text: str) -> Patch:
    edits: list[Edit] = []
    at = 0
    while at <= len(text) and len(edits) < 8:
        start = draw(st.integers(at, len(text)))
        end = draw(st.integers(start, min(len(text), start + 4)))
        after = draw(st.text(alphabet="xy国", max_size=3))
        if edits and start == end == edits[-1].start == edits[-1].end:
            break
        if edits and edits[-1].start == edits[-1].end == start and start == end:
            break
        if after == text[start:end]:
            after += "z"
        edits.append(Edit(start, end, text[start:end], after, (draw(st.sampled_from(["AAA001", "BBB002"])),)))
        at = end if draw(st.booleans()) else end + 1
        if draw(st.booleans()) and len(edits) > 2:
            break
    return Patch.of(edits)


@given(st.data(), TEXT)
def test_invert_restores(data: st.DataObject, text: str) -> None:
    patch = data.draw(patches(text))
    out = patch.apply(text)
    assert patch.invert().apply(out) == text
    assert patch.undo(out) == text


@given(st.data(), TEXT)
def test_compose_is_applying_twice(data: st.DataObject, text: str) -> None:
    first = data.draw(patches(text))
    middle = first.apply(text)
    then = data.draw(patches(middle))
    net = first.compose(then)
    assert net.apply(text) == then.apply(middle)
    assert net.undo(net.apply(text)) == text
    Patch.of(net.edits)  # sorted and disjoint, or this raises
    assert all(e.before != e.after for e in net.edits)


@given(st.data(), TEXT)
def test_undoing_some_is_applying_the_rest(data: st.DataObject, text: str) -> None:
    patch = data.draw(patches(text))
    taken = data.draw(st.sets(st.integers(0, max(0, len(patch) - 1)), max_size=len(patch)))
    rest = [i for i in range(len(patch)) if i not in taken]
    assert patch.undo(patch.apply(text), taken) == patch.subset(rest).apply(text)


@given(st.data(), TEXT)
def test_offsets_go_there_and_back(data: st.DataObject, text: str) -> None:
    patch = data.draw(patches(text))
    out = patch.apply(text)
    for e, a, b in zip(patch.edits, patch.out_start, patch.out_end, strict=True):
        assert out[a:b] == e.after
    for offset in range(len(text) + 1):
        if not any(e.start <= offset <= e.end for e in patch.edits):
            assert patch.to_input(patch.to_output(offset)) == offset


@given(st.data(), TEXT)
def test_source_spans_cover_what_an_output_span_came_from(data: st.DataObject, text: str) -> None:
    patch = data.draw(patches(text))
    out = patch.apply(text)
    a = data.draw(st.integers(0, len(out)))
    b = data.draw(st.integers(a, len(out)))
    s, e = (int(x[0]) for x in patch.source_spans(np.array([a]), np.array([b])))
    assert 0 <= s <= e <= len(text)
    if not any(x < b and a < y or x == y for x, y in zip(patch.out_start, patch.out_end, strict=True)):
        assert text[s:e] == out[a:b]


@given(st.data(), TEXT)
def test_json_and_pickle(data: st.DataObject, text: str) -> None:
    patch = data.draw(patches(text))
    assert Patch.from_json(json.loads(json.dumps(patch.to_json()))) == patch
    assert pickle.loads(pickle.dumps(patch)) == patch


def test_a_stale_edit_is_an_error() -> None:
    patch = Patch.of([Edit(0, 2, "开展", "发展")])
    with pytest.raises(StaleEditError, match="0:2"):
        patch.apply("发展")


def test_overlapping_edits_are_an_error() -> None:
    with pytest.raises(ValueError, match="overlap"):
        Patch.of([Edit(0, 2, "ab", ""), Edit(1, 3, "bc", "")])
    with pytest.raises(ValueError, match="overlap"):
        Patch.of([Edit(1, 1, "", "x"), Edit(1, 1, "", "y")])


def test_merged_edits_carry_all_rules_and_the_weaker_level() -> None:
    first = Patch.of([Edit(1, 2, ",", "，", ("WID001",), Level.SAFE, 0.99)])
    then = Patch.of([Edit(0, 2, "a，", "b", ("LEX001",), Level.UNSAFE, 0.8)])
    (edit,) = first.compose(then).edits
    assert (edit.before, edit.after, edit.rules, edit.level, edit.confidence) == (
        "a,", "b", ("WID001", "LEX001"), Level.UNSAFE, 0.8,
    )  # fmt: skip


def test_compose_of_many_edits_is_near_linear() -> None:
    def work(n: int) -> int:
        import sys

        text = "甲,乙" * n
        first = Patch.of(Edit(3 * i + 1, 3 * i + 2, ",", "，，", ("A",)) for i in range(n))
        then = Patch.of(Edit(4 * i + 2, 4 * i + 4, "，乙", "丙", ("B",)) for i in range(n))
        calls = 0

        def count(*_: object) -> None:
            nonlocal calls
            calls += 1

        sys.setprofile(count)
        net = first.compose(then)
        sys.setprofile(None)
        assert len(net) == n and net.apply(text) == "甲，丙" * n
        return calls

    assert work(4000) < 2.5 * work(2000)
