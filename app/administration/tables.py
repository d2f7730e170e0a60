"""Packages and aliases as tables, from the document of `GET /models`."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table

Json = dict[str, Any]


def package_table(models: Sequence[Json], aliases: Sequence[Json]) -> Table:
    """A row a package: its state, the names that lead to it, and why where it failed."""
    table = Table("package", "task", "state", "answers", "title or reason")
    for model in models:
        reason = model["reason"]
        table.add_row(
            f"{model['name']}@{model['version']}",
            model["task"] or "",
            model["state"],
            "\n".join(_names(model, aliases)),
            f"{reason['code']}: {reason['detail']}" if reason else model["title"] or "",
        )
    return table


def alias_table(aliases: Sequence[Json]) -> Table:
    """A row an alias: what it means, what is tried, what it meant before."""
    table = Table("alias", "version", "canary", "shadow", "before")
    for alias in aliases:
        canary = alias["canary"]
        table.add_row(
            f"{alias['name']}@{alias['alias']}",
            str(alias["version"]),
            f"{canary['version']} ({canary['share']:.3g} of cases)" if canary else "",
            str(alias["shadow"] or ""),
            ", ".join(map(str, alias["previous"])),
        )
    return table


def _names(model: Json, aliases: Sequence[Json]) -> list[str]:
    """What leads to a package."""
    names = [model["name"]] if model["default"] else []
    for alias in aliases:
        if alias["name"] != model["name"]:
            continue
        shown, canary = f"{alias['name']}@{alias['alias']}", alias["canary"]
        if alias["version"] == model["version"]:
            names.append(shown)
        if canary and canary["version"] == model["version"]:
            names.append(f"{shown} (canary)")
        if alias["shadow"] == model["version"]:
            names.append(f"{shown} (shadow)")
    return names
