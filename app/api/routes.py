"""What the router makes of a path, for those who ask before it does or after."""

from collections.abc import Set
from typing import cast

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.types import Scope


def path_of(scope: Scope) -> str:
    """The path of a request as routes have it."""
    return cast("str", scope["path"]).removeprefix(scope.get("root_path", ""))


def methods_at(application: FastAPI, path: str) -> Set[str]:
    """Every method of HTTP that some route takes at a path; the router itself looks at one route only.

    Args:
        application: With all its routes.
        path: As routes have it.
    """
    fitting = (each for each in iter_route_contexts(application.routes) if each.path_regex.match(path))
    return {method for route in fitting for method in route.methods or ()}
