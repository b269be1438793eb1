"""What `usance doctor` says of the outside, at the hour at which somebody needs it."""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import Any

from usance.adapters import fondy
from usance.config import outside
from usance.config.finding import FAULT, GOOD, NOTE


def test_a_provider_that_takes_connections_and_says_nothing_is_at_fault() -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        base = f"http://127.0.0.1:{mute.getsockname()[1]}/api"
        assert outside._listens("Fondy", "vn", base).level == GOOD
        account = {"base_url": base, "merchant_id": "1", "payment_key": "a", "credit_key": "b", "read_timeout_s": "0.2"}
        said = outside._speaks("Fondy", "vn", fondy.build(account).is_alive)
    assert (said.level, "vn" in said.text, "At three in the morning" in said.remedy) == (FAULT, True, True)


def test_a_provider_that_is_not_there_is_at_fault() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        said = outside._listens("Esputnik", "ua", f"http://127.0.0.1:{nobody.getsockname()[1]}/")
    assert (said.level, "does not answer" in said.text) == (FAULT, True)


def test_money_in_doubt_is_counted_and_said_to_be_safe(institution: Any) -> None:
    from tests.apps.payments.money import opened
    from usance.apps.payments.models import Instruction

    everybody = {"FONDY", "ESPUTNIK"}  # of whom the report has said already that they are silent
    with opened(institution) as money:
        given = money.give("debit", party_id=money.customer())
        assert list(outside._institution(institution.pk, everybody)) == []
        since = money.now.at - timedelta(minutes=5)
        Instruction.objects.filter(pk=given.pk).update(state="unknown", provider="fondy", sent_at=since)
        (said,) = outside._institution(institution.pk, everybody)
    assert said.level == NOTE
    assert f"1 orders of {institution.code} wait" in said.text
    assert "never sent twice" in said.remedy
