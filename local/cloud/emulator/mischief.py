"""What AWS does not promise to leave out: duplicates, any order, counters that lag, functions that die in mid-batch.

Off unless the parent lays `mischief.json` into the cloud's folder; it is over when that is gone. What has struck is
appended to `mischief.log`, a line each. Keys of the file, all optional:

`duplicates`: every message is delivered once more after it was deleted. `reorder`: a seed; standard queues deliver in
another order. `counterLagSeconds`: queue attributes tell the depths of so long ago. `refusedEntries`: so many entries
of batch sends are answered as failed. `function`: `{"prefix", "call", "occurrence", "does"}`: strikes a function whose
name begins so when it makes that call, an IAM action, for the n-th time; with `"call": "begin"` before its work (it
pauses), with `"answer"` when that is done. `"does": "die"`: its process is killed; the call takes effect, and nobody
hears of it. `"pause"`: it stands still for `seconds`. `"refused"`: the call is denied. With `"always": true` the same
is done each time it makes that call on that resource again. What it could not do is visible in its queue again at once,
as if the visibility timeout had passed.
"""

import json
import random
import signal
import threading
import time
from collections import Counter, deque
from pathlib import Path

from ministack.core import iam_evaluator, lambda_runtime
from ministack.services import lambda_svc, sqs, sts

_DEPTHS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
_MARK = "delivered_twice"


class Mischief:
    """The settings as the file has them now, and what has happened under them."""

    def __init__(self, folder):
        self.file, self.log = Path(folder) / "mischief.json", Path(folder) / "mischief.log"
        self._lock = threading.Lock()
        self._version = None
        self._begin({})

    def _begin(self, settings):
        self._settings = settings
        self.calls = Counter()
        self.struck_functions = set()
        self.poison = None
        self.depths = {}
        self.random = random.Random(settings.get("reorder"))

    def __getitem__(self, name):
        """The value of a setting; None while it is off."""
        with self._lock:
            try:
                version = self.file.stat().st_mtime_ns
            except FileNotFoundError:
                version = None
            if version != self._version:
                self._begin({} if version is None else json.loads(self.file.read_text()))
                self._version = version
            return self._settings.get(name)

    def struck(self, what):
        with self._lock, self.log.open("a") as log:
            log.write(f"{what}\n")

    def counts_to(self, most, call):
        """The how manieth such call this is, unless it is beyond the number that is of interest."""
        with self._lock:
            self.calls[call] += 1
            return self.calls[call] if self.calls[call] <= most else None


def install(folder):
    mischief = Mischief(folder)
    _duplicate(mischief)
    _reorder(mischief)
    _let_counters_lag(mischief)
    _refuse_entries(mischief)
    _strike_functions(mischief)


def _duplicate(mischief):
    """A message that has been deleted comes once more: its deletion was not known everywhere yet."""
    delete_for_mapping = sqs._delete_messages_for_esm

    def again(queue, handles):
        if not mischief["duplicates"] or queue.get("is_fifo"):
            return
        for message in [message for message in queue["messages"] if message.get("receipt_handle") in handles]:
            if message.get(_MARK):
                continue
            queue["messages"].append(
                {**message, _MARK: True, "receipt_handle": None, "receive_count": 0, "visible_at": time.time()}
            )
            mischief.struck("duplicate")

    def delete_all(queue_url, receipt_handles):
        again(sqs._get_q(queue_url), set(receipt_handles))
        delete_for_mapping(queue_url, receipt_handles)

    def before(action, handles_of):
        def handler(data, queue_url):
            again(sqs._get_q(data.get("QueueUrl", queue_url)), handles_of(data))
            return action(data, queue_url)

        return handler

    sqs._delete_messages_for_esm = delete_all
    for name, handles_of in (
        ("DeleteMessage", lambda data: {data.get("ReceiptHandle")} - {None}),
        ("DeleteMessageBatch", lambda data: {entry.get("ReceiptHandle") for entry in data.get("Entries", [])} - {None}),
    ):
        sqs._HANDLERS[name] = before(sqs._HANDLERS[name], handles_of)


def _reorder(mischief):
    collect = sqs._collect_msgs

    def collect_in_any_order(queue, most, visibility):
        if mischief["reorder"] is not None and not queue.get("is_fifo") and len(queue["messages"]) > 1:
            mischief.random.shuffle(queue["messages"])
            mischief.struck("reordered")
        return collect(queue, most, visibility)

    sqs._collect_msgs = collect_in_any_order


