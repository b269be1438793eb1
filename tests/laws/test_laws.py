"""The ten laws of the engine, each a property of any loan. docs/laws.md says them in words, under the same names."""

from __future__ import annotations

import dataclasses
import json
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.laws import worlds
from usance.core import money, values
from usance.core.accounting import books
from usance.core.loan import checkpoint, close, events, forecast, quiet, quote, refused, replay, state
from usance.core.loan.apply import apply
from usance.core.loan.book import Step
from usance.core.loan.movements import Movement, effects
from usance.core.loan.terms import Grace, Plan, RateStep, Terms
from usance.core.rates import Rate

DAYS = st.integers(0, worlds.HORIZON_DAYS + 60)


@given(st.data())
def test_law_01_time_composes(data: st.DataObject) -> None:
    terms = data.draw(worlds.all_terms())
    history, loan, _ = worlds.admitted(terms, data.draw(worlds.told_events(terms)))
    a = loan.at + timedelta(days=data.draw(DAYS))
    b = a + timedelta(days=data.draw(DAYS))
    straight = close.advance(loan, b)
    first = close.advance(loan, a)
    second = close.advance(first.loan, b)
    assert second.loan == straight.loan
    assert first.movements + second.movements == straight.movements
    assert first.facts + second.facts == straight.facts
    jumped = close.advance(loan, b, daily=False)
    assert jumped.loan == straight.loan
    assert jumped.facts == straight.facts
    assert worlds.by_kind(jumped.movements) == worlds.by_kind(straight.movements)
    assert close.advance(straight.loan, b) == Step(straight.loan)


@given(st.data())
def test_law_01_time_composes_when_a_cap_is_used_up(data: st.DataObject) -> None:
    """Under low caps, where a day earns less than a minor unit, its parts too are the same day by day and at once."""
    terms = data.draw(worlds.all_terms().filter(lambda terms: terms.early_interest == "saved"))
    units = st.integers(1, 40).map(lambda k: Fraction(k, terms.principal_minor))
    low, cap = RateStep(from_day=0, rate=Rate(data.draw(units) / 40, "day")), data.draw(units)
    daily = terms.penalty is not None and terms.penalty.rule != "flat_per_miss"
    penalty = terms.penalty and dataclasses.replace(
        terms.penalty,
        share=data.draw(units) / 40 if daily else Fraction(0),
        cap_share=cap / 2,
        yearly_cap_share=cap / 3,
    )
    terms = dataclasses.replace(terms, rates=(low,), fees=(), cost_cap_share=cap / 2, penalty=penalty)
    _, loan, _ = worlds.admitted(terms, data.draw(worlds.told_events(terms)))
    for _ in range(3):
        day = loan.at + timedelta(days=data.draw(DAYS))
        straight, jumped = close.advance(loan, day), close.advance(loan, day, daily=False)
        assert jumped.loan == straight.loan
        assert jumped.facts == straight.facts
        loan = straight.loan


