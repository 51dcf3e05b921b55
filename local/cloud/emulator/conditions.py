"""What MiniStack's IAM leaves out and our policies rest on: condition keys, iam:PassRole, names of new resources.

`iam:PermissionsBoundary` on what writes a role, `lambda:FunctionArn` on event source mappings, `sns:Endpoint` and
`sns:Protocol` on subscriptions, and, wherever a role is
handed to a service, the caller's right to pass it, with `iam:PassedToService`. A function and a policy that are being
made are checked by the name that they will have, not as "any"; reading, changing and deleting a mapping are actions;
batch calls need the right to the single call.
"""

import contextvars
import json

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam, lambda_svc

# AWS's list of the actions that know the key, as far as roles go.
_WRITES_ROLE = {
    "iam:AttachRolePolicy",
    "iam:DeleteRolePolicy",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DetachRolePolicy",
    "iam:PutRolePolicy",
}
_SETS_BOUNDARY = {"iam:CreateRole", "iam:PutRolePermissionsBoundary"}
_MAPPINGS = {
    "lambda:CreateEventSourceMapping",
    "lambda:DeleteEventSourceMapping",
    "lambda:GetEventSourceMapping",
    "lambda:UpdateEventSourceMapping",
}
# Who is handed a role by what, and the name of the role in the request.
_PASSES_ROLE = {
    "glue:CreateJob": ("glue.amazonaws.com", "Role"),
    "lambda:CreateFunction": ("lambda.amazonaws.com", "Role"),
    "lambda:UpdateFunctionConfiguration": ("lambda.amazonaws.com", "Role"),
    "states:CreateStateMachine": ("states.amazonaws.com", "roleArn"),
    "states:UpdateStateMachine": ("states.amazonaws.com", "roleArn"),
}

# The right to a batch is the right to its single call: IAM knows no other.
_BATCHES = {
    "sns:PublishBatch": "sns:Publish",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}

_request = contextvars.ContextVar("request", default=("", b"", {}))


def install():
    extract_resource_arn = iam_actions.extract_resource_arn
    request_tag_context = iam_actions.request_tag_context
    lambda_action = iam_actions._lambda_action
    enforce = iam_evaluator.enforce

    def noting(service, method, path, headers, body, params, region, account_id):
        _request.set((path, body, params))
        arn = extract_resource_arn(service, method, path, headers, body, params, region, account_id)
        return _arn_to_be(service, path, body, params) if arn == "*" else arn

    def with_keys(service, iam_action, body, params):
        return {**request_tag_context(service, iam_action, body, params), **condition_keys(iam_action)}

    def with_passed_role(access_key, iam_action, service, region, resource_arn="*", service_context=None):
        action = _BATCHES.get(iam_action, iam_action)
        denied = enforce(access_key, action, service, region, resource_arn, service_context)
        passed = None if denied else _passed_role(iam_action)
        if passed is None:
            return denied
        role, receiver = passed
        return enforce(access_key, "iam:PassRole", "iam", region, role, {"iam:PassedToService": receiver})

    iam_actions._lambda_action = lambda method, path: _mapping_action(method, path) or lambda_action(method, path)
    iam_actions.extract_resource_arn = noting
    iam_actions.request_tag_context = with_keys
    iam_evaluator.enforce = with_passed_role


def _mapping_action(method, path):
    """The action on one mapping, whose id ends the path."""
    if path.rstrip("/").rsplit("/", 2)[-2:-1] != ["event-source-mappings"]:
        return None
    verb = {"GET": "Get", "PUT": "Update", "DELETE": "Delete"}.get(method)
    return f"{verb}EventSourceMapping" if verb else None


def _arn_to_be(service, path, body, params):
    """The ARN of what a request is about to make, where its name stands in the body."""
    if service == "lambda" and path.rstrip("/").endswith("/functions"):
        name = _read(body).get("FunctionName")
        return f"arn:aws:lambda:{get_region()}:{get_account_id()}:function:{name}" if name else "*"
    if service == "iam" and iam_actions._query_param(params, "Action") == "CreatePolicy":
        return f"arn:aws:iam::{get_account_id()}:policy/{iam_actions._query_param(params, 'PolicyName')}"
    return "*"


def condition_keys(iam_action):
    path, body, params = _request.get()
    if iam_action in _SETS_BOUNDARY:
        return _present("iam:PermissionsBoundary", iam_actions._query_param(params, "PermissionsBoundary"))
    if iam_action in _WRITES_ROLE:
        role = iam._roles.get(iam_actions._query_param(params, "RoleName")) or {}
        return _present("iam:PermissionsBoundary", role.get("PermissionsBoundary"))
    if iam_action in _MAPPINGS:
        return _present("lambda:FunctionArn", _function_of_mapping(path, body))
    if iam_action == "sns:Subscribe":
        endpoint, protocol = (iam_actions._query_param(params, name) for name in ("Endpoint", "Protocol"))
        return _present("sns:Endpoint", endpoint) | _present("sns:Protocol", protocol)
    return {}


def _present(key, value):
    return {key: value} if value else {}


def _function_of_mapping(path, body):
    uuid = path.rstrip("/").rsplit("/", 1)[-1]
    if uuid != "event-source-mappings":
        return (lambda_svc._esms.get(uuid) or {}).get("FunctionArn")
    name = str(_read(body).get("FunctionName", ""))
    if not name or name.startswith("arn:"):
        return name
    return f"arn:aws:lambda:{get_region()}:{get_account_id()}:function:{name}"


def _passed_role(iam_action):
    """The ARN of the role that the request hands to a service, and the service."""
    if iam_action not in _PASSES_ROLE:
        return None
    receiver, field = _PASSES_ROLE[iam_action]
    role = str(_read(_request.get()[1]).get(field, ""))
    if not role:
        return None
    return (role if role.startswith("arn:") else f"arn:aws:iam::{get_account_id()}:role/{role}"), receiver


def _read(body):
    try:
        data = json.loads(body or b"{}")
    except (json.JSONDecodeError, UnicodeDecodeError):
        return {}
    return data if isinstance(data, dict) else {}
