"""Reading an institution: its time, its working days, the rules of its country, and what falls due."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import F, Q, QuerySet

from usance.apps.institutions.models import ITEM_TASK, CalendarDay, DatedItem, FailedJob, Host, Institution, OrgUnit
from usance.apps.institutions.models import CountryRule as CountryRule


class NoSuchInstitution(LookupError):
    """An operator named an institution that does not exist; the message lists those that do."""


def moment(institution: Institution, now: datetime) -> datetime:
    """The aware local time of the institution in business time: real time, moved by the days its clock was pushed."""
    return now.astimezone(ZoneInfo(institution.time_zone)) + timedelta(days=institution.ahead_days)


def local_date(institution: Institution, instant: datetime, *, ahead_days: int | None = None) -> date:
    """The business day that an instant falls on; `ahead_days` as it was then, if the clock was pushed since."""
    ahead = institution.ahead_days if ahead_days is None else ahead_days
    return instant.astimezone(ZoneInfo(institution.time_zone)).date() + timedelta(days=ahead)


def bounds_of_day(institution: Institution, day: date) -> tuple[datetime, datetime]:
    """The first instant of a local day and of the next."""
    zone = ZoneInfo(institution.time_zone)
    return (
        datetime.combine(day, time(), tzinfo=zone),
        datetime.combine(day + timedelta(days=1), time(), tzinfo=zone),
    )


def failed_jobs() -> QuerySet[FailedJob]:
    """Jobs that gave up, those nobody has run again first, then newest first."""
    return FailedJob.objects.order_by(F("run_again_at").desc(nulls_first=True), "-recorded_at", "-id")


def holidays_between(starts_on: date, ends_on: date) -> dict[date, bool]:
    """The days of [starts_on, ends_on) that differ from the weekday rule: day -> is it a working day."""
    rows = CalendarDay.objects.filter(day__gte=starts_on, day__lt=ends_on)
    return dict(rows.values_list("day", "is_working"))


def calendar_days(starts_on: date, ends_on: date) -> QuerySet[CalendarDay]:
    """The marked days of [starts_on, ends_on), in order."""
    return CalendarDay.objects.filter(day__gte=starts_on, day__lt=ends_on).order_by("day")


def is_working_day(institution: Institution, day: date) -> bool:
    marked = holidays_between(day, day + timedelta(days=1))
    return marked.get(day, day.isoweekday() in institution.desk_weekdays)


def rule(country: str, code: str, on: date) -> Any | None:
    """The value of a country's rule as in force on a date; None where that country has no such rule."""
    row = rule_row(country, code, on)
    return row.value if row else None


def rule_row(country: str, code: str, on: date) -> CountryRule | None:
    in_force = Q(ends_on__isnull=True) | Q(ends_on__gt=on)
    return (
        CountryRule.objects.filter(in_force, country=country, code=code, starts_on__lte=on)
        .order_by("-starts_on")
        .first()
    )


def rules_in_force(country: str, on: date) -> QuerySet[CountryRule]:
    in_force = Q(ends_on__isnull=True) | Q(ends_on__gt=on)
    return CountryRule.objects.filter(in_force, country=country, starts_on__lte=on).order_by("code", "-starts_on")


def items_due(on: date) -> QuerySet[DatedItem]:
    """What falls due on or before a business date and was not done, oldest first."""
    return DatedItem.objects.filter(done_at__isnull=True, due_on__lte=on).order_by("due_on", "at_time", "id")


def items_on_their_way(on: date) -> QuerySet[DatedItem]:
    """What falls due and will still be done without anybody's help: not what gave up and stands on the list."""
    gave_up = FailedJob.objects.filter(task=ITEM_TASK, run_again_at__isnull=True)
    return items_due(on).exclude(pk__in=[UUID(row["item_id"]) for row in gave_up.values_list("arguments", flat=True)])


def units() -> QuerySet[OrgUnit]:
    return OrgUnit.objects.order_by("path")


def all_institutions() -> list[tuple[UUID, str]]:
    """Every institution of this installation by its first host name: for an operator's commands, unbound."""
    found: dict[UUID, str] = {}
    for host, institution_id in Host.objects.order_by("host").values_list("host", "institution_id"):
        found.setdefault(institution_id, host)
    return sorted(found.items(), key=lambda pair: pair[1])


def institution_id_at(host: str) -> UUID | None:
    """Whose site answers at a host name, port or not. Unbound."""
    name = host.rsplit(":", 1)[0].lower()
    return Host.objects.filter(host=name).values_list("institution_id", flat=True).first()


def institution_id_of(name: str) -> UUID:
    """The institution whose host name is `name` or starts with `name.` (its code): for commands. Unbound."""
    for institution_id, host in all_institutions():
        if host == name or host.split(".")[0] == name:
            return institution_id
    known = ", ".join(host for _, host in all_institutions()) or "none"
    raise NoSuchInstitution(f"There is no institution {name}. Known host names: {known}.")


def base_url(institution_id: UUID) -> str:
    """Where this institution's site answers, for links in messages and for callbacks."""
    host = Host.objects.filter(institution_id=institution_id).order_by("host").values_list("host", flat=True).first()
    return settings.USANCE_BASE_URL.format(host=host)


def exists(institution_id: UUID) -> bool:
    """Whether any host name leads to this institution. Unbound."""
    return Host.objects.filter(institution_id=institution_id).exists()


def chosen(name: str | None) -> list[tuple[UUID, str]]:
    """The institution that an operator named, or all of them; raises NoSuchInstitution. Unbound."""
    if name is None:
        return all_institutions()
    wanted = institution_id_of(name)
    return [(institution_id, host) for institution_id, host in all_institutions() if institution_id == wanted]