@given(st.data())
def test_law_01_days_that_are_alike_earn_by_one_line(data: st.DataObject) -> None:
    terms = data.draw(worlds.all_terms())
    _, loan, _ = worlds.admitted(terms, data.draw(worlds.told_events(terms)))
    ages = (1, 7, 31)
    for _ in range(data.draw(st.integers(1, 12))):
        if loan.status not in state.LIVE:
            return
        earned = quiet.earning(loan, ages)
        last = earned.until - timedelta(days=1)
        step = close.advance(loan, last)
        assert step.movements == tuple(quiet.daily(loan.at, last, earned.interest, earned.penalty))
        assert {(fact.kind, fact.on) for fact in step.facts} <= {("instalment_due", last), ("matured", last)}
        assert earned.due_on == (last if earned.due_on or step.facts else None)
        for day in {loan.at, loan.at + (last - loan.at) // 2, last}:
            assert quiet.advance_by_lines(loan, day, earned.interest, earned.penalty) == close.advance(loan, day).loan
        days = (last - loan.at).days
        interest, penalty = earned.interest.total(days), earned.penalty.total(days)
        late = penalty + interest * earned.interest_is_late
        assert state.outstanding(step.loan) == state.outstanding(loan) + interest + penalty
        assert state.past_due(step.loan) == state.past_due(loan) + late
        assert state.due_now(step.loan) == state.due_now(loan) + late + earned.due_minor
        assert step.loan.status == loan.status
        late_days = state.days_past_due(loan)
        assert state.days_past_due(step.loan) == (late_days + days if late_days else 0)
        assert not any(late_days < age <= state.days_past_due(step.loan) for age in ages)
        assert state.next_due_on(step.loan) == state.next_due_on(loan) or not days
        loan = close.advance(loan, earned.until).loan


@given(st.data())
def test_law_02_order_of_arrival_is_irrelevant(data: st.DataObject) -> None:
    terms = data.draw(worlds.all_terms())
    history, _, _ = worlds.admitted(terms, data.draw(worlds.told_events(terms)))
    end = max((event.effective_on for event in history), default=worlds.START)
    whole = replay.replay(terms, history, end)
    loan = state.new(terms, min((event.effective_on for event in history), default=end))
    known: list[events.Event] = []
    movements: list[Movement] = []
    for event in data.draw(st.permutations(history)):
        step = replay.include(loan, known, event)
        known.append(event)
        loan, movements = step.loan, movements + list(step.movements)
    last = close.advance(loan, end)
    assert last.loan == whole.loan
    assert replay.adjustments(movements + list(last.movements), whole.movements) == ()


@given(st.data())
def test_law_02_what_was_known_then_is_the_fold_of_what_was_told_by_then(data: st.DataObject) -> None:
    terms = data.draw(worlds.all_terms())
    history, _, _ = worlds.admitted(terms, data.draw(worlds.told_events(terms)))
    loan = state.new(terms, min((event.effective_on for event in history), default=worlds.START))
    stood: list[tuple[list[events.Event], state.Loan]] = []
    known: list[events.Event] = []
    for event in data.draw(st.permutations(history)):
        loan = replay.include(loan, known, event).loan
        known = [*known, event]
        stood.append((known, loan))
    for told, then in stood:  # whatever was told since
        assert replay.replay(terms, told, then.at).loan == then


@given(st.data())
def test_law_02_corrected_terms_are_those_it_always_had(data: st.DataObject) -> None:
    agreed = data.draw(worlds.all_terms())
    right = dataclasses.replace(
        data.draw(worlds.all_terms()), currency=agreed.currency, principal_minor=agreed.principal_minor
    )
    history, loan, movements = worlds.admitted(agreed, data.draw(worlds.told_events(agreed)))
    if loan.status == "new" or right == agreed:
        return
    birth = min(event.effective_on for event in history)
    told = events.TermsCorrected(effective_on=birth, source="correction", number=1, before=agreed, after=right)
    try:
        corrected = replay.append(loan, history, told)
    except refused.TermsContradicted:
        return
    always = replay.replay(right, history, loan.at)
    assert corrected.loan._replace(last_order=None) == always.loan._replace(last_order=None)
    assert replay.adjustments([*movements, *corrected.movements], always.movements) == ()
    assert replay.replay(agreed, [*history, told], loan.at).loan == corrected.loan
    undoing = events.Reversed(effective_on=loan.at, source="back", undoes="correction")
    back = replay.append(corrected.loan, [*history, told], undoing)
    assert back.loan == loan
    assert (
        replay.adjustments(corrected.movements, [m._replace(amount_minor=-m.amount_minor) for m in back.movements])
        == ()
    )


@given(st.data())
def test_law_03_a_checkpoint_resumes_exactly(data: st.DataObject) -> None:
    terms = data.draw(worlds.all_terms())
    history, loan, _ = worlds.admitted(terms, data.draw(worlds.told_events(terms)))
    stored = json.loads(json.dumps({"terms": terms.to_json(), "loan": checkpoint.to_json(loan)}))
    resumed = checkpoint.from_json(stored["loan"], Terms.from_json(stored["terms"]))
    assert resumed == loan
    later = loan.at + timedelta(days=data.draw(DAYS))
    assert close.advance(resumed, later) == close.advance(loan, later)
    assert replay.replay(terms, history, loan.at).loan == loan
    told = [events.from_json(json.loads(json.dumps(event.to_json()))) for event in history]
    assert told == history


@given(st.data())
def test_law_04_money_is_conserved(data: st.DataObject) -> None:
    terms = data.draw(worlds.all_terms())
    history, loan, movements = worlds.admitted(terms, data.draw(worlds.told_events(terms)))
    assert worlds.by_balance(movements) == loan.balances
    assert loan.settled_count == next((n for n, bill in enumerate(loan.bills) if bill.remaining), len(loan.bills))
    _conserved(loan, movements, history)


def _conserved(loan: state.Loan, movements: list[Movement], history: list[events.Event]) -> None:
    told = replay.in_force(history)
    kinds = worlds.by_kind(movements)

    def total(kind: str, component: str | None = None) -> int:
        return sum(amount for key, amount in kinds.items() if key[0] == kind and component in (None, key[1]))

    money_in = sum(e.amount_minor for e in told if isinstance(e, events.PaymentReceived | events.Recovered))
    assert total("payment_received") == money_in
    money_out = sum(e.amount_minor for e in told if isinstance(e, events.Refunded | events.ChargedBack))
    assert total("charged_back") - total("refunded") == money_out
    returned = ("fee_returned", "tax_returned")
    credited = sum(total(kind) for kind in ("credit_received", "credit_given", "income_returned"))
    credited += sum(total(kind, "unapplied") for kind in returned)
    assert credited >= sum(e.amount_minor for e in told if isinstance(e, events.Credited))
    kept = loan.balances.get("unapplied", 0)
    buyers = total("payment_received", "to_buyer")
    assert money_in + credited == -total("allocated") - total("recovered") - total("refunded") + kept + buyers
    assert loan.balances.get("from_buyer", 0) - loan.balances.get("to_buyer", 0) == (
        total("sold", "from_buyer") - buyers
        - sum(e.amount_minor for e in told if isinstance(e, events.BuyerPaid))
        + sum(e.amount_minor for e in told if isinstance(e, events.Forwarded))
    )  # fmt: skip
    capitalised = total("fee_capitalised") + total("tax_capitalised") + total("income_capitalised")
    forgiven = sum(
        total(kind, "principal")
        for kind in ("allocated", "waived", "remainder_forgiven", "written_off", "sold", *returned)
    )
    assert loan.balances.get("principal", 0) == (
        total("disbursed") + capitalised + total("charged_back", "principal") + forgiven
    )
    assert total("disbursed") == sum(e.amount_minor for e in told if isinstance(e, events.Disbursed))
    assert loan.balances.get("charged_off", 0) == (state.outstanding(loan) if loan.charged_off_on else 0)
    not_income = sum(loan.balances.get(key, 0) for key in ("interest", "penalty")) if loan.non_accrual_on else 0
    assert loan.balances.get("suspended", 0) == not_income
    assert loan.balances.get("deferred", 0) == money.rounded(loan.deferred, loan.terms.rounding)
    assert total("income_deferred") == sum(loan.incomes.values())
    assert all(amount > 0 for amount in loan.balances.values())


@given(st.data())
def test_law_05_quote_is_truth(data: st.DataObject) -> None:
    terms = data.draw(worlds.all_terms())
    history, loan, _ = worlds.admitted(terms, data.draw(worlds.told_events(terms, most=5)))
    on = loan.at + timedelta(days=data.draw(DAYS))
    if loan.status in state.LIVE:
        needed = quote.payoff(loan, on)
        assert needed.total_minor == max(0, sum(needed.amounts.values()) - needed.unapplied_minor)
        then = close.advance(loan, on).loan
        if then.status in state.LIVE and needed.total_minor:
            payment = events.PaymentReceived(effective_on=on, source="z", amount_minor=needed.total_minor)
            paid = replay.append(loan, history, payment).loan
            assert paid.status == "closed"
            assert paid.balances == {}
            assert quote.preview(loan, history, [payment]).loan == paid


@given(st.data())
def test_law_05_an_extension_costs_what_was_quoted(data: st.DataObject) -> None:
    terms = data.draw(worlds.all_terms())
    history, loan, _ = worlds.admitted(terms, data.draw(worlds.told_events(terms, most=5)))
    on = loan.at + timedelta(days=data.draw(DAYS))
    then = close.advance(loan, on).loan
    if then.status not in state.LIVE:
        return
    quoted = quote.extension(loan, on, 7, history)
    extended = close.advance(
        replay.include(loan, history, events.Extended(effective_on=on, source="x", days=7)).loan, on
    ).loan
    assert state.due_now(extended) == quoted.price_minor == sum(quoted.amounts.values())
    if extended.status in state.LIVE:
        assert extended.due_dates[0] == quoted.new_due_on > on
        if quoted.price_minor:
            payment = events.PaymentReceived(effective_on=on, source="y", amount_minor=quoted.price_minor)
            assert state.due_now(replay.include(extended, history, payment).loan) == 0


def _asks_beside_its_bills(terms: Terms) -> bool:
    """A down payment of a later part, where a tax on the interest so far is payable that day too, though no bill asks
    for it: no product may promise that (apps.products.template refuses it)."""
    taxed = any(tax.share and {"interest", "penalty"} & set(tax.on) for tax in terms.taxes)
    return taxed and terms.down_payment is not None


@given(st.data())
def test_law_05_the_calculator_is_the_contract(data: st.DataObject) -> None:
    terms = data.draw(worlds.all_terms())
    start = worlds.START + timedelta(days=data.draw(st.integers(0, worlds.START_DAYS)))
    promised = quote.projection(terms, start)
    assume(len(promised.drawdowns) == 1 or promised.drawdowns[-1].on < promised.rows[-1].due_on)
    assume(len(promised.drawdowns) == 1 or not _asks_beside_its_bills(terms))
    told: list[events.Event] = [
        events.Approved(effective_on=start, source="a"),
        *(
            events.Disbursed(effective_on=on, source=f"d{number}", amount_minor=amount)
            for number, (on, amount, _sent) in enumerate(promised.drawdowns)
        ),
    ]
    drawn = len(told)
    for row in promised.rows:
        if row.total_minor:
            told.append(
                events.PaymentReceived(effective_on=row.due_on, source=f"p{row.number}", amount_minor=row.total_minor)
            )
    loan = replay.replay(terms, told, promised.ends_on).loan
    assert loan.status == "closed"
    assert loan.balances == {}
    assert [dict(bill.due) for bill in loan.bills] == [dict(row.amounts) for row in promised.rows]
    assert promised.total_minor - promised.sent_minor == promised.cost_minor
    assert sum(promised.by_balance.values()) == promised.total_minor
    if drawn == 2:
        running = replay.replay(terms, told[:2], start).loan
        assert [row[:4] for row in quote.schedule(running)] == [row[:4] for row in promised.rows]


@given(st.data())
def test_law_05_a_forecast_is_the_life_that_was_foretold(data: st.DataObject) -> None:
    drawn = data.draw(worlds.all_terms())
    plain = {"taxes": (), "fees": (), "cost_cap_share": None, "forgive_under_minor": 0, "down_payment": None}
    terms = dataclasses.replace(drawn, **plain, residue=data.draw(st.sampled_from(["carry", "drop_when_due"])))
    _, loan, _ = worlds.admitted(terms, data.draw(worlds.told_events(terms, most=4)))
    assume(loan.status in state.LIVE and not state.due_now(loan))
    foretold = forecast.coming(loan)
    assume(foretold is not None)
    lived = quote.lived_rows(loan, known=len(loan.bills))
    assert [(row.starts_on, row.due_on, dict(row.amounts)) for row in lived] == foretold
    assert quote.schedule(loan)[len(loan.bills) :] == lived
    for most in range(1, len(foretold) + 1):
        assert forecast.coming(loan, most) == foretold[:most]


@given(st.data())
def test_law_05_a_forecast_from_what_is_payable_is_the_life_after_paying_it(data: st.DataObject) -> None:
    drawn = data.draw(worlds.all_terms())
    count = data.draw(st.integers(2, 6))
    kind = data.draw(st.sampled_from(["equal_instalments", "equal_principal", "interest_only"]))
    terms = dataclasses.replace(
        drawn, taxes=(), fees=tuple(fee for fee in drawn.fees if fee.when == "on_lateness"), cost_cap_share=None,
        forgive_under_minor=0, down_payment=None, drawdowns=None, grace=Grace(), income_share=Fraction(0),
        residue=data.draw(st.sampled_from(["carry", "drop_when_due"])),
        plan=Plan(kind=kind, count=count, every=data.draw(st.integers(1, 40)), unit="days"),
    )  # fmt: skip
    told = [
        events.Approved(effective_on=worlds.START, source="approved"),
        events.Disbursed(effective_on=worlds.START, source="disbursed", amount_minor=terms.principal_minor),
    ]
    dates = replay.replay(terms, told, worlds.START).loan.due_dates
    on = dates[data.draw(st.integers(0, count - 2))] + timedelta(days=data.draw(st.integers(0, 20)))
    loan = replay.replay(terms, told, on, daily=False).loan
    owing = state.due_now(loan)
    settled = forecast.paid_up(loan)
    foretold = settled and forecast.coming(settled)
    assume(foretold)
    payment = events.PaymentReceived(effective_on=loan.at, source="~paid", amount_minor=owing)
    lived = quote.lived_rows(apply(loan, payment).loan, known=len(loan.bills))
    assert [(row.starts_on, row.due_on, dict(row.amounts)) for row in lived] == foretold


@given(st.data())
def test_law_06_apply_is_total(data: st.DataObject) -> None:
    terms = data.draw(worlds.all_terms())
    told = data.draw(worlds.told_events(terms))  # not admitted: any event after any other
    end = max(event.effective_on for event in told) + timedelta(days=data.draw(DAYS))
    step = replay.replay(terms, told, end)
    _conserved(step.loan, list(step.movements), told)


@given(st.data())
def test_law_07_rounding_stays_inside_the_day(data: st.DataObject) -> None:
    terms = dataclasses.replace(data.draw(worlds.all_terms()), residue="carry")
    _, loan, movements = worlds.admitted(terms, data.draw(worlds.told_events(terms)))
    sums = worlds.by_kind(movements)
    for accrued, key in (
        (loan.interest, ("interest_accrued", "interest", "", "")),
        (loan.penalty, ("penalty_charged", "penalty", "", "")),
    ):
        assert sums.get(key, 0) == accrued.posted
        assert abs(accrued.exact - accrued.posted) < 1
    day = close.advance(loan, loan.at + timedelta(days=1)).loan
    assert abs(day.interest.exact - day.interest.posted) < 1


@given(st.data())
def test_law_08_terms_are_frozen(data: st.DataObject) -> None:
    terms = data.draw(worlds.all_terms())
    with pytest.raises(dataclasses.FrozenInstanceError):
        terms.principal_minor = 1  # type: ignore[misc]
    stored = json.dumps(terms.to_json())
    assert Terms.from_json(json.loads(stored)) == terms
    with pytest.raises(values.UnreadableValue):
        Terms.from_json({**json.loads(stored), "version": 2})
    with pytest.raises(values.UnreadableValue):
        Terms.from_json({**json.loads(stored), "a_later_term": True})


@given(st.data())
def test_law_09_explainable(data: st.DataObject) -> None:
    terms = data.draw(worlds.all_terms())
    history, loan, _ = worlds.admitted(terms, data.draw(worlds.told_events(terms)))
    on = loan.at - timedelta(days=data.draw(st.integers(0, 100)))
    then = replay.replay(terms, history, on).loan
    lines = quote.explain(terms, history, on)
    sums: dict[str, int] = {}
    for line in lines:
        assert line.rule
        assert line.formula
        assert line.starts_on <= line.ends_on <= max(on, line.starts_on)
        if "carried_after" in line.inputs:
            told = line.inputs
            assert money.rounded(told["carried_after"], terms.rounding) - told["posted_before"] == line.amount_minor
            assert told["days"] == (line.ends_on - line.starts_on).days
            if not told["capped"]:
                assert told["carried_before"] + told["earned"] == told["carried_after"]
            if told["per"] == "day":
                assert told["earned"] == told["base_minor"] * told["share"] * told["days"]
        sums[line.balance] = sums.get(line.balance, 0) + line.amount_minor
    assert {key: amount for key, amount in sums.items() if amount} == then.balances


@given(st.data())
def test_law_10_books_agree(data: st.DataObject) -> None:
    day = worlds.START + timedelta(days=data.draw(DAYS))
    entries: list[books.Entry] = []
    balances: dict[str, int] = {}
    for _ in range(data.draw(st.integers(1, 3))):
        terms = data.draw(worlds.all_terms())
        history, loan, movements = worlds.admitted(terms, data.draw(worlds.told_events(terms, most=5)))
        movements += close.advance(loan, max(loan.at, day + timedelta(days=1))).movements
        entries += [books.entry(movement) for movement in movements if movement.effective_on <= day]
        for key, amount in _at_the_end_of(day, terms, history).items():
            component = key.split(":")[0]
            balances[component] = balances.get(component, 0) + amount
    accounts: dict[str, int] = {}
    for entry in entries:
        assert entry.amount_minor > 0
        accounts[entry.debit] = accounts.get(entry.debit, 0) + entry.amount_minor
        accounts[entry.credit] = accounts.get(entry.credit, 0) - entry.amount_minor
    assert sum(accounts.values()) == 0
    for component, role in books.CONTROL.items():
        assert accounts.get(role, 0) == books.side(role) * balances.get(component, 0)


def _at_the_end_of(day: date, terms: Terms, history: list[events.Event]) -> dict[str, int]:
    """The loan's balances when the day was over, without what the next morning brought."""
    known = [event for event in history if event.effective_on <= day or isinstance(event, replay.Undoing)]
    step = replay.replay(terms, known, day + timedelta(days=1))
    balances = dict(step.loan.balances)
    for movement in step.movements:
        if movement.effective_on > day:
            for key, delta in effects(movement):
                balances[key] = balances.get(key, 0) - delta
    return balances
