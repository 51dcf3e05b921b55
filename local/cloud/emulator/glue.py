"""Glue jobs as real Python processes under the credentials of the job's own role, with a Spark that is really there.

Spark starts when the script asks for its session, as `spark-submit` would have started it; a script that asks for none
costs no JVM.
"""

import contextlib
import contextvars
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from ministack.core.responses import error_response_json, get_region, json_response
from ministack.services import glue, s3

from . import roles

ACTIVE = ("STARTING", "RUNNING", "STOPPING")
_TAIL_BYTES = 6000
_GRACE_SECONDS = 2.0

_processes: dict[str, subprocess.Popen] = {}
_stopping: set[str] = set()
_lock = threading.Lock()


class Settings:
    """Set by `install`: where runs keep their files, and how long Glue's minute is."""

    folder: Path
    logs: Path
    endpoint: str
    guard: str
    minute_seconds: float


def install(folder, logs, endpoint, guard, minute_seconds=60.0):
    Settings.folder, Settings.logs = folder, logs
    Settings.endpoint, Settings.guard, Settings.minute_seconds = endpoint, guard, minute_seconds
    create_job, update_job = glue._create_job, glue._update_job

    def create(data):
        response = create_job(data)
        job = glue._jobs.get(data.get("Name"))
        if response[0] == 200:
            job["ExecutionProperty"] = data.get("ExecutionProperty") or {"MaxConcurrentRuns": 1}
            glue._tags[glue._arn("job", job["Name"])] = dict(data.get("Tags") or {})
        return response

    def update(data):
        response = update_job(data)
        if response[0] == 200 and "ExecutionProperty" in data.get("JobUpdate", {}):
            glue._jobs[data["JobName"]]["ExecutionProperty"] = data["JobUpdate"]["ExecutionProperty"]
        return response

    glue._create_job, glue._update_job = create, update
    start_job_run = glue._start_job_run

    def start(data):
        job = glue._jobs.get(data.get("JobName"))
        if job is None or not glue._is_spark_job(job):
            return start_job_run(data)
        return _start(job, data)

    glue._start_job_run, glue._batch_stop_job_run = start, _batch_stop


def _start(job, data):
    name, arguments = job["Name"], data.get("Arguments") or {}
    run_id = "jr_" + os.urandom(32).hex()
    now = int(time.time())
    run = {
        "Id": run_id,
        "JobName": name,
        "JobRunState": "STARTING",
        "StartedOn": now,
        "LastModifiedOn": now,
        "Arguments": {**job.get("DefaultArguments", {}), **arguments},
        "PredecessorRuns": [],
        "Attempt": 0,
        "ExecutionTime": 0,
        "Timeout": data.get("Timeout") or job.get("Timeout") or 2880,
        "WorkerType": data.get("WorkerType") or job.get("WorkerType"),
        "NumberOfWorkers": data.get("NumberOfWorkers") or job.get("NumberOfWorkers"),
        "GlueVersion": job.get("GlueVersion"),
        "LogGroupName": "/aws-glue/jobs",
    }
    limit = int(job.get("ExecutionProperty", {}).get("MaxConcurrentRuns", 1))
    with _lock:
        runs = glue._job_runs.setdefault(name, [])
        if sum(other["JobRunState"] in ACTIVE for other in runs) >= limit:
            message = f"Concurrent runs exceeded for {name}: at most {limit} at once"
            return error_response_json("ConcurrentRunsExceededException", message, 400)
        runs.insert(0, run)
    script_arguments = glue._script_args(job, name, run_id, arguments)
    body = contextvars.copy_context().run
    threading.Thread(target=body, args=(_execute, run, dict(job), script_arguments), daemon=True).start()
    return json_response({"JobRunId": run_id})


def _execute(run, job, arguments):
    """The whole life of a run; whatever happens, it ends in a final state."""
    folder = Settings.folder / run["Id"]
    state, message = "FAILED", ""
    try:
        folder.mkdir(parents=True)
        command, spark = _command(job, arguments, folder)
        state, message = _run_process(run, command, _environment(run, job, folder) | spark)
    except Exception as error:
        message = f"{type(error).__name__}: {error}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    now = int(time.time())
    if message:
        run["ErrorMessage"] = message
    run.update(CompletedOn=now, LastModifiedOn=now, ExecutionTime=now - run["StartedOn"], JobRunState=state)
    with _lock:
        _stopping.discard(run["Id"])


def spark_environment(python_files=(), jars=(), files=(), configuration=()):
    """What `spark-submit` would have been told, for the Spark that a Python process starts by itself."""
    options = ["--master", "local[2]"]
    settings = ["spark.ui.enabled=false", "spark.driver.bindAddress=127.0.0.1", "spark.driver.host=127.0.0.1"]
    for setting in [*settings, *configuration]:
        options += ["--conf", setting]
    for option, values in (("--py-files", python_files), ("--jars", jars), ("--files", files)):
        if values:
            options += [option, ",".join(map(str, values))]
    # A module is found in its folder, a package in its archive.
    modules = [path.parent if path.suffix == ".py" else path for path in map(Path, python_files)]
    return {
        "PYSPARK_SUBMIT_ARGS": shlex.join([*options, "pyspark-shell"]),
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(map(str, modules))),
    }


