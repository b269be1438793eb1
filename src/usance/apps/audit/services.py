"""Writing the trail, chaining it, and finding what was altered afterwards.

Writers only add a row of their own and never wait for each other. A job chains the rows after their transactions have
committed; it also runs in the close and before each verification.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import structlog
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError, connection, transaction

from usance.apps.audit import selectors
from usance.apps.audit.models import AuditEntry, AuditLink, ChainSearch
from usance.apps.audit.selectors import Head, Subject
from usance.apps.institutions import tenancy
from usance.apps.institutions.models import new_id
from usance.apps.institutions.rows import copy_new, insert_many
from usance.ports import queue
from usance.ports.actor import Actor

CHUNK = 5000
WORTH_COPYING = 500  # entries at once: below, one statement is as quick
# what an entry's digest covers, besides its business date
CONTENT = (
    "action",
    "actor_kind",
    "actor_id",
    "actor_label",
    "subject_type",
    "subject_id",
    "subject_digest",
    "details",
    "request_id",
)


_CANONICAL = DjangoJSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that verification found. `seq` is 0 where the row has no place in the chain."""

    kind: Literal["altered", "removed", "reordered", "broken", "unchained", "cut"]
    seq: int
    entry_id: str
    what: str


def content_hash(content: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of plain content, whatever the order of its keys."""
    return hashlib.sha256(_CANONICAL.encode(content).encode()).hexdigest()


def record(
    *, action: str, subject: Subject, actor: Actor, details: Mapping[str, Any] | None = None, digest: str = ""
) -> AuditEntry:
    """Adds to the trail, in the caller's transaction. `details` is plain JSON without personal data; `digest` the
    content hash of the subject, where that row must never change."""
    entry = _entry(Deed(action=action, subject=subject, actor=actor, details=details or {}, digest=digest))
    together = _together.get()
    if together is not None and together.savepoints == tuple(connection.savepoint_ids):
        together.entries.append(entry)
        return entry
    insert_many([entry])
    _chain_after_commit()
    return entry


@dataclass(slots=True)
class _Together:
    savepoints: tuple[str | None, ...]
    entries: list[AuditEntry] = field(default_factory=list)


_together: ContextVar[_Together | None] = ContextVar("usance_audit_together", default=None)


@contextmanager
def written_together() -> Iterator[None]:
    """What is recorded inside is written by one query as the block ends, also when it ends by a refusal. To be used
    inside a transaction. What is recorded within a savepoint of its own is written there, so that a rollback takes it
    along."""
    if _together.get() is not None:
        yield
        return
    mine = _Together(tuple(connection.savepoint_ids))
    outer = _together.set(mine)
    try:
        yield
    except DatabaseError:
        mine.entries.clear()  # the transaction is lost, and they with it
        raise
    finally:
        _together.reset(outer)
        if mine.entries and not connection.needs_rollback:
            insert_many(mine.entries)
            _chain_after_commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What `record` takes, for many at once."""

    action: str
    subject: Subject
    actor: Actor
    details: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""


def record_all(deeds: Iterable[Deed]) -> None:
    """`record` for each, by one query."""
    entries = [_entry(deed) for deed in deeds]
    if len(entries) >= WORTH_COPYING:
        copy_new(entries)
    elif entries:
        insert_many(entries)
    if entries:
        _chain_after_commit()


def _entry(deed: Deed) -> AuditEntry:
    kind, subject_id = selectors.key_of(deed.subject)
    entry = AuditEntry(
        action=deed.action,
        actor_kind=deed.actor.kind,
        actor_id=deed.actor.id,
        actor_label=deed.actor.label,
        subject_type=kind,
        subject_id=subject_id,
        subject_digest=deed.digest,
        details=_plain(deed.details),
        request_id=_request_id(),
        business_date=tenancy.current().business_date,
    )
    entry.digest = content_hash(_content(entry))
    return entry


def viewed(*, subject: Subject, actor: Actor, fields: Iterable[str]) -> None:
    """Someone saw personal data: who, whose, which fields (their names, never what stands in them)."""
    record(action=selectors.VIEWED, subject=subject, actor=actor, details={"fields": sorted(fields)})


def viewed_all(*, subjects: Iterable[Subject], actor: Actor, fields: Iterable[str]) -> None:
    """`viewed` for each, by one query: a list showed them."""
    details = {"fields": sorted(fields)}
    record_all(Deed(action=selectors.VIEWED, subject=subject, actor=actor, details=details) for subject in subjects)


def link_pending(*, from_the_beginning: bool = False) -> int:
    """Chains every committed row that is not chained yet, a few thousand a transaction; says how many. Looks only where
    rows can have come since somebody looked last, unless `from_the_beginning`."""
    count = 0
    while True:
        with transaction.atomic():
            linked = _link_some(from_the_beginning=from_the_beginning)
        count += linked
        if linked < CHUNK:
            return count


def verify(*, anchor: Head | None = None) -> list[Difference]:
    """Walks the whole chain and lists what does not fit: altered, removed, re-ordered or unchained rows, and a chain
    that no longer holds a head that was exported before. Reads only; call `link_pending` first."""
    found: list[Difference] = []
    expected_seq, previous, anchored = 1, "", anchor is None
    for link in _walk():
        found.extend(_differences(link, expected_seq, previous))
        expected_seq, previous = link.seq + 1, link.hash
        anchored = anchored or (anchor is not None and anchor.seq == link.seq and anchor.hash == link.hash)
    found.extend(
        Difference("unchained", 0, str(entry_id), "the row has had no link in the chain for an hour")
        for entry_id in _forgotten(limit=1000)
    )
    if not anchored and anchor is not None:
        found.append(Difference("cut", anchor.seq, "", "the chain does not hold the head that was exported before"))
    return found


def verify_and_record(*, actor: Actor) -> AuditEntry:
    """Chains what is pending, verifies the whole chain, and writes the outcome into the trail. Opens its own
    transactions."""
    link_pending(from_the_beginning=True)
    with transaction.atomic():
        head = selectors.head()
        found = verify()
        first = [{"kind": one.kind, "seq": one.seq, "entry": one.entry_id, "what": one.what} for one in found[:20]]
        details = {
            "links": head.seq if head else 0,
            "head": head.hash if head else "",
            "differences": len(found),
            "first": first,
        }
        return record(action=selectors.VERIFIED, subject=("audit.chain", "whole"), actor=actor, details=details)


def _plain(details: Mapping[str, Any]) -> Any:
    """As it will come back from the database, so that the hash can be made again. Fractions are refused: PostgreSQL
    may write them otherwise than Python does."""

    def refuse(text: str) -> float:
        raise TypeError(f"details hold the fraction {text}: pass it as text")

    return json.loads(json.dumps(details, cls=DjangoJSONEncoder), parse_float=refuse)


def _request_id() -> str:
    context = structlog.contextvars.get_contextvars()
    return str(context.get("request_id") or context.get("job") or "")[:64]


def _chain_after_commit() -> None:
    """One job a transaction, added after it: a job's key is a unique index, and inside the transaction the next writer
    would wait there for us to commit. A job that gets lost is made up for by the next one and by the close."""
    if not any(entry[1] is _enqueue for entry in connection.run_on_commit):
        transaction.on_commit(_enqueue)


def _enqueue() -> None:
    if tenancy.is_bound():
        queue.enqueue("audit.link", key="audit.link")


def _content(entry: AuditEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in CONTENT} | {"business_date": _day(entry.business_date)}


def _day(day: date) -> str:
    return day.isoformat()


def link_hash(previous: str, seq: int, entry_id: Any, digest: str, recorded_at: datetime) -> str:
    """What a link of the chain bears: over the one before, its place, and the entry with its instant."""
    return _hash_of_link(previous, seq, entry_id, digest, _instant(recorded_at))


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _hash_of_link(previous: str, seq: int, entry_id: Any, digest: str, instant: str) -> str:
    return hashlib.sha256(f"{previous}|{seq}|{entry_id}|{digest}|{instant}".encode()).hexdigest()


def _link_some(*, from_the_beginning: bool) -> int:
    """Chains up to CHUNK rows; one linker at a time in an institution."""
    institution_id = tenancy.current_id()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"audit {institution_id}"])
    horizon = _horizon()  # before the rows are read: whoever commits after that began after it
    looked = ChainSearch.objects.first()
    since = LONG_AGO if looked is None or from_the_beginning else looked.until
    head = selectors.head() or Head(0, "")
    seq, previous = head.seq, head.hash
    links = []
    for entry_id, digest, recorded_at in _pending(since):
        seq += 1
        made = link_hash(previous, seq, entry_id, digest, recorded_at)
        links.append(AuditLink(id=new_id(), seq=seq, entry_id=entry_id, previous_hash=previous, hash=made))
        previous = made
    AuditLink.objects.bulk_create(links, batch_size=1000)
    if len(links) < CHUNK and (looked is None or horizon > looked.until + SELDOM):
        ChainSearch.objects.update_or_create(defaults={"until": horizon})
    return len(links)


LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
SELDOM = timedelta(seconds=10)  # what came since the last mark is looked through again


def _horizon() -> datetime:
    """The instant before which every transaction has ended. A row bears the instant at which its transaction began, so
    none that is older can come any more. Some seconds are taken off: a transaction shows a moment after it began."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT least(now(), min(xact_start)) - interval '10 seconds' FROM pg_stat_activity "
            "WHERE datname = current_database()"
        )
        found: datetime = cursor.fetchone()[0]
        return found


_UNLINKED = (
    "FROM audit_auditentry e WHERE NOT EXISTS (SELECT FROM audit_auditlink l "
    "WHERE l.institution_id = e.institution_id AND l.entry_id = e.id)"
)


def _pending(since: datetime) -> list[tuple[Any, str, datetime]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT e.id, e.digest, e.recorded_at {_UNLINKED} AND e.recorded_at >= %s "
            "ORDER BY e.recorded_at, e.id LIMIT %s",
            [since, CHUNK],
        )
        rows: list[tuple[Any, str, datetime]] = cursor.fetchall()
        return rows


def _forgotten(limit: int) -> list[Any]:
    """Unchained for so long that no open transaction can be the reason."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT e.id {_UNLINKED} AND e.recorded_at < now() - interval '1 hour' ORDER BY e.id LIMIT %s",
            [limit],
        )
        return [row[0] for row in cursor.fetchall()]


