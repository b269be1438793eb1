"""What a new version brings to institutions that were founded before it."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import transaction

from tests.support.institutions import found
from usance.apps.access import permissions
from usance.apps.access.models import Role
from usance.apps.audit.models import AuditEntry
from usance.apps.institutions import tenancy
from usance.apps.ledger import services as ledger
from usance.apps.ledger.models import PostingRule
from usance.core.accounting import books


def test_every_institution_gets_the_accounts_and_rights_that_it_lacks(
    fresh_db: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lenders = [found("vn"), found("ua")]
    for lender in lenders:
        with tenancy.bound(lender.pk), transaction.atomic():
            ledger.open_books()
            PostingRule.objects.filter(role="charged_off_loans").delete()
            Role.objects.create(code="cashier", name="Cashier", permissions=["loan.view"])
    for _ in range(2):  # twice is once
        call_command("upgrade")
    assert capsys.readouterr().out == "2 institutions are up to date.\n" * 2
    for lender in lenders:
        with tenancy.bound(lender.pk), transaction.atomic():
            assert {rule.role for rule in PostingRule.objects.all()} == set(books.ROLES)
            cashier = Role.objects.get(code="cashier")
            assert set(cashier.permissions) == permissions.ROLES["cashier"].permissions
            assert set(Role.objects.values_list("code", flat=True)) == set(permissions.ROLES)
            assert AuditEntry.objects.filter(action="access.role_upgraded").count() == 1