def _command(job, arguments, folder):
    """The script's own command, its arguments in their order as Glue gives them, and what its Spark is told."""
    script = _download(job.get("Command", {}).get("ScriptLocation", ""), folder)
    extras = {
        option: [_download(uri, folder) for uri in arguments.get(argument, "").split(",") if uri]
        for option, argument in (
            ("python_files", "--extra-py-files"),
            ("jars", "--extra-jars"),
            ("files", "--extra-files"),
        )
    }
    # Glue takes several Spark settings in one argument: "a=b --conf c=d".
    configuration = [part.strip() for part in arguments.get("--conf", "").split("--conf") if part.strip()]
    given = [part for name, value in arguments.items() for part in (name, str(value))]
    return [sys.executable, str(script), *given], spark_environment(configuration=configuration, **extras)


def _download(uri, folder):
    if not uri.startswith("s3://"):
        raise ValueError(f"'{uri}' is not an S3 address: give the job s3://bucket/key")
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    status, _, body = s3._get_object(bucket, key, {}, {})
    if status != 200:
        raise FileNotFoundError(f"{uri} cannot be read: upload it before the job runs")
    target = folder / key.rsplit("/", 1)[-1]
    target.write_bytes(bytes(body))
    return target


def _environment(run, job, folder):
    """Nothing of the service's own environment but what a process needs to run at all."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL", "JAVA_HOME") if name in os.environ}
    return {
        **kept,
        **roles.session(job["Role"], f"GlueJobRunnerSession-{run['Id'][:16]}"),
        "AWS_ENDPOINT_URL": Settings.endpoint,
        "AWS_REGION": get_region(),
        "AWS_DEFAULT_REGION": get_region(),
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONUNBUFFERED": "1",
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder),
        "TMPDIR": str(folder),
        "_JAVA_OPTIONS": f"-Djava.io.tmpdir={folder} -XX:-UsePerfData",
    }


def _run_process(run, command, environment):
    """Run to the end, to the time limit or to a stop; returns the final state and its message."""
    log = Settings.logs / f"{run['Id']}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output, _lock:
        if run["Id"] in _stopping:
            return "STOPPED", ""
        process = subprocess.Popen(
            [Settings.guard, *command],
            cwd=environment["TMPDIR"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        _processes[run["Id"]] = process
        run["JobRunState"] = "RUNNING"
    try:
        code = process.wait(timeout=run["Timeout"] * Settings.minute_seconds)
    except subprocess.TimeoutExpired:
        _kill(process)
        return "TIMEOUT", f"Job run exceeded its timeout of {run['Timeout']} minutes"
    finally:
        with _lock:
            _processes.pop(run["Id"], None)
        process.stdin.close()
    if run["Id"] in _stopping:
        return "STOPPED", ""
    if code == 0:
        return "SUCCEEDED", ""
    return "FAILED", failure_message(log.read_bytes(), code, log)


def failure_message(output, code, log):
    """What to show of a failed run: the exception if there is one, then the end of the log."""
    text = output[-_TAIL_BYTES:].decode("utf-8", "replace").strip()
    _, found, traceback = text.rpartition("Traceback (most recent call last):")
    raised = [line for line in traceback.splitlines() if line and not line[0].isspace()] if found else []
    reason = raised[0] if raised else f"Command failed with exit code {code}"
    return f"{reason} (whole log: {log})\n{text}"


def _kill(process):
    """End a run's whole process group; SIGKILL is for those who do not go."""
    for number, patience in ((signal.SIGTERM, _GRACE_SECONDS), (signal.SIGKILL, _GRACE_SECONDS)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            continue
    # The group's leader is gone; its children may still be there.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def stop(run):
    """Ask a run to stop; its own thread brings it to STOPPED. False when it has ended already."""
    with _lock:
        if run["JobRunState"] not in ("STARTING", "RUNNING"):
            return False
        _stopping.add(run["Id"])
        run["JobRunState"] = "STOPPING"
        process = _processes.get(run["Id"])
    if process is not None:
        threading.Thread(target=_kill, args=(process,), daemon=True).start()
    return True


def _batch_stop(data):
    name = data.get("JobName")
    runs = {run["Id"]: run for run in glue._job_runs.get(name, [])}
    stopped, errors = [], []
    for run_id in data.get("JobRunIds", []):
        entry = {"JobName": name, "JobRunId": run_id}
        if run_id not in runs:
            detail = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": f"JobRun {run_id} not found"}
            errors.append({**entry, "ErrorDetail": detail})
        elif stop(runs[run_id]):
            stopped.append(entry)
        else:
            message = f"Job run {run_id} is in state {runs[run_id]['JobRunState']}"
            detail = {"ErrorCode": "InvalidInputException", "ErrorMessage": message}
            errors.append({**entry, "ErrorDetail": detail})
    return json_response({"SuccessfulSubmissions": stopped, "Errors": errors})


def kill_all():
    """End every run at once, for the end of the service."""
    with _lock:
        processes = list(_processes.values())
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
