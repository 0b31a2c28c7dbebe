"""Rules that restore substituted words: the joint inference of `context`, its probabilities turned into levels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from ..charclass import HAN
from ..context.families import Pair, families, read_pairs
from ..context.inference import Mask, Verdict
from ..context.model import Model, model
from ..context.pairs import USER, PairSet
from ..context.restore import Restoration, Restorer
from ..edit import Level, Note
from ..rulebook import Rule, RuleError
from ..scan import Finds, Found, Scan
from . import Settings

MATCH_KEYS = ("safe", "safe_seen", "safe_established", "unsafe", "unsafe_seen", "unsafe_single", "suggest")
GUARD_KEYS = ("margin", "named", "passage")
# The rule whose repairs show that a text passed through such a tool.
_PRIMES = "PUN001"
# Beyond doubt: the probability that the table has the pair, and the passage's log-odds.
_ACTIVE, _PASSAGE = 0.999, 6.0


class SubstitutionFinder:
    """safe, unsafe, suggest: the least calibrated probability of each level. safe_seen, unsafe_seen: the same for pairs
    that were seen in documents; unsafe_single: for dictionary pairs with a word of one character, where
    the passage is not beyond doubt; safe_established: where pair and passage are beyond doubt. passage: the least log-odds
    of the passage for a safe edit. margin: how far the runner-up must be behind, as a share of the winner. named: what
    stands around a site in names and titles, where no edit is safe.
    """

    def __init__(self, rule: Rule, named: tuple[re.Pattern[str], re.Pattern[str]] | None) -> None:
        self.any = ""
        self.rule, self.named = rule, named
        self.least = {key: float(rule.match[key]) for key in MATCH_KEYS}
        self.margin = float(rule.guard.get("margin", 0.0))
        self.passage = float(rule.guard.get("passage", 0.0))
        self.settings = Settings()

    def configure(self, settings: Settings) -> None:
        """Raises RuleError for a family, pair or table that does not exist."""
        known = set(families())
        if settings.assume not in ("", "any") and settings.assume not in known:
            raise RuleError(f"no family {settings.assume!r}; there are {', '.join(sorted(known))}, and any")
        for name in settings.without:
            if "→" not in name and name not in known:
                raise RuleError(f"no family {name!r} to leave out; write a pair as 发展→开展")
        self.settings = settings
        if settings.tables:
            _ = self.restorer

    @cached_property
    def restorer(self) -> Restorer:
        return _restorer(self.settings.tables, self.settings.without)

    def find(self, scan: Scan) -> Found:
        if not np.count_nonzero(scan.cls & HAN):
            return Found.none()
        restorer = self.restorer
        primes = np.concatenate([scan.repaired_by(_PRIMES), scan.find_all("〞")])
        reading, verdict, found = restorer.restore(scan.text, scan.cp, primes, self._given(restorer))
        if not found:
            return Found.none()
        found = [f for f in found if f.probability >= self.least["suggest"]]
        count = (
            np.bincount(reading.sites.pair[[f.row for f in found]], minlength=len(restorer.pairs)).tolist()
            if found
            else []
        )
        finds = Finds()
        passage = np.round(verdict.line_odds, 1).tolist()
        for f, reasons in zip(found, restorer.reasons(scan.text, reading, found), strict=True):
            source, substitute = restorer.pairs.names[f.pair]
            after = source if scan.text[f.start : f.end] == substitute else _traditional(source)
            evidence: dict[str, object] = {
                "pair": f"{source}→{substitute}",
                "families": sorted({o.family for o in restorer.pairs.origins[f.pair]}),
                "passage": passage[f.row],
                "sites": count[f.pair],
                "context": reasons,
            }
            if f.runner_up > 0.01:
                evidence["runner_up"] = round(f.runner_up, 2)
            finds.add(
                f.start,
                f.end,
                after,
                Note((self.rule.id,), self._level(scan.text, restorer, verdict, f), f.probability, evidence),
            )
        return finds.found()

    def _level(self, text: str, restorer: Restorer, verdict: Verdict, f: Restoration) -> Level:
        seen = bool(restorer.pairs.prior.observed[f.pair])
        passage = float(verdict.line_odds[f.row])
        single = 1 in (f.end - f.start, len(restorer.pairs.names[f.pair][0])) and passage < self.passage
        unsafe = self.least["unsafe_seen" if seen else "unsafe_single" if single else "unsafe"]
        if f.runner_up > self.margin * f.raw or f.probability < unsafe:
            return Level.SUGGEST
        least = self.least["safe_seen" if seen else "safe"]
        if verdict.active[f.row] > _ACTIVE and passage > _PASSAGE:
            least = min(least, self.least["safe_established"])
        if f.probability < least or passage < self.passage:
            return Level.UNSAFE
        if self.named and (
            self.named[0].search(text, max(0, f.start - 12), f.start) or self.named[1].match(text, f.end, f.end + 12)
        ):
            return Level.UNSAFE
        return Level.SAFE

    def _given(self, restorer: Restorer) -> Mask | None:
        assume = self.settings.assume
        if not assume:
            return None
        names = restorer.pairs.families
        given = np.ones(len(restorer.activity), dtype=bool)
        if assume in names:
            given[:] = False
            given[names.index(assume)] = True
        return given


@cache
def _traditional(word: str) -> str:
    from opencc import OpenCC

    return str(OpenCC("s2t").convert(word))


@cache
def _restorer(tables: tuple[str, ...], without: tuple[str, ...]) -> Restorer:
    pairs: list[Pair] = [p for listed in families().values() for p in listed]
    for path in tables:
        pairs += [Pair(p.substitute, p.source, USER, "I", path) for p in read_pairs(Path(path), USER)]
    left = [p for p in pairs if p.family not in without and f"{p.source}→{p.substitute}" not in without]
    weights: Model = model()
    return Restorer(PairSet(left, weights), weights)


def build(rule: Rule, classes: Mapping[str, str]) -> SubstitutionFinder:
    for key in MATCH_KEYS:
        if not isinstance(rule.match.get(key), float):
            raise rule.error(f"match.{key}", "must be a probability such as 0.95")
    named = rule.guard.get("named")
    if named is None:
        return SubstitutionFinder(rule, None)
    from .pattern import expand

    if not (isinstance(named, list) and len(named) == 2):
        raise rule.error("guard.named", "must be two patterns: what stands before, and what stands after")
    return SubstitutionFinder(
        rule,
        (expand(rule, "guard.named", f"(?:{named[0]})\\Z", classes), expand(rule, "guard.named", named[1], classes)),
    )
