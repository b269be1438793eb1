"""The days at which a loan's page looks: true on one, known on another, and what is supposed of days to come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from usance.apps.servicing import selectors
from usance.web import forms as house
from usance.web.templatetags import formats

AHEAD = timedelta(days=3660)  # how far a projection is drawn
SUPPOSED = (
    (selectors.NOTHING_PAID, gettext_lazy("Nothing more is paid")),
    (selectors.AS_AGREED, gettext_lazy("Everything is paid as agreed")),
)


class DaysForm(house.FilterForm):
    """Which day, by whose knowledge, and what of the days to come."""

    on = forms.DateField(label=gettext_lazy("As true on"), widget=forms.DateInput(attrs={"type": "date"}))
    known = forms.DateField(label=gettext_lazy("As known on"), widget=forms.DateInput(attrs={"type": "date"}))
    ahead = forms.ChoiceField(label=gettext_lazy("Of days to come, suppose"), choices=SUPPOSED)
    tab = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, loan: selectors.Loan, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.booked = loan.booked_on  # before it nothing was known
        self.first = min(loan.booked_on, loan.disbursed_on or loan.booked_on)

    def clean_on(self) -> date | None:
        return self._between("on", self.first, self.today + AHEAD)

    def clean_known(self) -> date | None:
        return self._between("known", self.booked, self.today)

    def _between(self, name: str, first: date, last: date) -> date | None:
        value: date | None = self.cleaned_data[name]
        if value is not None and not first <= value <= last:
            bounds = {"first": formats.date_l(first, "medium"), "last": formats.date_l(last, "medium")}
            raise forms.ValidationError(_("Choose a day from %(first)s to %(last)s.") % bounds)
        return value


@dataclass(frozen=True, slots=True)
class Days:
    """What was chosen. `known`: None for all that is known now."""

    on: date
    known: date | None
    supposed: str
    today: date

    @property
    def is_other_day(self) -> bool:
        return self.on != self.today or self.known is not None

    @property
    def is_projection(self) -> bool:
        return self.on > (self.known or self.today)

    @property
    def kept(self) -> dict[str, str]:
        """The choice as an address carries it; nothing for today as it is known today."""
        chosen = {"on": self.on.isoformat()} if self.on != self.today else {}
        chosen |= {"known": self.known.isoformat()} if self.known else {}
        return chosen | ({"ahead": self.supposed} if self.is_projection else {})

    def banner(self) -> tuple[str, list[str | Promise]]:
        """What one looks at, in plain words: a title and its sentences."""
        said = {"day": formats.date_l(self.on), "known": formats.date_l(self.known) if self.known else ""}
        told: list[str | Promise] = []
        if self.is_projection:
            title = _("A look ahead to %(day)s") % said
            if self.known:
                title = _("A look ahead to %(day)s, as we saw it on %(known)s") % said
                told.append(_("By what we knew at the end of %(known)s; what was booked later is left out.") % said)
            told.append(
                _("As it will be if what is owed is paid at once and each later payment on its day.")
                if self.supposed == selectors.AS_AGREED
                else _("As it will be if nothing else happens until then: no payment, no change.")
            )
            return title, told
        if self.known:
            title = _("As it was on %(day)s, as we knew it on %(known)s") % said
            return title, [_("By what we knew at the end of %(known)s; what was booked later is left out.") % said]
        return _("As it was on %(day)s") % said, [_("By all that is known today, later corrections included.")]

    def views(self, tab: str) -> list[tuple[str, str]]:
        """Other looks that are one step away, as (words, address)."""
        here: dict[str, str] = {"tab": tab}

        def to(**chosen: str) -> str:
            return "?" + urlencode(here | chosen)

        found = [(_("Back to today"), to())] if self.is_other_day else []
        if self.on < self.today and self.known is None:
            found.append((_("As we knew it then"), to(on=self.on.isoformat(), known=self.on.isoformat())))
        elif self.known and not self.is_projection:
            found.append((_("As we know it today"), to(on=self.on.isoformat())))
        if self.is_projection:
            other = next(code for code, _words in SUPPOSED if code != self.supposed)
            words = {selectors.AS_AGREED: _("If everything is paid"), selectors.NOTHING_PAID: _("If nothing is paid")}
            found.append((words[other], to(**self.kept | {"ahead": other})))
        return found


def asked(form: DaysForm) -> Days:
    """The days that a form asks for: the business date where nothing sensible was asked."""
    given = form.cleaned_data if form.is_bound and form.is_valid() else {}
    known = given.get("known")
    return Days(
        on=given.get("on") or form.today,
        known=known if known and known < form.today else None,
        supposed=given.get("ahead") or selectors.NOTHING_PAID,
        today=form.today,
    )
