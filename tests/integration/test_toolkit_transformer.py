"""The four functions, unchanged, inside SageMaker's own inference toolkit, which finds them by the name of the package."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from mms.context import Context, RequestProcessor
from sagemaker_inference.transformer import Transformer

from tests.integration.serving import KNOWN, make_model

Send = Callable[..., tuple[str | bytes, Context]]


@pytest.fixture(scope="module")
def send(tmp_path_factory: pytest.TempPathFactory) -> Send:
    model = make_model(tmp_path_factory.mktemp("ml") / "model")
    transformer = Transformer()

    def send(body: bytes, **headers: str) -> tuple[str | bytes, Context]:
        """Does what the toolkit's handler does with a request from multi-model-server."""
        context = Context("model", str(model), None, 1, None, "1.1.11")
        context.request_processor = [RequestProcessor({name.replace("_", "-"): value for name, value in headers.items()})]
        [answer] = transformer.transform([{"body": bytearray(body)}], context)
        return answer, context

    return send


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
def test_a_known_listener_is_answered_in_json(send: Send, content_type: str) -> None:
    answer, context = send(json.dumps(KNOWN).encode(), Content_Type=content_type, Accept="*/*")
    assert context.get_response_status(0)[0] == 200
    assert context.get_response_content_type(0) == "application/json"
    assert [r["item_id"] for r in json.loads(answer)["recommendations"]] == ["s1", "s2", "s3"]


def test_the_answer_comes_as_csv_where_it_is_asked_for(send: Send) -> None:
    answer, context = send(json.dumps(KNOWN).encode(), Content_Type="application/json", Accept="text/csv")
    assert context.get_response_content_type(0) == "text/csv"
    assert answer.strip() == b"u0,s1,s2,s3"


def test_a_callers_mistake_comes_out_as_the_toolkits_error_with_our_sentence(send: Send) -> None:
    # The toolkit knows no errors of ours: it answers 500 with a traceback. Hence our own handler in the container.
    answer, context = send(b'{"user_id": "u0", "colour": "red"}', Content_Type="application/json")
    assert context.get_response_status(0)[0] == 500
    assert "Unknown field 'colour' in the request." in str(answer)
    assert str(answer).isascii()
