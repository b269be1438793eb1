"""The exact effect of an act, in sentences and as before and after."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from usance.core.loan import quote
from usance.core.loan.movements import UNAPPLIED
from usance.core.rates import Rate
from usance.web import components as ui
from usance.web import reckoning, words
from usance.web.templatetags import formats
from usance.workflows import loan_course


def effects_of(preview: quote.Preview, currency: str) -> list[ui.Effect]:
    """What the movements of an act do, most telling first."""
    sums: dict[tuple[str, str], int] = {}
    for movement in preview.movements:
        at = (movement.kind, movement.balance)
        sums[at] = sums.get(at, 0) + movement.amount_minor
    told = []
    for (kind, balance), minor in sums.items():
        if not minor or (kind, balance) == ("payment_received", UNAPPLIED):
            continue
        values = {"what": words.MOVEMENT.get(kind, kind), "of": words.full_balance_name(balance),
                  "amount": formats.money(minor, currency)}  # fmt: skip
        told.append(ui.Effect(_("%(what)s · %(of)s: %(amount)s") % values))
    after, result = preview.after, loan_course.sale_result(preview)
    if result:
        said = _("Gain on the sale: %(amount)s") if result > 0 else _("Loss on the sale: %(amount)s")
        told.append(
            ui.Effect(said % {"amount": formats.money(abs(result), currency)}, "info" if result > 0 else "warn")
        )
    if after.status == "closed" and preview.before.status != "closed":
        told.append(ui.Effect(_("The loan is closed: nothing more is owed."), "good", "check"))
    if after.unapplied_minor > preview.before.unapplied_minor:
        spare = formats.money(after.unapplied_minor, currency)
        told.append(
            ui.Effect(
                _("%(amount)s is more than is owed now; it is kept for the customer.") % {"amount": spare}, "warn"
            )
        )
    return told


def rate_effects(rate: Rate, value_on: date, preview: quote.Preview, currency: str) -> list[ui.Effect]:
    """What another rate does: to the past, as movements, and to all that is still to pay."""
    values = {
        "day": formats.date_l(value_on),
        "rate": reckoning.rate(rate),
        "before": formats.money(preview.before.still_to_pay_minor, currency),
        "after": formats.money(preview.after.still_to_pay_minor, currency),
    }
    return [
        ui.Effect(_("From %(day)s on the loan bears %(rate)s; steps agreed for later no longer count.") % values),
        ui.Effect(_("All that is still to pay, if paid on time: %(after)s instead of %(before)s.") % values),
        *effects_of(preview, currency),
    ]


def difference(preview: quote.Preview, currency: str) -> list[ui.DiffRow]:
    """The loan's figures before and after, those that are zero both times left out."""
    before, after = preview.before, preview.after

    def row(label: Any, name: str) -> ui.DiffRow:
        return ui.DiffRow(label, ui.Money(getattr(before, name), currency), ui.Money(getattr(after, name), currency))

    def coming(standing: quote.Standing) -> ui.Money:
        return ui.Money(standing.next_due_minor if standing.next_due_on else 0, currency)

    rows = [
        row(_("Owed in all"), "outstanding_minor"),
        row(_("Due now"), "due_now_minor"),
        row(_("Past due"), "past_due_minor"),
        row(_("To close the loan"), "payoff_minor"),
        ui.DiffRow(_("Next payment"), coming(before), coming(after)),
        row(_("Still to pay to the end"), "still_to_pay_minor"),
        row(_("Paid in advance"), "unapplied_minor"),
        row(words.COMPONENTS["suspended"], "suspended_minor"),
    ]
    shown = [one for one in rows if one.before.minor or one.after.minor]
    shown.append(ui.DiffRow(_("Days late"), before.days_past_due, after.days_past_due))
    shown.append(ui.DiffRow(_("Next due"), before.next_due_on, after.next_due_on))
    if before.ends_on != after.ends_on:
        shown.append(ui.DiffRow(_("Last payment day"), before.ends_on, after.ends_on))
    status = [str(words.LOAN_STATUS.get(one.status, (one.status,))[0]) for one in (before, after)]
    return [*shown, ui.DiffRow(_("Status"), *status)]
