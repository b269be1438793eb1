"""`{% load usance %}`: the house's components and the filters that write figures. See frontend/README.md."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django import template
from django.forms import BaseForm, BoundField
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from usance.web import components as ui
from usance.web import cookies
from usance.web.templatetags import formats
from usance.web.templatetags.icons import ICONS

register = template.Library()
REFERENCE = re.compile(r"[A-Z]{1,4}-?\d[\d-]*|[A-Z0-9]{8}")  # "L-000012", "TN6SAVEJ"

for shown in (
    formats.money,
    formats.number,
    formats.percent,
    formats.date_l,
    formats.day_month,
    formats.datetime_l,
    formats.moment_l,
    formats.time_l,
    formats.days,
    formats.minutes,
    formats.phone,
    formats.mask_phone,
    formats.mask_card,
    formats.mask_name,
):
    register.filter(shown.__name__, shown)


@register.filter
def cell(value: Any) -> SafeString | str:
    """A value of a table or summary in its own way: money, tag, clock, date, number, text."""
    if isinstance(value, ui.Tag):
        return tag(value)
    if isinstance(value, ui.ClockBadge):
        return clock_badge(value)
    if isinstance(value, SafeString):
        return value
    text = formats.any_value(value)
    return format_html('<span class="u-num">{}</span>', text) if isinstance(value, ui.Money) else text


@register.simple_tag
def cell_class(numeric: bool, value: Any) -> SafeString:
    """How a cell of a table stands: figures at the right, days and numbers of things unbroken; what is not there takes
    no line on a phone."""
    names = ["is-num"] * bool(numeric) + ["is-none"] * (value is None or str(value) in ("", "–"))
    if isinstance(value, datetime):
        names.append("is-when")
    elif isinstance(value, date) or (isinstance(value, str) and REFERENCE.fullmatch(value)):
        names.append("is-whole")
    return format_html(' class="{}"', " ".join(names)) if names else mark_safe("")


def part(name: str, /, **context: Any) -> SafeString:
    """A component's template, rendered on its own: it sees what it is given and nothing else."""
    return mark_safe(render_to_string(f"components/{name}.html", context).strip())  # noqa: S308 - our own template


@register.simple_tag
def icon(name: str, label: Any = "", css: str = "") -> SafeString:
    """`{% icon "check" %}`: decoration; with a label it is read aloud."""
    drawing = mark_safe(ICONS[name])  # noqa: S308 - a constant of ours
    if not label:
        return format_html(
            '<svg class="u-icon {}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">{}</svg>', css, drawing
        )
    return format_html(
        '<svg class="u-icon {}" viewBox="0 0 24 24" role="img" aria-label="{}">{}</svg>', css, label, drawing
    )


# Buttons -----------------------------------------------------------------------------------------------------------


@register.simple_tag
def button(label: Any, kind: str = "primary", **options: Any) -> SafeString:
    """A form's button. Options: type, name, value, icon, size, full, busy, key, form, side, countdown."""
    options.setdefault("type", "submit")
    return part("button", label=label, kind=kind, **options)


@register.simple_tag
def link_button(label: Any, href: str, kind: str = "primary", **options: Any) -> SafeString:
    """A link that looks like a button. Options: icon, icon_end, size, full, key, download."""
    return part("button", label=label, href=href, kind=kind, **options)


@register.simple_tag
def kbd(key: str) -> SafeString:
    """A key's hint; the same key must press a visible control."""
    return format_html('<kbd class="u-kbd" aria-hidden="true">{}</kbd>', key)


# Forms -------------------------------------------------------------------------------------------------------------


@register.simple_tag
def field(bound: BoundField, **options: Any) -> SafeString:
    """`{% field form.amount %}`. Options: label, hint, prefix, suffix, width (4 to 30), page (the label is the h1)."""
    return part("field", field=bound, **options)


@register.simple_tag
def fields(form: BaseForm) -> SafeString:
    """All visible fields of a form, in order, and its hidden ones."""
    return part("form", form=form)


@register.simple_tag(takes_context=True)
def form_errors(context: template.Context, *forms: BaseForm | None) -> SafeString:
    """The summary above the heading: each error links to its field. Without arguments: the page's `form`, `forms`."""
    items = [error for form in forms or _page_forms(context) if form is not None for error in _errors(form)]
    return part("error_summary", items=items) if items else mark_safe("")


def _page_forms(context: template.Context) -> list[Any]:
    return [context.get("form"), *(context.get("forms") or ())]


