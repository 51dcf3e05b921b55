"""The job's arguments: names, shapes, and what is refused."""

import argparse
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from .domain import METADATA
from .errors import InvalidInputError

REQUIRED = (
    "exchange_id",
    "source_case_id",
    "destination_case_id",
    "batch_id",
    "include_natives",
    "metadata",
    "data_bucket",
    "manifest_prefix",
    "report_key",
    "case_schema_prefix",
    "database_secret_id",
)
OPTIONAL = (
    "selection",
    "selection_key",
    "source_database_secret_id",
    "manifest_part_size",
    "mover",
    "remove",
    "annotated",
    "exclude_privileged",
)

_MOVERS = ("auto", "server_side", "streaming")

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BATCH = re.compile(r"[A-Za-z0-9_-]{1,16}")
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
_ROW_ID = re.compile(r"[1-9][0-9]{0,19}")


@dataclass(frozen=True)
class Selection:
    """Which documents of the source case are meant; `ids` is empty for `all`, one id for `label` and `folder`."""

    by: str
    ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Settings:
    """One record copy, as asked for. Holds no secret, so it may travel to Spark's workers and into logs."""

    exchange_id: str
    source_case_id: int
    destination_case_id: int
    batch_id: str
    selection: Selection
    include_natives: bool
    metadata: frozenset[str]
    data_bucket: str
    manifest_prefix: str
    report_key: str
    case_schema_prefix: str
    source_secret_id: str
    target_secret_id: str
    documents_per_part: int
    #: `auto`, or the name of the mover to use.
    mover: str = "auto"
    #: Take out what the exchange wrote instead of copying.
    remove: bool = False
    #: Documents get their annotations made part of them: their bytes and page texts become others than in the source.
    annotated: bool = False
    #: Leave privileged and held-back documents out of the selection.
    exclude_privileged: bool = False

    @property
    def removal_key(self) -> str:
        """Where the report of a removal is written."""
        return self._beside_report("removed.json")

    @property
    def progress_key(self) -> str:
        """Where it is written how far the copy is."""
        return self._beside_report("progress.json")

    @property
    def privileged_key(self) -> str:
        """Where the privileged and held-back documents of the selection are listed."""
        return self._beside_report("privileged.json")

    def _beside_report(self, name: str) -> str:
        folder, slash, _ = self.report_key.rpartition("/")
        return folder + slash + name

    @property
    def source_schema(self) -> str:
        """Schema of the source case."""
        return f"{self.case_schema_prefix}_{self.source_case_id}"

    @property
    def target_schema(self) -> str:
        """Schema of the destination case."""
        return f"{self.case_schema_prefix}_{self.destination_case_id}"

    @property
    def request_hash(self) -> str:
        """Names what was asked for: two runs of one exchange must ask for the same."""
        asked = (
            self.source_case_id,
            self.batch_id,
            (self.selection.by, sorted(self.selection.ids)),
            self.include_natives,
            sorted(self.metadata),
            *(["annotated"] if self.annotated else []),
            *(["exclude_privileged"] if self.exclude_privileged else []),
        )
        return sha256(json.dumps(asked).encode()).hexdigest()


def given_arguments(argv: Sequence[str]) -> dict[str, str]:
    """Read `--name value` from the command line, by AWS Glue's own reader where that exists."""
    present = [name for name in REQUIRED + OPTIONAL if _is_given(name, argv)]
    missing = [f"--{name}" for name in REQUIRED if name not in present]
    if missing:
        raise InvalidInputError("ARGUMENT_MISSING", f"{', '.join(missing)} must be given")
    try:
        from awsglue.utils import getResolvedOptions  # noqa: PLC0415 (exists on AWS Glue only)
    except ImportError:
        parser = argparse.ArgumentParser(allow_abbrev=False, add_help=False)
        for name in present:
            parser.add_argument(f"--{name}", required=True)
        return vars(parser.parse_known_args(argv[1:])[0])
    return {name: value for name, value in getResolvedOptions(list(argv), present).items() if name in present}


def _is_given(name: str, argv: Sequence[str]) -> bool:
    return any(argument == f"--{name}" or argument.startswith(f"--{name}=") for argument in argv)


