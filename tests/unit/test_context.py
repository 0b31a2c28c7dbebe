"""The parts of the joint inference, each against a slow and obvious version of itself or a known answer."""

from __future__ import annotations

import itertools
import json
import math
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from normalizer.charclass import code_points
from normalizer.context import corpus
from normalizer.context.calibrate import isotonic, logistic_regression
from normalizer.context.families import families
from normalizer.context.features import bigram_hash, folded, word_keys
from normalizer.context.inference import forward_backward
from normalizer.context.matcher import Matcher
from normalizer.context.model import LEVELS, UNIT, ModelError, load, model, pack
from normalizer.context.pairs import PairSet
from normalizer.context.restore import Restorer, passages

DAMAGED = (
    "推动经济高质量开展，提高公共效劳水平，夯实根底，为经济社会开展提供有力保证。"
    "要坚持公开、公平、公正的原那么，制定规那么，完善效劳体系，强化平安生产。"
)


@pytest.fixture(scope="module")
def restorer() -> Restorer:
    return Restorer(PairSet([p for listed in families().values() for p in listed], model()), model())


class TestMatcher:
    def test_finds_what_a_plain_search_finds(self) -> None:
        rng = random.Random(3)
        letters = "则那么规原的确定若干假设"
        words = sorted({"".join(rng.choices(letters, k=rng.randint(1, 4))) for _ in range(120)})
        text = "".join(rng.choices(letters + "，", k=3000))
        at, ids = Matcher(words).find(code_points(text))
        got = [(a, words[i]) for a, i in zip(at.tolist(), ids.tolist(), strict=True)]
        want = sorted(
            ((i, w) for w in words for i in range(len(text)) if text.startswith(w, i)), key=lambda x: (x[0], len(x[1]))
        )
        assert got == want

    def test_words_whose_hashes_meet_are_told_apart(self) -> None:
        chars = code_points("".join(random.Random(5).choices([chr(c) for c in range(0x4E00, 0x9F00)], k=20000)))
        hashes = bigram_hash(chars[:-1], chars[1:])
        order = np.argsort(hashes, kind="stable")
        twins = [(order[i], order[i + 1]) for i in range(len(order) - 1) if hashes[order[i]] == hashes[order[i + 1]]]
        assert twins, "no collision to test with"
        a, b = ("".join(chr(chars[k + d]) for d in (0, 1)) for k in twins[0])
        at, ids = Matcher([a]).find(code_points(a + "，" + b))
        assert at.tolist() == [0]
        at, ids = Matcher([a, b]).find(code_points(a + "，" + b))
        assert ids.tolist() == [0, 1]

    @pytest.mark.parametrize("words", [["开展", "开展"], [""]])
    def test_words_must_be_distinct_and_not_empty(self, words: list[str]) -> None:
        with pytest.raises(ValueError, match="distinct"):
            Matcher(words)

    def test_empty_text(self) -> None:
        assert len(Matcher(["则", "原则"]).find(code_points(""))[0]) == 0


class TestFeatures:
    def test_widths_scripts_and_quotation_marks_look_alike(self) -> None:
        assert folded(code_points("發展，“Ａ1〞")).tolist() == folded(code_points('发展,"b9"')).tolist()

    def test_word_keys_depend_on_the_word_alone(self) -> None:
        one, edges = word_keys(["发展", "规", "正确的选项是"])
        two, others = word_keys(["正确的选项是", "发展"])
        assert one[0] == two[1] and one[2] == two[0] and one[0] != one[1]
        assert (edges[:, 0] == others[:, 1]).all()

    def test_packed_weights_are_the_nearest_levels(self) -> None:
        weights = np.array([0.0, 0.07, -0.3, 5.0, -5.0, 0.02], dtype=np.float32)
        packed = pack(weights)
        codes = np.stack([packed & 15, packed >> 4], axis=1).ravel()
        values = LEVELS[codes] / UNIT
        distance = np.abs(values - weights)
        assert (distance <= np.abs(LEVELS[:, None] / UNIT - weights).min(axis=0) + 1e-6).all()


