"""What a role may do: sessions for processes that run under a role, and checks for calls that the service makes."""

import contextvars
import secrets

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import sts


def role_name(role):
    """The name of a role given by name or by ARN."""
    return role.rsplit("/", 1)[-1]


def session(role, session_name):
    """Temporary credentials of a role, as environment variables."""
    account, name = get_account_id(), role_name(role)
    access_key = "ASIA" + secrets.token_hex(8).upper()
    record = {
        "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session_name[:64]}",
        "UserId": f"{name}:{session_name[:64]}",
        "SecretAccessKey": secrets.token_hex(20),
        "SessionToken": secrets.token_hex(64),
        "AccountId": account,
        "PrincipalType": "AssumedRole",
    }
    sts.register_session(access_key, record)
    return {
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": record["SecretAccessKey"],
        "AWS_SESSION_TOKEN": record["SessionToken"],
    }


_service_sessions = {}


def _service_session(role, session_name):
    """The access key under which a service acts as a role: one per role and service."""
    key = (get_account_id(), role, session_name)
    if key not in _service_sessions:
        _service_sessions[key] = session(role, session_name)["AWS_ACCESS_KEY_ID"]
    return _service_sessions[key]


def denial(role, session_name, action, service, resource, condition_keys=None):
    """Why a role may not do `action` (e.g. `sns:Publish`) on `resource` (an ARN), or None where it may.

    `condition_keys` are those of the request itself, e.g. `s3:prefix` of a listing.
    """

    def evaluate():
        # The thread carries the signed request of whoever started it; this call is the role's own.
        iam_evaluator._signed_request.set(None)
        iam_evaluator._anonymous.set(False)
        return iam_evaluator.enforce(
            _service_session(role, session_name),
            action,
            service,
            get_region(),
            resource_arn=resource,
            service_context=condition_keys,
        )

    refused = contextvars.copy_context().run(evaluate)
    if refused is None:
        return None
    if isinstance(refused, iam_evaluator.AuthError):
        return refused.message
    return f"User: {refused.principal_arn} is not authorized to perform: {action} on resource: {resource}"