def settings_from(arguments: Mapping[str, str], read_object: Callable[[str, str], str]) -> Settings:
    """Check every argument; `read_object(bucket, key)` gives the text of a selection that is kept on S3."""
    source_case_id = _case_id("source_case_id", arguments)
    destination_case_id = _case_id("destination_case_id", arguments)
    if source_case_id == destination_case_id:
        raise InvalidInputError("SAME_CASE", f"--destination_case_id {destination_case_id} must differ from the source")
    return Settings(
        exchange_id=_matching("exchange_id", arguments, _UUID, "a lower-case UUID"),
        source_case_id=source_case_id,
        destination_case_id=destination_case_id,
        batch_id=_matching("batch_id", arguments, _BATCH, "1 to 16 letters, digits, '_' or '-'"),
        selection=_selection(arguments, read_object),
        include_natives=_boolean("include_natives", arguments),
        metadata=_metadata(arguments["metadata"]),
        data_bucket=_filled("data_bucket", arguments),
        manifest_prefix=_filled("manifest_prefix", arguments).rstrip("/") + "/",
        report_key=_filled("report_key", arguments),
        case_schema_prefix=_matching(
            "case_schema_prefix", arguments, _PREFIX, "up to 32 letters, digits and '_', beginning with a letter"
        ),
        source_secret_id=arguments.get("source_database_secret_id") or _filled("database_secret_id", arguments),
        target_secret_id=_filled("database_secret_id", arguments),
        documents_per_part=_whole("manifest_part_size", arguments.get("manifest_part_size", "500"), 100_000),
        mover=_mover(arguments.get("mover", "auto")),
        remove=_boolean("remove", {"remove": "false", **arguments}),
        annotated=_boolean("annotated", {"annotated": "false", **arguments}),
        exclude_privileged=_boolean("exclude_privileged", {"exclude_privileged": "false", **arguments}),
    )


def _selection(arguments: Mapping[str, str], read_object: Callable[[str, str], str]) -> Selection:
    if ("selection" in arguments) == ("selection_key" in arguments):
        raise InvalidInputError("SELECTION_INVALID", "exactly one of --selection and --selection_key must be given")
    if "selection" in arguments:
        return parse_selection(arguments["selection"])
    return parse_selection(read_object(_filled("data_bucket", arguments), arguments["selection_key"]))


def parse_selection(text: str) -> Selection:
    """Read the JSON of a selection, e.g. `{"by": "label", "labelId": "7"}`."""
    given = _json("selection", text)
    match given:
        case {"by": "all", **rest} if not rest:
            return Selection("all")
        case {"by": "label", "labelId": label, **rest} if not rest:
            return Selection("label", (_row_id("labelId", label),))
        case {"by": "folder", "folderTagId": folder, **rest} if not rest:
            return Selection("folder", (_row_id("folderTagId", folder),))
        case {"by": "documents", "documentIds": [_, *_] as ids, **rest} if not rest:
            return Selection("documents", tuple(sorted({_row_id("documentIds", document) for document in ids})))
    raise InvalidInputError(
        "SELECTION_INVALID", "--selection must be a label, a folder, a list of documents or all, in the agreed shape"
    )


def _metadata(text: str) -> frozenset[str]:
    given = _json("metadata", text)
    if not isinstance(given, list) or not all(isinstance(kind, str) for kind in given):
        raise InvalidInputError("METADATA_INVALID", "--metadata must be a JSON list of names")
    unknown = sorted(set(given) - set(METADATA))
    if unknown:
        raise InvalidInputError("METADATA_INVALID", f"--metadata names {unknown[0]!r}; known are {', '.join(METADATA)}")
    return frozenset(given)


def _json(name: str, text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as cause:
        raise InvalidInputError(f"{name.upper()}_INVALID", f"--{name} must be JSON") from cause


def _row_id(name: str, value: object) -> int:
    if not isinstance(value, str) or not _ROW_ID.fullmatch(value):
        raise InvalidInputError("SELECTION_INVALID", f"{name} must hold positive whole numbers as strings")
    return int(value)


def _case_id(name: str, arguments: Mapping[str, str]) -> int:
    return _whole(name, arguments[name], 2_147_483_647)


def _whole(name: str, text: str, most: int) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,9}", text) or int(text) > most:
        raise InvalidInputError("ARGUMENT_INVALID", f"--{name} {text!r} must be a whole number from 1 to {most}")
    return int(text)


def _mover(name: str) -> str:
    if name not in _MOVERS:
        raise InvalidInputError("ARGUMENT_INVALID", f"--mover {name!r} must be one of {', '.join(_MOVERS)}")
    return name


def _boolean(name: str, arguments: Mapping[str, str]) -> bool:
    if arguments[name] not in ("true", "false"):
        raise InvalidInputError("ARGUMENT_INVALID", f"--{name} {arguments[name]!r} must be true or false")
    return arguments[name] == "true"


def _matching(name: str, arguments: Mapping[str, str], pattern: re.Pattern[str], shape: str) -> str:
    if not pattern.fullmatch(arguments[name]):
        raise InvalidInputError("ARGUMENT_INVALID", f"--{name} {arguments[name]!r} must be {shape}")
    return arguments[name]


def _filled(name: str, arguments: Mapping[str, str]) -> str:
    if not arguments[name]:
        raise InvalidInputError("ARGUMENT_INVALID", f"--{name} must not be empty")
    return arguments[name]