def _errors(form: Any) -> list[tuple[str, str]]:
    """(address of the field, words) of each error, the fields' in their order, then the form's own."""
    if not getattr(form, "is_bound", False) or not form.errors:
        return []
    found = [(form[name], str(words)) for name in form.fields for words in form.errors.get(name, ())]
    said = Counter(words for _bound, words in found)  # the same words twice: each says whose they are
    named = [(_anchor(b), f"{b.label}: {words}" if said[words] > 1 else words) for b, words in found]
    return named + [("", str(words)) for words in form.non_field_errors()]


def _anchor(bound: BoundField) -> str:
    """The id to jump to: a group of boxes is found by its fieldset."""
    return f"{bound.auto_id}_field" if bound.use_fieldset else bound.id_for_label or bound.auto_id


@register.simple_tag(takes_context=True)
def title_prefix(context: template.Context) -> str:
    """ "Error: " in the browser's title when the page's form was refused."""
    refused = any(
        form is not None and getattr(form, "is_bound", False) and form.errors for form in _page_forms(context)
    )
    return _("Error: ") if refused else ""


# Saying ------------------------------------------------------------------------------------------------------------


@register.simple_tag
def tag(value: Any, tone: str = "neutral", icon: str = "") -> SafeString:
    """`{% tag "Past due" "bad" %}` or `{% tag a_tag %}`."""
    made = value if isinstance(value, ui.Tag) else ui.Tag(value, tone, icon)  # type: ignore[arg-type]
    return part("tag", tag=made)


@register.simple_tag
def clock_badge(clock: ui.ClockBadge) -> SafeString:
    """A running clock as word, colour and time left."""
    return part("clock_badge", clock=clock)


@register.simple_block_tag
def banner(content: str, tone: str = "info", title: Any = "", slim: bool = False, role: str = "") -> SafeString:
    """`{% banner "warn" title %} … {% endbanner %}`: `role="alert"` only for what happened just now."""
    return part("banner", content=content, tone=tone, title=title, slim=slim, role=role, icon=_sign(tone))


def _sign(tone: str) -> str:
    return {"good": "check", "warn": "alert", "bad": "alert", "info": "info", "neutral": "info", "brand": "info"}[tone]


@register.simple_block_tag
def card(content: str, title: Any = "", kind: str = "", id: str = "") -> SafeString:
    """`{% card "Documents" %} … {% endcard %}`. Kinds: flat, sunk."""
    return part("card", content=content, title=title, kind=kind, id=id)


@register.inclusion_tag("components/messages.html", takes_context=True)
def messages(context: template.Context) -> dict[str, Any]:
    """Django's messages as banners."""
    tones = {"success": "good", "warning": "warn", "error": "bad"}
    found = [(tones.get(message.level_tag, "info"), message) for message in context.get("messages") or ()]
    return {"found": [(tone, message, _sign(tone)) for tone, message in found]}


# Figures -----------------------------------------------------------------------------------------------------------


@register.simple_tag
def figure(
    label: Any,
    value: Any,
    currency: Any = None,
    note: Any = "",
    large: bool = False,
    lines: Sequence[ui.Line] = (),
    **options: Any,
) -> SafeString:
    """A key figure; with `currency` in minor units; `lines` open what makes it up. Options: delta, delta_tone, href."""
    shown = formats.money(value, currency) if currency else formats.any_value(value)
    return part("figure", label=label, value=shown, note=note, large=large, lines=lines, currency=currency, **options)


@register.simple_tag
def explain(lines: Sequence[ui.Line], currency: Any = None, label: Any = "", open: bool = False) -> SafeString:
    """The disclosure of a figure's lines; amounts are minor units when `currency` is given."""
    return part("explain", lines=lines, currency=currency, label=label or _("How this is made up"), open=open)


@register.simple_tag
def lines_table(lines: Sequence[ui.Line], currency: Any = None, caption: Any = "") -> SafeString:
    """The lines of a figure as a table that ends in a double rule."""
    return part("lines", lines=lines, currency=currency, caption=caption)


@register.simple_tag
def key_facts(
    title: Any, facts: Sequence[ui.KeyFact], main_label: Any = "", main: Any = "", foot: Any = ""
) -> SafeString:
    """The framed box of key facts before consent: one large figure, then each fact at the same size."""
    return part("key_facts", title=title, facts=facts, main_label=main_label, main=main, foot=foot)


@register.simple_tag
def chart(value: ui.Chart, open: bool = False) -> SafeString:
    """A chart and, in a disclosure, the table it is drawn from."""
    rows = [(label, [series.values[at] for series in value.series]) for at, label in enumerate(value.labels)]
    drawable = any(any(series.values) for series in value.series)
    return part("chart", chart=value, rows=rows, open=open, scale=_scale(value.currency), drawable=drawable)


