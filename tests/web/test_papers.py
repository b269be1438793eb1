"""Papers that a borrower signs and shows, in each language: its words, its way of writing money and dates, no other."""

from __future__ import annotations

import io
import re
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import pypdf
import pytest
from django.utils import translation

from tests.core.loans import terms
from usance.apps.agreements import bills, papers, render
from usance.apps.institutions.models import Institution
from usance.apps.products import calculator
from usance.core.loan.terms import Drawdowns, Fee, Part, Penalty, Plan
from usance.core.money import Currency

ON, CODE = date(2026, 3, 2), "ABCDEFGHJKLM"
LENDERS = {
    "uk": ("Калина", "UAH", 2),
    "vi": ("Sông Xanh", "VND", 0),
}
PERSON = papers.Person(
    name="Test Person", identity_number="0000000000", birth_date=date(1990, 5, 1), phone="+380500000000"
)
ENGLISH = re.compile(r"\b(the|you|loan|payment|days?|of|and|interest|borrower|lender)\b", re.IGNORECASE)


def frame(language: str) -> papers.Frame:
    name, currency, digits = LENDERS[language]
    lender = Institution(
        name=name, legal_name=name, registration_number="0001", address="1", currency=currency, currency_digits=digits,
        support_phone="+380440000000", support_email="a@b.example",
    )  # fmt: skip
    return papers.Frame(institution=lender, language=language, reference="A-000001", issued_on=ON, code=CODE)


def quote(language: str, drawdowns: Drawdowns | None = None, **more: Any) -> calculator.Quote:
    _name, currency, digits = LENDERS[language]
    agreed = terms(
        currency=Currency(currency, digits),
        plan=Plan(kind="equal_instalments", count=3, every=1, unit="months"),
        fees=(Fee(kind="origination", when="deducted", flat_minor=2000),),
        penalty=Penalty(
            rule="daily_on_past_due_principal", share=Fraction("0.01"), grace_days=3, cap_share=Fraction(1, 2)
        ),
        cost_cap_share=Fraction(1),
        drawdowns=drawdowns,
        **more,
    )
    return calculator.figures(terms=agreed, on=ON)


def words_of(data: dict[str, object]) -> str:
    made = render.pdf(data=data, verify_url="http://example/verify/", at=datetime(2026, 3, 2, tzinfo=UTC))
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages)
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "uk",
            ("Кредитний договір", "№ A-000001 від 2 березня 2026", "1 000,00 ₴", "Реальна річна ставка", "Перші 3 дні"),
        ),
        (
            "vi",
            ("Hợp đồng vay", "Số A-000001 ngày 2 tháng 3, 2026", "100.000 ₫", "Chi phí một năm (APR)", "02/04/2026"),
        ),
    ],
)
def test_an_agreement_is_in_one_language(language: str, said: tuple[str, ...]) -> None:
    with translation.override(language):
        data = papers.agreement(frame=frame(language), person=PERSON, quote=quote(language))
    text = words_of(data)
    for words in said:
        assert words in text, words
    assert not ENGLISH.findall(text)


@pytest.mark.parametrize(
    ("language", "interest", "repaid", "said"),
    [
        ("uk", "from_its_day", "over_its_own_term", ("Кожна частина", "стільки ж платежів")),
        ("vi", "whole_period", "with_the_rest", ("ngày đầu của kỳ", "các kỳ trả còn lại")),
    ],
)
def test_an_agreement_says_how_later_parts_are_borne_and_repaid(
    language: str, interest: str, repaid: str, said: tuple[str, ...]
) -> None:
    parts = (Part(after_days=0, share=Fraction(3, 5)), Part(after_days=40, share=Fraction(2, 5)))
    agreed = Drawdowns(parts=parts, most=3, until_days=90, interest=interest, repaid=repaid)
    with translation.override(language):
        data = papers.agreement(frame=frame(language), person=PERSON, quote=quote(language, agreed))
    text = words_of(data)
    for words in said:
        assert words in text, words
    assert not ENGLISH.findall(text)


@pytest.mark.parametrize(
    ("language", "said"), [("uk", "разом не більше ніж 12,5"), ("vi", "các khoản phí tối đa 12,5")]
)
def test_an_agreement_says_how_much_may_be_added_to_the_debt(language: str, said: str) -> None:
    with translation.override(language):
        data = papers.agreement(
            frame=frame(language), person=PERSON, quote=quote(language, income_share=Fraction(1, 8))
        )
    text = words_of(data)
    assert said in text
    assert not ENGLISH.findall(text)


@pytest.mark.parametrize(
    ("language", "title"), [("uk", "Довідка про відсутність боргу"), ("vi", "Giấy xác nhận hết nợ")]
)
def test_a_letter_is_in_one_language(language: str, title: str) -> None:
    with translation.override(language):
        data = papers.debt_free_letter(
            frame=frame(language), person=PERSON, amount_minor=100_000, disbursed_on=date(2026, 1, 5), closed_on=ON
        )
    text = words_of(data)
    assert title in text
    assert not ENGLISH.findall(text)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("uk", ("Рахунок", "Залишок з минулого", "Пеня", "90,00 ₴", "VISA •••• 0001")),
        ("vi", ("Thông báo thanh toán", "Còn lại từ trước", "Tiền phạt", "9.000 ₫", "VISA •••• 0001")),
    ],
)
def test_a_bill_is_in_one_language_and_adds_up(language: str, said: tuple[str, ...]) -> None:
    content = {
        "due_on": "2026-04-01",
        "number": 2,
        "new": {"principal": 6000, "interest": 1000, "fee:service": 500},
        "carried": {"principal": 2000, "penalty": 100},
        "paid_minor": 600,
        "total_minor": 9000,
        "card": "VISA •••• 0001",
    }
    with translation.override(language):
        text = words_of(bills.bill(frame=frame(language), person=PERSON, content=content))
    for words in said:
        assert words in text, words
    assert not ENGLISH.findall(text)
