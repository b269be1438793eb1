"""The rules of a country in words: what each is called, and what it says.

A rule's value is data (see apps/institutions/data/country_rules.json); a part of it without words here is shown as it
is stored, so that nothing is hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from usance.web import words
from usance.web.templatetags import formats

RULES: Mapping[str, Any] = {
    "cap.annual_rate": gettext_lazy("Most that a loan may cost a year"),
    "cap.criminal_rate": gettext_lazy("Cost from which lending is a crime"),
    "cap.daily_total_cost": gettext_lazy("Most that a loan may cost a day"),
    "cap.effective_rate": gettext_lazy("Most effective yearly rate"),
    "cap.microloan_rate": gettext_lazy("Most for microloans"),
    "cap.penalty_rate": gettext_lazy("Most for being late"),
    "cap.penalty_small_loans": gettext_lazy("Most penalty on small loans"),
    "cap.penalty_total": gettext_lazy("Most penalty in all"),
    "cap.short_effective_rate": gettext_lazy("Most effective rate of short loans"),
    "contact": gettext_lazy("When and how often people may be contacted"),
    "contact.reminders_microfinance": gettext_lazy("Reminders of microfinance"),
    "contact.visits": gettext_lazy("Visits"),
    "cooling_off": gettext_lazy("Days to step back"),
    "age.minimum": gettext_lazy("Least age"),
    "identity_number": gettext_lazy("Identity number"),
    "apr.method": gettext_lazy("How the APR is computed"),
    "loan_classes": gettext_lazy("Classes of loans by days past due"),
    "consent.scoring": gettext_lazy("Consent to scoring"),
    "disclosure.draft_contract": gettext_lazy("Draft contract before signing"),
    "disclosure.key_facts": gettext_lazy("Key facts before signing"),
    "disclosure.passport": gettext_lazy("Loan passport before signing"),
    "disclosure.secci": gettext_lazy("European key facts sheet"),
    "early_payoff.refund": gettext_lazy("Refund on early payoff"),
    "exposure.customer": gettext_lazy("Most lent to one customer"),
    "exposure.p2p_platform": gettext_lazy("Most borrowed over platforms"),
    "protection": gettext_lazy("What is stopped for people whom the law protects"),
    "interest.unclear_rate": gettext_lazy("Rate where the agreed one is unclear"),
    "lending.barred": gettext_lazy("Who may not be lent to"),
    "penalty.interest_on_interest": gettext_lazy("Interest on late interest"),
    "penalty.kind": gettext_lazy("Kinds of penalty"),
}
LICENCES: Mapping[str, Any] = {
    "": gettext_lazy("none (civil lender)"),
    "finance_company": gettext_lazy("finance company"),
    "bank": gettext_lazy("bank"),
    "microfinance": gettext_lazy("microfinance institution"),
    "microloan_company": gettext_lazy("microloan company"),
    "p2p_sandbox": gettext_lazy("loan platform in the regulator's sandbox"),
}
# what a limit is a share of
MEASURES: Mapping[str, Any] = {
    "daily_total_cost": gettext_lazy("total cost a day, as a share of the loan"),
    "annual_on_principal": gettext_lazy("total cost a year, as a share of the principal"),
    "apr": gettext_lazy("effective yearly rate"),
    "total_cost_share": gettext_lazy("total cost, as a share of the loan"),
    "overdue_rate_times_contract": gettext_lazy("rate on past-due principal, as a share of the agreed rate"),
    "penalty_a_year": gettext_lazy("penalty a year, as a share of what is past due"),
    "penalty_in_all": gettext_lazy("all penalties together, as a share of the loan"),
}
NAMES: Mapping[str, Any] = {  # what a rule names: papers, registers, methods, numbers
    "vn_cccd": gettext_lazy("number of the Vietnamese citizen card"),
    "ua_rnokpp": gettext_lazy("Ukrainian taxpayer number (RNOKPP)"),
    "de_idnr": gettext_lazy("German tax number (IdNr)"),
    "passport": gettext_lazy("passport"),
    "gamblers": gettext_lazy("people in the register of gamblers"),
    "days/365": gettext_lazy("time in days of a year of 365"),
    "months/12": gettext_lazy("time in months"),
    "signing": gettext_lazy("handed over before signing"),
    "consumer credit passport": gettext_lazy("the consumer credit passport"),
    "Standard European Consumer Credit Information": gettext_lazy("Standard European Consumer Credit Information"),
    "rate": gettext_lazy("rate"),
    "fees": gettext_lazy("fees"),
    "interest_method": gettext_lazy("way of counting interest"),
    "purposes": gettext_lazy("purposes"),
    "sources": gettext_lazy("sources"),
    "recipients": gettext_lazy("recipients"),
    "principal and interest of the days used": gettext_lazy("paid back: the principal and the interest of those days"),
}
EVERY_DAY, MONDAY = 7, date(2024, 1, 1)


def name(code: str) -> str:
    """What a rule is called."""
    return str(RULES.get(code, code))


def country(code: str) -> str:
    """A country's name in the active language."""
    return str(formats.locale().territories.get(code, code))


