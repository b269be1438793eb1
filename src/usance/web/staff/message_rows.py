"""Messages as rows of a table: what, to whom, how it went. Never their words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from usance.web import components as ui
from usance.web import words
from usance.web.staff import vocabulary


def table(
    found: Iterable[Any], people: Mapping[UUID, Any], *, empty: ui.Empty, with_customer: bool = True, **options: Any
) -> ui.DataTable:
    """`people`: masked summaries by party."""
    columns = [
        ui.Column("what", _("Message")),
        ui.Column("state", _("State")),
        *([ui.Column("customer", _("Customer"))] if with_customer else []),
        ui.Column("channel", _("By")),
        ui.Column("purpose", _("Purpose")),
        ui.Column("when", _("When")),
    ]
    return ui.DataTable(
        _("Messages"),
        columns,
        [_row(one, people, with_customer) for one in found],
        empty,
        **options,
    )


def _row(one: Any, people: Mapping[UUID, Any], with_customer: bool) -> ui.Row:
    known = people.get(one.party_id)
    name = (known.name or known.reference) if known else _("Not a customer yet")
    return ui.Row(
        [
            vocabulary.word(vocabulary.MESSAGE, one.template),
            words.tag(words.MESSAGE_STATE, one.state),
            *([name] if with_customer else []),
            vocabulary.word(vocabulary.MESSAGE_CHANNEL, one.channel),
            vocabulary.word(vocabulary.MESSAGE_PURPOSE, one.purpose),
            one.moment,
        ],
        href=reverse("staff:message", args=[one.pk]),
    )
