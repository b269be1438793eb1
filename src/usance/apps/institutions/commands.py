"""Idempotency: the same key with the same inputs gives the first answer; with other inputs it is refused.

The row is written in the caller's transaction: a second caller with the same key waits for the first to end, then
reads its answer. A command whose transaction failed leaves no row, so it may be tried again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from usance.apps.institutions import rows
from usance.apps.institutions.models import Command
from usance.core.refusals import Refusal


class KeyReusedWithOtherInputs(Refusal):
    """The key was used before, for something else."""

    code = "key_reused_with_other_inputs"
    name: str


def fingerprint(inputs: Mapping[str, Any]) -> str:
    """A hash of the inputs that does not depend on the order of their keys."""
    text = json.dumps(inputs, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def once(*, name: str, key: str, inputs: Mapping[str, Any], run: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """Runs `run` the first time the key is seen and keeps its answer (plain JSON); afterwards gives that answer."""
    digest = fingerprint(inputs)
    row = Command(name=name, key=key, input_hash=digest)
    if not rows.insert_new(row):
        row = Command.objects.select_for_update().get(name=name, key=key)
    if row.input_hash != digest:
        raise KeyReusedWithOtherInputs(name=name)
    if row.answer is None:
        row.answer = dict(run())
        row.save(update_fields=["answer"])
    answer: Mapping[str, Any] = row.answer
    return answer
