"""What configuration tells the adapters."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

from usance.adapters.fondy import FondyRail
from usance.apps.institutions.models import Institution
from usance.config import wiring
from usance.ports import registry


def test_the_sandbox_is_told_the_bound_institutions_day(institution: Institution) -> None:
    assert wiring.business_date() == date(2026, 3, 2)
    Institution.objects.filter(pk=institution.pk).update(business_date=date(2026, 3, 9))
    assert wiring.business_date() == date(2026, 3, 9)  # not an old row


def test_each_demo_lender_has_its_own_merchant() -> None:
    rails = [registry.payment_rail(code) for code in ("ua", "vn", "eu", "another")]
    assert [rail.merchant for rail in rails] == ["1396424", "1700002", "1549901", "1396424"]
    for rail in rails:
        assert isinstance(rail, FondyRail)
        assert rail.sandbox_date is wiring.business_date


def test_what_only_commands_use_declares_no_task() -> None:
    """Workers do not import it, so a task in there would never be done."""
    asked = """
import importlib, pkgutil, django
django.setup()
import usance.workflows
from usance.config import wiring
from usance.ports import due, queue
known = set(queue.declared()) | due.kinds()
read = set(wiring.modules_of_tasks())
left = [m.name for m in pkgutil.walk_packages(usance.workflows.__path__, "usance.workflows.") if m.name not in read]
assert "usance.workflows.demo" in left, left
for name in left:
    importlib.import_module(name)
print(sorted((set(queue.declared()) | due.kinds()) - known))
"""
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
