"""What a proposal would change, in words, for kinds whose data is not made of plain fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from usance.apps.decisioning import services as decisioning
from usance.apps.products import selectors as products
from usance.apps.products import services as pricing
from usance.web import components as ui
from usance.web.staff import product_words, vocabulary
from usance.web.templatetags import formats
from usance.workflows import customer_care

PLACES_OF_NO_MATTER = (".position.", "_id", "viewport")


def of(row: Any, institution: Any) -> list[ui.DiffRow] | None:
    """The difference of a proposal; None for kinds that need no words of their own."""
    made = _KINDS.get(row.kind)
    return made(row, institution) if made else None


def _product(row: Any, institution: Any) -> list[ui.DiffRow]:
    return product_words.difference(row.before, row.after, institution)


def _rules(row: Any, institution: Any) -> list[ui.DiffRow]:
    """Each cell and formula of the graph that differs, found by the name of its node."""
    before, after = _nodes(row.before), _nodes(row.after.get("content") or {})
    starts_on = date.fromisoformat(row.after["starts_on"])
    found = [ui.DiffRow(_("In force from"), "", formats.date_l(starts_on))]
    for change in products.changes(before, after):
        if not any(place in f"{change.path}." for place in PLACES_OF_NO_MATTER):
            found.append(ui.DiffRow(change.path.replace(".", " › "), _cell(change.before), _cell(change.after)))
    return found


def _erasure(row: Any, institution: Any) -> list[ui.DiffRow]:
    why = vocabulary.ERASE_REASON.get(row.after["reason"], row.after["reason"])
    return [
        ui.DiffRow(_("Why"), "", why),
        ui.DiffRow(_("What identifies the customer"), _("there, sealed"), _("unreadable for ever")),
    ]


def _nodes(content: Mapping[str, Any]) -> dict[str, Any]:
    """Node name -> what it holds, rows by their own ids where they have them."""
    found: dict[str, Any] = {}
    for node in content.get("nodes", []):
        inside = node.get("content") or {}
        rows = {str(rule.get("_id", number)): rule for number, rule in enumerate(inside.get("rules", []))}
        found[str(node.get("name"))] = {**inside, "rules": rows} if rows else inside
    return found


def _cell(value: Any) -> str:
    return "" if value is None or value == {} or value == [] else str(value)


_KINDS: Mapping[str, Callable[[Any, Any], list[ui.DiffRow]]] = {
    pricing.APPROVAL: _product,
    decisioning.APPROVAL: _rules,
    customer_care.ERASE: _erasure,
}
