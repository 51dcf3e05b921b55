"""Servers that live as long as the run, and a pair of cases for each test."""

import json
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pymysql
import pytest
from hypothesis import Phase, settings

from documentexchanger_glue.domain import METADATA
from documentexchanger_glue.job import Tools, run
from documentexchanger_glue.movers import MOVERS
from documentexchanger_glue.report import Report
from documentexchanger_glue.settings import Selection, Settings
from documentexchanger_glue.work import Pace
from tests.cases import Case
from tests.servers import DatabaseServer, aws_services, database_server, quick_folder

BUCKET = "exchange-data"
#: Even four documents make more than one chunk.
SMALL = Pace(rows=3, grain=1, documents=3)

# Always the same examples, few enough for every run; HYPOTHESIS_PROFILE=long looks for new ones for some minutes.
settings.register_profile(
    "default", derandomize=True, max_examples=15, deadline=None, database=None, phases=[Phase.generate]
)
settings.register_profile("long", derandomize=False, max_examples=400, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def server() -> Iterator[DatabaseServer]:
    with quick_folder() as folder, database_server(folder) as running:
        yield running


@pytest.fixture(scope="session")
def other_server() -> Iterator[DatabaseServer]:
    with quick_folder() as folder, database_server(folder) as running:
        yield running


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory, server: DatabaseServer) -> Iterator[str]:
    with aws_services(tmp_path_factory.mktemp("aws")) as address:
        settings = {
            "AWS_ENDPOINT_URL": address,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        before = {name: os.environ.get(name) for name in settings}
        os.environ.update(settings)
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        for user in ("reader", "copier"):
            keep_login(user, server, user)
        yield address
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def keep_login(secret: str, server: DatabaseServer, user: str) -> None:
    """Put a login into Secrets Manager."""
    login = {"host": "127.0.0.1", "port": server.port, "username": user, "password": f"{user}-pass"}
    boto3.client("secretsmanager").create_secret(Name=secret, SecretString=json.dumps(login))


@pytest.fixture(scope="session")
def root(server: DatabaseServer) -> Iterator[pymysql.Connection]:
    with closing(server.as_root()) as connection:
        yield connection


_numbers = count(1)


@contextmanager
def cases_of(root: pymysql.Connection) -> Iterator[Callable[..., Case]]:
    """Make cases that are gone afterwards."""
    made: list[Case] = []

    def create(**options: Any) -> Case:
        made.append(Case.create(next(_numbers), root, **options))
        return made[-1]

    try:
        yield create
    finally:
        for case in made:
            case.run(f"DROP DATABASE case_{case.number}")


@pytest.fixture
def new_case(root: pymysql.Connection) -> Iterator[Callable[..., Case]]:
    with cases_of(root) as create:
        yield create


@pytest.fixture
def source(new_case: Callable[..., Case]) -> Case:
    return new_case()


@pytest.fixture
def target(new_case: Callable[..., Case]) -> Case:
    return new_case()


def one_by_one(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    """Do the work of Spark's tasks in this process."""
    return [work(item) for item in items]


def quiet(_message: str, /, **_values: object) -> None:
    """Log nothing."""


@dataclass
class Exchange:
    """One exchange between two cases, which can be run again and again."""

    settings: Settings
    mover: str
    pace: Pace = SMALL

    def run(
        self,
        spread: Callable[..., list[Any]] = one_by_one,
        log: Callable[..., None] = quiet,
    ) -> Report:
        return run(self.settings, Tools(spread, replace(MOVERS[self.mover], pace=self.pace), log))

    def objects(self) -> dict[str, str]:
        """Return what lies under the exchange's prefix in the data bucket."""
        s3 = boto3.client("s3")
        listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"exchanges/{self.settings.exchange_id}/")
        return {
            item["Key"]: s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read().decode()
            for item in listed.get("Contents", [])
        }

    def manifest(self) -> list[dict[str, Any]]:
        parts = sorted(self.objects().items())
        return [json.loads(line) for key, text in parts if "/manifest/" in key for line in text.split("\n") if line]


@pytest.fixture(params=sorted(MOVERS))
def mover(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def exchange_between(
    source: Case, target: Case, mover: str, /, selection: Selection | None = None, **changes: Any
) -> Exchange:
    exchange_id = str(uuid.uuid4())
    prefix = f"exchanges/{exchange_id}/"
    given = {
        "exchange_id": exchange_id,
        "source_case_id": source.number,
        "destination_case_id": target.number,
        "batch_id": "b1",
        "selection": selection or Selection("all"),
        "include_natives": True,
        "metadata": frozenset(METADATA),
        "data_bucket": BUCKET,
        "manifest_prefix": f"{prefix}manifest/",
        "report_key": f"{prefix}report.json",
        "case_schema_prefix": "case",
        "source_secret_id": "reader",
        "target_secret_id": "copier",
        "documents_per_part": 2,
    }
    return Exchange(Settings(**(given | changes)), mover)


@pytest.fixture
def exchange(aws: str, source: Case, target: Case, mover: str) -> Callable[..., Exchange]:  # noqa: ARG001
    return partial(exchange_between, source, target, mover)


@pytest.fixture(scope="session")
def package_folder() -> Path:
    return Path(__file__).parent.parent
