"""Who applies: generated people, or the real applicants of a file with generated identities."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from faker import Faker

from usance.apps.customers import identity_numbers
from usance.apps.decisioning import statlog

STATLOG = Path(__file__).parent / "data" / "statlog_german_credit.csv"
LOCALES = {"VN": "vi_VN", "UA": "uk_UA", "DE": "de_DE"}
SCHEMES = {"VN": "vn_cccd", "UA": "ua_rnokpp", "DE": "de_idnr"}
# prefixes of mobile numbers, and how many digits follow
PHONES = {"VN": ("+849", 8), "UA": ("+38067", 7), "DE": ("+49151", 8)}
# monthly income in minor units: median of a log-normal spread
INCOMES = {"VN": 12_000_000, "UA": 2_400_000, "DE": 260_000}
JOBS = ("employed", "public_sector", "self_employed", "retired", "student", "unemployed")
JOB_WEIGHTS = (55, 15, 14, 8, 5, 3)

# how a borrower behaves, and how often: what the file's outcome says instead, where there is one
HABITS = {"on_time": 62, "early": 10, "late": 14, "extends": 6, "partial": 4, "never": 4}


class FileRefused(ValueError):
    """The applicants' file cannot be used: every bad line is named; none is taken."""


@dataclass(frozen=True, kw_only=True)
class Applicant:
    """One person and what they will ask for. `answers` are facts as a form takes them; what is not known is absent.
    `habit` is how they will behave as a borrower; it never enters a decision."""

    number: int
    given_name: str
    family_name: str
    birth_date: date
    sex: str
    identity_number: str
    phone: str
    email: str
    city: str
    address: str
    language: str
    habit: str
    amount_minor: int | None = None
    months: int | None = None
    is_double: bool = False
    answers: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


def generated(*, country: str, language: str, count: int, seed: int, on: date) -> list[Applicant]:
    """People who never were, the same ones for the same seed. `on`: the day from which their ages count."""
    random, faker = Random(f"people:{country}:{seed}"), _faker(country, seed)  # noqa: S311
    people = []
    for number in range(count):
        sex = random.choice(("male", "female"))
        born = on - timedelta(days=int(random.triangular(18, 70, 31) * 365.25) + random.randrange(365))
        job = random.choices(JOBS, JOB_WEIGHTS)[0]
        income = int(INCOMES[country] * random.lognormvariate(0, 0.45))
        people.append(
            _with_identity(
                random,
                faker,
                country,
                language=language,
                number=number,
                seed=seed,
                sex=sex,
                born=born,
                habit=random.choices(list(HABITS), list(HABITS.values()))[0],
                answers={
                    "employment": job,
                    "income_minor": _rounded(income if job not in ("student", "unemployed") else income // 3, country),
                    "expenses_minor": _rounded(int(income * random.uniform(0.2, 0.6)), country),
                    "employment_months": random.randrange(1, 180),
                    "housing": random.choice(("own", "rent", "with_family")),
                    "dependants": random.choice((0, 0, 1, 1, 2, 3)),
                },
            )
        )
    return people


def doubles(people: list[Applicant], *, country: str, seed: int, count: int) -> list[Applicant]:
    """People who give the name and birth date of somebody who applied before, with a phone and number of their own:
    the rules hand such a case to a person."""
    random, prefix, digits = Random(f"doubles:{country}:{seed}"), *PHONES[country]  # noqa: S311
    return [
        replace(
            found,
            number=10_000 + position,
            is_double=True,
            identity_number=identity_numbers.make(
                SCHEMES[country],
                birth_date=found.birth_date,
                sex=found.sex,  # type: ignore[arg-type]
                random=random,
            ),
            phone=f"{prefix}{random.randrange(10**digits):0{digits}d}",
            email=f"double{seed}.{position}@{country.lower()}.example",
        )
        for position, found in enumerate(people[:count])
    ]


def _rounded(minor: int, country: str) -> int:
    step = 100_000 if country == "VN" else 10_000
    return minor // step * step


def _with_identity(
    random: Random,
    faker: Faker,
    country: str,
    *,
    language: str,
    number: int,
    seed: int,
    sex: str,
    born: date,
    **rest: Any,
) -> Applicant:
    prefix, digits = PHONES[country]
    return Applicant(
        number=number,
        given_name=faker.first_name_male() if sex == "male" else faker.first_name_female(),
        family_name=faker.last_name_male() if sex == "male" else faker.last_name_female(),
        birth_date=born,
        sex=sex,
        identity_number=identity_numbers.make(SCHEMES[country], birth_date=born, sex=sex, random=random),  # type: ignore[arg-type]
        phone=f"{prefix}{(seed * 7919 + number * 104_729 + 1_234_567) % 10**digits:0{digits}d}",
        email=f"applicant{seed}.{number}@{country.lower()}.example",
        city=faker.city(),
        address=faker.street_address(),
        language=language,
        **rest,
    )


def _faker(country: str, seed: int) -> Faker:
    faker = Faker(LOCALES[country])
    faker.seed_instance(seed)
    return faker


NEEDED = ("duration_in_month", "credit_amount", "age_in_years", "housing", "job", "creditability")
NEVER_TOLD = ("creditability",)


def of_file(path: Path, *, country: str, language: str, seed: int, on: date) -> list[Applicant]:
    """The real applicants of a file in the shape of Statlog German Credit: amount, months, age, housing and job are
    their own; what the file lacks stays missing; identities are generated. Raises FileRefused, naming each bad line."""
    random, faker = Random(f"file:{seed}"), _faker(country, seed)  # noqa: S311
    rows = list(_rows(path))
    return [
        _with_identity(
            random,
            faker,
            country,
            language=language,
            number=number,
            seed=seed,
            sex="female" if row["personal_status_and_sex"].startswith("female") else "male",
            born=on.replace(year=on.year - int(row["age_in_years"]), day=1) - timedelta(days=random.randrange(1, 300)),
            habit="on_time" if row["creditability"] == "good" else "stops",
            amount_minor=int(row["credit_amount"]) * 100,
            months=int(row["duration_in_month"]),
            answers=statlog.answers(row),
            extra={name: text for name, text in row.items() if name not in NEVER_TOLD},
        )
        for number, row in enumerate(rows)
    ]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines)
            missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
            if missing:
                raise FileRefused(f"{path}: columns are missing: {', '.join(missing)}")
            rows = list(reader)
    except (OSError, UnicodeDecodeError) as error:
        raise FileRefused(f"{path}: cannot be read ({error})") from error
    bad = [f"line {number}: {why}" for number, row in enumerate(rows, 2) if (why := _wrong(row))]
    if bad:
        raise FileRefused(f"{path}: no line was taken.\n" + "\n".join(bad))
    yield from rows


def _wrong(row: Mapping[str, str | None]) -> str:
    """What is wrong with a line, or nothing."""
    for name, low, high in (("duration_in_month", 1, 120), ("credit_amount", 1, 10**9), ("age_in_years", 18, 110)):
        text = row[name] or ""
        if not text.isdecimal() or not low <= int(text) <= high:
            return f"{name} is {text!r}, wanted a whole number from {low} to {high}"
    told = statlog.answers({name: text or "" for name, text in row.items()})
    for name in ("housing", "job"):
        if name not in told:
            return f"{name} is {row[name]!r}, wanted one of {', '.join(statlog.WORDS[name][1])}"
    if row["creditability"] not in ("good", "bad"):
        return f"creditability is {row['creditability']!r}, wanted good or bad"
    return ""
