"""Which adapter plays a role for an institution: said by configuration, asked by tasks and workflows.

`config.wiring` offers builders by name and chooses among them; nobody else knows that adapters exist:

    registry.offer(registry.PAYMENT_RAIL, "fondy", fondy.build)
    registry.choose(registry.PAYMENT_RAIL, "fondy", settings)                        # for every institution
    registry.choose(registry.PAYMENT_RAIL, "fondy", other_settings, institution="vn")  # for one

    rail = registry.payment_rail("vn")
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import RLock
from typing import Any, cast

from usance.ports.messenger import Messenger, PushMessenger
from usance.ports.payment_rail import PaymentRail

PAYMENT_RAIL = "payment_rail"
MESSENGER = "messenger"
PUSH = "push"
EVERY_INSTITUTION = "*"

Settings = Mapping[str, Any]
Builder = Callable[[Settings], Any]


class NoAdapter(LookupError):
    """Nothing plays this role here: configuration forgot it."""


@dataclass(frozen=True, slots=True)
class Choice:
    adapter: str
    settings: Settings


@dataclass
class Registry:
    """Builders by (role, name), choices by (role, institution code), and the adapters built so far."""

    _builders: dict[tuple[str, str], Builder] = field(default_factory=dict)
    _choices: dict[tuple[str, str], Choice] = field(default_factory=dict)
    _built: dict[tuple[str, str], Any] = field(default_factory=dict)
    _lock: RLock = field(default_factory=RLock)

    def offer(self, role: str, adapter: str, build: Builder) -> None:
        self._builders[role, adapter] = build

    def choose(self, role: str, adapter: str, settings: Settings, *, institution: str = EVERY_INSTITUTION) -> None:
        """Says who plays the role; replaces an earlier choice. Raises NoAdapter for a name nobody offered."""
        if (role, adapter) not in self._builders:
            raise NoAdapter(f"no adapter {adapter} for the role {role}")
        with self._lock:
            self._choices[role, institution] = Choice(adapter, settings)
            if institution == EVERY_INSTITUTION:
                self._built = {key: built for key, built in self._built.items() if key[0] != role}
            else:
                self._built.pop((role, institution), None)

    def chosen(self, role: str, institution: str) -> Choice:
        """The institution's own choice, else everybody's; raises NoAdapter."""
        for code in (institution, EVERY_INSTITUTION):
            if (role, code) in self._choices:
                return self._choices[role, code]
        raise NoAdapter(f"no adapter plays the role {role} for {institution}")

    def get(self, role: str, institution: str) -> Any:
        """The adapter, built at first use and kept: adapters are safe to share between threads."""
        with self._lock:
            if (role, institution) not in self._built:
                choice = self.chosen(role, institution)
                self._built[role, institution] = self._builders[role, choice.adapter](choice.settings)
            return self._built[role, institution]

    def put(self, role: str, adapter: Any, *, institution: str = EVERY_INSTITUTION) -> None:
        """Puts a ready adapter in place (tests, simulation)."""
        name = f"ready:{id(adapter)}"
        self.offer(role, name, lambda settings: adapter)
        self.choose(role, name, {}, institution=institution)


_registry = Registry()


def install(registry: Registry) -> Registry:
    """Puts a registry in place and returns the one before it."""
    global _registry
    before, _registry = _registry, registry
    return before


def offer(role: str, adapter: str, build: Builder) -> None:
    _registry.offer(role, adapter, build)


def choose(role: str, adapter: str, settings: Settings, *, institution: str = EVERY_INSTITUTION) -> None:
    _registry.choose(role, adapter, settings, institution=institution)


def put(role: str, adapter: Any, *, institution: str = EVERY_INSTITUTION) -> None:
    _registry.put(role, adapter, institution=institution)


def payment_rail(institution: str) -> PaymentRail:
    """The rail of the institution with this code; raises NoAdapter."""
    return cast(PaymentRail, _registry.get(PAYMENT_RAIL, institution))


def messenger(institution: str) -> Messenger:
    """The messenger of the institution with this code; raises NoAdapter."""
    return cast(Messenger, _registry.get(MESSENGER, institution))


def push(institution: str) -> PushMessenger | None:
    """The way to push services of the institution with this code; None where configuration gives it none."""
    try:
        return cast(PushMessenger, _registry.get(PUSH, institution))
    except NoAdapter:
        return None
