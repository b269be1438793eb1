"""The columns of the Statlog German Credit data (UCI repository, H. Hofmann 1994, CC BY 4.0) in our words.

Two columns of a person (sex with marital status, foreign worker) are never read, because nobody may be judged by them.
The outcome column is never read either: a decision is made from what was known before it.
"""

from __future__ import annotations

from collections.abc import Mapping

NEVER_READ = frozenset({"creditability", "personal_status_and_sex", "foreign_worker"})

# column -> (our question, its words -> our code); words are compared without dots, case and doubled spaces
WORDS: dict[str, tuple[str, dict[str, str]]] = {
    "status_of_existing_checking_account": (
        "checking_status",
        {
            "< 0 dm": "overdrawn",
            "0 <= < 200 dm": "below_200",
            ">= 200 dm / salary assignments for at least 1 year": "from_200",
            "no checking account": "none",
        },
    ),
    "credit_history": (
        "credit_history",
        {
            "no credits taken/ all credits paid back duly": "none_or_all_paid",
            "all credits at this bank paid back duly": "all_paid_here",
            "existing credits paid back duly till now": "existing_paid",
            "delay in paying off in the past": "delayed",
            "critical account/ other credits existing (not at this bank)": "critical",
        },
    ),
    "savings_account_and_bonds": (
        "savings",
        {
            "< 100 dm": "below_100",
            "100 <= < 500 dm": "below_500",
            "500 <= < 1000 dm": "below_1000",
            ">= 1000 dm": "from_1000",
        },
    ),
    "present_employment_since": (
        "employment_since",
        {
            "unemployed": "unemployed",
            "< 1 year": "below_1_year",
            "1 <= < 4 years": "below_4_years",
            "4 <= < 7 years": "below_7_years",
            ">= 7 years": "from_7_years",
        },
    ),
    "other_debtors_or_guarantors": (
        "other_debtors",
        {"none": "none", "co-applicant": "co_applicant", "guarantor": "guarantor"},
    ),
    "property": (
        "property",
        {
            "real estate": "real_estate",
            "building society savings agreement/ life insurance": "savings_or_insurance",
            "car or other, not in attribute savings account/bonds": "car_or_other",
            "unknown / no property": "none_or_unknown",
        },
    ),
    "other_installment_plans": ("other_plans", {"bank": "bank", "stores": "stores", "none": "none"}),
    "installment_rate_in_percentage_of_disposable_income": (
        "disposable_share_band",
        {"1": "4", "2": "3", "3": "2", "4": "1"},  # the file counts from the largest share down
    ),
    "housing": ("housing", {"own": "own", "rent": "rent", "for free": "free"}),
    "job": (
        "job",
        {
            "unemployed/ unskilled - non-resident": "unemployed_or_unskilled",
            "unskilled - resident": "unskilled",
            "skilled employee / official": "skilled",
            "management/ self-employed/ highly qualified employee/ officer": "management",
        },
    ),
}
PURPOSES = {
    "radio/television": "household",
    "furniture/equipment": "household",
    "domestic appliances": "household",
    "car (new)": "car",
    "car (used)": "car",
    "education": "education",
    "retraining": "education",
    "business": "business",
    "repairs": "repairs",
    "others": "other",
}


def _plain(words: str) -> str:
    return " ".join(words.replace(".", " ").lower().split())


def answers(row: Mapping[str, str]) -> dict[str, str]:
    """One applicant's answers to our questions. What the file does not know ("unknown") stays missing."""
    found = {
        question: codes[_plain(row[column])]
        for column, (question, codes) in WORDS.items()
        if _plain(row.get(column, "")) in codes
    }
    credits = row.get("number_of_existing_credits_at_this_bank", "")
    if credits.isdecimal():
        found["existing_credits"] = credits
    found["purpose"] = PURPOSES.get(_plain(row.get("purpose", "")), "other")
    return found
