"""Features that know the outcome: by what they are called (docs/concepts/method.md), or by what they hold."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

import numpy as np

from app.ehr.schema import Feature
from training.cohort_check.finding import Finding, error
from training.cohort_check.outcome import labels
from training.cohort_check.record import number
from training.cohort_check.table import Table
from training.metrics import auroc

NEARLY_DETERMINES: Final = 0.98
"""AUROC of one feature alone; GCS, the strongest at admission, stays below 0.9."""
FEWEST: Final = 10
"""Patients on either side of a threshold, below which an AUROC says nothing."""
FORBIDDEN: Final = {
    "gos": (
        "discharge", "length of stay", "los", "icu days", "follow up", "gos", "gose", "death", "died", "dead", "mort*", "survival", "mrs",
        "surgery", "craniotom*", "craniectom*", "evacua*", "withdrawal", "wlst", "dnr", "comfort care", "palliat*", "outcome", "discharged",
        "stay", "hospital days", "days in hospital", "days in icu", "ventilation days", "rankin", "alive",
        # German
        "entlass*", "verweildauer", "liegedauer", "liegetage", "aufenthaltsdauer", "krankenhaustage", "intensivtage", "beatmungstage",
        "beatmungsdauer", "todes*", "sterbe*", "gestorben*", "verstorben*", "letalitat", "letalitaet", "uberleb*", "ueberleb*",
        "nachbeobachtung*", "therapiebegrenzung*", "therapielimit*", "operation", "operiert*", "kraniotom*", "kraniektom*", "trepanation",
        "evakua*", "chirurg*",
        # French; what it shares with the others stands once
        "sortie", "deces", "decede*", "survie", "survivant*", "sejour", "duree d hospitalisation", "suivi", "devenir",
        # Spanish and Portuguese; `alta`, and `de alta`, are also said of what is high
        "al alta", "na alta", "fecha alta", "data alta", "fecha de alta", "data de alta", "data da alta", "dia de alta", "dia da alta",
        "hora de alta", "hora da alta", "informe de alta", "destino de alta", "destino da alta", "alta hospital*", "egreso", "muert*", "fallec*", "falec*",
        "defuncion", "exitus", "obito*", "supervivencia", "sobreviv*", "sobrevida", "estancia", "dias de ingreso", "tempo de internacao",
        "dias de internacao", "tempo de internamento", "dias de internamento", "seguimiento", "seguimento", "cirug*", "cirurg*",
        "craneotom*", "craneectom*", "paliativ*", "desenlace", "desfecho",
        # Italian
        "dimission*", "dimess*", "degenza", "decess*", "decedut*", "sopravvi*", "esito clinico", "esito funzionale", "esito a",
    ),
    "ad": (
        "mmse", "cdr", "cdrsb", "cdr sb", "adas", "adas13", "faq", "moca", "ravlt", "ldeltotal", "diagnosis", "dx", "follow up", "conversion",
        "scanner", "site", "outcome",
        "mini mental", "mmst", "meem", "diagnose", "diagnostic", "diagnostico", "diagnosi", "nachbeobachtung*", "suivi", "seguimiento",
        "seguimento", "desenlace", "desfecho",
    ),
}  # fmt: skip
"""Known only afterwards, decided by those who foresaw the outcome, or what the diagnosis was made from; without accents, `*` for any end."""
BEFORE: Final = (
    "pre", "prior", "premorbid*", "baseline", "before", "earlier", "previous*", "history", "past",
    "vor der", "vor dem", "vor aufnahme", "vor blutung", "vor schlaganfall", "zuvor", "vorher", "vorherig*", "vorbestehend*", "vorgeschichte",
    "vorausgegangen*", "zustand nach", "z n", "fruher*", "frueher*", "pramorbid*", "praemorbid*", "anamnes*",
    "avant", "anterieur*", "antecedent*", "atcd", "prealable*",
    "antes", "previo", "previa", "previos", "previas", "previamente", "cirugia anterior", "cirurgia anterior",
    "prima del", "prima della", "prima dell", "prima di", "precedent*", "pregress*",
)  # fmt: skip
"""Words that put a score or an operation before the illness, where it is allowed."""
HAD_BEFORE: Final = frozenset({
    "mrs", "rankin", "gos", "gose", "surgery", "craniotom*", "craniectom*", "operation", "operiert*", "kraniotom*", "kraniektom*",
    "trepanation", "chirurg*", "cirug*", "cirurg*", "craneotom*", "craneectom*",
    "mmse", "cdr", "cdrsb", "cdr sb", "adas", "adas13", "faq", "moca", "ravlt", "ldeltotal", "mini mental", "mmst", "meem",
})  # fmt: skip
"""What may have been before the illness; a stay, an order or a death of which a title says `before` is still of afterwards."""
NAMES_ONLY: Final = frozenset(
    {"diagnosis", "dx", "site", "scanner", "diagnose", "diagnostic", "diagnostico", "diagnosi"}
)
"""What a title may say of something else: diagnosis of hypertension, harmonised by site."""


def check_leakage(table: Table) -> Iterator[Finding]:
    """Every feature, by name and by value."""
    for feature in table.description.features:
        if word := _forbidden(feature, table.description.task):
            yield error(
                "leak-by-name",
                f'"{word}" is not known at admission, or the outcome is judged from it.',
                "Take it out of the features; list it under subgroups to judge the model by it.",
                column=feature.name,
            )
        if table.has(feature.name) and (area := strongest(table, feature)) > NEARLY_DETERMINES:
            yield error(
                "leak-by-value",
                f"Alone it tells the outcome with AUROC {area:.2f}.",
                "Find out when it was recorded; if after the admission, take it out of the features.",
                column=feature.name,
            )


def strongest(table: Table, feature: Feature) -> float:
    """Greatest AUROC, either way round, of the feature's values or of their being missing, for any threshold of the outcome."""
    label = labels(table)
    cells = [(text, label[line]) for line, text in table.cells(feature.name) if line in label]
    missing = np.array([float(not text) for text, _ in cells])
    known = [(text, y) for text, y in cells if text]
    scores = _numbers(known) if feature.kind == "numeric" else _rates(known)
    outcome = np.array([y for _, y in cells], dtype=np.int64)
    return max(_best(missing, outcome), _best(*scores))


