"""Channels come from S3 over real HTTP, whole and in their places; what goes wrong on the way is one sentence that names the place."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from scripts import s3_channels, train
from scripts.command_line import CommandError
from scripts.s3_channels import connect, download, find

QUICK = ["-p", "models=popularity", "-p", "evaluation_bootstrap_samples=20"]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(server: str) -> Iterator[Any]:
    """A client of an S3 server that has one empty bucket."""
    client = connect(server)
    client.create_bucket(Bucket="music-data", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield client
    everything = boto3.resource("s3", endpoint_url=server).Bucket("music-data")
    everything.objects.all().delete()
    everything.delete()
    client.close()


def put(s3: Any, **objects: bytes) -> None:
    for key, body in objects.items():
        s3.put_object(Bucket="music-data", Key=key, Body=body)


def files_under(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("events/2025/", {"a.csv": b"a", "deep/b.csv": b"bb"}),
        ("events/2025", {"a.csv": b"a", "deep/b.csv": b"bb", "2025-late/c.csv": b"c"}),
        ("events/2025/a.csv", {"a.csv": b"a"}),
        ("events/20", {"2025/a.csv": b"a", "2025/deep/b.csv": b"bb", "2025-late/c.csv": b"c"}),
        ("", {"events/2025/a.csv": b"a", "events/2025/deep/b.csv": b"bb", "events/2025-late/c.csv": b"c", "other.csv": b"o"}),
    ],
)
def test_all_keys_that_begin_with_the_prefix_come_in_their_folders(
    s3: Any, tmp_path: Path, prefix: str, expected: dict[str, bytes]
) -> None:
    objects = {"events/2025/a.csv": b"a", "events/2025/deep/b.csv": b"bb", "events/2025-late/c.csv": b"c", "other.csv": b"o"}
    put(s3, **objects, **{"events/2025/": b"", "events/2025/deep/": b""})
    download(s3, [(find(s3, f"s3://music-data/{prefix}"), tmp_path)])
    assert files_under(tmp_path) == expected


@pytest.mark.slow
def test_large_and_many_objects_come_whole(
    s3: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "100")  # the server lists as many at a time: here, in three pages
    large = random.Random(1).randbytes(20_000_000)  # several parts
    put(s3, **{"big/large.bin": large, "big/empty.csv": b""}, **{f"many/{number}": str(number).encode() for number in range(250)})
    big, many = find(s3, "s3://music-data/big/"), find(s3, "s3://music-data/many/")
    assert (big.size, len(many.objects)) == (20_000_000, 250)
    (tmp_path / "big").mkdir()
    (tmp_path / "many").mkdir()
    download(s3, [(big, tmp_path / "big"), (many, tmp_path / "many")])
    assert files_under(tmp_path / "big") == {"large.bin": large, "empty.csv": b""}
    assert files_under(tmp_path / "many") == {str(number): str(number).encode() for number in range(250)}
    assert capsys.readouterr().out == "downloading 252 object(s), 20.0 MB\n"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("s3://no-such-bucket/x", r"^s3://no-such-bucket/x: there is no bucket no-such-bucket$"),
        ("s3://music-data/nothing/", r"^s3://music-data/nothing/: the bucket has no object whose key begins so$"),
        ("s3://Music_Data/x", r'^s3://Music_Data/x: "Music_Data" is no name of a bucket; write s3://bucket/prefix$'),
        ("s3://", r'"" is no name of a bucket'),
        ("s3://music-data/up/", r"the key 'up/\.\./\.\./etc' is no path for a file; rename the object$"),
        ("s3://music-data/same/", r"the keys 'same//a' and 'same/a' are one path for a file; rename one of them$"),
        ("s3://music-data/both/", r"'both/a' is an object and a folder of others; name one of them with a longer prefix$"),
    ],
)
def test_what_cannot_be_found_or_placed_is_a_sentence(s3: Any, url: str, sentence: str) -> None:
    put(s3, **{"up/../../etc": b"x", "same/a": b"1", "same//a": b"2", "both/a": b"1", "both/a/b": b"2"})
    with pytest.raises(CommandError, match=sentence):
        find(s3, url)


def test_an_object_that_changes_or_goes_in_the_meantime_is_told(s3: Any, tmp_path: Path) -> None:
    put(s3, **{"a/one.csv": b"short"})
    place = find(s3, "s3://music-data/a/")
    put(s3, **{"a/one.csv": b"longer than before"})
    with pytest.raises(CommandError, match=r"^s3://music-data/a/one\.csv changed while it was fetched; run the command again$"):
        download(s3, [(place, tmp_path)])
    s3.delete_object(Bucket="music-data", Key="a/one.csv")
    with pytest.raises(CommandError, match=r"^s3://music-data/a/one\.csv was removed while it was to be fetched"):
        download(s3, [(place, tmp_path)])


def test_more_than_there_is_room_for_is_not_begun(s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(s3, **{"a/one.csv": b"12345"})
    place = find(s3, "s3://music-data/a/")
    monkeypatch.setattr(s3_channels.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 5, 4))  # type: ignore[attr-defined]
    with pytest.raises(CommandError, match=r"has room for 0\.0 GB; set TMPDIR to a larger disk$"):
        download(s3, [(place, tmp_path)])
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def denying() -> Iterator[str]:
    """A server that answers as S3 does to those who have no right."""

    class Denying(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
            self.send_response(403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Denying) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_right_that_is_missing_is_a_sentence(denying: str) -> None:
    s3 = connect(denying)
    with pytest.raises(
        CommandError, match=r"^s3://music-data/x: access is denied \(AccessDenied\); use credentials that may s3:ListBucket"
    ):
        find(s3, "s3://music-data/x")
    s3.close()


# --- the command -------------------------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def handler_of_sigterm() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def events(seed: int) -> bytes:
    rng = random.Random(seed)
    rows = [f"u{seed}{user},s{song}" for user in range(30) for song in rng.sample(range(15), 6)]
    return ("USER_ID,ITEM_ID\n" + "\n".join(rows) + "\n").encode()


def version(output: Path) -> str:
    document = json.loads((output / "model" / "model.json").read_text(encoding="utf-8"))
    return str(document["model_version"])


@pytest.mark.slow
def test_training_from_s3_gives_the_model_of_the_same_local_files(s3: Any, server: str, tmp_path: Path) -> None:
    put(s3, **{"events/2025/a.csv": events(1), "events/2026/deep/b.csv": events(2)})
    folder = tmp_path / "local"
    (folder / "2025").mkdir(parents=True)
    (folder / "2025" / "a.csv").write_bytes(events(1))
    (folder / "b.csv").write_bytes(events(2))
    with_option = ["--interactions", "s3://music-data/events/2025/", "s3://music-data/events/2026/", "--endpoint-url", server]
    mixed = ["--interactions", str(folder / "2025"), "--interactions", "s3://music-data/events/2026/deep/b.csv", "--endpoint-url", server]
    local = ["--interactions", str(folder)]
    versions = []
    for number, arguments in enumerate((with_option, mixed, local)):
        output = tmp_path / str(number)
        assert train.main([*arguments, "--output", str(output), *QUICK]) == 0
        versions.append(version(output))
    assert len(set(versions)) == 1


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_the_server_may_be_named_by_the_variables_of_aws(s3: Any, server: str, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    put(s3, **{"a.csv": b"x"})
    monkeypatch.setenv(variable, server)
    client = connect()
    assert find(client, "s3://music-data/a.csv").size == 1
    client.close()


def test_a_prefix_without_objects_is_told_before_anything_is_made(s3: Any, server: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no object whose key begins so"):
        train.main(["--items", "s3://music-data/none", "--endpoint-url", server, "--output", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_no_copy_is_left(s3: Any, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(s3, **{"a.csv": events(1)})
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(train.tempfile, "tempdir", str(temporary))
    arguments = ["--interactions", "s3://music-data/a.csv", "--endpoint-url", server, "--output", str(tmp_path / "out"), *QUICK]
    assert train.main(arguments) == 0
    assert os.listdir(temporary) == []  # noqa: PTH208
