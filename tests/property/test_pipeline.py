"""What holds for any text: undo, subsets, one pass is enough, protected text stays, the order of files is nothing."""

from __future__ import annotations

import pickle
import random
from concurrent.futures import ThreadPoolExecutor

from hypothesis import example, given, settings
from hypothesis import strategies as st

from normalizer import Level, Normalizer, normalize
from normalizer.pipeline import Config
from normalizer.protect import protected_spans

EVERYTHING = Normalizer(Config(Level.UNSAFE))
DEFAULT = Normalizer()
PIECES = [
    "今天", "我们", "召开会议", "的", "原那么", "假设干问题", "确实定性", "是否那么", "，", "。", "、", "：", "；", "！", "？", "“", "”",
    "〞", "〝", "‘", "’", "（", "）", "〔", "〕", "《", "》", ",", ".", ":", ";", "!", "?", "(", ")", '"', "'", " ", "  ", "\u3000",
    "\u00a0", "\u200b", "\u00ad", "\n", "\r\n", "\n\n", "\n\n  ", "\r", "\t", "x", "abc", "1,000", "3.14", "2022", "二O二二年", "我 们 今 天 的",
    "⽂", "⼾", "\uf0b7", "\u2028", "𠮷", "😀", "👨‍👩‍👧", "`码,`", "http://a.b/c,d", "$x,y$", "<b>", "[sic]", "（原文如此）", "一、", "(1)", "(一)",
    "å\u008f\u0091å±\u0095", "%", "_第1页", "#", "|", "-", "\x07", "第一条", "″", "实现了良好开局", "会议指出要加快推进各项工作的落实",
]  # fmt: skip
TEXT = st.lists(st.sampled_from(PIECES), max_size=24).map("".join) | st.text(max_size=40)


@given(TEXT)
@settings(max_examples=1500)
@example('他说"甲"和"乙",丙')
@example("“第一〞，\n\n他们说")
def test_one_pass_is_enough_and_undo_restores(text: str) -> None:
    for normalizer in (DEFAULT, EVERYTHING):
        outcome = normalizer(text)
        assert outcome.patch.apply(text) == outcome.text
        assert outcome.undo() == text
        again = normalizer(outcome.text)
        assert again.text == outcome.text, list(again.patch.edits)


def test_ten_thousand_generated_texts_are_stable() -> None:
    pick = random.Random(20261124)
    for _ in range(10_000):
        text = "".join(pick.choices(PIECES, k=pick.randint(1, 30)))
        outcome = DEFAULT(text)
        again = DEFAULT(outcome.text)
        assert again.text == outcome.text, (text, outcome.text, list(again.patch.edits))
        assert outcome.undo() == text


@given(TEXT, st.data())
@settings(max_examples=300)
def test_undo_of_a_subset_is_the_rest_applied(text: str, data: st.DataObject) -> None:
    outcome = EVERYTHING(text)
    n = len(outcome.patch)
    taken = data.draw(st.sets(st.integers(0, n - 1))) if n else set()
    rest = outcome.patch.subset(i for i in range(n) if i not in taken)
    assert outcome.undo(taken) == rest.apply(text)


@given(TEXT)
@settings(max_examples=300)
def test_protected_text_stays(text: str) -> None:
    outcome = EVERYTHING(text)
    for start, end in zip(*protected_spans(text), strict=True):
        for edit in outcome.patch.edits:
            assert edit.end <= start or end <= edit.start


@given(TEXT)
@settings(max_examples=300)
def test_findings_lie_in_the_text_given(text: str) -> None:
    for finding in DEFAULT(text).findings:
        assert text[finding.start : finding.end] == finding.before


def test_a_normalizer_is_shared_and_pickled() -> None:
    text = "今天,我们“开会〞。"
    copy = pickle.loads(pickle.dumps(DEFAULT))
    with ThreadPoolExecutor(4) as pool:
        assert {o.text for o in pool.map(copy, [text] * 40)} == {"今天，我们“开会”。"}
    outcome = pickle.loads(pickle.dumps(DEFAULT(text)))
    assert outcome.undo() == text


def test_select_ignore_and_level() -> None:
    text = "二O二二年,好(的)〞"
    assert normalize(text, ignore=["WID", "PUN"]).text == text
    assert normalize(text, select=["WID001"]).text == "二O二二年，好(的)〞"
    assert normalize(text, level="unsafe").text == "二〇二二年，好（的）”"


def test_numbers_are_never_safe() -> None:
    edits = normalize("二O二二年", level="unsafe").patch.edits
    assert [str(e.level) for e in edits] == ["unsafe"]
