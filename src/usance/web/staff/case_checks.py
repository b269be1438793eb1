"""What we know ourselves about an applicant: own loans, others who look the same, the list, cards."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from usance.apps.access import selectors as access
from usance.apps.customers import selectors as customers
from usance.apps.origination import selectors as applications
from usance.apps.payments import selectors as payments
from usance.apps.servicing import selectors as loans
from usance.web import components as ui
from usance.web import words
from usance.web.staff import protection_words, vocabulary
from usance.web.staff.request import StaffRequest
from usance.workflows import customer_care, served

MOST = 10


def checks(request: StaffRequest, case: Any, *, in_full: bool) -> dict[str, Any]:
    """One line for each check, good or not, with the rows behind it."""
    party_id, row = case.application.party_id, case.application
    same = customers.duplicates(party_id)
    cards = list(payments.all_cards_of(party_id))
    sharing = payments.others_with_cards_of(party_id)
    hits = customer_care.blocks_of(party_id=party_id)
    others = {other for found in sharing.values() for other in found} | {one.party_id for one in same}
    within = access.scope_filter(request.user, "customer.view")
    reachable = set(customers.parties(within).filter(pk__in=others).values_list("pk", flat=True))
    people = customers.summaries(reachable)
    earlier = applications.applications_of(party_id=party_id).exclude(pk=row.pk)
    return {
        "tasks": [
            _history(loans.history_of_party(party_id=party_id, on=request.institution.business_date)),
            _same(same),
            _hits(hits),
            *_protected(party_id, request.institution.business_date),
            _cards(cards, sharing),
        ],
        "same": [_other(people, one.party_id, [vocabulary.SAME[kind] for kind in one.by]) for one in same[:MOST]],
        "sharing": [
            {"card": str(card), "others": [_other(people, other, []) for other in sharing[card.pk][:MOST]]}
            for card in cards
            if sharing.get(card.pk)
        ],
        "loans": [
            {
                "name": one.number,
                "href": loan_address(one.pk),
                "state": words.tag(words.LOAN_STATUS, one.status),
                "amount": ui.Money(one.amount_minor, one.currency),
                "owed": ui.Money(one.outstanding_minor, one.currency),
                "worst": one.max_days_past_due,
            }
            for one in _loans(request, party_id)
        ],
        "applications": [
            {
                "href": reverse("staff:application", args=[one.pk]),
                "name": one.reference,
                "state": words.tag(words.APPLICATION_STATE, one.state),
                "amount": ui.Money(one.amount_minor, one.currency),
                "on": one.started_on,
            }
            for one in earlier[:MOST]
        ],
    }


def _other(people: Any, party_id: UUID, by: list[Any]) -> dict[str, Any]:
    """Somebody else: named where this person may see them."""
    found = people.get(party_id)
    name = (found.name or found.reference) if found else _("A customer of another branch")
    href = reverse("staff:customer", args=[party_id]) if found else ""
    return {"name": name, "href": href, "by": ", ".join(str(one) for one in by)}


def _history(known: Any) -> ui.Task:
    if not known.loan_count:
        return ui.Task(_("Loans with us"), ui.Tag(_("None yet"), "neutral"))
    hint = _("%(count)s in all, %(closed)s repaid, %(open)s open, at worst %(days)s days past due") % {
        "count": known.loan_count,
        "closed": known.closed_count,
        "open": known.open_count,
        "days": known.max_days_past_due,
    }
    if known.written_off_count:
        return ui.Task(_("Loans with us"), ui.Tag(_("Written off before"), "bad"), hint=hint)
    if known.max_days_past_due > 30:
        return ui.Task(_("Loans with us"), ui.Tag(_("Late before"), "warn"), hint=hint)
    return ui.Task(_("Loans with us"), ui.Tag(_("Good"), "good"), hint=hint)


def _same(found: list[Any]) -> ui.Task:
    if not found:
        return ui.Task(_("Others who look the same"), ui.Tag(_("None"), "good"))
    kinds = dict.fromkeys(kind for one in found for kind in one.by)
    hint = ", ".join(str(vocabulary.SAME[kind]) for kind in kinds)
    text = ngettext("%(count)s other", "%(count)s others", len(found)) % {"count": len(found)}
    return ui.Task(_("Others who look the same"), ui.Tag(text, "warn"), hint=hint)


def _hits(found: list[Any]) -> ui.Task:
    if not found:
        return ui.Task(_("List of those we do not serve"), ui.Tag(_("Not on it"), "good"))
    hint = "; ".join(
        f"{vocabulary.word(vocabulary.KNOWN_BY, hit.kind)}: {vocabulary.word(vocabulary.BLOCK_REASON, hit.reason)}"
        for hit in found
    )
    return ui.Task(_("List of those we do not serve"), ui.Tag(_("On it"), "bad"), hint=hint)


def _protected(party_id: UUID, on: date) -> list[ui.Task]:
    """Only where there is something to say: hardly anybody is."""
    found = protection_words.sentences(party_id, on)
    if not found:
        return []
    stops = served.is_protected(party_id=party_id)
    tag = ui.Tag(_("No new loans"), "bad") if stops else ui.Tag(_("In force"), "warn")
    return [ui.Task(_("Protected status"), tag, hint=" ".join(found))]


def _cards(cards: list[Any], sharing: Any) -> ui.Task:
    if not cards:
        return ui.Task(_("Card"), ui.Tag(_("None linked"), "neutral"))
    most = max((len(others) for others in sharing.values()), default=0)
    hint = ", ".join(str(card) for card in cards)
    if not most:
        return ui.Task(_("Card"), ui.Tag(_("Nobody else's"), "good"), hint=hint)
    text = ngettext("%(count)s other has it", "%(count)s others have it", most) % {"count": most}
    return ui.Task(_("Card"), ui.Tag(text, "bad" if most > 1 else "warn"), hint=hint)


def _loans(request: StaffRequest, party_id: UUID) -> list[Any]:
    if "loan.view" not in request.permissions:
        return []
    within = access.scope_filter(request.user, "loan.view", owner="owner_id")
    return list(loans.loans_of_party(party_id).filter(within)[:MOST])


def loans_table(request: StaffRequest, party_id: UUID) -> ui.DataTable:
    """A person's loans, those of this person's scope."""
    columns = [
        ui.Column("number", _("Loan")),
        ui.Column("status", _("Status")),
        ui.Column("amount", _("Amount"), numeric=True),
        ui.Column("owed", _("Outstanding"), numeric=True),
        ui.Column("late", _("Days past due, now and at worst"), numeric=True),
    ]
    rows = [
        ui.Row(
            [
                one.number,
                words.tag(words.LOAN_STATUS, one.status),
                ui.Money(one.amount_minor, one.currency),
                ui.Money(one.outstanding_minor, one.currency),
                f"{one.days_past_due} · {one.max_days_past_due}",
            ],
            href=loan_address(one.pk),
        )
        for one in _loans(request, party_id)
    ]
    return ui.DataTable(_("Loans with us"), columns, rows, ui.Empty(_("No loans with us yet"), icon="money"))


def loan_address(loan_id: UUID) -> str:
    """The page of a loan."""
    try:
        return reverse("staff:loan", args=[loan_id])
    except NoReverseMatch:
        return ""
