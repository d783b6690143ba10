"""What one environment's part of the summary says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ops.changes.dangers import unsafe
from ops.changes.model import Action, Changes, PropertyChange, ResourceChange, Widening
from ops.changes.text import code_changed, sides
from ops.places import stack_prefix

NO_CHANGES = "No changes."
_CLOSING = "\n</details>\n"
_MORE = "- … {} more lines; `make diff` shows them all"


@dataclass(frozen=True)
class Cost:
    """What an environment costs a month in US dollars, before and after; `note` names the usage."""

    before_usd: float
    after_usd: float
    note: str = ""


@dataclass(frozen=True)
class Fold:
    """A list that a reader opens."""

    title: str
    lines: tuple[str, ...]

    def render(self, room: int) -> str:
        """Return it in at most `room` characters; nothing when not even its title fits."""
        opening = f"\n<details><summary>{self.title}</summary>\n\n"
        room -= len(opening) + len(_CLOSING) + len(_MORE) + len(str(len(self.lines)))
        if room < 0:
            return ""
        shown: list[str] = []
        for line in self.lines:
            room -= len(line) + 1
            if room < 0:
                shown.append(_MORE.format(len(self.lines) - len(shown)))
                break
            shown.append(line)
        return opening + "\n".join(shown) + "\n" + _CLOSING


@dataclass(frozen=True)
class Page:
    """One environment's changes, as Markdown."""

    environment: str
    changes: Changes
    cost: Cost | None = None

    def head(self) -> str:
        """Return what is never folded: title, counts, cost, dangers, replaced, removed, widened."""
        parts = [f"## `{self.environment}`", self._counts(), *self._cost()]
        if self.changes:
            parts += [*self._dangers(), *self._replaced(), *self._removed(), *self._widened()]
        return "\n\n".join(parts) + "\n"

    def folds(self) -> list[Fold]:
        """Return the lists of what changed, was added, and of outputs; no empty one."""
        changed = self.changes.of(Action.CHANGED, Action.MAYBE_REPLACED, Action.REPLACED)
        added = self.changes.of(Action.ADDED)
        details = [line for each in changed if each.properties for line in self._detail(each)]
        outputs = [
            f"- {code(f'{self._role(each.stack)}: {each.export or each.name}')} "
            f"{self._arrow(PropertyChange('', each.before, each.after))}"
            for each in self.changes.outputs
        ]
        folds = [
            Fold(f"Changed in detail ({len(changed)})", tuple(details)),
            Fold(f"Added ({len(added)})", tuple(map(self._named, added))),
            Fold(f"Outputs and exports ({len(outputs)})", tuple(outputs)),
        ]
        return [fold for fold in folds if fold.lines]

    def _counts(self) -> str:
        if not self.changes:
            return NO_CHANGES
        counts = Counter(each.action for each in self.changes.resources)
        columns = [(str(action), counts[action]) for action in Action]
        columns.append(("unchanged", self.changes.unchanged))
        stacks = [
            f"Stacks {word}: {', '.join(code(self._role(name)) for name in names)}."
            for word, names in (
                ("added", self.changes.stacks_added),
                ("removed", self.changes.stacks_removed),
            )
            if names
        ]
        table = [
            f"| {' | '.join(name for name, _ in columns)} |",
            f"|{' ---: |' * len(columns)}",
            f"| {' | '.join(_loud(name, count) for name, count in columns)} |",
        ]
        return "\n\n".join(["\n".join(table), *stacks])

    def _cost(self) -> list[str]:
        if self.cost is None:
            return []
        was, will_be = self.cost.before_usd, self.cost.after_usd
        note = f" ({self.cost.note})" if self.cost.note else ""
        return [f"Monthly cost: ${was:,.2f} → **${will_be:,.2f}** ({will_be - was:+,.2f}){note}"]

    def _dangers(self) -> list[str]:
        found = unsafe(self.changes)
        if not found:
            return []
        lines = [f"> - **{code(each.subject)}**: {each.sentence} {each.remedy}" for each in found]
        return ["\n".join(["> [!CAUTION]", "> **Do not deploy this as it is.**", ">", *lines])]

    def _replaced(self) -> list[str]:
        found = self.changes.of(Action.REPLACED, Action.MAYBE_REPLACED)
        lines = [f"{self._named(each)}: {each.action}, {'; '.join(each.reasons)}" for each in found]
        return _section("REPLACED", lines)

    def _removed(self) -> list[str]:
        found = self.changes.of(Action.REMOVED)
        lines = [
            f"{self._named(each)}: {'retained, unmanaged' if each.kept else 'deleted'}"
            for each in found
        ]
        unmarked = [
            f"{self._named(each)}: no longer marked as holding {each.holds}"
            for each in self.changes.resources
            if each.unmarked
        ]
        return _section("REMOVED", lines) + _section("No longer protected as data", unmarked)

    def _widened(self) -> list[str]:
        permissions = [self._widening(each) for each in self.changes.permissions]
        openings = [self._widening(each) for each in self.changes.openings]
        return _section("Wider permissions (IAM)", permissions) + _section(
            "Wider security groups", openings
        )

    def _detail(self, change: ResourceChange) -> Iterable[str]:
        yield self._named(change)
        for each in change.properties:
            what = "**code changed**" if code_changed(each) else self._arrow(each)
            yield f"  - {code(each.path)} {what}"

    def _named(self, change: ResourceChange) -> str:
        holds = f", holds {change.holds}" if change.holds else ""
        return (
            f"- **{code(f'{self._role(change.stack)}/{change.path}')}** {change.type_name}{holds}"
        )

    def _arrow(self, change: PropertyChange) -> str:
        was, will_be = (code(self._text(side)) for side in sides(change))
        if change.before is None:
            return f"added: {will_be}"
        if change.after is None:
            return f"removed: {was}"
        return f"{was} → {will_be}"

    def _widening(self, each: Widening) -> str:
        return (
            f"- **{code(f'{self._role(each.stack)}/{each.whose}')}** {code(self._text(each.what))}"
        )

    def _role(self, stack: str) -> str:
        return stack.removeprefix(stack_prefix(self.environment))

    def _text(self, text: str) -> str:
        """Return a text with the stacks of its references by their role."""
        return text.replace(f"${{{stack_prefix(self.environment)}", "${")


def _section(title: str, lines: list[str]) -> list[str]:
    return ["\n".join([f"### {title} ({len(lines)})", "", *lines])] if lines else []


def _loud(name: str, count: int) -> str:
    return f"**{count}**" if count and name in {Action.REPLACED, Action.REMOVED} else str(count)


def code(text: str) -> str:
    """Return a text as Markdown code, whatever is in it."""
    shown = " ".join(text.split()) or " "
    fence = "`"
    while fence in shown:
        fence += "`"
    space = " " if "`" in shown else ""
    return f"{fence}{space}{shown}{space}{fence}"
