"""Signature vectors that the provider and its SDKs have published, and the properties of the rule behind them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usance.adapters.fondy.signature import base_string, sign, verifies

VECTORS = [
    pytest.param(
        "testcredit",
        {
            "merchant_id": 1396424,
            "order_id": "besh_p2p_1743690601",
            "amount": 10000,
            "currency": "USD",
            "order_desc": "Fondy P2P Card Credit Payment via Python API",
            "receiver_card_number": "4444555566661111",
        },
        "19059322c0efdfd445d38c2ac19034cfd926151d",
        id="docs.fondy.io/gateway/direct-integration/p2p-credit-card-operation",
    ),
    pytest.param(
        "test",
        {
            "amount": 125,
            "currency": "USD",
            "merchant_id": 1396424,
            "order_desc": "test order",
            "order_id": "test123456",
        },
        "df38818facfbfd79953fa847667dac73a1291127",
        id="docs.hutko.org, page on signatures",
    ),
    pytest.param(
        "test",
        {
            "amount": 125,
            "currency": "UAH",
            "merchant_id": 1700002,
            "order_desc": "test order",
            "order_id": "test123456",
        },
        "99edfb423145556bf9e4cb002df09eb717140126",
        id="hutko-service/c-sharp-sdk HutkoSDKTest/SignatureTests.cs",
    ),
    pytest.param(
        "test",
        {
            "merchant_id": 1700002,
            "order_id": "ord-123",
            "order_desc": "Product X",
            "currency": "UAH",
            "amount": 1000,
            "response_url": "https://www.xn--80adds5ajn.net/",
            "server_callback_url": "https://api.example.com/payments/hutko-callback",
        },
        "0b5e137afe5a5a06285565cb4d59121f8b3165d1",
        id="a public integration with hutko: order with both addresses",
    ),
    pytest.param(
        "test",
        {
            "order_id": "ord-123",
            "merchant_id": 1700002,
            "order_status": "approved",
            "amount": 1000,
            "currency": "UAH",
        },
        "2bac2c6bef48f4d1e6ea637f2eadde9d95e50ab3",
        id="a public integration with hutko: callback",
    ),
]


@pytest.mark.parametrize(("secret", "fields", "signature"), VECTORS)
def test_published_vectors(secret: str, fields: dict[str, Any], signature: str) -> None:
    assert sign(secret, fields) == signature
    as_text = {name: str(value) for name, value in fields.items()}
    assert verifies(secret, as_text | {"signature": signature, "response_signature_string": "***|whatever"})


def test_the_digest_that_many_copies_of_the_documentation_carry_is_wrong() -> None:
    fields = {"amount": 125, "currency": "USD", "merchant_id": 1396424, "order_desc": "test order"}
    assert sign("test", fields | {"order_id": "test123456"}) != "f0ee6288b9295d3b808bcd8d720211c7201245e1"


def test_empty_values_are_left_out_and_zero_stays() -> None:
    fields = {"b": "", "a": 0, "c": None, "d": "0", "e": "x"}
    assert base_string("s", fields) == "s|0|0|x"


FIELDS = st.dictionaries(
    st.text("abcdefgh_", min_size=1, max_size=8), st.text(max_size=12).filter(lambda v: "|" not in v), min_size=1
)


@given(fields=FIELDS, secret=st.text(min_size=1, max_size=8))
def test_a_signed_object_verifies_in_any_order_and_a_changed_one_does_not(fields: dict[str, str], secret: str) -> None:
    signed = fields | {"signature": sign(secret, fields)}
    assert verifies(secret, dict(reversed(signed.items())))
    for name in fields:
        assert not verifies(secret, signed | {name: fields[name] + "1"})
    assert not verifies(secret + "1", signed)
