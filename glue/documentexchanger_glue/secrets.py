"""Database logins from Secrets Manager. A secret is fetched where it is used and is never passed on."""

import json
from dataclasses import dataclass, field
from functools import lru_cache

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from .errors import InvalidInputError

_HIGHEST_PORT = 65535


@dataclass(frozen=True)
class Login:
    """Where a database server is and how to log in."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)


def parse_login(secret_id: str, text: str) -> Login:
    """Check the shape of a database secret: host, port, username, password."""
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise InvalidInputError("SECRET_INVALID", f"secret {secret_id} must be a JSON object") from None
    for name in ("host", "username", "password"):
        if not isinstance(given.get(name), str) or not given[name]:
            raise InvalidInputError("SECRET_INVALID", f"secret {secret_id} must have a text named {name!r}")
    port = str(given.get("port", ""))
    if not port.isascii() or not port.isdigit() or not 0 < int(port) <= _HIGHEST_PORT:
        raise InvalidInputError("SECRET_INVALID", f"secret {secret_id} must have a port from 1 to 65535 named 'port'")
    return Login(given["host"], int(port), given["username"], given["password"])


@lru_cache(maxsize=8)
def fetch_login(secret_id: str) -> Login:
    """Fetch a login once a process."""
    try:
        answer = boto3.client("secretsmanager").get_secret_value(SecretId=secret_id)
    except (BotoCoreError, ClientError) as cause:
        raise InvalidInputError("SECRET_UNREADABLE", f"secret {secret_id} cannot be read: {reason(cause)}") from cause
    return parse_login(secret_id, answer.get("SecretString", ""))


def reason(cause: BotoCoreError | ClientError) -> str:
    """Return the error code of an AWS call, without the request it belonged to."""
    if isinstance(cause, ClientError):
        return str(cause.response.get("Error", {}).get("Code", "unknown"))
    return type(cause).__name__