def _forbidden(feature: Feature, task: str) -> str | None:
    """A forbidden word of its name or of its title, unless either puts it before the illness."""
    name, title = _words(feature.name), _words(feature.title)
    is_before = any(_found(word, name + title) for word in BEFORE)
    for each in FORBIDDEN[task]:
        if is_before and each in HAD_BEFORE:
            continue
        if found := _found(each, name) or (each not in NAMES_ONLY and _found(each, title)):
            return found
    return None


def _words(text: str) -> str:
    """Small letters without accents, with a space around every word."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return f" {' '.join(re.split(r'[^a-z0-9]+', bare))} "


def _found(pattern: str, words: str) -> str | None:
    """What a text says of a forbidden word."""
    found = re.search(rf" ({pattern.replace('*', '[a-z0-9]*')}) ", words)
    return found and found[1]


def _numbers(known: list[tuple[str, int]]) -> tuple[np.ndarray, np.ndarray]:
    pairs = [(value, y) for text, y in known if (value := number(text)) is not None]
    return np.array([value for value, _ in pairs]), np.array([y for _, y in pairs], dtype=np.int64)


def _rates(known: list[tuple[str, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Each category as the mean outcome of its patients."""
    groups: dict[str, list[int]] = defaultdict(list)
    for text, y in known:
        groups[text].append(y)
    if len(groups) * FEWEST > len(known):  # so many categories tell any outcome
        return np.empty(0), np.empty(0, dtype=np.int64)
    return np.array([np.mean(groups[text]) for text, _ in known]), np.array(
        [y for _, y in known], dtype=np.int64
    )


def _best(score: np.ndarray, outcome: np.ndarray) -> float:
    areas = [0.5]
    for threshold in np.unique(outcome)[1:]:
        above = outcome >= threshold
        if min(above.sum(), (~above).sum()) >= FEWEST:
            area = auroc(score, above)
            areas.append(max(area, 1 - area))
    return float(max(areas))
