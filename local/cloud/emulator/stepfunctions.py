"""Step Functions as on AWS: every call is made under the state machine's role, and Glue jobs can be waited for."""

import contextvars
import json
import time

from ministack.core.iam_actions import extract_resource_arn
from ministack.core.responses import get_account_id, get_region
from ministack.services import glue, lambda_svc, stepfunctions

from . import glue as glue_runs
from . import roles

_execution = contextvars.ContextVar("execution")
_POLL_SECONDS = 0.25


def install():
    execute_task, invoke, invoke_callback = (
        stepfunctions._execute_task,
        stepfunctions._invoke_resource,
        stepfunctions._invoke_with_callback,
    )
    run_distributed_map, read_items = stepfunctions._run_distributed_map, stepfunctions._read_map_items
    fail = stepfunctions._fail_execution

    def task(state, raw_input, execution, context):
        _execution.set(execution)
        return execute_task(state, raw_input, execution, context)

    def invoke_resource(resource, given):
        if is_stopped(_execution.get()):
            raise stepfunctions._ExecutionError("States.Runtime", "the execution was stopped")
        authorize(resource, given)
        return invoke(resource, given)

    def invoke_with_callback(resource, given, token, state):
        authorize(resource, given)
        return invoke_callback(resource, given, token, state)

    def distributed_map(state, raw_input, effective, iterator, execution, context):
        _execution.set(execution)
        require("states:StartExecution", "states", execution["stateMachineArn"])
        return run_distributed_map(state, raw_input, effective, iterator, execution, context)

    def read_map_items(reader, effective, context):
        given = stepfunctions._resolve_params_obj(
            reader.get("Parameters") or reader.get("Arguments") or {}, effective, context
        )
        bucket = f"arn:aws:s3:::{given.get('Bucket')}"
        if reader.get("Resource", "").endswith("s3:listObjectsV2"):
            require("s3:ListBucket", "s3", bucket, _listing(given))
        else:
            require("s3:GetObject", "s3", f"{bucket}/{given.get('Key')}")
        return read_items(reader, effective, context)

    def fail_execution(execution, error, cause):
        # What a stopped execution's last call comes to changes nothing about its end.
        if not is_stopped(execution):
            fail(execution, error, cause)

    stepfunctions._execute_task, stepfunctions._invoke_resource = task, invoke_resource
    stepfunctions._fail_execution = fail_execution
    stepfunctions._invoke_with_callback = invoke_with_callback
    stepfunctions._run_distributed_map, stepfunctions._read_map_items = distributed_map, read_map_items
    stepfunctions._SERVICE_DISPATCH["arn:aws:states:::glue:startJobRun"] = start_job_run
    publish = stepfunctions._SERVICE_DISPATCH["arn:aws:states:::sns:publish"]
    stepfunctions._SERVICE_DISPATCH["arn:aws:states:::sns:publish"] = lambda resource, given: publish(
        resource, with_attributes(given)
    )


def is_stopped(execution):
    """Whether an execution was aborted, by itself or with the execution whose Map Run it belongs to."""
    run = stepfunctions._map_runs.get(execution.get("mapRunArn"))
    whole = stepfunctions._executions.get(run["executionArn"]) if run else execution
    return whole["status"] == "ABORTED"


def require(action, service, resource, condition_keys=None):
    """Raise what a state machine sees when its role may not do this."""
    machine_arn = _execution.get()["stateMachineArn"]
    # A child execution of a Map Run belongs to `machine/label`.
    machine = stepfunctions._state_machines.get(machine_arn.partition("/")[0])
    reason = roles.denial(machine["roleArn"], machine["name"], action, service, resource, condition_keys)
    if reason:
        prefix = {"glue": "Glue", "lambda": "Lambda", "sns": "SNS", "sqs": "SQS", "s3": "S3"}.get(service, "States")
        raise stepfunctions._ExecutionError(f"{prefix}.AccessDeniedException", reason)


def authorize(resource, given):
    """Check the role for one integration; one whose rights are not known here is refused, not waved through."""
    condition_keys = _listing(given) if ":aws-sdk:s3:list" in resource else None
    for action, service, arn in required_rights(resource, given):
        require(action, service, arn, condition_keys)


def _listing(given):
    """The condition keys of a listing: a role may be bound to a prefix."""
    names = {"Prefix": "s3:prefix", "Delimiter": "s3:delimiter", "MaxKeys": "s3:max-keys"}
    return {key: str(given[name]) for name, key in names.items() if name in given}


