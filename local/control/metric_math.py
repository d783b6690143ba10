"""Metric math on series of data points. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
Played: numbers, ids, + - * /, a minus before a term, comparisons, AND, OR, IF, FILL with a number,
and SUM, MIN, MAX and AVG of a list of series, `SUM([a, b])`.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from functools import reduce

from local.control.evaluation import NotPlayedError

Point = float | None
Series = list[Point]

#: Functions of a list of series, at each point over those of them that have one.
_OVER_SERIES: dict[str, Callable[[Sequence[float]], float]] = {
    "SUM": sum,
    "MIN": min,
    "MAX": max,
    "AVG": lambda points: sum(points) / len(points),
}
_ID = re.compile(r"\b[a-z]\w*")
_WORDS = ((r"\bAND\b|&&", " and "), (r"\bOR\b|\|\|", " or "))
_OPERATORS: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.And: lambda left, right: bool(left) and bool(right),
    ast.Or: lambda left, right: bool(left) or bool(right),
}


def ids_in(expression: str) -> set[str]:
    """Return the ids of metrics and expressions that an expression names."""
    return set(_ID.findall(expression))


def evaluate(expression: str, series: Mapping[str, Sequence[Point]], length: int) -> Series:
    """Return an expression's value at each of `length` points; None where it cannot be told.

    An operation on a missing point is missing, and so is a division by 0.
    Raises: NotPlayedError naming what is not played.
    """
    text = expression
    for word, python in _WORDS:
        text = re.sub(word, python, text)
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise NotPlayedError(f"expression {expression!r} cannot be read") from error
    return [
        _value(tree, {name: points[at] for name, points in series.items()}) for at in range(length)
    ]


def _value(node: ast.AST, points: Mapping[str, Point]) -> Point:
    def of(inner: ast.AST) -> Point:
        return _value(inner, points)

    value: Point
    match node:
        case ast.Constant(value=int() | float() as number):
            value = float(number)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            value = _applied(ast.Sub(), 0.0, of(inner))
        case ast.Name(id=name) if name in points:
            value = points[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            found = of(operand)
            value = None if found is None else -found
        case ast.BinOp(left=left, op=op, right=right):
            value = _applied(op, of(left), of(right))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            value = _applied(op, of(left), of(right))
        case ast.BoolOp(op=op, values=values):
            value = reduce(lambda left, right: _applied(op, left, right), map(of, values))
        case ast.Call(func=ast.Name(id="FILL"), args=[metric, filling]):
            found, filled = of(metric), of(filling)
            value = filled if found is None else found
        case ast.Call(func=ast.Name(id="IF"), args=[condition, then, *other]) if len(other) < 2:
            decided, chosen, rest = of(condition), of(then), [of(each) for each in other]
            value = None if decided is None else chosen if decided else next(iter(rest), None)
        case ast.Call(func=ast.Name(id=name), args=[ast.List(elts=parts)]) if name in _OVER_SERIES:
            there = [point for point in map(of, parts) if point is not None]
            value = float(_OVER_SERIES[name](there)) if there else None
        case _:
            raise NotPlayedError(f"metric math {ast.unparse(node)!r} is not played")
    return value


def _applied(op: ast.AST, left: Point, right: Point) -> Point:
    if type(op) not in _OPERATORS:
        raise NotPlayedError(f"metric math operator {type(op).__name__} is not played")
    if left is None or right is None or (isinstance(op, ast.Div) and right == 0):
        return None
    return float(_OPERATORS[type(op)](left, right))
