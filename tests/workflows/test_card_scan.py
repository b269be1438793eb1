"""`usance scan`: it finds a card number wherever one is planted, sealed or not, and finds none where life went on."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typst
from django.db import connection
from django.test import Client, override_settings

from usance.workflows.card_scan.numbers import card_numbers, masked

if TYPE_CHECKING:
    from tests.apps.payments.money import Money

VISA, SPACED, MASTER, NAPAS = "4444555566661111", "4444 5555 6666 1111", "5555555555554444", "9704000000000018"


@pytest.mark.parametrize(
    "text", [VISA, SPACED, "4444-5555-6666-1111", f"card:{VISA};", f'{{"pan": {VISA}}}', f"x{VISA}y"]
)
def test_a_card_number_is_found_however_it_is_written(text: str) -> None:
    assert list(card_numbers(text)) == [VISA]


@pytest.mark.parametrize("number", [VISA, MASTER, NAPAS, "378282246310005", "6011111111111117", "3530111333300000"])
def test_numbers_of_every_network_are_known(number: str) -> None:
    assert list(card_numbers(f"paid with {number} today")) == [number]
    assert masked(number).endswith(number[-4:])
    assert number[:8] not in masked(number)


@pytest.mark.parametrize(
    "text",
    [
        "4444555566661112",  # the check digit
        "444455XXXXXX1111",
        "+84912345678 087084000999",
        "01912345-4444-7555-8666-661111444455",
        "0.4444555566661111",
        "2026-03-02 10:00:00.123456",
        "a" * 16 + VISA,  # part of a digest
        "4444444444444444444444",
        "+4444555566661111",  # a phone number, however long
        "44 445 555 666 611 11",  # amounts beside each other
    ],
)
def test_what_is_no_card_number_is_left_alone(text: str) -> None:
    assert list(card_numbers(text)) == []


@pytest.fixture
def money(institution: Any) -> Iterator[Money]:
    from tests.apps.payments.money import opened

    with opened(institution) as made:
        yield made


@pytest.fixture
def places(money: Money, tmp_path: Path) -> Iterator[Any]:
    """Where the scan finds something; the papers lie in a folder of the test."""
    from usance.workflows import card_scan

    with override_settings(MEDIA_ROOT=tmp_path):
        yield lambda: {found.place for found in card_scan.in_database([money.institution.pk])}


def test_a_life_with_cards_leaves_no_card_number_anywhere(money: Money, places: Any) -> None:
    """Two cards are linked on the provider's page, one pays, callbacks come in, a session and messages are kept."""
    loan = money.loan()
    money.debit(loan, 500_000)
    money.customer()
    money.settle()
    Client(headers={"host": "vn.localhost"}).post("/sign-in/", {"phone": "+84912345678"})
    assert places() == set()


def plant(table: str, column: str, value: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE "{table}" SET "{column}" = %s WHERE ctid = (SELECT ctid FROM "{table}" LIMIT 1)', [value]
        )
        assert cursor.rowcount == 1, table


def test_one_that_is_planted_in_any_column_is_found(money: Money, places: Any) -> None:
    from usance.apps.institutions import services as institutions

    money.customer()
    institutions.list_failed_job(task="x", arguments={"text": f"pay {SPACED}"}, reason="")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args) VALUES ('q', 'x', 0, %s)",
            [f'{{"number": "{VISA}"}}'],
        )
    plant("payments_card", "brand", VISA)
    plant("customers_blindindex", "mac", b"\x84\x00" + VISA.encode() + b"\x90")
    plant("institutions_institution", "address", f"Card {SPACED}")
    plant("payments_instruction", "amount_minor", int(MASTER))
    expected = {"institutions_failedjob.arguments", "procrastinate_jobs.args", "payments_card.brand"}
    expected |= {"customers_blindindex.mac", "institutions_institution.address", "payments_instruction.amount_minor"}
    assert expected <= places()


