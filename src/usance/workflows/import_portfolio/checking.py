"""The dry run: every line read, every loan lived, and what would come in counted. Nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction

from usance.apps.customers import arrivals as customer_arrivals
from usance.apps.imports import selectors as imports
from usance.apps.imports.selectors import File
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.products.calculator import currency_of_institution
from usance.apps.servicing import arrivals
from usance.core.loan import events, quote, state
from usance.core.loan.movements import CONTRA_RULES
from usance.core.money import Currency
from usance.workflows.import_portfolio import formats, loans, people, tables
from usance.workflows.import_portfolio.problems import Problem, Problems

Tell = Callable[[int, int], None]
EVERY = 50  # loans between two words about the progress
UNLIVABLE = (ValueError, ArithmeticError, LookupError)


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the engine's figure of a loan is not the other system's, although nothing is wrong with the line."""

    loan: str
    what: str  # a balance, or "interest of <date>"
    theirs: str
    ours: str

    def to_json(self) -> dict[str, str]:
        return {"loan": self.loan, "what": self.what, "theirs": self.theirs, "ours": self.ours}


@dataclass(frozen=True, slots=True)
class Checked:
    """What the files hold: ready to be taken in, if there are no problems."""

    on: date
    line_count: int
    problems: tuple[Problem, ...]
    differences: tuple[Difference, ...]
    summary: Mapping[str, Any]
    customers: tuple[tuple[str, str, customer_arrivals.Arrival], ...]  # name there, all that was said, who
    customers_met: tuple[tuple[str, str, UUID], ...]  # who was here already
    loans: tuple[tuple[str, str, arrivals.Arrival], ...]

    @property
    def is_good(self) -> bool:
        return not self.problems


def check(files: Sequence[File], *, tell: Tell = lambda done, total: None) -> Checked:
    """Reads everything in one transaction, as of the business date, and then lives each loan outside of any."""
    problems = Problems()
    with transaction.atomic():
        imports.hash_of("", "")  # the first one of an institution makes the key; committed, it is remembered
    with transaction.atomic():
        setting, lines, who, found, owners = _read(files, problems)
    differences: list[Difference] = []
    ready = []
    fresh = [comer for comer in found.values() if not comer.is_known]
    for done, comer in enumerate(fresh):
        if done % EVERY == 0:
            tell(done, len(fresh))
        if arrival := _arrival(comer, owners, setting):
            ready.append((comer.number, comer.essence, arrival))
            differences += _differences(comer, arrival, setting.currency)
    tell(len(fresh), len(fresh))
    new = tuple((one.name, one.line.essence, one.arrival) for one in who.values() if one.arrival)
    met = [one for one in who.values() if not one.arrival and not one.is_known]
    return Checked(
        on=setting.today,
        line_count=lines,
        problems=tuple(problems),
        differences=tuple(differences),
        summary=_summary(who, found, [arrival for _, _, arrival in ready], setting.currency),
        customers=new,
        customers_met=tuple((one.name, one.line.essence, one.party_id) for one in met),
        loans=tuple(ready),
    )


Read = tuple[loans.Setting, int, dict[str, people.Comer], dict[str, loans.Comer], dict[str, UUID]]


def _read(files: Sequence[File], problems: Problems) -> Read:
    """The files' lines as people and loans, compared with what is here: setting, count of lines, who, what, whose."""
    lines = tables.read(files, problems)
    if not problems and not lines["loans"] and not lines["customers"]:
        problems.add(files[0].name if files else "—", 1, "", "no_loans")
    today = tenancy.current().business_date
    units = frozenset(unit.path for unit in institutions.units())
    setting = loans.Setting(today, currency_of_institution(), units, loans.offers(today))
    who = people.read(lines["customers"], setting.currency, today, units)
    found = loans.read(lines, setting)
    return setting, sum(map(len, lines.values())), who, found, _owners(found, who)


