"""Arguments and secrets: what is understood, and what is refused by name."""

import json
import sys
from types import ModuleType
from typing import Any

import boto3
import pytest

from documentexchanger_glue import secrets, storage
from documentexchanger_glue.domain import METADATA
from documentexchanger_glue.errors import CopyError, InvalidInputError
from documentexchanger_glue.secrets import Login, fetch_login, parse_login
from documentexchanger_glue.settings import Selection, given_arguments, parse_selection, settings_from
from tests.conftest import BUCKET

GIVEN = {
    "exchange_id": "0b5d2b1e-7c1f-4c1e-9a52-0d1c2b3a4f5e",
    "source_case_id": "1",
    "destination_case_id": "2",
    "batch_id": "b1",
    "selection": '{"by": "all"}',
    "include_natives": "false",
    "metadata": '["issues"]',
    "data_bucket": "data",
    "manifest_prefix": "exchanges/x/manifest",
    "report_key": "exchanges/x/report.json",
    "case_schema_prefix": "case",
    "database_secret_id": "secret",
}


def no_object(_bucket: str, _key: str) -> str:
    raise AssertionError("nothing should be read")


def test_arguments_become_settings() -> None:
    # Act
    settings = settings_from(GIVEN, no_object)
    # Assess
    assert settings.source_schema == "case_1"
    assert settings.target_schema == "case_2"
    assert settings.selection == Selection("all")
    assert settings.metadata == {"issues"}
    assert settings.manifest_prefix == "exchanges/x/manifest/"
    assert (settings.source_secret_id, settings.target_secret_id) == ("secret", "secret")
    assert (settings.include_natives, settings.documents_per_part, settings.mover) == (False, 500, "auto")
    assert (settings.annotated, settings.exclude_privileged) == (False, False)


def test_what_is_left_out_is_part_of_what_was_asked_for() -> None:
    # Act
    plain, annotated, excluding = (
        settings_from(GIVEN | more, no_object) for more in ({}, {"annotated": "true"}, {"exclude_privileged": "true"})
    )
    # Assess
    assert (annotated.annotated, excluding.exclude_privileged) == (True, True)
    assert len({plain.request_hash, annotated.request_hash, excluding.request_hash}) == 3


@pytest.mark.parametrize("way", ["apart", "together"])
def test_arguments_are_read_among_those_of_the_service(way: str) -> None:
    # Prepare
    pairs = GIVEN | {"JOB_NAME": "copy", "selection_key_of_others": "x"}
    argv = [f"--{n}={v}" for n, v in pairs.items()]
    if way == "apart":
        argv = [part for n, v in pairs.items() for part in (f"--{n}", v)]
    # Act
    read = given_arguments(["script.py", *argv])
    # Assess
    assert read == GIVEN


def test_arguments_are_read_by_the_service_s_own_reader_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    # Prepare
    asked: list[Any] = []
    utils = ModuleType("awsglue.utils")

    def resolved(argv: list[str], names: list[str]) -> dict[str, str]:
        asked.append((argv, names))
        return {**GIVEN, "JOB_RUN_ID": "jr_1"}

    utils.getResolvedOptions = resolved  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "awsglue", ModuleType("awsglue"))
    monkeypatch.setitem(sys.modules, "awsglue.utils", utils)
    argv = ["script.py", *(part for n, v in GIVEN.items() for part in (f"--{n}", v))]
    # Act
    read = given_arguments(argv)
    # Assess
    assert read == GIVEN
    assert [(given, sorted(names)) for given, names in asked] == [(argv, sorted(GIVEN))]


