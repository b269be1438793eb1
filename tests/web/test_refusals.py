"""Every refusal of the product has its sentence in every language, whatever its fields hold."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import fields
from datetime import UTC, date, datetime
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID

import pytest
from django.conf import settings
from django.utils import translation

import usance
from usance.apps.access import permissions
from usance.apps.institutions.models import Institution
from usance.core.refusals import Refusal
from usance.web import law
from usance.web.refusals import SENTENCES, STILL_NEEDED, TERM_NOT_OFFERED, all_refusals, sentence

BY_TYPE: dict[Any, Any] = {
    int: 4_200,
    str: "one",
    date: date(2026, 3, 2),
    datetime: datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
    UUID: UUID(int=7),
}
# where a field's words are one of a few
ONE_OF = {
    ("customer_still_needed", "what"): next(iter(STILL_NEEDED)),
    ("term_not_offered", "unit"): next(iter(TERM_NOT_OFFERED)),
    ("roles_may_not_meet", "first"): next(iter(permissions.PERMISSIONS)),
    ("roles_may_not_meet", "second"): next(iter(permissions.PERMISSIONS)),
    ("price_over_cap", "measure"): next(iter(law.MEASURES)),
    ("price_over_cap", "limit"): "0.01",
    ("price_over_cap", "figure"): "0.02",
    ("price_over_cap", "country"): "UA",
}

# a provider is answered, never a person
NOT_FOR_PEOPLE = {"callback_refused"}


def of_the_product() -> list[type[Refusal]]:
    for module in pkgutil.walk_packages(usance.__path__, "usance."):
        if ".migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    own = {kind for kind in all_refusals() if kind.__module__.startswith("usance.")}
    return sorted((kind for kind in own if kind.code not in NOT_FOR_PEOPLE), key=lambda kind: kind.code)


def sample(kind: type[Refusal]) -> Refusal:
    hints = get_type_hints(kind)
    return kind(**{f.name: _value(kind.code, f.name, hints[f.name]) for f in fields(kind)})  # type: ignore[arg-type]


def _value(code: str, name: str, hint: Any) -> Any:
    if (code, name) in ONE_OF:
        return ONE_OF[code, name]
    if get_origin(hint) is tuple:
        return (_value(code, name, get_args(hint)[0]),)
    if get_args(hint):  # one of several words, or nothing
        return get_args(hint)[0]
    return BY_TYPE[hint] if hint in BY_TYPE else hint(*["one"] * len(get_type_hints(hint)))


@pytest.mark.parametrize("language", [code for code, _ in settings.LANGUAGES])
def test_each_has_its_sentence(language: str, institution: Institution) -> None:
    kinds = of_the_product()
    assert len(kinds) > 150
    with translation.override(language):
        for kind in kinds:
            said = sentence(sample(kind))
            assert len(said) > 10, kind.code
            assert "%(" not in said, said


def test_no_sentence_is_for_nothing() -> None:
    assert set(SENTENCES) == {kind.code for kind in of_the_product()}
