"""The kit over whatever is installed: connectors by their entry points, and their proofs by theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from importlib.metadata import EntryPoint, entry_points

from connectors.registry import NoConnectorError, Registry
from connectors.testing.finding import Finding
from connectors.testing.kit import check
from connectors.testing.proof import Proof

GROUP = "santral.proofs"
TITLE = "can be proved"


class _NoProofError(Exception):
    """The proof cannot be used; the text says why."""


async def check_installed(
    registry: Registry | None = None, proofs: Sequence[EntryPoint] | None = None
) -> AsyncIterator[Finding]:
    """Makes every check of every installed connector.

    Args:
        registry: the connectors; None for those installed.
        proofs: the entry points of their proofs; None for those installed.

    Yields:
        What each check found. A connector that cannot be used fails; one without a proof is `not made`.
    """
    registry = registry or Registry()
    found = list(entry_points(group=GROUP) if proofs is None else proofs)
    for name in registry.names():
        mine = sorted({entry.value: entry for entry in found if entry.name == name}.values(), key=lambda one: one.value)
        try:
            kind = registry.load(name)
            if not mine:
                text = f"it has no proof (an entry point `{name}` of the group `{GROUP}`)"
                yield Finding(connector=name, check=TITLE, outcome="not made", text=text)
                continue
            proof = _load(mine)
            if proof.connector is not kind:
                raise _NoProofError(f"its proof {mine[0].value} is of another connector, {proof.connector.__name__}")
            if kind.name != name:
                raise _NoProofError(f"its entry point is called `{name}`, and its `name` is `{kind.name}`")
        except (NoConnectorError, _NoProofError) as error:
            yield Finding(connector=name, check=TITLE, outcome="failed", text=str(error))
            continue
        async for finding in check(proof):
            yield finding


def _load(entries: Sequence[EntryPoint]) -> Proof:
    if len(entries) > 1:
        places = " and ".join(entry.value for entry in entries)
        raise _NoProofError(f"it has two proofs: {places}; uninstall one")
    try:
        kind = entries[0].load()
    except Exception as error:
        raise _NoProofError(f"its proof {entries[0].value} cannot be imported: {error!r}") from error
    if not (isinstance(kind, type) and issubclass(kind, Proof)):
        raise _NoProofError(f"its proof {entries[0].value} is no connectors.testing.Proof")
    if not hasattr(kind, "connector") or not hasattr(kind, "person"):
        raise _NoProofError(f"its proof {entries[0].value} needs a `connector` and a `person`")
    return kind()
