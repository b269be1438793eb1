"""Reads and tells a story: a title, the terms, a line of dashes, then one line per event with what must stand after it.

    2026-02-09  payment 5150000            | closed, outstanding 0
    2026-02-20  payment 100 on 2026-02-01  | ...           told on the 20th, effective on the 1st
    2026-02-25  returned first             | ...           undoes the event marked `as first`
    2026-03-01  look                       | past_due, penalty 12.50
    2026-03-01  corrected rate 0.005 day   | interest 15.00        the terms as they should have been agreed
    2026-03-01  extended 9                 | refused extension_days_not_allowed, unchanged by itself
    2026-03-01  taken_over since=2026-01-10 principal=700 interest=5 bill=2026-02-10/interest=10/principal=90-40
                                           ...           as it stood elsewhere; a bill: due, or due-paid; level=100

Amounts are in major units. Not in the loan means nothing happens by itself: each line first lives the days before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from usance.core.loan import close, events, quote, replay, state
from usance.core.loan.terms import (
    Allocation,
    CoolingOff,
    DownPayment,
    Drawdowns,
    Extension,
    Fee,
    Grace,
    NonAccrual,
    Part,
    Penalty,
    Plan,
    RateStep,
    Tax,
    Terms,
)  # fmt: skip
from usance.core.money import Currency
from usance.core.rates import Rate
from usance.core.refusals import Refusal


class Line(NamedTuple):
    number: int
    told_on: date
    words: list[str]
    expected: list[str]


class Told(NamedTuple):
    """A line with the loan after it, the code of the refusal ("" when there was none), and all that happened so far."""

    line: Line
    loan: state.Loan
    refused: str
    history: list[events.Event]


class Story(NamedTuple):
    title: str
    terms: Terms
    lines: list[Line]


# --- reading -----------------------------------------------------------------------------------------------------


def read(text: str) -> Story:
    head, _, body = text.partition("\n----")
    title, *term_lines = [line for line in head.splitlines() if line.strip() and not line.startswith("#")]
    first = text[: text.index("\n----")].count("\n") + 2
    lines = []
    for number, raw in enumerate(body.splitlines()[1:], start=first + 1):
        line = raw.split("#")[0].rstrip()
        if line:
            told, _, expected = line.partition("|")
            day, *words = told.split()
            wanted = [part.strip() for part in expected.split(",") if part.strip()]
            lines.append(Line(number, date.fromisoformat(day), words, wanted))
    return Story(title.strip(), read_terms(term_lines), lines)


def read_terms(lines: list[str]) -> Terms:
    said: dict[str, Any] = {"rates": (), "fees": (), "taxes": ()}
    for key, *words in (line.split() for line in lines):
        READERS.get(key, _plain)(said, key, words)
    return Terms(**said)


def _plain(said: dict[str, Any], key: str, words: list[str]) -> None:
    said[key] = _value(key, words[0])


def _value(name: str, text: str) -> Any:
    if name.endswith("_minor") or name.endswith("_days") or name in ("count", "every", "max_count", "flat", "length"):
        return int(text)
    if name == "principals":
        return tuple(map(int, text.split(",")))
    if name == "dates":
        return tuple(map(date.fromisoformat, text.split(",")))
    if name.endswith("_on"):
        return date.fromisoformat(text)
    if "share" in name:
        return Fraction(text)
    return tuple(text.split(",")) if name in ("on", "components") else text


def _pairs(words: list[str]) -> dict[str, Any]:
    return {name: _value(name, text) for name, text in (word.split("=") for word in words)}


def _currency(said: dict[str, Any], key: str, words: list[str]) -> None:
    said["currency"] = Currency(words[0], int(words[1]))


def _principal(said: dict[str, Any], key: str, words: list[str]) -> None:
    said["principal_minor"] = said["currency"].minor(words[0])


def _plan(said: dict[str, Any], key: str, words: list[str]) -> None:
    kind, count, _, every, unit, *rest = words  # equal_instalments 12 x 1 months [length=100]
    said["plan"] = Plan(kind=kind, count=int(count), every=int(every), unit=unit, **_pairs(rest))


def _grace(said: dict[str, Any], key: str, words: list[str]) -> None:
    said["grace"] = Grace(**{name: int(count) for name, count in (word.split("=") for word in words)})


def _cooling_off(said: dict[str, Any], key: str, words: list[str]) -> None:
    said["cooling_off"] = CoolingOff(**{name: int(count) for name, count in (word.split("=") for word in words)})


def _non_accrual(said: dict[str, Any], key: str, words: list[str]) -> None:
    said["non_accrual"] = NonAccrual(after_days=int(words[0]), until=words[1])  # 90 current


def _down_payment(said: dict[str, Any], key: str, words: list[str]) -> None:
    said["down_payment"] = DownPayment(share=Fraction(words[0]))


def _drawdowns(said: dict[str, Any], key: str, words: list[str]) -> None:
    """0:0.6,31:0.4 most=2 until=60 [interest= repaid= down_payment=]: the expected parts by day, then what may be."""
    expected = (part.split(":") for part in words[0].split(","))
    more = dict(word.split("=") for word in words[1:])
    said["drawdowns"] = Drawdowns(
        parts=tuple(Part(after_days=int(days), share=Fraction(share)) for days, share in expected),
        most=int(more.pop("most")),
        until_days=int(more.pop("until")),
        **more,
    )


def _rate(said: dict[str, Any], key: str, words: list[str]) -> None:
    share, per, *day = words  # 0.01 day [15: from day 15]
    step = RateStep(from_day=int(day[0]) if day else 0, rate=Rate(Fraction(share), per))
    said["rates"] = (*said["rates"], step)


def _fee(said: dict[str, Any], key: str, words: list[str]) -> None:
    kind, when, *rest = words
    said["fees"] = (*said["fees"], Fee(kind=kind, when=when, **_pairs(rest)))


def _tax(said: dict[str, Any], key: str, words: list[str]) -> None:
    said["taxes"] = (*said["taxes"], Tax(kind=words[0], **_pairs(words[1:])))


def _penalty(said: dict[str, Any], key: str, words: list[str]) -> None:
    said["penalty"] = Penalty(rule=words[0], **_pairs(words[1:]))


def _extension(said: dict[str, Any], key: str, words: list[str]) -> None:
    days, count = words  # 7,14,30 2
    said["extension"] = Extension(days_allowed=tuple(map(int, days.split(","))), max_count=int(count))


def _allocation(said: dict[str, Any], key: str, words: list[str]) -> None:
    said["allocation"] = Allocation(waterfall=words[0], components=tuple(words[1].split(",")))


READERS = {
    "currency": _currency,
    "principal": _principal,
    "plan": _plan,
    "grace": _grace,
    "cooling_off": _cooling_off,
    "non_accrual": _non_accrual,
    "down_payment": _down_payment,
    "drawdowns": _drawdowns,
    "rate": _rate,
    "fee": _fee,
    "tax": _tax,
    "penalty": _penalty,
    "extension": _extension,
    "allocation": _allocation,
}


# --- telling -----------------------------------------------------------------------------------------------------


def carried(words: list[str], money: Any) -> events.Carried | None:
    """The standing in another system; None where the words say none."""
    if not words:
        return None
    said = [word.split("=", 1) for word in words]
    balances = [(name, text) for name, text in said if name not in ("since", "bill", "level", "charged")]
    single = dict(said)
    return events.Carried(
        disbursed_on=date.fromisoformat(single["since"]),
        balances=tuple(events.Held(balance=name, amount_minor=money(text)) for name, text in balances),
        bills=tuple(_old_bill(text, money) for name, text in said if name == "bill"),
        level_minor=money(single.get("level", "0")),
        charged_minor=money(single.get("charged", "0")),
    )


def _old_bill(text: str, money: Any) -> events.OldBill:
    day, *parts = text.split("/")
    asked = [part.partition("=")[::2] for part in parts]
    due = [(name, amounts.partition("-")[0]) for name, amounts in asked]
    paid = [(name, amounts.partition("-")[2]) for name, amounts in asked if "-" in amounts]
    both = [
        tuple(events.Held(balance=name, amount_minor=money(amount)) for name, amount in side) for side in (due, paid)
    ]
    return events.OldBill(due_on=date.fromisoformat(day), due=both[0], paid=both[1])


def event_of(words: list[str], told_on: date, number: int, currency: Currency) -> events.Event | None:
    """The event that the words of a line mean; None for `look`."""
    verb, *rest = words
    on, name = told_on, f"line{number:03d}"
    if "as" in rest:
        at = rest.index("as")
        name, rest = rest[at + 1], rest[:at] + rest[at + 2 :]
    if "on" in rest:
        at = rest.index("on")
        on, rest = date.fromisoformat(rest[at + 1]), rest[:at] + rest[at + 2 :]
    both = {"effective_on": on, "source": name}
    money = currency.minor
    makers: dict[str, Any] = {
        "look": lambda: None,
        "approved": lambda: events.Approved(**both),
        "failed": lambda: events.DisbursementFailed(**both),
        "cancelled": lambda: events.Cancelled(**both),
        "disbursed": lambda: events.Disbursed(amount_minor=money(rest[0]), **both),
        "taken_over": lambda: events.TakenOver(standing=carried(rest, money), **both),
        "payment": lambda: events.PaymentReceived(amount_minor=money(rest[0]), **both),
        "recovered": lambda: events.Recovered(amount_minor=money(rest[0]), **both),
        "refunded": lambda: events.Refunded(amount_minor=money(rest[0]), **both),
        "extended": lambda: events.Extended(days=int(rest[0]), **both),
        "fee": lambda: events.FeeAdded(fee_kind=rest[0], amount_minor=money(rest[1]), **both),
        "waived": lambda: events.Waived(balance=rest[0], amount_minor=money(rest[1]), **both),
        "rate": lambda: events.RateChanged(rate=Rate(Fraction(rest[0]), rest[1]), **both),
        "paused": lambda: events.PenaltyPaused(**both),
        "resumed": lambda: events.PenaltyResumed(**both),
        "charged": lambda: events.Charged(
            balance=rest[0], amount_minor=money(rest[1]), due_on=date.fromisoformat(rest[2]), **both
        ),
        "credited": lambda: events.Credited(
            reason=rest[0], amount_minor=money(rest[1]), interest_too=rest[2:] == ["with_interest"], **both
        ),
        "charged_back": lambda: events.ChargedBack(balance=rest[0], amount_minor=money(rest[1]), **both),
        "no_interest": lambda: events.InterestPaused(
            since=date.fromisoformat(rest[0]), until=date.fromisoformat(rest[1]), **both
        ),
        "moved": lambda: events.Rescheduled(
            moved_from=date.fromisoformat(rest[0]), moved_to=date.fromisoformat(rest[1]), **both
        ),
        "more": lambda: events.Rescheduled(more=int(rest[0]), **both),
        "respread": lambda: events.Respread(
            interest=rest[0],
            **({"start_on": date.fromisoformat(rest[1]), "count": int(rest[2])} if rest[1:] else {}),
            **both,
        ),
        "income": lambda: events.IncomeDeferred(amount_minor=money(rest[0]), owed_by=rest[1], **both),
        "income_back": lambda: events.IncomeTakenBack(
            amount_minor=money(rest[0]), owed_by=rest[1], income=rest[2], **both
        ),
        "withdrawn": lambda: events.Withdrawn(**both),
        "terminated": lambda: events.Terminated(**both),
        "charged_off": lambda: events.ChargedOff(**both),
        "written_off": lambda: events.WrittenOff(**both),
        "non_accrual": lambda: events.PutOnNonAccrual(**both),
        "accrual": lambda: events.RestoredToAccrual(**both),
        "sold": lambda: events.Sold(buyer=rest[0], price_minor=money(rest[1]), **both),
        "buyer_paid": lambda: events.BuyerPaid(amount_minor=money(rest[0]), **both),
        "forwarded": lambda: events.Forwarded(amount_minor=money(rest[0]), **both),
        "returned": lambda: events.PaymentReturned(undoes=rest[0], **both),
        "reversed": lambda: events.Reversed(undoes=rest[0], **both),
    }
    made: events.Event | None = makers[verb]()
    return made


def _happening(line: Line, loan: state.Loan, history: list[events.Event]) -> events.Event | None:
    if line.words[0] != "corrected":
        return event_of(line.words, line.told_on, line.number, loan.terms.currency)
    key, said = line.words[1], {"rates": (), "fees": (), "taxes": (), "currency": loan.terms.currency}
    READERS.get(key, _plain)(said, key, line.words[2:])
    field = {"rate": "rates", "fee": "fees", "tax": "taxes"}.get(key, key)
    return events.TermsCorrected(
        effective_on=min(event.effective_on for event in history),
        source=f"line{line.number:03d}",
        number=1 + sum(isinstance(event, events.TermsCorrected) for event in history),
        before=loan.terms,
        after=replace(loan.terms, **{field: said[field]}),
    )


def tell(story: Story) -> Iterator[Told]:
    """Line by line."""
    loan = state.new(story.terms, story.lines[0].told_on)
    history: list[events.Event] = []
    for line in story.lines:
        loan = close.advance(loan, line.told_on).loan
        event, refused = _happening(line, loan, history), ""
        if event is not None:
            before = loan
            try:
                loan = replay.append(loan, history, event).loan
                history.append(event)
            except Refusal as refusal:
                refused = refusal.code
                assert loan == before
        assert loan == replay.replay(story.terms, history, line.told_on).loan or not history
        yield Told(line, loan, refused, list(history))


@cache
def lived(path: Path) -> tuple[Story, list[Told]]:
    """A story and all its lines, told once for all tests."""
    story = read(path.read_text())
    return story, list(tell(story))


def standing(loan: state.Loan) -> dict[str, str]:
    """Everything that a line may ask for, by name."""
    text = loan.terms.currency.text
    figures = {
        "outstanding": text(state.outstanding(loan)),
        "due": text(state.due_now(loan)),
        "past_due": text(state.past_due(loan)),
        "late": str(state.days_past_due(loan)),
        "next": str(state.next_due_on(loan)),
        "instalment": text(quote.standing(loan).next_due_minor),
        "level": text(loan.level_minor),
        "payoff": text(quote.payoff(loan, loan.at).total_minor),
        "ends": str(quote.standing(loan).ends_on),
        "to_pay": text(quote.standing(loan).still_to_pay_minor),
        "claim": text(loan.claim_minor),
        "sent": text(quote.net_disbursement(loan.terms)),
    }
    zero = text(0)
    for key in ("principal", "interest", "penalty", "unapplied", "suspended", "deferred", "from_buyer", "to_buyer"):
        figures[key] = zero
    for fee in loan.terms.fees:
        figures[f"fee:{fee.kind}"] = zero
    for tax in loan.terms.taxes:
        figures[f"tax:{tax.kind}"] = zero
    return figures | {key: text(amount) for key, amount in loan.balances.items()}


def differences(line: Line, loan: state.Loan, refused: str) -> list[str]:
    """What does not stand as the line says."""
    wrong, found = [], standing(loan)
    said_refused = ""
    for wanted in line.expected:
        name, _, value = wanted.partition(" ")
        if name == "refused":
            said_refused = value
        elif not value:
            if loan.status != name:
                wrong.append(f"status {loan.status}, not {name}")
        elif found[name] != value:
            wrong.append(f"{name} {found[name]}, not {value}")
    if refused != said_refused:
        wrong.append(f"refused {refused or 'not at all'}, not {said_refused or 'at all'}")
    return wrong
