"""The one door to jieba: loaded when first needed, quietly, without its cache file in the temporary folder."""

from __future__ import annotations

import logging
import math
import threading
import warnings
from collections.abc import Iterable
from functools import cache
from typing import Any

_loading = threading.Lock()


@cache
def _tokenizer() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jieba
    jieba.setLogLevel(logging.CRITICAL)
    tokenizer = jieba.Tokenizer()
    # Tokenizer.initialize() would read and write a cache in the shared temporary folder.
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    return tokenizer


def words(text: str) -> list[str]:
    """The words of a text by dictionary frequency alone; they join up to the text."""
    with _loading:
        tokenizer = _tokenizer()
    return list(tokenizer.cut(text, HMM=False))


# Pointwise mutual information, in nats, from which two halves are taken for one word.
BOUND = 5.0


def word_across(left: str, right: str) -> str:
    """The word that a segmentation of left + right lays over their seam; '' when it cuts there or the halves are free.

    Two halves that are common words themselves (上 | 当) say nothing; the word must be likelier than their chance
    meeting by a factor of exp(BOUND), by the dictionary's frequencies.
    """
    at = 0
    for word in words(left + right):
        if at < len(left) < at + len(word):
            tokenizer = _tokenizer()
            whole, head, tail = (
                max(1, tokenizer.FREQ.get(w) or 1) for w in (word, word[: len(left) - at], word[len(left) - at :])
            )
            return word if math.log(whole * tokenizer.total / (head * tail)) >= BOUND else ""
        at += len(word)
    return ""


def frequencies(given: Iterable[str]) -> list[int]:
    """How often each word stands in the text that jieba's dictionary was counted in; 0 for words it does not have."""
    with _loading:
        tokenizer = _tokenizer()
    return [tokenizer.FREQ.get(word, 0) or 0 for word in given]
