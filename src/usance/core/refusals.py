"""The base of every expected "no": a frozen value with a code, raised where the reason is found."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar, dataclass_transform


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Refusal(Exception):
    """An expected refusal. Below it, write a class with a `code` and the fields that the sentence shown to a person
    needs; it becomes a frozen dataclass by itself (no decorator), made by keyword:

        class LoanAlreadyPaidOff(Refusal):
            code = "loan_already_paid_off"
            closed_on: date

    Edges translate it; nothing below an edge catches it.
    """

    code: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        # not dataclass(frozen=True): Python itself notes the traceback on an exception on its way up
        dataclass(kw_only=True, eq=False, repr=False)(cls)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dict__:
            raise AttributeError(f"{type(self).__name__} is frozen")
        super().__setattr__(name, value)

    def details(self) -> dict[str, Any]:
        """The fields by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]

    def __str__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in self.details().items())
        return f"{self.code}({inside})"
