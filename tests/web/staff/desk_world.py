"""A Vietnamese lender with people at the desk and applicants, for the tests of the desk's pages."""

from __future__ import annotations

from typing import Any

from django.test import Client

from tests.apps.origination import people
from tests.web import samples
from usance.apps.origination import selectors
from usance.apps.origination.models import Application


class Desk:
    """`browsers` by the name of whoever sits there; the name is also the account's."""

    def __init__(self, institution: Any) -> None:
        self.lender = people.world()
        self.samples = samples.World(institution, "vn.localhost")
        self.browsers: dict[str, Client] = {}

    def person(self, name: str, role: str = "underwriter") -> Client:
        self.samples.staff[name] = self.lender.staff(name, role)
        self.browsers[name] = samples.staff_client(self.samples, name)
        return self.browsers[name]

    def user(self, name: str) -> Any:
        return self.samples.staff[name]

    def referred(self, card: str = "shared") -> Application:
        """An application that the rules leave to a person: somebody else has the same card."""
        self.lender.card(self.lender.person(), token=card)
        party_id = self.lender.person()
        application = self.lender.start(party_id)
        self.lender.answer(application)
        self.lender.card(party_id, token=card)
        return self.decided(application)

    def decided(self, application: Any) -> Application:
        self.lender.submit(application)
        self.lender.jobs.run_pending()
        return selectors.application(application_id=application.pk)
