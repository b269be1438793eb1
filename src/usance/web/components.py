"""The values that pages hand to components. A view says what a thing is; how it looks is the component's own matter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal
from urllib.parse import urlencode

from django.core.paginator import Page

Tone = Literal["neutral", "brand", "good", "warn", "bad", "info"]

TONE_ICONS: Mapping[str, str] = {
    "neutral": "dot", "brand": "dot", "good": "check", "warn": "clock", "bad": "alert", "info": "info",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tag:
    """A status as word, colour and icon; the word alone must say it."""

    text: Any
    tone: Tone = "neutral"
    icon: str = ""

    @property
    def sign(self) -> str:
        return self.icon or TONE_ICONS[self.tone]


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units with its currency code, so that a cell can show it without asking whose it is."""

    minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of what makes up a figure. `total` closes the account: a rule above, two below."""

    label: Any
    amount: Any
    note: Any = ""
    total: bool = False


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """A name and a value, with a Change link (`href`, `action`) when it may be changed."""

    label: Any
    value: Any
    href: str = ""
    action: Any = ""
    note: Any = ""
    explain: Sequence[Line] = ()


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """Something that happened, or (`is_next`) who acts next. `when` is a date or an aware datetime."""

    title: Any
    when: date | datetime | None = None
    body: Any = ""
    who: Any = ""
    amount: Money | None = None
    tone: Tone = "neutral"
    icon: str = "dot"
    href: str = ""
    is_next: bool = False


@dataclass(frozen=True, slots=True)
class Instalment:
    """A row of the schedule table; amounts in minor units of the table's currency."""

    number: int
    due_on: date
    total_minor: int
    principal_minor: int
    interest_minor: int
    fees_minor: int = 0
    tag: Tag | None = None
    state: Literal["", "now", "done"] = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a data table. `sort` is the name of the order in the address; without it the head is plain."""

    key: str
    label: Any
    numeric: bool = False
    sort: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """`cells` follow the columns: text, `Money`, `Tag`, `ClockBadge` or a date. The first cell links to `href`."""

    cells: Sequence[Any]
    href: str = ""
    id: str = ""
    state: Literal["", "now", "done"] = ""


@dataclass(frozen=True, slots=True)
class Empty:
    """What a page without rows says: what would be here, and the next step."""

    title: Any
    body: Any = ""
    href: str = ""
    action: Any = ""
    icon: str = "tray"


@dataclass(frozen=True, slots=True)
class BulkAction:
    """A button over the ticked rows; its form posts `action=<value>` and `ids`."""

    value: str
    label: Any
    kind: Literal["secondary", "danger"] = "secondary"


@dataclass(frozen=True)
class DataTable:
    """Index pages. `order` as in the address ("-due_on" is descending); `query`: the filters to keep in each link."""

    caption: Any
    columns: Sequence[Column]
    rows: Iterable[Row]
    empty: Empty
    page: Page[Any] | None = None
    order: str = ""
    query: Mapping[str, Any] = field(default_factory=dict)
    bulk: Sequence[BulkAction] = ()
    bulk_url: str = ""
    totals: Sequence[Any] = ()
    show_caption: bool = False

    def link(self, **changes: Any) -> str:
        kept = {name: value for name, value in {**self.query, **changes}.items() if value not in (None, "")}
        return "?" + urlencode(kept, doseq=True)

    @property
    def heads(self) -> list[dict[str, Any]]:
        made = []
        for column in self.columns:
            now = self.order.lstrip("-") == column.sort and bool(column.sort)
            descending = now and self.order.startswith("-")
            made.append(
                {
                    "column": column,
                    "sorted": ("descending" if descending else "ascending") if now else "none",
                    "href": self.link(order=column.sort if not now or descending else f"-{column.sort}", page=None),
                }
            )
        return made

    @property
    def body(self) -> list[dict[str, Any]]:
        return [
            {"row": row, "cells": [{"column": c, "value": v} for c, v in zip(self.columns, row.cells, strict=True)]}
            for row in self.rows
        ]

    @property
    def foot(self) -> list[dict[str, Any]]:
        return (
            [{"column": c, "value": v} for c, v in zip(self.columns, self.totals, strict=True)] if self.totals else []
        )

    @property
    def previous(self) -> str:
        return self.link(page=self.page.previous_page_number()) if self.page and self.page.has_previous() else ""

    @property
    def next(self) -> str:
        return self.link(page=self.page.next_page_number()) if self.page and self.page.has_next() else ""


@dataclass(frozen=True, slots=True)
class Tab:
    """A link of a row of tabs or of saved views."""

    label: Any
    href: str
    current: bool = False
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A line of a task list: what to do, how far it is."""

    label: Any
    tag: Tag
    href: str = ""
    hint: Any = ""