def _let_counters_lag(mischief):
    refresh = sqs._refresh_counts

    def refresh_late(queue):
        refresh(queue)
        lag = mischief["counterLagSeconds"]
        if not lag:
            return
        attributes, now = queue["attributes"], time.monotonic()
        true = {name: attributes[name] for name in _DEPTHS}
        # A queue of which nothing is known yet looks as empty as it was when it was made.
        known = mischief.depths.setdefault(
            attributes["QueueArn"], deque([(float("-inf"), dict.fromkeys(_DEPTHS, "0"))])
        )
        known.append((now, true))
        while len(known) > 1 and known[1][0] <= now - lag:
            known.popleft()
        if known[0][1] != true:
            mischief.struck("late counters")
        attributes.update(known[0][1])

    sqs._refresh_counts = refresh_late


def _refuse_entries(mischief):
    send = sqs._HANDLERS["SendMessageBatch"]

    def send_some(data, queue_url):
        entries = data.get("Entries", [])
        most = mischief["refusedEntries"] or 0
        refused = [entry for entry in entries if mischief.counts_to(most, "refused entries")]
        if not refused:
            return send(data, queue_url)
        mischief.struck(f"refused {len(refused)} entries")
        rest = [entry for entry in entries if entry not in refused]
        answer = send({**data, "Entries": rest}, queue_url) if rest else {"Successful": [], "Failed": []}
        failed = [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in refused]
        return {**answer, "Failed": [*answer.get("Failed", []), *failed]}

    sqs._HANDLERS["SendMessageBatch"] = send_some


def _strike_functions(mischief):
    enforce, invoke, run_batch = iam_evaluator.enforce, lambda_runtime.Worker.invoke, lambda_svc._run_sqs_batch

    def due(function, call, resource=None):
        """What the settings want done to the function at this call."""
        settings = mischief["function"] if function else None
        if not settings or settings["call"] != call or not function.startswith(settings["prefix"]):
            return None
        again = mischief.poison is not None and resource == mischief.poison
        if not again and mischief.counts_to(settings["occurrence"], call) != settings["occurrence"]:
            return None
        if settings.get("always"):
            mischief.poison = resource
        mischief.struck_functions.add(function)
        mischief.struck(f"{settings['does']} {function}")
        return settings

    def strike(processes, settings):
        if settings["does"] == "die":
            _signal(processes, signal.SIGKILL)
        if settings["does"] == "pause":
            _signal(processes, signal.SIGSTOP)
            threading.Timer(settings["seconds"], _signal, (processes, signal.SIGCONT)).start()

    def watching(access_key, iam_action, service, region, resource_arn="*", service_context=None):
        function = _function_of(access_key)
        settings = due(function, iam_action, resource_arn)
        if settings:
            strike(_processes_with(access_key), settings)
        action = "mischief:Refuse" if settings and settings["does"] == "refused" else iam_action
        return enforce(access_key, action, service, region, resource_arn, service_context)

    def invoke_and_strike(worker, *given, **named):
        late = due(worker.func_name, "begin")
        if late:
            time.sleep(late["seconds"])
        answer = invoke(worker, *given, **named)
        settings = due(worker.func_name, "answer")
        if not settings:
            return answer
        strike([worker._proc], settings)
        if settings["does"] == "pause":
            time.sleep(settings["seconds"])
            return answer
        return {"status": "error", "error": "Worker process died", "cold_start": False, "log": ""}

    def run(mapping, function, event, batch, queue_url, queue_name):
        result = run_batch(mapping, function, event, batch, queue_url, queue_name)
        if mapping["FunctionName"] in mischief.struck_functions:
            # Those that were done with are in no queue any more.
            for message in batch:
                message["visible_at"] = time.time()
        return result

    iam_evaluator.enforce, lambda_runtime.Worker.invoke, lambda_svc._run_sqs_batch = watching, invoke_and_strike, run


def _signal(processes, number):
    for process in processes:
        if process.poll() is None:
            process.send_signal(number)


def _processes_with(access_key):
    """Those of functions that call with these credentials: one, since each has its own."""
    with lambda_runtime._lock:
        workers = [worker for workers in lambda_runtime._workers.values() for worker in workers]
    return [worker._proc for worker in workers if worker._proc and _has_in_environment(worker._proc, access_key)]


def _has_in_environment(process, value):
    try:
        return value.encode() in Path(f"/proc/{process.pid}/environ").read_bytes()
    except OSError:
        return False


def _function_of(access_key):
    """The name of the function whose credentials these are; nothing for anybody else's."""
    session = sts._sessions.get(access_key) or {}
    _, found, names = str(session.get("Arn", "")).partition(":assumed-role/")
    return names.rpartition("/")[2] if found else ""
