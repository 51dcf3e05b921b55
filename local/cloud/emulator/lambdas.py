"""Lambdas as on AWS: a mapping reads its queue with the rights of the function's role, and what they print is kept."""

import re
import time

from ministack.core import lambda_runtime
from ministack.core.responses import error_response_json
from ministack.services import cloudwatch_logs, lambda_svc

from . import roles

_READING = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
_BACKOFF_SECONDS = 2.0


def install(logs):
    _keep_logs(logs)
    # Each environment has a session of its own, by which its calls can be told from those of another.
    lambda_runtime.execution_credentials = lambda config: roles.session(config["Role"], config["FunctionName"])
    create_mapping, run_batch = lambda_svc._create_esm, lambda_svc._run_sqs_batch
    write_logs = lambda_svc._emit_lambda_logs

    def create(data):
        queue = data.get("EventSourceArn", "")
        name, _, error = lambda_svc._resolve_existing_esm_function(data.get("FunctionName", ""))
        if error is None and queue.startswith("arn:aws:sqs:"):
            _, config, _ = lambda_svc._get_func_record_for_ref(name)
            action = _refused(config["Role"], queue)
            if action:
                operation = action.removeprefix("sqs:")
                message = f"The function execution role does not have permissions to call {operation} on SQS"
                return error_response_json("InvalidParameterValueException", message, 400)
        return create_mapping(data)

    def run(mapping, function, event, batch, queue_url, queue_name):
        action = _refused(function["config"]["Role"], mapping["EventSourceArn"])
        if action is None:
            return run_batch(mapping, function, event, batch, queue_url, queue_name)
        mapping["LastProcessingResult"] = f"PROBLEM: the function's role may not {action} on {queue_name}"
        lambda_svc._esm_backoff_until[mapping["UUID"]] = time.time() + _BACKOFF_SECONDS
        return None

    def emit(function, *args, **kwargs):
        # A group that was named is made by who named it: a late line does not bring one back that is gone.
        config = function.get("config") or function
        group = (config.get("LoggingConfig") or {}).get("LogGroup")
        if group is None or group in cloudwatch_logs._log_groups:
            write_logs(function, *args, **kwargs)

    lambda_svc._create_esm, lambda_svc._run_sqs_batch, lambda_svc._emit_lambda_logs = create, run, emit


def _refused(role, queue):
    """The first right to read a queue that a role lacks."""
    return next((action for action in _READING if roles.denial(role, "lambda-poller", action, "sqs", queue)), None)


def _keep_logs(folder):
    folder.mkdir(parents=True, exist_ok=True)

    def read(worker):
        name = re.sub(r"[^A-Za-z0-9_-]", "_", worker.func_name)
        process, lines = worker._proc, worker._stderr_queue
        try:
            with (folder / f"{name}.log").open("a", encoding="utf-8") as log:
                for line in process.stderr:
                    log.write(line)
                    log.flush()
                    lines.put(line.rstrip("\n"))
        except (OSError, ValueError):
            # The worker was killed while it wrote: there is nothing more to keep.
            return

    lambda_runtime.Worker._read_stderr = read
