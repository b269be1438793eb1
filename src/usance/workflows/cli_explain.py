"""`usance explain`: every balance of a loan, cent by cent."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from django.db import transaction

from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.servicing import refusals
from usance.apps.servicing import selectors as servicing
from usance.core.loan.book import Line
from usance.core.money import Currency

SUPPOSED = {"paid": servicing.AS_AGREED, "unpaid": servicing.NOTHING_PAID}
AHEAD = {servicing.AS_AGREED: "everything is paid as agreed", servicing.NOTHING_PAID: "nothing more is paid"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("loan", metavar="LOAN", help="the loan's number (such as L-000001) or id")
    parser.add_argument(
        "--on", type=date.fromisoformat, metavar="DATE", help="as of a day (default: the business date)"
    )
    parser.add_argument(
        "--known",
        type=_known,
        metavar="DATE",
        help="by what had been told at the end of a day, or by an instant such as 2026-03-02T14:30+02:00 "
        "(default: all that is known)",
    )
    parser.add_argument(
        "--if",
        dest="supposed",
        choices=("paid", "unpaid"),
        default="unpaid",
        help="of days to come: everything is paid as agreed, or nothing more (default: %(default)s)",
    )
    parser.add_argument("--balance", help='one balance only, such as "interest" or "fee:service"')
    parser.add_argument(
        "--institution", metavar="CODE", help="where to look, by code or host name; otherwise everywhere"
    )


def main(args: argparse.Namespace) -> int:
    """0 when the loan was found, 2 otherwise."""
    try:
        chosen = institutions.chosen(args.institution)
    except institutions.NoSuchInstitution as unknown:
        sys.stderr.write(f"usance: {unknown}\n")
        return 2
    found = [_explain(institution_id, name, args) for institution_id, name in chosen]
    if not any(found):
        sys.stderr.write(f"usance: there is no loan {args.loan}; the staff site's loan register lists all numbers.\n")
        return 2
    return 0


def _explain(institution_id: UUID, name: str, args: argparse.Namespace) -> bool:
    with tenancy.bound(institution_id), transaction.atomic():
        try:
            loan = _find(args.loan)
        except refusals.NoSuchLoan:
            return False
        view = servicing.loan_view(loan_id=loan.pk, on=args.on, known_on=args.known, supposed=SUPPOSED[args.supposed])
        digits = tenancy.current().currency_digits
        known = f", as known on {args.known}" if args.known else ""
        ahead = f", if {AHEAD[view.supposed]} after {view.seen_until}" if view.supposed else ""
        print(
            f"{name}: loan {loan.number} at the start of {view.on}, with what happened on that day{known}{ahead}; "
            f"in {loan.currency}"
        )
        _print(view.explain(args.balance), Currency(loan.currency, digits))
    return True


def _known(text: str) -> date | datetime:
    """A business date, or an instant; one without a zone is UTC."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        instant = datetime.fromisoformat(text)
        return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _find(text: str) -> Any:
    try:
        return servicing.loan(UUID(text))
    except ValueError:
        return servicing.loan_by_number(text)


def _print(lines: Sequence[Line], currency: Currency) -> None:
    for balance in sorted({line.balance for line in lines}):
        mine = [line for line in lines if line.balance == balance]
        total = sum(line.amount_minor for line in mine)
        print(f"\n{balance}: {currency.text(total)}")
        running = 0
        for line in mine:
            running += line.amount_minor
            days = str(line.starts_on) if line.ends_on <= line.starts_on else f"{line.starts_on} .. {line.ends_on}"
            print(
                f"  {days:26} {currency.text(line.amount_minor):>16} {currency.text(running):>16}  "
                f"{line.rule}: {line.formula}{_inputs(line.inputs)}{f'  [{line.event}]' if line.event else ''}"
            )


def _inputs(inputs: Mapping[str, Any]) -> str:
    words = ", ".join(f"{name}={_plain(value)}" for name, value in inputs.items())
    return f" ({words})" if words else ""


def _plain(value: Any) -> str:
    return str(value) if not isinstance(value, Fraction) or value.denominator < 10_000 else f"{float(value):.12g}"
