"""The job as AWS Glue starts it: arguments, Spark, one line for an error, an exit code."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from pyspark.sql import SparkSession

import script
from documentexchanger_glue.settings import Selection, Settings
from documentexchanger_glue.spark import spread_by
from documentexchanger_glue.threads import spread_over
from tests.cases import Case, fill
from tests.conftest import BUCKET, Exchange
from tests.servers import DatabaseServer

Make = Callable[..., Exchange]


def arguments_of(settings: Settings, **changes: str) -> list[str]:
    given = {
        "exchange_id": settings.exchange_id,
        "source_case_id": str(settings.source_case_id),
        "destination_case_id": str(settings.destination_case_id),
        "batch_id": settings.batch_id,
        "selection": '{"by": "all"}',
        "include_natives": "true",
        "metadata": json.dumps(sorted(settings.metadata)),
        "data_bucket": settings.data_bucket,
        "manifest_prefix": settings.manifest_prefix,
        "report_key": settings.report_key,
        "case_schema_prefix": settings.case_schema_prefix,
        "database_secret_id": settings.target_secret_id,
        "source_database_secret_id": settings.source_secret_id,
        "manifest_part_size": "3",
    }
    return [part for name, value in (given | changes).items() for part in (f"--{name}", value)]


@contextmanager
def job(
    folder: Path, arguments: list[str], log: Path, settings: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the script as a process of its own; nothing of it is left afterwards."""
    command = [sys.executable, str(folder / "script.py"), *arguments, "--JOB_NAME", "any"]
    environment = os.environ | {"PYTHONPATH": str(folder)} | (settings or {})
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        ) as process,
    ):
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="session", autouse=True)
def small_spark() -> None:
    """Two cores and no web page are enough for tests."""
    os.environ["PYSPARK_SUBMIT_ARGS"] = "--master local[2] --conf spark.ui.enabled=false pyspark-shell"
    os.environ["PYSPARK_PYTHON"] = sys.executable


def test_a_job_that_is_killed_half_way_is_completed_by_the_next(
    source: Case, target: Case, exchange: Make, server: DatabaseServer, package_folder: Path, tmp_path: Path
) -> None:
    # Prepare: somebody holds the user whom some of the rows refer to, so the first job stops in the middle.
    fill(source)
    target.add("users", email="ann@example.com", name="Ann")
    same = exchange(documents_per_part=3)
    arguments = arguments_of(same.settings, mover=same.mover)
    with closing(server.as_root()) as holder, job(package_folder, arguments, tmp_path / "first.log") as first:
        holder.select_db(f"case_{target.number}")
        holder.begin()
        holder.cursor().execute("SELECT id FROM users WHERE id = 1 FOR UPDATE")
        wait_until(lambda: len(target.rows("exhibits")) == 4, first, tmp_path / "first.log")
        # Act
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    assert target.rows("relevancy_logs") == []
    log = tmp_path / "second.log"
    with job(package_folder, arguments, log) as second:
        code = second.wait(120)
    # Assess
    assert code == 0, log.read_text()
    counts = {table: len(rows) for table, rows in source.fingerprint().items()}
    assert {table: len(rows) for table, rows in target.fingerprint().items()} == counts
    assert target.dangling() == []
    report = json.loads(same.objects()[same.settings.report_key])
    assert [report["rows"]["relevancy_logs"][side] for side in ("source", "target")] == [4, 4]
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    assert {(line["exchangeId"], line["caseId"], line["batchId"]) for line in lines} == {
        (same.settings.exchange_id, target.number, "b1")
    }
    assert "copier-pass" not in log.read_text()


