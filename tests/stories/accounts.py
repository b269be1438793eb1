"""The whole account of a story, as text: what a person may be told of the loan, on each day and at its end.

    .venv/bin/python -m tests.stories.accounts          writes those of all stories anew; then read what changed

A story says what matters of it. Its account, in the folder accounts, says everything else: the promise of the
calculator, the figures of each day, every change of the schedule, the statement of the next due date, the facts, and
every line of every balance with its formula and the figures that went into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from tests.stories import telling
from usance.core.loan import close, quote, replay, state
from usance.core.loan.book import Fact, Line
from usance.core.loan.movements import Movement
from usance.core.values import ratio_text

HERE = Path(__file__).parent
FOLDER = HERE / "accounts"


def account(story: telling.Story, told: list[telling.Told]) -> str:
    history, last = told[-1].history, told[-1].loan
    parts = [story.title, "", *_promise(story, told), *_days(story, told), "facts"]
    parts += [f"  {fact.on}  {fact.kind}{_named(fact.details)}" for fact in _facts(story, told)]
    parts += ["movements", *_movements(replay.replay(story.terms, history, last.at).movements)]
    parts += ["lines", *_lines(quote.explain(story.terms, history, last.at))]
    return "\n".join(parts) + "\n"


def _plain(value: Any) -> str:
    match value:
        case Fraction():
            return ratio_text(value)
        case Mapping():
            return "{" + ", ".join(f"{key} {_plain(part)}" for key, part in sorted(value.items())) + "}"
        case tuple():
            return "(" + ", ".join(map(_plain, value)) + ")"
    return str(value)


def _named(values: Mapping[str, Any]) -> str:
    """What is not nothing, by name."""
    return "".join(f" {name}={_plain(value)}" for name, value in values.items() if value not in (None, 0, {}, ()))


def _of(record: NamedTuple, *left_out: str) -> str:
    return _named({name: value for name, value in record._asdict().items() if name not in left_out}).strip()


def _promise(story: telling.Story, told: list[telling.Told]) -> Iterator[str]:
    """What the calculator says, had all the money come on the first day."""
    promised = quote.projection(story.terms, story.lines[0].told_on)
    yield f"promised  {_of(promised, 'rows', 'daily_cost')} daily_cost={promised.daily_cost}"
    yield f"  level {quote.level(story.terms, story.lines[0].told_on)}"
    for row in promised.rows:
        yield f"  {_of(row)}"


def _days(story: telling.Story, told: list[telling.Told]) -> Iterator[str]:
    known: dict[int, str] = {}
    for line, loan, refused, _ in told:
        yield f"{line.told_on}  {' '.join(line.words)}{' refused' if refused else ''}"
        yield f"  {_of(quote.standing(loan), 'on')}"
        if loan.status == "new":
            continue
        if loan.due_dates and (statement := quote.statement(loan, loan.due_dates[0])):
            yield f"  statement {_of(statement, 'on')}"
        later = loan.at + timedelta(days=10)
        yield f"  payoff {_of(quote.payoff(loan, later))}"
        if loan.status in state.LIVE:
            yield f"  agenda {close.agenda(loan)} payable {_plain(state.payable(loan))}"
        rows = {number: _of(row) for number, row in enumerate(quote.schedule(loan))}
        yield from (f"    {text}" for number, text in rows.items() if known.get(number) != text)
        if len(rows) < len(known):
            yield f"    and no more than {len(rows)}"
        known = rows


def _facts(story: telling.Story, told: list[telling.Told]) -> Iterable[Fact]:
    return replay.replay(story.terms, told[-1].history, told[-1].loan.at).facts


def _movements(movements: Iterable[Movement]) -> Iterator[str]:
    """How much, how often, from when to when, of each kind."""
    kinds: dict[tuple[str, str], list[Movement]] = {}
    for movement in movements:
        kinds.setdefault((movement.kind, movement.balance), []).append(movement)
    for (kind, balance), some in sorted(kinds.items()):
        dates: list[date] = [movement.effective_on for movement in some]
        total = sum(movement.amount_minor for movement in some)
        yield f"  {kind} {balance}: {total} in {len(some)}, {min(dates)} to {max(dates)}"


def _lines(lines: Iterable[Line]) -> Iterator[str]:
    for line in lines:
        when = f"{line.starts_on}" if line.starts_on == line.ends_on else f"{line.starts_on} to {line.ends_on}"
        yield f"  {line.balance} {line.amount_minor:+}  {when}  {line.rule}: {line.formula}  [{line.event}]"
        if line.inputs:
            yield f"     {_named(line.inputs)}"


def stories() -> list[Path]:
    return sorted(HERE.glob("*.txt"))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path in stories():
        (FOLDER / path.name).write_text(account(*telling.lived(path)))
