"""The rules of countries as dated rows, loaded from a file by the owner of the tables after each migration."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

FILE = "country_rules.json"


def stated() -> list[dict[str, Any]]:
    """The rows of the file: country, code, value, starts_on, perhaps ends_on, source, is_confirmed."""
    text = (resources.files(__package__) / "data" / FILE).read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = json.loads(text)
    return rows


def load_country_rules() -> int:
    """Makes the table say what the file says, row by row of (country, code, starts_on); safe to repeat. Rows that the
    file lacks stay: an installation may have added its own. Gives the number of rows stated."""
    from usance.apps.institutions.models import CountryRule  # what the file states can be read without a database

    rows = [CountryRule(**{"ends_on": None, **row}) for row in stated()]
    CountryRule.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["country", "code", "starts_on"],
        update_fields=["value", "ends_on", "source", "is_confirmed"],
    )
    return len(rows)