def wait_until(works: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(1200):
        assert process.poll() is None, log.read_text()
        if works():
            return
        time.sleep(0.1)
    raise AssertionError("the job did not get there within two minutes")


def test_an_error_is_one_line_with_its_code_also_out_of_tasks(
    source: Case, target: Case, exchange: Make, capfd: pytest.CaptureFixture[str]
) -> None:
    # Prepare
    fill(source)
    target.run("ALTER TABLE documents MODIFY file_name VARCHAR(3) NOT NULL")
    same = exchange()
    # Act
    code = script.main(["script.py", *arguments_of(same.settings, mover=same.mover)])
    # Assess
    errors = [line for line in capfd.readouterr().out.splitlines() if line.startswith("ERROR")]
    assert code == 1
    assert errors == ["ERROR VALUE_REFUSED: a value does not fit column 'file_name' (copying table documents)"]


def test_a_selection_may_be_an_object(
    source: Case, target: Case, exchange: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Prepare
    fill(source)
    settings = exchange().settings
    key = f"exchanges/{settings.exchange_id}/selection.json"
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b'{"by": "documents", "documentIds": ["1", "2"]}')
    arguments = arguments_of(settings, selection_key=key)
    at = arguments.index("--selection")
    seen: list[Settings] = []
    monkeypatch.setattr(script, "copy", lambda settings, _log: seen.append(settings))
    # Act
    code = script.main(["script.py", *arguments[:at], *arguments[at + 2 :]])
    # Assess
    assert code == 0
    assert [one.selection for one in seen] == [Selection("documents", (1, 2))]
    assert target.rows("documents") == []


@pytest.mark.parametrize("mover", ["server_side"], indirect=True)
def test_cases_on_one_server_need_no_spark(
    source: Case, target: Case, exchange: Make, package_folder: Path, tmp_path: Path
) -> None:
    # Prepare
    fill(source)
    arguments, log = arguments_of(exchange().settings), tmp_path / "log"
    # Act
    with job(package_folder, arguments, log, {"JAVA_HOME": str(tmp_path), "SPARK_HOME": str(tmp_path)}) as process:
        code = process.wait(120)
    # Assess
    assert code == 0, log.read_text()
    assert len(target.rows("documents")) == 4


@pytest.mark.parametrize("mover", ["streaming"], indirect=True)
@pytest.mark.parametrize("few", [0, 1000])
def test_streamed_rows_are_the_same_whether_they_pass_through_tasks_of_spark(
    source: Case, target: Case, exchange: Make, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    # Prepare
    fill(source)
    monkeypatch.setattr(script, "_FEW", few)
    same = exchange()
    # Act
    code = script.main(["script.py", *arguments_of(same.settings, mover=same.mover)])
    # Assess
    assert code == 0
    counts = {table: len(rows) for table, rows in source.fingerprint().items()}
    assert {table: len(rows) for table, rows in target.fingerprint().items()} == counts
    assert target.dangling() == []


def test_results_come_in_the_order_of_the_items() -> None:
    # Prepare
    session = SparkSession.builder.getOrCreate()
    spread: Callable[..., list[Any]] = spread_by(session)
    # Act
    results = spread(lambda number: number * 2, [3, 1, 2])
    nothing = spread(lambda number: number, [])
    session.stop()
    # Assess
    assert (results, nothing) == ([6, 2, 4], [])


def test_threads_give_results_in_order_and_begin_nothing_after_an_error() -> None:
    # Prepare
    begun: list[int] = []

    def halve(number: int) -> int:
        begun.append(number)
        if number % 2:
            raise ValueError(number)
        return number // 2

    spread: Callable[..., list[Any]] = spread_over(1)
    # Act
    results, nothing = spread(halve, [6, 2, 4]), spread(halve, [])
    with pytest.raises(ValueError, match="3"):
        spread(halve, [3, *range(100, 200, 2)])
    # Assess
    assert (results, nothing) == ([3, 1, 2], [])
    assert len(begun) < 50


def test_an_exchange_is_taken_out_by_the_same_arguments_and_one_more(
    source: Case, target: Case, exchange: Make
) -> None:
    # Prepare
    fill(source)
    before = target.fingerprint()
    same = exchange()
    same.run()
    # Act
    code = script.main(["script.py", *arguments_of(same.settings, remove="true")])
    # Assess
    assert code == 0
    assert target.fingerprint() == before
    assert [key.rpartition("/")[2] for key in same.objects()] == ["removed.json"]