def _scale(currency: str) -> int:
    return 10 ** formats.currency_digits(currency)[1] if currency else 1


@register.filter
def drawn(value: float | None, scale: int) -> str:
    """The number a chart draws (major units), with a point whatever the language."""
    return "" if value is None else f"{value / scale:.6f}".rstrip("0").rstrip(".")


# Lists -------------------------------------------------------------------------------------------------------------


@register.simple_tag
def summary_list(rows: Sequence[ui.SummaryRow], currency: Any = None) -> SafeString:
    """Names and values with Change links."""
    return part("summary_list", rows=rows, currency=currency)


@register.simple_tag
def timeline(items: Sequence[ui.TimelineItem]) -> SafeString:
    """What happened, and who acts next."""
    return part("timeline", items=items)


@register.simple_tag
def schedule(
    rows: Sequence[ui.Instalment], currency: Any, caption: Any = "", totals: ui.Instalment | None = None
) -> SafeString:
    """A repayment schedule: a table on a desk, a list of cards on a phone."""
    shown = {"fees": any(row.fees_minor for row in rows), "tags": any(row.tag for row in rows)}
    caption = caption or _("Repayment schedule")
    return part("schedule", rows=rows, currency=currency, caption=caption, totals=totals, **shown)


@register.inclusion_tag("components/data_table.html", takes_context=True)
def data_table(context: template.Context, table: ui.DataTable) -> dict[str, Any]:
    """An index page's table: order by link, pages, bulk actions, an empty state with the next step."""
    return {"table": table, "csrf_token": context.get("csrf_token"), "body": table.body}


@register.simple_tag
def tabs(items: Sequence[ui.Tab], label: Any = "") -> SafeString:
    """A row of links of which one is this page."""
    return part("tabs", items=items, label=label or _("On this page"))


@register.simple_tag
def saved_views(items: Sequence[ui.Tab]) -> SafeString:
    """Saved views as pills above a register."""
    return part("saved_views", items=items)


@register.simple_tag
def filters(form: BaseForm, reset: str = "") -> SafeString:
    """A bar of filters that is sent by GET."""
    return part("filters", form=form, reset=reset)


@register.simple_tag
def tasks(items: Sequence[ui.Task]) -> SafeString:
    """A list of tasks with how far each is."""
    return part("tasks", items=items)


@register.simple_tag
def breadcrumbs(items: Sequence[ui.Crumb]) -> SafeString:
    return part("breadcrumbs", items=items)


@register.simple_tag
def diff(rows: Sequence[ui.DiffRow], caption: Any = "") -> SafeString:
    """Before and after, for the second pair of eyes."""
    return part("diff", rows=rows, caption=caption or _("What changes"))


@register.simple_tag
def empty(state: ui.Empty) -> SafeString:
    return part("empty", empty=state)


@register.simple_tag
def effects(items: Sequence[ui.Effect]) -> SafeString:
    """What an act will do, told before it is confirmed."""
    return part("effects", items=items)


# Going on ----------------------------------------------------------------------------------------------------------


@register.simple_tag
def steps(now: int, total: int) -> SafeString:
    """Progress through questions: "Question 2 of 6" and its pips."""
    pips = ["is-done" if at < now else "is-now" if at == now else "" for at in range(1, total + 1)]
    return part("steps", now=now, total=total, pips=pips)


@register.simple_tag
def progress(
    id: str, done: int, total: int, label: Any, poll: str = "", note: Any = "", seconds: int = 2, then: str = ""
) -> SafeString:
    """A job's progress. With `poll` (an address that renders the same tag) it renews itself until it is whole."""
    share = 0 if not total else min(100, 100 * done // total)
    whole = bool(total) and done >= total
    return part(
        "progress",
        id=id,
        done=done,
        total=total,
        share=share,
        whole=whole,
        label=label,
        poll="" if whole else poll,
        note=note,
        seconds=seconds,
        then=then,
    )


@register.simple_tag
def back_link(href: str, label: Any = "") -> SafeString:
    return part("back_link", href=href, label=label or _("Back"))


@register.simple_tag
def copy_button(text: str, label: Any = "") -> SafeString:
    return part("copy_button", text=text, label=label or _("Copy"))


@register.simple_tag(takes_context=True)
def theme(context: template.Context) -> SafeString:
    """The chosen theme as an attribute of <html>; without a choice the system's holds."""
    request = context.get("request")
    chosen = cookies.read(request, cookies.THEME) if request else ""
    return format_html(' data-theme="{}"', chosen) if chosen in ("light", "dark") else mark_safe("")
