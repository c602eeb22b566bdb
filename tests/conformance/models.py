"""What the platform asks a container for on a multi-model endpoint."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from tests.conformance.answers import read_json
from tests.conformance.http_client import Answer
from tests.conformance.server import Server
from tests.conformance.subject_folder import Body

SECONDS_TO_LOAD = 60


@dataclass(frozen=True)
class Models:
    """The models of one server. The platform names them by hashes; the folder of each is called as the model is."""

    server: Server

    def url(self, name: str) -> str:
        return f"{self.server.inside}/models/{name}/model"

    def load(self, name: str, url: str | None = None) -> Answer:
        content = json.dumps({"model_name": name, "url": url or self.url(name)}).encode()
        return self.server.ask("POST", "/models", content, {"Content-Type": "application/json"}, timeout=SECONDS_TO_LOAD)

    def unload(self, name: str) -> Answer:
        return self.server.ask("DELETE", self._path(name), timeout=SECONDS_TO_LOAD)

    def get(self, name: str) -> Answer:
        return self.server.ask("GET", self._path(name))

    def invoke(self, name: str, body: Body, target: str = "") -> Answer:
        """``target``: the key in S3, as X-Amzn-SageMaker-Target-Model tells it."""
        return self.server.invoke(body, {"X-Amzn-SageMaker-Target-Model": target} if target else {}, f"{self._path(name)}/invoke")

    def names(self, limit: int | None = None) -> list[list[str]]:
        """Returns the names of the loaded models, page by page."""
        pages: list[list[str]] = []
        token = None
        while True:
            query = {name: str(value) for name, value in (("limit", limit), ("next_page_token", token)) if value is not None}
            answer = self.server.ask("GET", "/models" + (f"?{urlencode(query)}" if query else ""))
            assert answer.status == 200, answer
            said = read_json(answer.body)
            pages.append([model["modelName"] for model in said["models"]])
            assert all(model["modelUrl"] for model in said["models"]), said
            token = said.get("nextPageToken")
            if not token:
                return pages
            assert len(pages) < 100, "pages without an end"

    def unload_all(self) -> None:
        for name in [name for page in self.names() for name in page]:
            self.unload(name)

    def _path(self, name: str) -> str:
        return f"/models/{quote(name, safe='')}"
