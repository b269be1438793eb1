"""How the form of a product explains itself: which fields stand together, and what each that needs it means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from usance.web.staff import product_words as words

COUNTING, ROUNDING = _("How interest is counted"), _("Rounding and small remainders")
DATES, LIMITS = _("Dates, and money paid early"), _("Limits, and what the law wants told")
GRACE, FIXED = _("Grace at the beginning"), _("A fixed length")
GROUPS: Mapping[str, Any] = {  # pattern of a place -> the heading it stands under
    "fixed_length.count": FIXED,
    "fixed_length.unit": FIXED,
    "grace.principal": GRACE,
    "grace.interest": GRACE,
    "grace.interest_free": GRACE,
    "conventions.day_count": COUNTING,
    "conventions.level_day_count": COUNTING,
    "conventions.interest_base": COUNTING,
    "conventions.interest_rests": COUNTING,
    "conventions.interest_spread": COUNTING,
    "conventions.after_maturity": COUNTING,
    "conventions.rounding": ROUNDING,
    "conventions.residue": ROUNDING,
    "conventions.levelling": ROUNDING,
    "conventions.level_multiple_minor": ROUNDING,
    "conventions.forgive_under_minor": ROUNDING,
    "conventions.late_start": DATES,
    "conventions.roll": DATES,
    "conventions.bill_days": DATES,
    "conventions.early_payment": DATES,
    "conventions.early_interest": DATES,
    "conventions.income_share": LIMITS,
    "conventions.cost_cap_share": LIMITS,
    "conventions.default_after_days": LIMITS,
    "conventions.charge_off": LIMITS,
    "conventions.apr_times": LIMITS,
}
SECTIONS: Mapping[str, Any] = {
    "penalty": _("Choose “none” for no penalty."),
    "drawdowns": _("Leave the number of parts empty if the whole loan is paid out at once."),
    "extension": _("Leave the days empty if due dates cannot be moved."),
    "non_accrual": _("Nothing changes for the borrower. Leave the days empty if only a colleague puts a loan there."),
    "cooling_off": _("Counts only where it is more than the country's law gives. Leave the days empty for the law's."),
    "taxes": _("A row without a name is left out."),
    "prices.first": _("A fee without a kind and a promotion without days are left out."),
    "prices.returning": _("A fee without a kind and a promotion without days are left out."),
    "allocation": _("Money that comes in pays these one after another."),
    "conventions": _("How the calculator counts. Loans that run keep what they were agreed with."),
    "": _("What happens between the request and the contract."),
}
TERMS_OF_ONE, TERMS_OF_MANY = (
    _("How long a loan runs until its one payment, in the unit chosen."),
    _("A term is a number of payments; the unit is the time between them."),
)
HELP: Mapping[str, Any] = {
    "every": _("2 with weeks: a payment every second week."),
    "down_payment_share": _("Empty: the whole loan is paid out."),
    "drawdowns.first_share": _("The calculator and the contract expect the rest as one further part."),
    "drawdowns.until_days": _("Counted from the first; amounts and days may differ from what was expected."),
    "drawdowns.interest": _("The whole period: as if it had come with the first day of it."),
    "drawdowns.repaid": _("A term of its own: as many instalments again, added to those of the earlier parts."),
    "drawdowns.down_payment": _("Only where a down payment is agreed, and instalments to come were paid before."),
    "fixed_length.count": _("Only where the number of payments is fixed. Empty: the last payment ends the loan."),
    "grace.principal": _("0 for none."),
    "grace.interest": _("0 for none."),
    "grace.interest_free": _("0 for none."),
    "prices.*.max_amount_minor": _("Empty: the product's largest amount."),
    "prices.*.fees.*.after_days": _("Only for a fee charged when a payment is late."),
    "penalty.cap_share": _("All penalties together end there."),
    "penalty.yearly_cap_share": _("All penalties of one calendar year end there. Empty: no such end."),
    "non_accrual.after_days": _("From then on interest and penalties are our income when they are paid, not before."),
    "conventions.interest_rests": _(
        "Of money that comes between two due dates. Who pays back all pays interest until that day."
    ),
    "conventions.residue": _("What a day's interest leaves below the smallest coin."),
    "conventions.levelling": _("Equal instalments rarely add up exactly."),
    "conventions.level_multiple_minor": _("Equal instalments are rounded to it."),
    "conventions.forgive_under_minor": _("What remains below it when a loan ends. 0: nothing."),
    "conventions.income_share": _("Earned over the term; nobody is paid them. 0: none may be added."),
    "conventions.cost_cap_share": _("Interest, fees and penalties end there. Empty: no such end."),
    "conventions.default_after_days": _("From then on the loan is in default."),
    "conventions.apr_times": _("As the country's law says: see Institution."),
    "conventions.bill_days": _("What falls due and what is left from before, as a paper. Empty: no bills."),
    "offer_days": _("Then it must be asked for anew."),
    "draft_days": _("Then its answers are thrown away."),
    "ask_days": _("Then the case comes back to the desk."),
}


def of_section(name: str, kind: str) -> Any:
    """What a section is about; of terms by the kind of loan."""
    if name == "term":
        return TERMS_OF_ONE if kind == "single_payment" else TERMS_OF_MANY
    return SECTIONS.get(name, "")


def of_field(path: str) -> Any:
    return HELP.get(words.pattern(path), "")


def group(path: str) -> Any:
    """The heading that a field stands under within its section; empty for none."""
    return GROUPS.get(words.pattern(path), "")
