"""What a new version brings to the institutions that exist: accounts for what it books, what its roles may do, and the
classes of loans by a rule that it came with."""

from __future__ import annotations

from django.db import transaction

from usance.apps.access import services as access
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.ledger import services as ledger
from usance.apps.servicing import classing


def everywhere() -> int:
    """Every institution gets what it lacks; safe to repeat. Call it unbound. Says how many there are."""
    found = institutions.all_institutions()
    for institution_id, _ in found:
        with tenancy.bound(institution_id), transaction.atomic():
            ledger.open_books()
            access.install_roles()
            access.give_new_rights()
            classing.look_again()
    return len(found)
