"""The one door to jieba: loaded when first needed, quietly, without its cache file in the temporary folder."""

from __future__ import annotations

import logging
import threading
import warnings
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


def word_across(left: str, right: str) -> str:
    """The word that a segmentation of left + right lays over their seam, '' when it cuts there."""
    at = 0
    for word in words(left + right):
        if at < len(left) < at + len(word):
            return word
        at += len(word)
    return ""