def test_sealing_one_does_not_hide_it(money: Money, places: Any) -> None:
    from usance.apps.customers import services as customers
    from usance.apps.messaging import services as messaging
    from usance.ports.actor import SYSTEM

    party_id = money.customer()
    customers.state_facts(
        party_id=party_id, facts={"city": f"Huế {SPACED}"}, source="applicant", actor=SYSTEM, at=money.now.at,
        on=money.institution.business_date,
    )  # fmt: skip
    messaging.send(
        template="code_sign_in", key="planted", moment=money.now.at, to="+84912345678", channel="sms", language="en",
        context={"code": VISA, "minutes": 1},
    )  # fmt: skip
    browser = Client(headers={"host": "vn.localhost"})
    browser.get("/", {"utm_source": VISA})
    found = places()
    assert {"customers_fact.sealed (sealed)", "messaging_message.sealed_body (sealed)"} <= found
    assert "access_session.session_data (sealed)" in found


def written(words: str) -> bytes:
    """A paper that says these words, as the product writes its papers."""
    return typst.compile(f"#set document(date: none)\n#text[{words}]".encode(), format="pdf")


@pytest.mark.parametrize("words", [f"Card {SPACED}", f"Card {VISA}", ""])
def test_the_words_of_a_paper_are_read_and_not_the_digits_that_place_them(
    money: Money, places: Any, words: str
) -> None:
    from usance.apps.agreements import services as papers

    party_id = money.customer()
    document = papers.order(
        kind="agreement", key="planted", party_id=party_id, subject=("test", party_id), language="en", reference="A-1",
        issued_on=money.institution.business_date, content={},
    )  # fmt: skip
    table = (
        "#table(columns: 4, " + ", ".join(f"[{k}], [1 653 000], [48 {k:03d}], [01.02.2026]" for k in range(99)) + ")"
    )
    pdf = written(f"{words} {table}")
    assert pdf.startswith(b"%PDF")
    name = papers.keep_file(document=document, pdf=pdf, suffix="")
    papers.rendered(document_id=document.pk, pdf=pdf, name=name, at=money.now.at)
    assert places() == ({"papers"} if words else set())


def test_what_is_no_paper_is_looked_at_as_it_is(money: Money, places: Any) -> None:
    from usance.workflows import card_scan

    assert [list(card_numbers(text)) for text in card_scan._texts(f"no paper {VISA}".encode())] == [[VISA]]


def test_logs_and_files_are_looked_at_and_the_provider_s_own_book_is_not(tmp_path: Path) -> None:
    from usance.workflows import card_scan

    for name in ("log/web.log", "run/site.json", "sandbox/book.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"a line\nand {SPACED}\n")
    found = {(one.place, one.row) for one in card_scan.in_files(tmp_path)}
    assert found == {("log/web.log", "line 2"), ("run/site.json", "line 2")}


def test_every_column_of_bytes_is_opened_or_known_to_hold_no_text(db: None) -> None:
    from usance.workflows.card_scan.sealed import NOT_TEXT, SEALED

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.table_name, c.column_name FROM information_schema.columns c JOIN pg_class t "
            "ON t.relname = c.table_name AND NOT t.relispartition "
            "WHERE c.table_schema = 'public' AND c.data_type = 'bytea'"
        )
        there = set(cursor.fetchall())
    assert there == {(one.table, one.column) for one in SEALED} | set(NOT_TEXT)


def test_the_command_says_where_and_ends_with_one(
    money: Money, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from usance.workflows import cli_scan

    with override_settings(HOME=tmp_path, MEDIA_ROOT=tmp_path):
        assert cli_scan.main(argparse.Namespace(no_files=False)) == 0
        assert "no card numbers" in capsys.readouterr().out
        (tmp_path / "web.log").write_text(VISA)
        assert cli_scan.main(argparse.Namespace(no_files=False)) == 1
    said = capsys.readouterr().out
    assert "web.log line 1" in said
    assert "1111" in said
    assert VISA not in said
