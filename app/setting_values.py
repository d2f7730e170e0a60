"""What a setting may hold: the forms that are more than a type; and names that are no setting's."""

import base64
import binascii
import ipaddress
import re
from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr

WEBHOOK_PREFIX = "whsec_"
WEBHOOK_KEY_BYTES = range(24, 65)
WEBHOOK_HOST = re.compile(r"(https?://)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?")
HOST_NAME = re.compile(r"[a-z0-9.-]+|\[[0-9a-f:.]+\]|[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*")
"""The last one an address of IPv6 without its brackets, which two colons tell from a port."""
MOST_DAYS = 36500
"""A hundred years: a limit of an age before the first year of the calendar cannot be computed, and nothing would be removed."""
MOST_THREADS = 1024
"""More than any machine has cores: of a slip of the finger, the operating system would begin as many as it can."""
Threads = Annotated[int, Field(ge=0, le=MOST_THREADS)]
Days = Annotated[float, Field(le=MOST_DAYS)]
Hours = Annotated[float, Field(le=MOST_DAYS * 24)]
Minutes = Annotated[float, Field(le=MOST_DAYS * 24 * 60)]
Seconds = Annotated[float, Field(le=24 * 3600)]
"""Of a deadline, at most a day: the operating system waits for none that is infinite."""
OUR_ROLES = ("clinician", "system", "ops", "admin")


def _is_no_link(port: object) -> object:
    """A port, whatever it is but what Kubernetes would have it.

    Raises:
        ValueError: It is the address that Kubernetes writes into a variable `<SERVICE>_PORT` of every pod.
    """
    if str(port).startswith("tcp://"):
        raise ValueError(
            "expected a number, not what Kubernetes sets for a Service called neurofuse: set enableServiceLinks: false in the pod, "
            "or name the Service otherwise"
        )
    return port


Port = Annotated[int, BeforeValidator(_is_no_link), Field(ge=1, le=65535)]


def _is_named(folder: object) -> object:
    """A folder, whatever it is but none.

    Raises:
        ValueError: It is empty: the working folder, in which the service would make its files, and remove what lies in a folder `uploads`.
    """
    if folder == "":
        raise ValueError("expected a folder; write . for the working folder")
    return folder


Folder = Annotated[Path, BeforeValidator(_is_named)]


def text_of(file: str) -> str:
    """What a file of a secret says; some editors write a byte order mark before it.

    Raises:
        ValueError: It cannot be read, or says nothing; the message quotes none of it.
    """
    try:
        text = Path(file).read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError):
        raise ValueError("expected a file that can be read, in UTF-8") from None
    if not text:
        raise ValueError("expected a file that is not empty")
    return text


def are_hosts(hosts: str) -> str:
    """Hosts that webhooks may go to, separated by commas.

    Raises:
        ValueError: One is something else.
    """
    entries = [entry.strip() for entry in hosts.split(",") if entry.strip()]
    if not all(WEBHOOK_HOST.fullmatch(entry) and _can_be_called(entry) for entry in entries):
        raise ValueError("expected host, host:port or http://host:port")
    return ",".join(entries)


def _can_be_called(host: str) -> bool:
    """Whether its port, where it has one, is a port, and its address of IPv6 one: nobody would be told, and nothing say why."""
    try:
        return urlsplit(host if "://" in host else f"https://{host}").port != 0
    except ValueError:
        return False


def are_names(names: str) -> str:
    """Host names without a port, separated by commas.

    Raises:
        ValueError: One is something else.
    """
    entries = [entry.strip().lower() for entry in names.split(",") if entry.strip()]
    if not all(HOST_NAME.fullmatch(entry) for entry in entries):
        raise ValueError("expected host names without a port")
    return ",".join(entry.strip("[]").rstrip(".") for entry in entries)  # as the header Host is compared


def are_networks(addresses: str) -> str:
    """Addresses of machines or networks, separated by commas, or `*` for all: what else stands there, the server passes over in silence.

    Raises:
        ValueError: One is something else, such as a name, or 10.0.0.1/24, of which nobody can tell whether it means one machine or all.
    """
    entries = [entry.strip() for entry in addresses.split(",") if entry.strip()]
    if entries == ["*"]:
        return "*"
    try:
        return ",".join(str(ipaddress.ip_network(entry.strip("[]"))) for entry in entries)
    except ValueError:
        raise ValueError("expected addresses or networks, such as 10.0.0.1 or 10.0.0.0/24") from None


def is_https(url: str) -> str:
    """An address over TLS; plain http only to this machine: for trials, and for the tests.

    Raises:
        ValueError: It is something else.
    """
    parts = urlsplit(url)
    if url and not (
        parts.hostname
        and (parts.scheme == "https" or (parts.scheme, is_loopback(parts.hostname)) == ("http", True))
    ):
        raise ValueError("expected https://")
    return url.rstrip("/")


def is_public_https(url: str) -> str:
    """The same for an address that browsers compare with what they have: scheme and host in small letters (RFC 3986, section 6.2.2.1).

    Raises:
        ValueError: It is something else.
    """
    parts = urlsplit(is_https(url))
    return parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower()).geturl()


def are_role_names(pairs: str) -> str:
    """What `role_names` can read.

    Raises:
        ValueError: It is something else.
    """
    role_names(pairs)
    return pairs


def role_names(pairs: str) -> dict[str, str]:
    """The provider's name of each of our roles.

    Args:
        pairs: `ours=theirs`, separated by commas.

    Raises:
        ValueError: It is something else.
    """
    named: dict[str, str] = {}
    for entry in filter(None, (entry.strip() for entry in pairs.split(","))):
        ours, _, theirs = entry.partition("=")
        if ours not in OUR_ROLES or ours in named or not theirs:
            raise ValueError("expected ours=theirs, each of ours once")
        named[ours] = theirs
    return {role: role for role in OUR_ROLES} | named


def is_loopback(host: str) -> bool:
    """Whether an address leads to this machine and to no other."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def webhook_key(secret: SecretStr) -> bytes:
    """The key in a secret, as Standard Webhooks writes it.

    Raises:
        ValueError: It is something else; the message does not quote it.
    """
    text = secret.get_secret_value()
    try:
        key = base64.b64decode(text.removeprefix(WEBHOOK_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not text.startswith(WEBHOOK_PREFIX) or len(key) not in WEBHOOK_KEY_BYTES:
        raise ValueError("expected whsec_ and 24 to 64 bytes in base64")
    return key


def unknown_settings(names: Iterable[str], prefix: str, known: Collection[str]) -> Iterator[str]:
    """What to say of variables that look like settings and are none: what was chosen there does not hold; no value is looked at.

    Args:
        names: Of all variables of the environment; capitals do not matter.
        prefix: Of those that are settings.
        known: Names of settings, in capitals and without it.
    """
    for name in sorted(names):
        own = name.upper().removeprefix(prefix)
        if own == name.upper() or own in known:
            continue
        near = "".join(f" Did you mean {prefix}{each}?" for each in get_close_matches(own, known, n=1))
        yield f"Expected settings as in docs/reference/settings.md; {name} is none and means nothing.{near}"