def test_missing_arguments_are_named() -> None:
    # Act
    with pytest.raises(InvalidInputError) as caught:
        given_arguments(["script.py", "--exchange_id", "x"])
    # Assess
    assert caught.value.code == "ARGUMENT_MISSING"
    assert "--source_case_id, --destination_case_id" in caught.value.message


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"exchange_id": "one"}, "ARGUMENT_INVALID"),
        ({"source_case_id": "0"}, "ARGUMENT_INVALID"),
        ({"source_case_id": "1; DROP"}, "ARGUMENT_INVALID"),
        ({"source_case_id": "2147483648"}, "ARGUMENT_INVALID"),
        ({"destination_case_id": "1"}, "SAME_CASE"),
        ({"batch_id": "a/b"}, "ARGUMENT_INVALID"),
        ({"include_natives": "yes"}, "ARGUMENT_INVALID"),
        ({"exclude_privileged": "yes"}, "ARGUMENT_INVALID"),
        ({"metadata": "[1]"}, "METADATA_INVALID"),
        ({"metadata": "{"}, "METADATA_INVALID"),
        ({"metadata": '["smells"]'}, "METADATA_INVALID"),
        ({"data_bucket": ""}, "ARGUMENT_INVALID"),
        ({"case_schema_prefix": "a`b"}, "ARGUMENT_INVALID"),
        ({"manifest_part_size": "0"}, "ARGUMENT_INVALID"),
        ({"mover": "fastest"}, "ARGUMENT_INVALID"),
        ({"selection_key": "too"}, "SELECTION_INVALID"),
    ],
)
def test_wrong_arguments_are_refused(changes: dict[str, str], code: str) -> None:
    # Act
    with pytest.raises(InvalidInputError) as caught:
        settings_from(GIVEN | changes, no_object)
    # Assess
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("text", "selection"),
    [
        ('{"by": "all"}', Selection("all")),
        ('{"by": "label", "labelId": "7"}', Selection("label", (7,))),
        ('{"by": "folder", "folderTagId": "18446744073709551615"}', Selection("folder", ((1 << 64) - 1,))),
        ('{"by": "documents", "documentIds": ["3", "1", "3"]}', Selection("documents", (1, 3))),
    ],
)
def test_each_kind_of_selection_is_understood(text: str, selection: Selection) -> None:
    assert parse_selection(text) == selection


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "nonsense",
        '{"by": "label"}',
        '{"by": "label", "labelId": 7}',
        '{"by": "label", "labelId": "7 OR 1"}',
        '{"by": "documents", "documentIds": []}',
        '{"by": "all", "labelId": "7"}',
        '{"by": "magic"}',
    ],
)
def test_selections_of_another_shape_are_refused(text: str) -> None:
    # Act
    with pytest.raises(InvalidInputError) as caught:
        parse_selection(text)
    # Assess
    assert caught.value.code == "SELECTION_INVALID"


def test_a_run_that_asks_for_the_same_has_the_same_hash() -> None:
    # Prepare
    one = settings_from(GIVEN | {"metadata": json.dumps(list(METADATA))}, no_object)
    same = settings_from(GIVEN | {"metadata": json.dumps(list(METADATA)[::-1])}, no_object)
    other = settings_from(GIVEN | {"include_natives": "true"}, no_object)
    # Assess
    assert one.request_hash == same.request_hash != other.request_hash


def test_a_secret_in_the_shape_of_rds_is_understood_and_never_shown() -> None:
    # Prepare
    given = {"engine": "mysql", "host": "db", "port": "3306", "username": "copier", "password": "hunter2"}
    # Act
    login = parse_login("s", json.dumps(given))
    # Assess
    assert login == Login("db", 3306, "copier", "hunter2")
    assert "hunter2" not in repr(login)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("hunter2", "JSON object"),
        ('["hunter2"]', "JSON object"),
        ('{"host": "db", "port": 1, "username": "u"}', "'password'"),
        ('{"host": "db", "port": 1, "username": "", "password": "hunter2"}', "'username'"),
        ('{"host": "db", "port": 70000, "username": "u", "password": "hunter2"}', "'port'"),
        ('{"host": "db", "username": "u", "password": "hunter2"}', "'port'"),
    ],
)
def test_a_secret_of_another_shape_is_refused_without_showing_it(text: str, named: str) -> None:
    # Act
    with pytest.raises(InvalidInputError) as caught:
        parse_login("my-secret", text)
    # Assess
    assert caught.value.code == "SECRET_INVALID"
    assert "my-secret" in caught.value.message
    assert named in caught.value.message
    assert "hunter2" not in caught.value.message


@pytest.mark.usefixtures("aws")
def test_a_secret_that_does_not_exist_is_named() -> None:
    # Act
    with pytest.raises(InvalidInputError) as caught:
        fetch_login("nowhere")
    # Assess
    assert caught.value.code == "SECRET_UNREADABLE"
    assert "nowhere" in caught.value.message


@pytest.mark.usefixtures("aws")
def test_a_secret_is_fetched_once_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    # Prepare
    fetch_login.cache_clear()
    first = fetch_login("reader")
    monkeypatch.setattr(secrets, "boto3", None)
    # Act
    second = fetch_login("reader")
    # Assess
    assert first is second


@pytest.mark.usefixtures("aws")
def test_objects_that_cannot_be_used_are_named() -> None:
    # Prepare
    boto3.client("s3").put_object(Bucket=BUCKET, Key="binary", Body=b"\xff\xfe")
    attempts = {
        "OBJECT_UNREADABLE": [
            lambda: storage.read_text(BUCKET, "missing"),
            lambda: storage.read_text(BUCKET, "binary"),
            lambda: storage.keys_under("no-such-bucket", "x"),
        ],
        "OBJECT_UNWRITABLE": [
            lambda: storage.write_text("no-such-bucket", "x", "text", "text/plain"),
            lambda: storage.remove("no-such-bucket", "x"),
        ],
    }
    for code, some in attempts.items():
        for attempt in some:
            # Act
            with pytest.raises(CopyError) as caught:
                attempt()
            # Assess
            assert caught.value.code == code
            assert "s3://" in caught.value.message
