"""Private names of MiniStack that the local cloud builds on; a release that lacks one is refused at start."""

import importlib
import operator

VERSION = "1.5.33"

NAMES = {
    "ministack.app": ["main"],
    "ministack.core.iam_actions": ["_lambda_action", "_query_param", "extract_resource_arn", "request_tag_context"],
    "ministack.core.iam_evaluator": [
        "AuthError",
        "_anonymous",
        "_signed_request",
        "enforce",
        "is_root_access_key",
    ],
    "ministack.core.lambda_runtime": [
        "Worker",
        "Worker._read_stderr",
        "Worker.invoke",
        "_lock",
        "_workers",
        "execution_credentials",
        "reset",
    ],
    "ministack.core.responses": ["error_response_json", "get_account_id", "get_region", "json_response"],
    "ministack.services.cloudwatch_logs": ["_log_groups"],
    "ministack.services.glue": [
        "_arn",
        "_batch_stop_job_run",
        "_create_job",
        "_get_job_run",
        "_is_spark_job",
        "_job_runs",
        "_jobs",
        "_script_args",
        "_start_job_run",
        "_tags",
        "_update_job",
    ],
    "ministack.services.iam": ["_roles"],
    "ministack.services.lambda_svc": [
        "_create_esm",
        "_emit_lambda_logs",
        "_esm_backoff_until",
        "_esms",
        "_func_arn",
        "_get_func_record_for_ref",
        "_resolve_existing_esm_function",
        "_run_sqs_batch",
    ],
    "ministack.services.s3": ["_get_object"],
    "ministack.services.sqs": ["_HANDLERS", "_collect_msgs", "_delete_messages_for_esm", "_get_q", "_refresh_counts"],
    "ministack.services.stepfunctions": [
        "_AWS_SDK_SERVICE_MAP",
        "_SERVICE_DISPATCH",
        "_ExecutionError",
        "_execute_task",
        "_executions",
        "_fail_execution",
        "_invoke_resource",
        "_invoke_with_callback",
        "_map_runs",
        "_read_map_items",
        "_resolve_params_obj",
        "_run_distributed_map",
        "_state_machines",
    ],
    "ministack.services.sts": ["_sessions", "is_root_access_key", "register_session"],
}


class IncompatibleEmulator(Exception):
    """The installed MiniStack is not the one that the local cloud was built for."""


def missing_names(names=None):
    """Names, as `module.name`, that the installed MiniStack does not have."""
    missing = []
    for module_name, attributes in (names or NAMES).items():
        try:
            module = importlib.import_module(module_name)
        except ImportError:
            missing.append(module_name)
            continue
        missing += [f"{module_name}.{attribute}" for attribute in attributes if not _has(module, attribute)]
    return missing


def _has(module, attribute):
    try:
        operator.attrgetter(attribute)(module)
    except AttributeError:
        return False
    return True


def check():
    missing = missing_names()
    if missing:
        raise IncompatibleEmulator(
            f"ministack lacks {', '.join(missing)}: install version {VERSION}, which the local cloud is built for"
        )
