"""Every example in the rule files holds, alone and with all other rules; every table row works."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from normalizer.edit import Level
from normalizer.examples import run_examples
from normalizer.kinds import build
from normalizer.kinds.table import read_table
from normalizer.pipeline import Config, Normalizer
from normalizer.rulebook import Rule, rulebook
from normalizer.scan import Scan

RULES = rulebook().rules
EVERYTHING = Normalizer(Config(Level.UNSAFE))
DEFAULT = Normalizer()


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.id)
def test_own_examples(rule: Rule) -> None:
    assert [e.problem for e in run_examples([rule]) if e.problem] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.id)
def test_examples_are_stable_among_all_rules(rule: Rule) -> None:
    for text in (*rule.keeps, *(f.good for f in rule.fixes), *(f.bad for f in rule.fixes)):
        for normalizer in (DEFAULT, EVERYTHING):
            outcome = normalizer(text)
            assert normalizer(outcome.text).text == outcome.text
            assert outcome.undo() == text


@pytest.mark.parametrize("rule", [r for r in RULES if r.kind == "table"], ids=lambda r: r.id)
def test_tables_are_sorted_and_have_no_cycles(rule: Rule) -> None:
    rows = read_table(rule, rule.path.parent / rule.match["table"])
    keys = {r.key for r in rows}
    assert not [r for r in rows if r.value in keys]
    if all(len(r.key) == 1 for r in rows):
        assert [r.key for r in rows] == sorted(keys) or rule.id == "CHR003"


def test_near_misses_of_impossible_words_stay() -> None:
    path = rulebook().rule("LEX001").path.with_name("LEX001.keep.tsv")
    rows = [
        line.split("\t")
        for line in path.read_text("utf-8").splitlines()
        if line and not line.startswith(("#", "key\t"))
    ]
    assert len(rows) >= 200
    alone = Normalizer(Config(Level.UNSAFE, ("LEX001",)))
    harmed = [(key, text) for key, text in rows if key not in text or alone(text).patch]
    assert harmed == []


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.id)
def test_no_rule_is_super_linear_on_a_megabyte_of_one_character(rule: Rule) -> None:
    finder = build(rule, rulebook().classes)
    chars = dict.fromkeys([*(finder.any if len(finder.any) <= 40 else finder.any[:2] + finder.any[-2:]), " ", "中"])
    texts = [c * 350_000 for c in chars] + [
        "中 " * 175_000,
        "中,（" * 110_000,
        "中文\n" * 110_000,
        "“" * 1000 + "〞" * 9000,
    ]
    for text in texts:
        began = time.process_time()
        finder.find(Scan(text))
        # linear rules take a tenth of this; quadratic ones take minutes
        assert time.process_time() - began < 10, (rule.id, text[:2])


def test_files_are_named_after_their_rules() -> None:
    assert all(Path(r.path).stem == f"{r.id}-{r.name}" for r in RULES)
