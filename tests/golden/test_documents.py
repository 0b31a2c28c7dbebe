"""Whole documents: the project's own damaged page, the shared sample, and clean text that must stay."""

from __future__ import annotations

import json
import lzma
import re
from pathlib import Path

import pytest

from normalizer import Normalizer, normalize
from normalizer.pipeline import Config

DATA = Path(__file__).resolve().parents[1] / "data"


def test_own_page_reads_as_it_should() -> None:
    damaged = (DATA / "damaged.txt").read_bytes().decode()
    outcome = normalize(damaged)
    assert outcome.text == (DATA / "repaired.txt").read_bytes().decode()
    assert outcome.undo() == damaged


def test_speech(shared: Path) -> None:
    text = (shared / "samples" / "speech.txt").read_bytes().decode()
    outcome = normalize(text)
    edits = list(outcome.patch.edits)
    closed = [e for e in edits if e.before == "〞" and e.after == "”"]
    assert len(closed) == 41 and "〞" not in outcome.text
    joins = [text[e.start - 3 : e.start] + "|" + text[e.end : e.end + 2] for e in edits if e.rules == ("LAY001",)]
    assert joins == ["向比确|实取", "积极创|造开", "争取让|他们", "、做精|项目"]
    widened = [e for e in edits if e.rules[0].startswith("WID")]
    assert len(widened) >= 355
    # what is still half width: an ellipsis and one key combination
    left = re.findall(r"(?<![0-9])[,:;?!()](?![0-9])", outcome.text)
    assert left == ["(", ")"]
    assert outcome.undo() == text
    assert normalize(outcome.text).patch.edits == []


def test_real_documents_are_stable_and_come_undone(shared: Path) -> None:
    for path in sorted((shared / "real").rglob("*.txt")):
        text = path.read_bytes().decode()
        for level in ("safe", "unsafe"):
            outcome = normalize(text, level)
            assert outcome.undo() == text, path
            assert normalize(outcome.text, level).text == outcome.text, path


def test_words_of_clean_text_stay(shared: Path) -> None:
    """No word edit and no quotation mark touched in 200 documents of each of the smaller genres."""
    rules = Normalizer(Config.of("unsafe", ["LEX", "ENC", "PUN001", "PUN005"]))
    for path in sorted((shared / "corpus").glob("*.jsonl.xz")):
        if path.stat().st_size > 5_000_000:
            continue
        seen = 0
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                if '"dev"' not in line:
                    continue
                outcome = rules(json.loads(line)["text"])
                assert not outcome.patch, list(outcome.patch.edits)
                seen += 1
                if seen == 200:
                    break
        assert seen or path.name


def test_traps_stay(shared: Path) -> None:
    rules = Normalizer(Config.of("unsafe", ["LEX"]))
    lines = (shared / "families" / "traps.tsv").read_text("utf-8").splitlines()[1:]
    harmed = [line for line in lines if rules(line.split("\t")[1]).patch]
    assert harmed == []


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-8-sig"])
def test_other_encodings_repair_the_same(encoding: str) -> None:
    from normalizer.document import Document

    text = "今天,我们“开会〞。\r\n"
    document = Document.decode(text.encode(encoding), encoding if encoding == "gb18030" else None)
    assert document.encode(normalize(document.text).text) == "今天，我们“开会”。\r\n".encode(encoding)
