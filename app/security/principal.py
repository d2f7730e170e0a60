"""Who asks: what a credential was found to stand for."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

Role = Literal["clinician", "system", "ops", "admin"]
"""`clinician`: people who care for the patients of this site. `system`: software that sends cases and reads its own answers.
`ops`: who watches the service, and sees no patient. `admin`: who moves packages."""
ROLES: Final[tuple[Role, ...]] = get_args(Role)

Kind = Literal["local", "token", "key", "oidc"]
"""Nobody was asked; the admin token; an API key; a token or a session of an OpenID provider."""


@dataclass(frozen=True)
class Principal:
    """Who asks.

    Attributes:
        subject: Stable, unique, and safe to log and to audit; never a secret.
        kind: How it was found out.
        roles: What it may do.
        name: For people to read, as whoever made the credential chose it; not logged.
    """

    subject: str
    kind: Kind
    roles: frozenset[Role]
    name: str

    def sees_all(self) -> bool:
        """Whether it may see every answer of the site, and not only those that it asked for."""
        return "clinician" in self.roles


LOCAL: Final = Principal("local", "local", frozenset({"clinician", "system", "ops"}), "this machine")
"""Whoever reaches a service that asks nobody: it listens on this machine alone. Packages are moved with a token even there."""
ADMIN_TOKEN: Final = Principal("admin-token", "token", frozenset({"ops", "admin"}), "admin token")
"""Who bears `NEUROFUSE_ADMIN_TOKEN`: enough to watch and to move packages, before there is any key."""
METRICS_TOKEN: Final = Principal("metrics-token", "token", frozenset({"ops"}), "metrics token")
"""Who bears `NEUROFUSE_METRICS_TOKEN`: Prometheus, which must see most when the database with the keys is away."""
