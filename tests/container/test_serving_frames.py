"""Our reading and writing of frames beside the package's own, which is the slow reference."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mms.context import Context, RequestProcessor
from mms.protocol import otf_message_handler as stock

from container.serving.frames import REQUESTS, FramedAnswer, FramedRequest, FrameReader, answer_frame

END = struct.pack("!i", -1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ASCII = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
HEADERS = st.dictionaries(TEXTS.filter(lambda name: name != "content-type"), TEXTS, max_size=3)
FRAMED = st.lists(st.builds(FramedRequest, TEXTS, HEADERS, st.binary(max_size=200)), max_size=4)


def field(value: bytes) -> bytes:
    return struct.pack("!i", len(value)) + value


def frame(requests: Sequence[FramedRequest]) -> bytes:
    """Writes a frame as the front does."""
    out = b"I"
    for one in requests:
        out += field(one.id.encode())
        out += b"".join(field(text.encode()) for header in one.headers.items() for text in header) + END
        out += field(b"body") + field(b"") + field(one.body) + END
    return out + END


def sent_in_pieces(data: bytes, cuts: Sequence[int]) -> socket.socket:
    """Returns the end of a connection at which the data arrive, cut at these places."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET if cuts else socket.SOCK_STREAM)
    with theirs:
        for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
            if begin < end:
                theirs.sendall(data[begin:end])
    return ours


@settings(deadline=None)
@given(st.lists(FRAMED, min_size=1, max_size=3), st.data())
def test_frames_are_read_as_they_were_sent_wherever_they_are_cut(frames: list[list[FramedRequest]], data: st.DataObject) -> None:
    sent = b"".join(map(frame, frames))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(sent) - 1), max_size=8)))
    with sent_in_pieces(sent, cuts) as connection:
        reader = FrameReader(connection)
        for wanted in frames:
            assert reader.recv(1) == REQUESTS
            assert reader.requests() == wanted
        with pytest.raises(ConnectionError):
            reader.recv(1)


@settings(deadline=None)
@given(FRAMED)
def test_a_frame_is_read_as_the_package_reads_it(requests: list[FramedRequest]) -> None:
    with sent_in_pieces(frame(requests), []) as connection:
        command, found = stock.retrieve_msg(connection)
    assert command == REQUESTS
    read = [({h["name"].decode(): h["value"].decode() for h in one["headers"]}, one["parameters"][0]["value"]) for one in found]
    assert read == [(one.headers, one.body) for one in requests]


@settings(deadline=None)
@given(st.lists(st.builds(FramedAnswer, TEXTS, st.integers(100, 599), ASCII, HEADERS, st.binary(max_size=200)), max_size=4))
def test_answers_are_written_as_the_package_writes_them(answers: list[FramedAnswer]) -> None:
    context = Context("model", "", None, len(answers), None, "")
    context.request_processor = [RequestProcessor({}) for _ in answers]
    ids = context.request_ids = {index: one.id for index, one in enumerate(answers)}
    for index, one in enumerate(answers):
        context.set_response_status(one.status, "", index)
        context.set_response_content_type(index, one.content_type)
        for name, value in one.headers.items():
            context.set_response_header(index, name, value)
        one.headers = {"content-type": one.content_type, **one.headers}  # the package sends it twice, we need not
    assert answer_frame(answers) == stock.create_predict_response([one.body for one in answers], ids, "", 200, context=context)


def test_a_large_body_is_whole_and_not_kept() -> None:
    body = os.urandom(9_000_000)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sender = threading.Thread(target=theirs.sendall, args=(frame([FramedRequest("id", {}, body)]) + b"L",))
        sender.start()
        reader = FrameReader(ours)
        assert reader.recv(1) == REQUESTS
        assert reader.requests() == [FramedRequest("id", {}, body)]
        assert reader.recv(1) == stock.LOAD_MSG
        assert len(reader._buffer) < 65_536
        sender.join()