class TestInference:
    def test_forward_backward_is_the_sum_over_all_paths(self) -> None:
        rng = np.random.default_rng(1)
        evidence = rng.normal(0, 2, 6)
        stay = 0.9
        first = math.exp(1.0)  # the odds that the chain starts with
        mass = np.zeros((6, 2))
        for path in itertools.product((0, 1), repeat=6):
            p = first if path[0] else 1.0
            for a, b in itertools.pairwise(path):
                p *= stay if a == b else 1 - stay
            p *= math.exp(sum(e for e, s in zip(evidence, path, strict=True) if s))
            for i, s in enumerate(path):
                mass[i, s] += p
        assert np.allclose(forward_backward(evidence, stay), np.log(mass[:, 1] / mass[:, 0]))

    def test_passages_cover_the_text_in_order(self) -> None:
        text = "短行\n" + "长句子。" * 900 + "\n\n尾" + "无句号" * 1000
        starts, window = passages(text, code_points(text))
        assert starts[0] == 0 and (np.diff(starts) > 0).all() and (np.diff(window) >= 0).all()
        assert np.diff(np.append(starts, len(text))).max() <= 1600

    def test_isotonic_rises_and_fits(self) -> None:
        rng = np.random.default_rng(2)
        score = rng.normal(0, 2, 4000)
        curve = isotonic(score, rng.random(4000) < 1 / (1 + np.exp(-score)))
        assert (np.diff(curve[1]) >= -0.02).all()
        assert abs(float(np.interp(0.0, curve[0], curve[1])) - 0.5) < 0.08

    def test_logistic_regression_recovers_weights(self) -> None:
        rng = np.random.default_rng(4)
        x = np.concatenate([np.ones((20000, 1)), rng.normal(size=(20000, 2))], axis=1)
        y = rng.random(20000) < 1 / (1 + np.exp(-(x @ [0.5, 1.0, -2.0])))
        assert np.allclose(logistic_regression(x, y), [0.5, 1.0, -2.0], atol=0.1)


class TestCorpus:
    def test_damage_knows_its_repair(self) -> None:
        words = ["发展", "开展", "则", "那么"]
        table = np.array([1, -1, 3, -1])
        done = corpus.damage(Matcher(words), "原则上发展\n发展“好”", table, [True, False], True)
        assert done.text == "原那么上开展\n发展“好”"
        places = zip(done.at.tolist(), done.source.tolist(), done.substitute.tolist(), strict=True)
        assert [(a, words[s], words[w]) for a, s, w in places] == [(1, "则", "那么"), (4, "发展", "开展")]

    def test_occurrences_know_the_true_word(self) -> None:
        words = ["发展", "开展", "展开"]
        found = corpus.occurrences(Matcher(words), "发展，开展", np.array([1, -1, -1]))
        assert [(words[s], words[t]) for s, t in zip(found.seen, found.true, strict=True)] == [
            ("开展", "发展"), ("开展", "开展"),
        ]  # fmt: skip

    def test_a_broken_line_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "a.jsonl").write_text('{"text": "好"}\n{"no": 1}\n', "utf-8")
        with pytest.raises(corpus.CorpusError, match=r"a\.jsonl:2"):
            list(corpus.read(tmp_path))
        with pytest.raises(corpus.CorpusError, match="no .txt"):
            list(corpus.read(tmp_path / "nothing"))

    def test_held_out_sentences_are_taken_out(self) -> None:
        sentence = "他觉得为政府效劳的工作很不错"
        document = corpus.Document(f"一行\n前文{sentence}后文\n三行", "g", "train")
        assert [d.text for d in corpus.without([document], [sentence])] == ["一行\n三行"]

    def test_missing_weights_are_a_clear_error(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match="install jiaokan again"):
            load(tmp_path)


def test_the_restorer_is_the_same_for_every_hash_seed() -> None:
    code = f"import normalizer; print([e.to_json() for e in normalizer.check({DAMAGED!r}) if hasattr(e, 'to_json')])"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONUTF8": "1"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "7")
    }
    assert len(outputs) == 1 and b"SUB001" in outputs.pop()


def test_scores_do_not_depend_on_what_else_is_in_the_text(restorer: Restorer) -> None:
    """A site's own log-odds are of its context, whatever window or batch it stands in."""
    filler = "\n" + "天气很好。" * 3000 + "\n"
    logits = []
    for text in (DAMAGED, filler + DAMAGED + filler):
        reading = restorer.read(restorer.scene(text, code_points(text)))
        base = text.index(DAMAGED)
        rows = [
            (int(reading.start[s]) - base, int(p), float(z))
            for s, p, z in zip(reading.sites.site, reading.sites.pair, reading.sites.logit, strict=True)
            if base + 14 <= reading.start[s] < base + len(DAMAGED) - 18
        ]
        logits.append(rows)
    assert logits[0] == logits[1] and len(logits[0]) > 10


def test_evidence_is_structured_and_can_be_logged() -> None:
    from normalizer import check

    edits = [e for e in check(DAMAGED) if e.rules == ("SUB001",) and e.after == "发展"]
    assert edits
    evidence = json.loads(json.dumps(dict(edits[0].evidence), ensure_ascii=False))
    assert evidence["pair"] == "发展→开展" and "a" in evidence["families"] and evidence["sites"] >= 1
    assert evidence["context"] and edits[0].confidence is not None
