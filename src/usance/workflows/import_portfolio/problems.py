"""What can be wrong with a line, in one sentence each that says what to do."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

SENTENCES: Mapping[str, Any] = {
    "not_utf8": _("The file is not UTF-8 text. Save it as “CSV UTF-8” and hand it in again."),
    "not_a_table": _(
        "The first line must name the columns, and this one cannot be read as such. Begin from a template."
    ),
    "unknown_file": _(
        "From its columns one cannot tell what this file holds. Keep the column names of a template; these are missing "
        "for the nearest one, %(kind)s: %(missing)s."
    ),
    "unknown_column": _("There is no such column. Rename it as in the template, or take it out."),
    "column_twice": _("This column is there twice. Keep one of them."),
    "too_many_lines": _("More than %(most)s lines. Hand the portfolio in by several imports."),
    "no_loans": _("No file with loans or customers was handed in."),
    "missing": _("Nothing stands here. Fill it in."),
    "cell_too_long": _("More than %(most)s signs. Shorten it."),
    "not_a_date": _("“%(value)s” is no date. Write it like 2026-03-31."),
    "not_an_amount": _("“%(value)s” is no amount. Write digits and one decimal mark only, like 1250.50."),
    "too_fine": _("“%(value)s” has more decimals than %(currency)s. Round it as your books do."),
    "below_zero": _("“%(value)s” is below zero. Write amounts without a sign."),
    "not_a_number": _("“%(value)s” is not a whole number from %(least)s to %(most)s."),
    "not_a_rate": _("“%(value)s” is no rate. Write per cent, like 24.5."),
    "not_one_of": _("“%(value)s” is none of: %(choices)s."),
    "twice": _("“%(value)s” stands in line %(other)s already. Each has one line."),
    "taken_in_otherwise": _(
        "It came in before with other figures. Take the line out; corrections are made on the page of the loan or "
        "customer."
    ),
    "no_name": _("Give the family and the given name of a person, or the legal name of an organisation."),
    "phone_not_valid": _("This is no mobile number of this country. Correct it or leave it empty."),
    "email_not_valid": _("This is no e-mail address. Correct it or leave it empty."),
    "identity_not_valid": _(
        "The number is not valid, or does not fit the date of birth. Compare it with the document."
    ),
    "born_when": _("Nobody of an age to borrow was born on this day. Correct the date."),
    "somebody_elses": _(
        "It belongs to customer %(reference)s, who is here already. Write that number into “reference”, or correct it."
    ),
    "reference_unknown": _("There is no customer “%(value)s” here. Correct the number or leave it empty."),
    "customer_unknown": _("There is no line for customer “%(value)s”. Add it to the file of customers."),
    "loan_unknown": _("There is no line for loan “%(value)s”. Add it to the file of loans, or take this line out."),
    "number_taken": _("Another loan here has this number. Give this one another, such as “%(other)s”."),
    "number_ours": _("Numbers like L-000123 are given out here. Put a sign of your own before it, such as “X-”."),
    "product_unknown": _("No product “%(value)s” is offered. There are: %(choices)s."),
    "branch_unknown": _("There is no unit “%(value)s”. There are: %(choices)s."),
    "terms_refused": _("These terms cannot be: “%(value)s”, wanted %(why)s."),
    "not_yet": _("%(value)s is still to come: the business date is %(today)s. Take over on that day or before."),
    "given_later": _("The money was given on %(value)s, which is not before the take-over on %(as_of)s."),
    "no_past": _(
        "Neither balances nor events say how it stands. State the principal owed (0 if none), or add its events."
    ),
    "not_of_product": _("The product has nothing called “%(value)s”. It has: %(choices)s."),
    "no_term": _("Say its term, or list all its instalments in the schedule."),
    "schedule_order": _("The dates of a loan's schedule come in order, each once, after the money was given."),
    "schedule_sum": _(
        "The coming instalments repay %(listed)s of principal, and %(owed)s is owed that no instalment has asked for "
        "yet. Correct one of them."
    ),
    "paid_ahead": _("What was paid of a coming instalment is not said here; it is in the balances."),
    "event_twice": _("The loan has two events with the id “%(value)s”. Give each its own."),
    "undoes_unknown": _("The loan has no event with the id “%(value)s”."),
    "event_refused": _("This cannot have happened to the loan as it stood then. %(reason)s"),
    "cannot_be_lived": _("The loan cannot be computed from these figures: %(reason)s"),
}
# why an event cannot have happened: the engine's refusals, in the words of the desk
REASONS: Mapping[str, Any] = {
    "loan_not_running": _("This is possible only while money is owed on the loan."),
    "loan_not_written_off": _("This loan was not written off, so there is nothing to recover. Book a payment instead."),
    "fee_not_agreed": _("The agreement names no such fee, so it cannot be charged."),
    "extension_not_offered": _("This loan cannot be extended: the agreement does not offer it."),
    "extension_days_not_allowed": _("The product does not extend by so many days."),
    "extension_limit_reached": _("The product does not extend so often."),
    "more_than_owed": _("More would be forgiven than was owed there."),
    "more_than_unapplied": _("More would be sent back than was there beyond the debt."),
    "more_than_paid": _("More would be taken back than the payment brought."),
    "penalty_already_paused": _("The penalty was paused already."),
    "penalty_not_paused": _("The penalty was not paused."),
    "nothing_to_undo": _("Such an event cannot be undone in this way, or was undone before."),
    "loan_not_yet_approved": _("The loan was given later."),
    "standing_does_not_add_up": _("Its unpaid instalments ask for more than its balances say is owed."),
    "standing_not_possible": _(
        "An old instalment was paid beyond what it asked for, or is not dated between the money and the take-over."
    ),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, and which sentence says it. `field` is the column, "" for the whole line."""

    file: str
    line: int
    field: str
    code: str
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def sentence(self) -> str:
        return sentence(self.code, self.details)

    def __str__(self) -> str:
        where = f", {self.field}" if self.field else ""
        return f"{self.file}, line {self.line}{where}: {self.sentence}"

    def to_json(self) -> dict[str, Any]:
        """As it is kept. What was written in the line is not: it may identify somebody."""
        return asdict(self) | {"details": dict(self.details)}


def sentence(code: str, details: Mapping[str, Any]) -> str:
    """In the active language."""
    words = {**details, "reason": REASONS.get(details["reason"], details["reason"])} if "reason" in details else details
    return str(SENTENCES[code]) % words


class Problems:
    """Collects them, in the order of files and lines."""

    def __init__(self) -> None:
        self._found: list[Problem] = []
        self._lines: set[tuple[str, int]] = set()

    def add(self, file: str, line: int, column: str, code: str, **details: Any) -> None:
        self._found.append(Problem(file, line, column, code, details))
        self._lines.add((file, line))

    def has(self, file: str, line: int) -> bool:
        """Whether something is wrong with this line."""
        return (file, line) in self._lines

    def __iter__(self) -> Iterator[Problem]:
        return iter(sorted(self._found, key=lambda one: (one.file, one.line)))

    def __len__(self) -> int:
        return len(self._found)
