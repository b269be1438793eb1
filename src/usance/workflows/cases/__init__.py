"""Published numbers that the engine must reproduce: files of cases, each lived through the very engine of the product.

A case gives parameters and what somebody else computed from them. Its parameters become the same Terms that publishing
a product makes; what the engine then says is compared cell by cell. Expected values are compared, and read for nothing
else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from usance.workflows.cases import (
    calendars,
    costs,
    files,
    histories,
    marketplace,
    spreadsheets,
    working_capital,
)
from usance.workflows.cases.verdicts import Unsupported, Verdict

JUDGES = {
    "schedule": histories.judge_schedule,
    "history": histories.judge,
    "instalment": marketplace.judge,
    "working_capital": working_capital.judge,
    "apr": costs.judge,
    "annuity": spreadsheets.judge,
    "day_count": calendars.judge_count,
    "date_roll": calendars.judge_roll,
    "classes": calendars.judge_classes,
}


def verdicts(paths: Sequence[Path], *, family: str = "", show: str = "") -> Iterator[Verdict]:
    """Every case of the files and folders, judged. Raises files.UnreadableFile."""
    for case in files.cases(paths):
        if (family and case.family != family) or (show and case.id != show):
            continue
        judge = JUDGES.get(case.shape)
        try:
            if judge is None:
                raise Unsupported(f"nothing here judges {case.shape} cases")
            cells = judge(case.data)
            if not cells:
                raise Unsupported("it states nothing that could be compared")
            yield Verdict(case.id, case.family, tuple(cells))
        except Unsupported as why:
            yield Verdict(case.id, case.family, (), unsupported=str(why))
        except KeyError as missing:
            yield Verdict(case.id, case.family, (), unsupported=f"it does not say {missing}")