def _owners(found: Mapping[str, loans.Comer], who: Mapping[str, people.Comer]) -> dict[str, UUID]:
    """Whose loans they are, by the name in the other system. A name that nobody has is told to its line."""
    named = {comer.line.text("customer") for comer in found.values()} - {""}
    owners = people.known_by_name(named - who.keys()) | {name: one.party_id for name, one in who.items()}
    for comer in found.values():
        name = comer.line.text("customer")
        if name and name not in owners and not comer.is_known:
            comer.line.wrong("customer", "customer_unknown", value=name[:30])
    return owners


def _arrival(comer: loans.Comer, owners: Mapping[str, UUID], setting: loans.Setting) -> arrivals.Arrival | None:
    """The loan as it comes in; None where something is wrong with it, and its lines say what."""
    if comer.is_wrong or comer.terms is None or not comer.told:
        return None
    try:
        step = arrivals.lived(comer.terms, comer.told, setting.today)
    except arrivals.EventRefused as refused:
        line = comer.by_source.get(refused.event.source, comer.line)
        line.wrong("", "event_refused", reason=refused.refusal.code)
        return None
    except UNLIVABLE as why:
        comer.line.wrong("", "cannot_be_lived", reason=str(why)[:200])
        return None
    offer = setting.offers[comer.line.text("product")]
    return arrivals.Arrival(
        number=comer.number,
        party_id=owners[comer.line.text("customer")],
        product=comer.line.text("product"),
        product_version_id=offer.version_id,
        org_path=comer.line.text("branch") or "root",
        terms=comer.terms,
        told=comer.told,
        step=step,
    )


def _differences(comer: loans.Comer, arrival: arrivals.Arrival, currency: Currency) -> Iterator[Difference]:
    """The day-one list: where both systems have a figure and the figures differ."""
    over = next(event for event in comer.told if isinstance(event, events.TakenOver))
    if over.standing is None:
        opening = {key: amount for key, amount in arrival.opening.items() if key not in CONTRA_RULES}
        for balance in sorted(comer.stated.keys() | opening.keys() if comer.stated else ()):
            theirs, ours = comer.stated.get(balance, 0), opening.get(balance, 0)
            if theirs != ours:
                yield Difference(comer.number, balance, currency.text(theirs), currency.text(ours))
    listed = loans.listed_interest(comer, currency)
    if listed and arrival.step.loan.status in state.LIVE:
        for row in quote.schedule(arrival.step.loan):
            said, ours = listed.get(row.due_on), row.amounts.get("interest", 0)
            if said is not None and said != ours:
                yield Difference(comer.number, f"interest:{row.due_on}", currency.text(said), currency.text(ours))


COMPONENTS = ("principal", "interest", "fee", "penalty", "tax", "unapplied")


def _summary(
    who: Mapping[str, people.Comer], found: Mapping[str, loans.Comer], ready: Sequence[arrivals.Arrival],
    currency: Currency,
) -> dict[str, Any]:  # fmt: skip
    """Counts, and sums of the balances on the morning of the take-over, by product."""
    groups: dict[str, Counter[str]] = {}
    for arrival in ready:
        group = groups.setdefault(arrival.product, Counter())
        group.update({"loans": 1, "amount": arrival.terms.principal_minor})
        group.update({key.partition(":")[0]: amount for key, amount in _by_component(arrival.opening).items()})
        group["past_due"] += arrival.step.loan.status == "past_due"
        group["closed"] += arrival.step.loan.status == "closed"
    return {
        "currency": currency.code,
        "customers": sum(one.arrival is not None for one in who.values()),
        "customers_known": sum(one.arrival is None for one in who.values()),
        "loans": len(ready),
        "loans_known": sum(comer.is_known for comer in found.values()),
        "events": sum(len(comer.events) for comer in found.values()),
        "instalments": sum(len(comer.schedule) for comer in found.values()),
        "groups": [
            {"product": product, "loans": group["loans"], "past_due": group["past_due"], "closed": group["closed"],
             "amount_minor": group["amount"], **{f"{name}_minor": group[name] for name in COMPONENTS}}
            for product, group in sorted(groups.items())
        ],
    }  # fmt: skip


def _by_component(balances: Mapping[str, int]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for key, amount in balances.items():
        sums[key.partition(":")[0]] += amount
    return sums


__all__ = ["Checked", "Difference", "check", "formats"]
