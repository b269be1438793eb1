"""What was injected, where, and what came of it, by kind."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock

# kind: (the row of the table of faults, what is done)
KINDS: Mapping[str, tuple[str, str]] = {
    "killed": ("T1", "a worker is killed (kill -9) at a marked point"),
    "reply_lost": ("T2", "the provider accepts, its reply is lost"),
    "reply_halved": ("T2", "the connection ends in the middle of the reply"),
    "reply_late": ("T2", "the reply comes late, or after we stopped waiting"),
    "nonsense": ("T2", "something else than the provider answers"),
    "never_sent": ("T3", "the connection is reset before the provider has the order"),
    "never_answered": ("T3", "nothing is accepted, and nobody answers until we stop waiting"),
    "busy": ("T3", "the provider is busy (429, 502, 503)"),
    "sent_late": ("T3", "the order reaches the provider minutes after we gave it up"),
    "request_doubled": ("T2", "the network delivers our order twice at once"),
    "callback_doubled": ("T4", "a callback comes several times at once"),
    "callback_shuffled": ("T5", "callbacks come late and out of order"),
    "callback_lost": ("T5", "a callback never comes"),
    "callback_forged": ("T6", "a forged callback comes beside the true one"),
    "callback_replayed": ("T6", "an old callback comes again"),
    "same_key": ("T7", "the same payment twice at once, with one key"),
    "other_key": ("T7", "the same money twice at once, with different keys"),
    "race_close": ("T8", "a payment races with the close of the day"),
    "race_extension": ("T8", "a payment races with an extension"),
    "race_write_off": ("T8", "a payment races with a write-off"),
    "race_quote": ("T8", "a payment comes between a payoff quote and its payment"),
    "out_of_order": ("T9", "payments, reversals and waivers are told in another order"),
    "clock_jumped": ("T12", "the clock jumps; leap day, month end, daylight saving pass"),
    "close_twice": ("T13", "the close is asked for twice at once"),
    "close_skipped": ("T13", "the close is made up after days"),
    "poisoned": ("T14", "a loan that cannot be closed"),
    "altered": ("T20", "a row is altered by SQL"),
    "maker_checks": ("T22", "a maker tries to be checker"),
    "foreign": ("T23", "something of another institution is asked for"),
}
TROUBLES = ("lost", "double", "stuck", "wrong")
LEAST_SHARE = 0.02


@dataclass
class Tally:
    """Safe to share between threads. `wrong`: anything else than was to be expected, such as a forgery believed."""

    injected: Counter[str] = field(default_factory=Counter)
    points: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    troubles: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    stories: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def inject(self, kind: str, point: str) -> None:
        """One fault more; `point` says where it struck."""
        if kind not in KINDS:
            raise KeyError(kind)
        with self._lock:
            self.injected[kind] += 1
            self.points[kind].add(point)

    def trouble(self, what: str, kinds: Iterable[str], story: str) -> None:
        """What went wrong, put down to the faults that struck there."""
        with self._lock:
            for kind in sorted(set(kinds)) or ["unknown"]:
                self.troubles[kind][what] += 1
            self.stories.append(f"{what}: {story} [{', '.join(sorted(set(kinds)))}]")

    @property
    def total(self) -> int:
        return self.injected.total()

    @property
    def is_clean(self) -> bool:
        return not self.stories

    @property
    def too_rare(self) -> list[str]:
        """Kinds below their share: then the run proves less than it should."""
        return [kind for kind in KINDS if self.injected[kind] < LEAST_SHARE * self.total]

    def table(self) -> str:
        head = f"{'fault':18}{'row':>4}{'injected':>9}{'share':>7}{'points':>7}" + "".join(f"{t:>7}" for t in TROUBLES)
        lines = [head]
        for kind, (row, _) in KINDS.items():
            count, bad = self.injected[kind], self.troubles[kind]
            lines.append(
                f"{kind:18}{row:>4}{count:>9}{100 * count / max(1, self.total):>6.1f}%{len(self.points[kind]):>7}"
                + "".join(f"{bad[t]:>7}" for t in TROUBLES)
            )
        if "unknown" in self.troubles:
            lines.append(f"{'(none of these)':45}" + "".join(f"{self.troubles['unknown'][t]:>7}" for t in TROUBLES))
        return "\n".join(lines)

    def as_json(self) -> dict[str, object]:
        return {
            kind: {"row": row, "injected": self.injected[kind], "points": len(self.points[kind])}
            | {t: self.troubles[kind][t] for t in TROUBLES}
            for kind, (row, _) in KINDS.items()
        } | {"stories": self.stories}
