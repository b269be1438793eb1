"""A decision of the rules as a person reads it: table by table the rows that were hit, and the facts they looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from usance.apps.decisioning import reasons
from usance.apps.origination import questions
from usance.web import components as ui
from usance.web.staff import vocabulary

FACT = re.compile(r"\bfacts\.([a-z0-9_]+)")
MONEY_FACTS = ("_minor",)


@dataclass(frozen=True, slots=True)
class Hit:
    """One row of a table that was hit. `rule` is its condition as written, `looked_at` the facts in it."""

    text: Any
    rule: str = ""
    looked_at: Sequence[ui.SummaryRow] = ()
    effect: Any = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One table of the rules. `values` are what an expression computed."""

    name: Any
    hits: Sequence[Hit] = ()
    values: Sequence[ui.SummaryRow] = field(default_factory=tuple)


def steps(decision: Any, currency: str) -> list[Step]:
    """The decision's trace in the order in which the tables ran."""
    tables = {node["id"]: node for node in decision.rule_version.content.get("nodes", [])}
    return [_step(step, tables.get(step.get("node"), {}), decision.inputs, currency) for step in decision.trace]


def _step(step: Mapping[str, Any], table: Mapping[str, Any], inputs: Mapping[str, Any], currency: str) -> Step:
    if "failed" in step:
        return Step(_("The rules failed"), [Hit(step["failed"])])
    hits = list(_hits(step, table, inputs, currency))
    gave = step.get("gave")
    computed: list[ui.SummaryRow] = []
    if not step.get("rows") and isinstance(gave, Mapping):
        computed = [
            ui.SummaryRow(_word(name), _value(value)) for name, value in gave.items() if value not in (None, [])
        ]
    return Step(vocabulary.word(vocabulary.RULE_TABLE, str(step.get("name", ""))), hits, computed)


def _hits(step: Mapping[str, Any], table: Mapping[str, Any], inputs: Mapping[str, Any], currency: str) -> Iterator[Hit]:
    content = table.get("content") or {}
    rules = {rule.get("_id"): rule for rule in content.get("rules", [])}
    given = _given(step.get("gave"))
    for place, row in enumerate(step.get("rows", [])):
        gave = given[place] if place < len(given) else given[0] if given else {}
        rule = _condition(rules.get(row["row"], {}), content.get("inputs", []))
        yield Hit(
            text=_text(row["row"], gave),
            rule=rule,
            looked_at=[fact_row(name, inputs.get(name), currency) for name in dict.fromkeys(FACT.findall(rule))],
            effect=_effect(gave),
            code=row["row"],
        )


def _given(gave: Any) -> list[Mapping[str, Any]]:
    """What each row of a table gave: a table that collects gives a list under its own name."""
    if not isinstance(gave, Mapping):
        return []
    lists = [value for value in gave.values() if isinstance(value, list) and value and isinstance(value[0], Mapping)]
    return lists[0] if len(gave) == 1 and lists else [gave]


def _text(row: str, gave: Mapping[str, Any]) -> Any:
    if gave.get("outcome") in vocabulary.OUTCOME:
        return vocabulary.OUTCOME[gave["outcome"]][0]
    code = str(gave.get("code") or row)
    if code in reasons.REASONS:
        return reasons.staff_text(code)
    return _word(code)


def _effect(gave: Mapping[str, Any]) -> Any:
    points = gave.get("points")
    if isinstance(points, int):
        sign = "+" if points > 0 else "\u2212" if points < 0 else ""
        words = ngettext("%(count)s point", "%(count)s points", abs(points))
        return words % {"count": f"{sign}{abs(points)}"}
    percent = gave.get("limit_percent")
    return _("limit %(percent)s %% of the amount") % {"percent": percent} if isinstance(percent, int) else ""


def _condition(rule: Mapping[str, Any], columns: Sequence[Mapping[str, Any]]) -> str:
    """The row's condition as it is written; a column with a field of its own says which."""
    cells = [(column.get("field") or "", str(rule.get(str(column.get("id")), "")).strip()) for column in columns]
    return " and ".join(f"{name} {cell}".strip() for name, cell in cells if cell)


def fact_row(name: str, value: Any, currency: str) -> ui.SummaryRow:
    """One fact that the rules knew, in words."""
    question = questions.QUESTIONS.get(name)
    if name.endswith(MONEY_FACTS) and isinstance(value, int):
        shown: Any = ui.Money(value, currency)
    elif question is not None and question.choices and value in question.choices:
        shown = question.choices[value]
    else:
        shown = _value(value)
    return ui.SummaryRow(vocabulary.word(vocabulary.FACTS, name), shown)


def facts(decision: Any, currency: str) -> list[ui.SummaryRow]:
    """Everything the rules knew; what was unknown is left out."""
    known = decision.inputs
    names = [*(name for name in vocabulary.FACTS if name in known), *(n for n in known if n not in vocabulary.FACTS)]
    return [fact_row(name, known[name], currency) for name in names if known[name] is not None]


def _value(value: Any) -> Any:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(reasons.staff_text(str(one)) for one in value)
    return _("not known") if value is None else _plain(value) if isinstance(value, str) else value


def _word(code: str) -> Any:
    return vocabulary.RULE_ROW.get(code, _plain(code))


def _plain(code: str) -> str:
    return str(code).replace("_", " ")
