"""Objects of the data bucket: the selection that is read, the manifest and report that are written."""

from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from .errors import CopyError, InvalidInputError
from .secrets import reason


@lru_cache(maxsize=1)
def _client() -> Any:  # noqa: ANN401 (boto3 makes its classes at run time)
    return boto3.client("s3", config=Config(retries={"mode": "standard", "max_attempts": 5}))


def read_text(bucket: str, key: str) -> str:
    """Return the text of an object."""
    try:
        return _client().get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    except (BotoCoreError, ClientError, UnicodeDecodeError) as cause:
        why = "it is no UTF-8 text" if isinstance(cause, UnicodeDecodeError) else reason(cause)
        raise InvalidInputError("OBJECT_UNREADABLE", f"s3://{bucket}/{key} cannot be read: {why}") from cause


def write_text(bucket: str, key: str, text: str, content_type: str) -> None:
    """Write an object whole; an earlier one of that key is replaced."""
    try:
        _client().put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType=content_type)
    except (BotoCoreError, ClientError) as cause:
        raise CopyError("OBJECT_UNWRITABLE", f"s3://{bucket}/{key} cannot be written: {reason(cause)}") from cause


def keys_under(bucket: str, prefix: str) -> list[str]:
    """Return the keys of every object below a prefix."""
    try:
        pages = _client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]
    except (BotoCoreError, ClientError) as cause:
        raise CopyError("OBJECT_UNREADABLE", f"s3://{bucket}/{prefix} cannot be listed: {reason(cause)}") from cause


def remove(bucket: str, key: str) -> None:
    """Remove an object; one that is not there is no fault."""
    try:
        _client().delete_object(Bucket=bucket, Key=key)
    except (BotoCoreError, ClientError) as cause:
        raise CopyError("OBJECT_UNWRITABLE", f"s3://{bucket}/{key} cannot be removed: {reason(cause)}") from cause
