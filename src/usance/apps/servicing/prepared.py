"""The next close, prepared: by day, loans with something on their agenda are folded beforehand, and the night only
writes what that left to be written.

What was prepared counts for the very rows that it was made from (their versions say so), by the same rules and the same
engine; else the loan is folded as if nothing had been prepared. So it may be lost at any time, and is kept in a table
that the server does not log.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from uuid import UUID

from django.db import connection

from usance import core
from usance.apps.institutions import rows, tenancy
from usance.apps.servicing import earnings, passing
from usance.apps.servicing.models import Prepared, PreparedCut
from usance.apps.servicing.passing import Passed, Rules, ToWrite
from usance.core.calendar import ONE_DAY

KEPT = {
    "id": "uuid", "to_day": "date", "version": "text", "made_by": "text", "loan": "jsonb", "earning": "jsonb",
    "passed": "text",
}  # fmt: skip
# what somebody prepares or forgets at this moment is left to the fold: nobody waits for it
LOCKED = "FOR UPDATE OF p SKIP LOCKED"


def prepare(*, after: UUID, most: int) -> UUID | None:
    """Folds the first so many loans after an id that the next close of the bound institution will have to, in the
    caller's transaction. Gives the id of the last one; None when there were none. Nobody waits for it."""
    to = tenancy.current().business_date + ONE_DAY
    rules = passing.rules(to, to - ONE_DAY)
    found = earnings.read_behind(passing.COLUMNS, earnings.Range(after, None, to), most=most, locked=False)
    lines = [
        _line(folded, earned.version, to, _made_by(rules))
        for row, earned in found
        if isinstance(folded := passing.fold(row, earned, rules), ToWrite)
    ]
    names = ", ".join(KEPT)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO servicing_prepared (institution_id, {names}) SELECT %(institution)s, {names} "  # noqa: S608
            f"FROM {rows.recordset(KEPT)} ON CONFLICT (id) DO UPDATE SET "
            + ", ".join(f"{name} = excluded.{name}" for name in KEPT if name != "id"),
            {"rows": rows.json_rows(KEPT, lines), "institution": tenancy.current_id()},
        )
    return found[-1][0].pk if found else None


def forget() -> None:
    """Nothing is prepared any more."""
    Prepared.objects.all().delete()
    PreparedCut.objects.all().delete()


def take(where: earnings.Range, rules: Rules, *, most: int) -> list[Passed]:
    """What follows of the first so many loans of a range for which all was prepared. They are nobody else's until the
    transaction ends, and what was prepared of them stays as it was taken."""
    behind, values = where.behind(joined="JOIN servicing_prepared p ON p.id = e.id")
    ends = "AND p.id < %(end)s" if where.end else ""
    query = (
        f"SELECT p.passed {behind} AND p.id > %(after)s {ends} "
        f"AND p.to_day = %(to)s AND p.made_by = %(made_by)s AND p.version = {earnings.VERSION} "
        f"ORDER BY p.id LIMIT %(most)s {earnings.LOCKED} {LOCKED}"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, values | {"made_by": _made_by(rules), "most": most})
        return [Passed(*json.loads(told)) for (told,) in cursor.fetchall()]


def recordset(column: str, types: Mapping[str, str]) -> str:
    """A table `t` in SQL of what was prepared of the loans with ids in the parameter `rows`: column -> type."""
    columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
    return (
        f"(SELECT t.* FROM servicing_prepared p, jsonb_to_record(p.{column}) AS t ({columns}) "  # noqa: S608 (our own)
        f"WHERE p.id = ANY(%(rows)s::uuid[]) AND p.{column} IS NOT NULL) AS t"
    )


# --- what is kept ------------------------------------------------------------------------------------------------


def _line(folded: ToWrite, version: str, to: date, made_by: str) -> tuple[object, ...]:
    loan, earning = json.loads(folded.loan), json.loads(folded.earning or "null")
    return folded.passed.loan_id, to, version, made_by, loan, earning, json.dumps(folded.passed)


def _made_by(rules: Rules) -> str:
    """A digest of the engine and the rules: what another version prepared does not count."""
    return hashlib.sha256(f"{_ENGINE} {rules}".encode()).hexdigest()


def _digest_of_the_engine() -> str:
    folders = Path(core.__file__).parent, Path(__file__).parent
    sources = sorted(path for folder in folders for path in folder.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


_ENGINE = _digest_of_the_engine()  # as the program starts: what is installed later is another one