def said(value: Any, currency: Any) -> str:
    """What a rule says, part by part in the order of SAID; what has no words comes last."""
    if not isinstance(value, Mapping):
        return _plain(value)
    parts = [part(value[key], value, currency) for key, part in SAID.items() if key in value]
    parts += [_as_stored(key, item) for key, item in value.items() if key not in SAID]
    text = "; ".join(part for part in parts if part)
    return text[:1].upper() + text[1:]


def _as_stored(key: str, item: Any) -> str:
    return f"{key.replace('_', ' ')}: {_plain(item)}"


def _plain(item: Any) -> str:
    if isinstance(item, bool):
        return _("yes") if item else _("no")
    if isinstance(item, Mapping):
        return ", ".join(_as_stored(key, inner) for key, inner in item.items())
    if isinstance(item, list):
        return ", ".join(map(_plain, item))
    return str(NAMES.get(item, item))


def _limit(item: Any, rule: Mapping[str, Any], currency: Any) -> str:
    return _("at most %(limit)s (%(measure)s)") % {
        "limit": formats.percent(Fraction(item), 4),
        "measure": MEASURES.get(rule.get("measure", ""), rule.get("measure", "")),
    }


def _days(item: Any, rule: Mapping[str, Any], currency: Any) -> str:
    if isinstance(item, int):
        return formats.days(item)
    if len(item) == EVERY_DAY:
        return _("every day of the week")
    names = [date_format(MONDAY + timedelta(days=day - 1), "l") for day in item]
    if len(item) > 2 and item[-1] - item[0] == len(item) - 1:
        return _("%(first)s to %(last)s") % {"first": names[0], "last": names[-1]}
    return ", ".join(names)


def _names(item: Any) -> str:
    return ", ".join(str(LICENCES.get(one, NAMES.get(one, one))) for one in item)


def _filled(text: Any, show: Callable[[Any, Any], Any] = lambda item, currency: item) -> Callable[..., str]:
    """A part of one value that stands in a sentence."""
    return lambda item, rule, currency: str(text) % {"value": show(item, currency)}


def _either(yes: Any, no: Any) -> Callable[..., str]:
    return lambda item, rule, currency: str(yes if item else no)


def _money(item: Any, currency: Any) -> str:
    return formats.money(item, currency)


def _share(item: Any, currency: Any) -> str:
    return formats.percent(Fraction(item), 4)


def _class(code: str) -> str:
    return str(words.tag(words.LOAN_CLASS, code).text)


def _classes(item: Any, rule: Mapping[str, Any], currency: Any) -> str:
    said = _("%(name)s from %(days)s")
    return ", ".join(said % {"name": _class(one["code"]), "days": formats.days(one["from"])} for one in item)