def required_rights(resource, given):
    """The (action, service, resource ARN) triples that a task's call needs."""
    if ":activity:" in resource:
        return []
    if ":function:" in resource:
        return [("lambda:InvokeFunction", "lambda", _function_arn(resource))]
    kind = resource.removeprefix("arn:aws:states:::").removesuffix(".waitForTaskToken")
    if kind.startswith("lambda:invoke"):
        return [("lambda:InvokeFunction", "lambda", _function_arn(given.get("FunctionName", "")))]
    if kind == "sns:publish":
        return [("sns:Publish", "sns", given.get("TopicArn", ""))]
    if kind == "sqs:sendMessage":
        queue = given.get("QueueUrl", "").rsplit("/", 1)[-1]
        return [("sqs:SendMessage", "sqs", f"arn:aws:sqs:{get_region()}:{get_account_id()}:{queue}")]
    if kind.startswith("glue:startJobRun"):
        job = glue._arn("job", given.get("JobName", ""))
        actions = ["glue:StartJobRun"] + (["glue:GetJobRun"] if kind.endswith(".sync") else [])
        return [(action, "glue", job) for action in actions]
    if kind.startswith("states:startExecution"):
        return [("states:StartExecution", "states", given.get("StateMachineArn", ""))]
    if kind.startswith("aws-sdk:"):
        _, service, operation = kind.split(":")
        return [_sdk_right(service, operation, given)]
    raise stepfunctions._ExecutionError("States.Runtime", f"'{resource}' is not an integration of the local cloud")


def _function_arn(reference):
    return reference if reference.startswith("arn:") else lambda_svc._func_arn(reference)


_S3_ACTIONS = {"listObjectsV2": "s3:ListBucket", "listObjects": "s3:ListBucket", "headObject": "s3:GetObject"}


def _sdk_right(service, operation, given):
    name = operation[0].upper() + operation[1:]
    if service == "s3":
        action = _S3_ACTIONS.get(operation, f"s3:{name}")
        bucket = f"arn:aws:s3:::{given.get('Bucket', '')}"
        return action, "s3", bucket if "Key" not in given else f"{bucket}/{given['Key']}"
    known = stepfunctions._AWS_SDK_SERVICE_MAP.get(service, {})
    key = {"sfn": "states", "cloudwatchlogs": "logs"}.get(service, service)
    headers = {"x-amz-target": f"{known.get('target_prefix', '')}.{name}", "content-type": "application/x-amz-json-1.1"}
    query = {"Action": [name], **{field: [value] for field, value in given.items() if isinstance(value, str)}}
    arn = extract_resource_arn(
        key, "POST", "/", headers, json.dumps(given).encode(), query, get_region(), get_account_id()
    )
    return f"{key}:{name}", key, arn


def with_attributes(given):
    """Parameters of `sns:publish` with message attributes in the words of SNS's own protocol: it reads no others."""
    flat = {name: value for name, value in given.items() if name != "MessageAttributes"}
    for number, (name, attribute) in enumerate((given.get("MessageAttributes") or {}).items(), start=1):
        flat[f"MessageAttributes.entry.{number}.Name"] = name
        for field, value in attribute.items():
            flat[f"MessageAttributes.entry.{number}.Value.{field}"] = str(value)
    return flat


def start_job_run(resource, given):
    """`glue:startJobRun`, and its `.sync` form, which waits and fails as the real one does."""
    result = _call(glue._start_job_run, given)
    if not resource.endswith(".sync"):
        return result
    wanted = {"JobName": given["JobName"], "RunId": result["JobRunId"]}
    execution = _execution.get()
    while True:
        run = _call(glue._get_job_run, wanted)["JobRun"]
        if run["JobRunState"] not in glue_runs.ACTIVE:
            break
        if is_stopped(execution) and run["JobRunState"] != "STOPPING":
            require("glue:BatchStopJobRun", "glue", glue._arn("job", given["JobName"]))
            _call(glue._batch_stop_job_run, {"JobName": given["JobName"], "JobRunIds": [wanted["RunId"]]})
        time.sleep(_POLL_SECONDS)
    if run["JobRunState"] != "SUCCEEDED":
        raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(_described(run)))
    return _described(run)


def _described(run):
    """A run as Step Functions shows it: times in milliseconds."""
    times = {name: run[name] * 1000 for name in ("StartedOn", "LastModifiedOn", "CompletedOn") if run.get(name)}
    return {**run, **times}


def _call(operation, data):
    status, _, body = operation(data)
    answer = json.loads(body)
    if status >= 400:
        raise stepfunctions._ExecutionError(f"Glue.{answer['__type']}", answer.get("message", ""))
    return answer