@dataclass(frozen=True, slots=True)
class Crumb:
    label: Any
    href: str = ""


@dataclass(frozen=True, slots=True)
class ClockBadge:
    """A clock that runs out: its word says what it means, `left` how long (already in the reader's language)."""

    word: Any
    left: Any = ""
    tone: Tone = "neutral"
    paused: bool = False


@dataclass(frozen=True, slots=True)
class DiffRow:
    """Before and after of one field, as the second pair of eyes sees it. An empty side was not there."""

    label: Any
    before: Any
    after: Any

    @property
    def changed(self) -> bool:
        return bool(self.before != self.after)


@dataclass(frozen=True, slots=True)
class KeyFact:
    label: Any
    value: Any
    note: Any = ""
    total: bool = False


@dataclass(frozen=True, slots=True)
class Effect:
    """One consequence of a costly act, told before it is confirmed."""

    text: Any
    tone: Tone = "brand"
    icon: str = "arrow"


@dataclass(frozen=True, slots=True)
class Series:
    """A line or a row of bars. `values` to draw; money is in minor units and needs the chart's `currency`."""

    name: Any
    values: Sequence[int | float | None]


@dataclass(frozen=True)
class Chart:
    """A figure with its table. Kinds: line, bars, stack, bars-sideways, pie."""

    id: str
    title: Any
    kind: Literal["line", "bars", "stack", "bars-sideways", "pie"]
    labels: Sequence[Any]
    series: Sequence[Series]
    currency: str = ""
    note: Any = ""
    head: Any = ""


@dataclass(frozen=True, slots=True)
class NavItem:
    label: Any
    href: str
    icon: str
    current: bool = False
    count: int | None = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class NavSection:
    """A group of the staff's side bar; the caller leaves out what the person may not see."""

    label: Any
    items: Sequence[NavItem]


@dataclass(frozen=True, slots=True)
class Language:
    code: str
    name: str
    short: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """Whose site it is: the frame of every page, known without signing in."""

    brand: str
    legal_name: str = ""
    registration_number: str = ""
    address: str = ""
    support_phone: str = ""
    support_email: str = ""
    languages: Sequence[Language] = ()
    currency: str = ""
    business_date: date | None = None
    is_demo: bool = False


NAMES = {
    "en": ("English", "EN"), "vi": ("Tiếng Việt", "VI"), "uk": ("Українська", "УК"),
    "es": ("Español", "ES"), "zh-hans": ("简体中文", "中"), "hi": ("हिन्दी", "हि"),
}  # fmt: skip


def site_of(institution: Any, *, language: str) -> Site:
    """The frame of an institution's pages, in the language that is being read."""
    languages = tuple(
        Language(
            code=code,
            name=NAMES.get(code, (code, ""))[0],
            short=NAMES.get(code, ("", code.upper()))[1],
            current=code == language,
        )
        for code in institution.languages
    )
    return Site(
        brand=institution.name,
        legal_name=institution.legal_name,
        registration_number=institution.registration_number,
        address=institution.address,
        support_phone=institution.support_phone,
        support_email=institution.support_email,
        languages=languages,
        currency=institution.currency,
        business_date=institution.business_date,
        is_demo=institution.is_demo,
    )


def marked(sections: Sequence[NavSection], *, path: str) -> list[NavSection]:
    """The side bar with the item of this page marked: the one whose address is the longest beginning of `path`."""
    links = [item.href for section in sections for item in section.items if path.startswith(item.href)]
    here = max(links, key=len, default="")
    return [
        replace(section, items=[replace(item, current=item.href == here) for item in section.items])
        for section in sections
    ]