PROTECTED: Mapping[str, Any] = {
    "deceased": gettext_lazy("deceased: %(value)s"),
    "insolvent": gettext_lazy("insolvent: %(value)s"),
    "in_service": gettext_lazy("in military service: %(value)s"),
    "identity_theft": gettext_lazy("victim of identity theft: %(value)s"),
}
STOPPED: Mapping[str, Any] = {
    "reminder": gettext_lazy("reminders before a due date"),
    "collection": gettext_lazy("messages about what is past due"),
    "marketing": gettext_lazy("offers"),
    "debit": gettext_lazy("debits of the card"),
    "penalty": gettext_lazy("penalties and fees for being late"),
    "interest": gettext_lazy("interest"),
    "lending": gettext_lazy("new loans"),
}


def _stopped(item: Any) -> str:
    return ", ".join(str(STOPPED.get(one, one)) for one in item)


SAID: Mapping[str, Callable[[Any, Mapping[str, Any], Any], str]] = {
    "classes": _classes,
    "extended": _filled(
        gettext_lazy("extended once, twice or more often: at least %(value)s"),
        lambda item, currency: ", ".join(map(_class, item)),
    ),
    "limit": _limit,
    "measure": lambda item, rule, currency: "" if "limit" in rule else str(MEASURES.get(item, item)),
    "years": lambda item, rule, currency: ngettext("%(count)s year", "%(count)s years", item) % {"count": item},
    "yearly": _filled(gettext_lazy("%(value)s a year"), _share),
    "days": _days,
    "from": lambda item, rule, currency: (
        _("from %(since)s to %(until)s") % {"since": item, "until": rule.get("to", "")}
    ),
    "to": lambda item, rule, currency: "",  # said with "from"
    **{kind: _filled(text, lambda item, currency: _stopped(item)) for kind, text in PROTECTED.items()},
    "holidays": _either(gettext_lazy("on public holidays too"), gettext_lazy("not on public holidays")),
    "per_day": lambda item, rule, currency: (
        ngettext("at most %(count)s time a day", "at most %(count)s times a day", item) % {"count": item}
    ),
    "third_parties": _either(gettext_lazy("others may be asked"), gettext_lazy("never to third parties")),
    "consent_first": _either(gettext_lazy("only with consent given before"), ""),
    "exempt_licences": _filled(gettext_lazy("not for: %(value)s"), lambda item, currency: _names(item)),
    "only_licences": _filled(gettext_lazy("only for: %(value)s"), lambda item, currency: _names(item)),
    "excess": _either(gettext_lazy("what is above is void"), ""),
    "above_minor": _filled(gettext_lazy("for loans above %(value)s"), _money),
    "up_to_minor": _filled(gettext_lazy("for loans up to %(value)s"), _money),
    "max_minor": _filled(gettext_lazy("at most %(value)s"), _money),
    "all_platforms_minor": _filled(gettext_lazy("at most %(value)s over all platforms"), _money),
    "above_days": _filled(gettext_lazy("for terms above %(value)s"), lambda item, currency: formats.days(item)),
    "up_to_days": _filled(gettext_lazy("for terms up to %(value)s"), lambda item, currency: formats.days(item)),
    "scheme": lambda item, rule, currency: _plain(item),
    "digits": lambda item, rule, currency: ngettext("%(count)s digit", "%(count)s digits", item) % {"count": item},
    "without": _filled(gettext_lazy("without one: %(value)s"), lambda item, currency: _plain(item)),
    "times": lambda item, rule, currency: _plain(item),
    "mandated": _either(gettext_lazy("required by law"), gettext_lazy("by custom, no law asks for it")),
    "pay": lambda item, rule, currency: _plain(item),
    "repay_within_days": _filled(gettext_lazy("within %(value)s"), lambda item, currency: formats.days(item)),
    "form": lambda item, rule, currency: _plain(item),
    "before": lambda item, rule, currency: _plain(item),
    "contents": lambda item, rule, currency: _plain(item),
    "names": _filled(gettext_lazy("names %(value)s"), lambda item, currency: _plain(item)),
    "default": _either(gettext_lazy("ticked beforehand"), gettext_lazy("never ticked beforehand")),
    "registers": lambda item, rule, currency: _plain(item),
    "upper": _filled(
        gettext_lazy("a class each up to %(value)s days past due, and one beyond"),
        lambda item, currency: _plain(item),
    ),
}
