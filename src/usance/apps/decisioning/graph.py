"""Rules as a decision graph (JDM): what may be stored, and how it is asked.

Only tables, expressions and switches are allowed: no functions, no calls out, no other graphs. Every expression is
checked when it is stored, and the graph must answer even when it knows nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import zen

from usance.apps.decisioning import facts as known
from usance.apps.decisioning.models import APPROVE, DECLINE, REFER
from usance.core.refusals import Refusal

ALLOWED_NODES = frozenset({"inputNode", "outputNode", "decisionTableNode", "expressionNode", "switchNode"})
OUTCOMES = frozenset({APPROVE, DECLINE, REFER})
LARGEST_BYTES = 1_000_000
KEPT = 64
ENGINE = f"zen-engine {metadata.version('zen-engine')}"


class RuleNodeNotAllowed(Refusal):
    """A kind of node that could run code, call out, or hide rules elsewhere."""

    code = "rule_node_not_allowed"
    node: str
    kind: str


class RuleExpressionInvalid(Refusal):
    """An expression that the engine cannot read."""

    code = "rule_expression_invalid"
    node: str
    expression: str
    why: str


class RuleGraphInvalid(Refusal):
    """A graph that does not hold together, or does not answer as rules must."""

    code = "rule_graph_invalid"
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a graph said. `limit_percent`: of the amount asked for, None when the rules set no limit."""

    outcome: str
    reasons: tuple[str, ...]
    limit_percent: int | None
    trace: list[dict[str, Any]]


class EngineFailed(RuntimeError):
    """The engine gave up on these facts, or the answer is not one."""


# --- storing -----------------------------------------------------------------------------------------------------


def check(content: Mapping[str, Any]) -> None:
    """Refuses content that may not be stored: RuleNodeNotAllowed, RuleExpressionInvalid, RuleGraphInvalid."""
    text = json.dumps(content)
    if len(text) > LARGEST_BYTES:
        raise RuleGraphInvalid(why=f"larger than {LARGEST_BYTES} bytes")
    nodes = content.get("nodes")
    if not isinstance(nodes, list) or not all(isinstance(node, Mapping) for node in nodes):
        raise RuleGraphInvalid(why="there are no nodes")
    for node in nodes:
        if node.get("type") not in ALLOWED_NODES:
            raise RuleNodeNotAllowed(node=str(node.get("name")), kind=str(node.get("type")))
    for name, expression, is_unary in _expressions(nodes):
        _check_expression(name, expression, is_unary=is_unary)
    try:
        zen.ZenEngine().create_decision(text).validate()
        _read(_engine_of(text).evaluate("it", {"facts": known.clean({})}, {"trace": True}))
    except (RuntimeError, ValueError) as problem:
        raise RuleGraphInvalid(why=_first_lines(problem)) from problem


def _check_expression(node: str, expression: str, *, is_unary: bool) -> None:
    # compiled, because the engine's validate_unary_expression (2.1) refuses tests such as "> 3"
    try:
        (zen.compile_unary_expression if is_unary else zen.compile_expression)(expression)
    except RuntimeError as problem:
        raise RuleExpressionInvalid(node=node, expression=expression, why=_first_lines(problem)) from problem


def _first_lines(problem: Exception) -> str:
    """The engine's words without the stack that it appends."""
    return " ".join(str(problem).split("Stack backtrace")[0].split())[:300]


def _expressions(nodes: list[Mapping[str, Any]]) -> Iterator[tuple[str, str, bool]]:
    """Every expression of a graph: (node, text, is it a test of one value). An empty cell means anything."""
    for node in nodes:
        name, content = str(node.get("name")), node.get("content") or {}
        for item in content.get("expressions", []):
            yield name, str(item.get("value", "")), False
        for item in content.get("statements", []):
            if item.get("condition"):
                yield name, str(item["condition"]), False
        columns = [(c["id"], bool(c.get("field"))) for c in content.get("inputs", [])]
        columns += [(c["id"], False) for c in content.get("outputs", [])]
        for rule in content.get("rules", []):
            for column, is_unary in columns:
                if str(rule.get(column) or "").strip():
                    yield name, str(rule[column]), is_unary


# --- asking ------------------------------------------------------------------------------------------------------

_contents: dict[str, Any] = {}


def _load(key: str) -> Any:
    return _contents[key]


_engine = zen.ZenEngine({"loader": _load})


def _engine_of(text: str) -> Any:
    return zen.ZenEngine({"loader": lambda key: text})


def ask(content: Mapping[str, Any], content_hash: str, inputs: Mapping[str, known.Fact]) -> Answer:
    """The answer of a graph to cleaned facts; compiled once per content. Raises EngineFailed."""
    if content_hash not in _contents:
        if len(_contents) >= KEPT:
            _contents.pop(next(iter(_contents)))
        _contents[content_hash] = zen.ZenDecisionContent(json.dumps(content))
    try:
        return _read(_engine.evaluate(content_hash, {"facts": dict(inputs)}, {"trace": True}))
    except RuntimeError as problem:
        raise EngineFailed(_first_lines(problem)) from problem
    except ValueError as problem:
        raise EngineFailed(str(problem)) from problem


def _read(response: Mapping[str, Any]) -> Answer:
    """The engine's result as an answer; ValueError when it is not one."""
    result = response["result"] or {}
    outcome, reasons, limit = result.get("outcome"), result.get("reasons") or [], result.get("limit_percent")
    if outcome not in OUTCOMES:
        raise ValueError(f"the outcome must be one of {sorted(OUTCOMES)}, not {outcome!r}")
    if not isinstance(reasons, list) or not all(isinstance(code, str) and known.CODE.match(code) for code in reasons):
        raise ValueError("reasons must be a list of codes")
    if outcome != APPROVE and not reasons:
        raise ValueError("an outcome other than approval needs reasons")
    if limit is not None and (isinstance(limit, bool) or limit != int(limit) or not 0 <= limit <= 100):
        raise ValueError("limit_percent must be a whole number from 0 to 100")
    return Answer(
        outcome=outcome,
        reasons=tuple(dict.fromkeys(reasons)),
        limit_percent=None if limit is None else int(limit),
        trace=_trace(response["trace"]),
    )


def _trace(trace: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Node by node in the order in which they ran: what each gave, and which rows of a table were hit. Times and
    repeated inputs are left out, so that the same question has the same trace."""
    steps = sorted(trace.values(), key=lambda step: step.get("order", 0))
    return [
        {"node": step["id"], "name": step["name"], "gave": _new(step), "rows": _rows(step.get("traceData"))}
        for step in steps
        if step.get("output") is not None and step.get("order", 0) > 0
    ]


def _new(step: Mapping[str, Any]) -> Any:
    """What a node added to what it was given."""
    given, gave = step.get("input"), step["output"]
    if not isinstance(gave, Mapping) or not isinstance(given, Mapping):
        return gave
    return {name: item for name, item in gave.items() if name not in given or given[name] != item}


def _rows(data: Any) -> list[dict[str, Any]]:
    """The rows of a table that were hit, with the conditions that each states."""
    if isinstance(data, Mapping):
        data = [data]
    hits = [item for item in data or [] if isinstance(item, Mapping) and isinstance(item.get("rule"), Mapping)]
    return [
        {
            "row": item["rule"].get("_id", ""),
            "when": {name: cell for name, cell in item["rule"].items() if not name.startswith("_") and cell},
        }
        for item in hits
    ]
