"""A customer to do things with. The jobs that services order are kept in a list; the name of nobody in particular."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

if TYPE_CHECKING:
    from usance.apps.institutions.models import Institution
    from usance.ports.queue import InlineQueue

AT = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)  # 10:00 in Vietnam
ON = date(2026, 3, 2)
PHONE = "+84912345678"
NAMES = {"family_name": "Nguyễn", "middle_name": "Văn", "given_name": "Mẫu", "birth_date": date(1984, 5, 17)}


@pytest.fixture(autouse=True)
def jobs() -> Iterator[InlineQueue]:
    """Where jobs wait; nothing runs them."""
    from usance.apps.institutions import tenancy
    from usance.config.jobs import run_inline
    from usance.ports import queue

    inline = queue.InlineQueue(run=run_inline, whose=tenancy.current_id)
    before = queue.install(inline)
    yield inline
    if before is not None:
        queue.install(before)


@pytest.fixture
def party_id(institution: Institution) -> UUID:
    """A person with a verified phone, names and a birth date."""
    from usance.apps.customers import services
    from usance.ports.actor import SYSTEM

    made = services.add_party(language="vi", on=ON, actor=SYSTEM)
    services.add_contact(party_id=made, kind="phone", value=PHONE, actor=SYSTEM, at=AT, verified=True)
    services.state_facts(party_id=made, facts=NAMES, source="applicant", actor=SYSTEM, at=AT, on=ON)
    return made