# as `_instant` has it; an instant before our era is none that was ever recorded
INSTANT = """to_char(e.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')
    || CASE WHEN e.recorded_at < '0001-01-01 00:00+00' THEN ' BC' ELSE '' END"""
# outwards, so that an entry that was removed does not take its link with it
WALK = f"""
SELECT l.seq, l.entry_id::text, l.previous_hash, l.hash, e.digest, {INSTANT}, e.business_date::text,
    {", ".join(f"e.{name}" for name in CONTENT)}
FROM audit_auditlink l LEFT JOIN audit_auditentry e ON e.institution_id = l.institution_id AND e.id = l.entry_id
WHERE l.seq > %s ORDER BY l.seq LIMIT %s
"""  # noqa: S608 (our own names)


@dataclass(frozen=True, slots=True)
class _Link:
    """A link with its entry as it stands: its digest, instant and content, None where it is gone."""

    seq: int
    entry_id: str
    previous_hash: str
    hash: str
    digest: str | None
    instant: str
    content: Mapping[str, Any]


def _walk() -> Iterator[_Link]:
    """Each link, in the order of the chain."""
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(WALK, [after, CHUNK])
            chunk = cursor.fetchall()
        if not chunk:
            return
        for row in chunk:
            seq, entry_id, previous, made, digest, instant, day, *told = row
            content = dict(zip(CONTENT, told, strict=True)) | {"business_date": day}
            content["details"] = content["details"] and json.loads(content["details"])
            yield _Link(seq, entry_id, previous, made, digest, instant, content)
        after = chunk[-1][0]


def _differences(link: _Link, expected_seq: int, previous: str) -> Iterator[Difference]:
    seq, entry_id = link.seq, link.entry_id
    if seq != expected_seq:
        yield Difference("removed", expected_seq, "", f"links {expected_seq} to {seq - 1} are missing")
    elif link.previous_hash != previous:
        yield Difference("reordered", seq, entry_id, "the link does not continue the one before it")
    if link.digest is None:
        yield Difference("removed", seq, entry_id, "the row of this link is gone")
        return
    if content_hash(link.content) != link.digest:
        yield Difference("altered", seq, entry_id, f"the content of {link.content['action']} was changed")
    if _hash_of_link(link.previous_hash, seq, entry_id, link.digest, link.instant) != link.hash:
        yield Difference("broken", seq, entry_id, "the hash does not fit the row, its instant or its place")
