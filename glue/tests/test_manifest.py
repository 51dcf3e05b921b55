"""What later stages read: the manifest, the report, and the keys in the destination."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import boto3

from documentexchanger_glue.settings import Selection
from documentexchanger_glue.task import Task
from tests.cases import Case, file_document, fill
from tests.conftest import BUCKET, Exchange, one_by_one

Make = Callable[..., Exchange]


def test_the_manifest_names_every_file_of_every_document(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    mail, *_ = fill(source)
    file_document(target)
    same = exchange(Selection("documents", (mail.document,)))
    # Act
    same.run()
    # Assess
    at = f"case_{target.number}/processed-files/b1"
    assert same.manifest() == [
        {
            "documentId": "1",
            "destinationDocumentId": "2",
            "exhibits": [{"sourceExhibitId": "1", "exhibitId": "2"}],
            "sourceBatchId": None,
            "files": [
                {
                    "fileId": "1",
                    "destinationFileId": "2",
                    "role": "document",
                    "sourceKey": f"case_{source.number}/files/1.pdf",
                    "destinationKey": f"{at}/document/2/2.pdf",
                    "size": 101,
                    "sha256": "ab" * 32,
                },
                {
                    "fileId": "5",
                    "destinationFileId": "6",
                    "role": "native",
                    "sourceKey": "raw/1",
                    "destinationKey": f"{at}/native/2/6.eml",
                    "size": 7,
                    "sha256": None,
                },
                {
                    "fileId": "6",
                    "destinationFileId": "7",
                    "role": "text",
                    "sourceKey": f"case_{source.number}/text/1-1.txt",
                    "destinationKey": f"{at}/text/2/7.txt",
                    "size": 3,
                    "sha256": None,
                },
            ],
        }
    ]
    assert target.run("SELECT s3_key FROM document_variants WHERE document_id = 2 ORDER BY id") == [
        (f"{at}/document/2/2.pdf",),
        (f"{at}/native/2/6.eml",),
        (f"{at}/text/2/7.txt",),
    ]
    assert target.rows("attachments", "text_key", order="id") == [(f"{at}/text/2/7.txt",), (None,)]


def test_a_part_holds_as_many_documents_as_asked_and_the_report_counts_them(
    source: Case, target: Case, exchange: Make
) -> None:
    # Prepare
    for number in range(5):
        file_document(source, f"{number}.pdf")
    same = exchange()
    # Act
    same.run()
    # Assess
    objects = same.objects()
    prefix = f"exchanges/{same.settings.exchange_id}"
    assert {key: len(text.splitlines()) for key, text in objects.items() if "/manifest/" in key} == {
        f"{prefix}/manifest/part-00000.jsonl": 2,
        f"{prefix}/manifest/part-00001.jsonl": 2,
        f"{prefix}/manifest/part-00002.jsonl": 1,
    }
    report = json.loads(objects[f"{prefix}/report.json"])
    assert (report["documents"], report["parts"], report["skipped"]) == (5, 3, [])
    counted = report["rows"]["documents"]
    assert (counted["source"], counted["target"]) == (5, 5)
    assert re.fullmatch("[0-9a-f]{16}", counted["checksum"])
    assert report["seconds"] > 0
    assert len(target.rows("documents")) == 5


def test_what_an_earlier_attempt_left_is_removed(source: Case, exchange: Make) -> None:
    # Prepare
    file_document(source)
    same = exchange()
    stale = f"{same.settings.manifest_prefix}part-00007.jsonl"
    boto3.client("s3").put_object(Bucket=BUCKET, Key=stale, Body=b"{}")
    # Act
    same.run()
    # Assess
    assert sorted(key.rpartition("/")[2] for key in same.objects()) == [
        "part-00000.jsonl",
        "privileged.json",
        "progress.json",
        "report.json",
    ]


def test_natives_stay_where_they_were_not_asked_for(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    fill(source)
    same = exchange(include_natives=False)
    # Act
    report = same.run()
    # Assess
    assert target.run("SELECT DISTINCT role FROM document_variants ORDER BY 1") == [("document",), ("text",)]
    assert {file["role"] for line in same.manifest() for file in line["files"]} == {"document", "text"}
    assert (report.rows["document_variants"].source, report.rows["document_variants"].target) == (8, 8)


def test_texts_of_pages_stay_where_documents_get_their_annotations_and_are_pointed_to_where_they_will_lie(
    source: Case, target: Case, exchange: Make
) -> None:
    # Prepare
    mail, *_ = fill(source)
    source.run("UPDATE document_variants SET sha256 = REPEAT('a', 64)")
    second = source.add("exhibits", document_id=mail.document)
    for exhibit in (mail.exhibit, second):
        source.add("attachments", exhibit_id=exhibit, position=7, text_key="case_9/odd.txt")
    same = exchange(Selection("documents", (mail.document,)), annotated=True)
    # Act
    report = same.run()
    # Assess
    ((document,),) = target.rows("documents", "id")
    (first,), (further,) = sorted(target.rows("exhibits", "id"))
    start = f"case_{target.number}/processed-files/b1/txt/{document}/"
    assert set(target.run("SELECT role, sha256 FROM document_variants")) == {
        ("document", None),
        ("native", "a" * 64),
    }
    assert set(target.run("SELECT exhibit_id, text_key FROM attachments WHERE position = 7")) == {
        (first, f"{start}attachments/7/content.txt"),
        (further, f"{start}exhibits/{further}/attachments/7/content.txt"),
    }
    assert {file["role"] for line in same.manifest() for file in line["files"]} == {"document", "native"}
    assert report.rows["document_variants"].source == report.rows["document_variants"].target
    assert report.skipped == ()


def test_a_page_text_that_is_no_file_of_the_document_is_left_out_and_reported(
    source: Case, target: Case, exchange: Make
) -> None:
    # Prepare
    exhibit = file_document(source).exhibit
    source.add("attachments", exhibit_id=exhibit, position=1, text_key="case_9/of-another-case.txt")
    # Act
    report = exchange().run()
    # Assess
    assert target.rows("attachments", "text_key") == [(None,)]
    assert report.skipped == ("attachments.text_key: 1",)


def test_a_file_without_a_key_is_in_no_manifest(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    document = source.add("documents", file_name="lost.pdf")
    source.add("document_variants", document_id=document, role="document", s3_key="", size=1)
    same = exchange()
    # Act
    report = same.run()
    # Assess
    assert target.rows("document_variants", "s3_key") == [("",)]
    assert same.manifest()[0]["files"] == []
    assert report.skipped == ("document_variants.s3_key: 1",)


def test_keys_are_made_of_numbers_and_a_plain_extension(source: Case, target: Case, exchange: Make) -> None:
    # Prepare
    files = [
        ("document", "a/b/mail.PDF", "mail.eml", ".pdf"),
        ("document", "a/b/plain", "mail.eml", ""),
        ("native", "a/b/plain", "Report.XLSX", ".xlsx"),
        ("native", "a/../..", "../../x", ""),
        ("native", "a/b", "x." + "y" * 11, ""),
        ("native", "a.b/c", "x.тхт", ""),
        ("text", "a/b/p 1#%.txt", "🔥", ".txt"),
    ]
    for role, source_key, name, _ in files:
        document = source.add("documents", file_name=name)
        source.add("document_variants", document_id=document, role=role, s3_key=source_key, size=1)
    # Act
    exchange().run()
    # Assess
    at = f"case_{target.number}/processed-files/b1"
    found = target.rows("document_variants", "document_id, id, s3_key", order="document_id")
    assert [key for _, _, key in found] == [
        f"{at}/{role}/{document}/{file}{end}"
        for (role, _, _, end), (document, file, _) in zip(files, found, strict=True)
    ]


def test_it_is_told_how_many_rows_are_done_while_the_copy_runs(source: Case, exchange: Make) -> None:
    # Prepare
    fill(source)
    same = exchange()
    key = f"exchanges/{same.settings.exchange_id}/progress.json"
    seen: list[dict[str, dict[str, int]]] = []

    def watched(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        while items and isinstance(items[0], Task) and not seen:
            seen.extend(json.loads(text)["rows"] for name, text in same.objects().items() if name == key)
        return one_by_one(work, items)

    # Act
    same.run(watched)
    # Assess
    last = json.loads(same.objects()[key])["rows"]
    assert seen[0]["comments"] == {"done": 0, "total": 8}
    assert last["comments"] == {"done": 8, "total": 8}
    assert seen[0].keys() == last.keys() > {"documents", "exhibit_labels"}
    assert all(counts["done"] == counts["total"] for counts in last.values())
