"""BentoML around implicit: ``MODEL=FOLDER WORKERS=2 bentoml serve bentoml_app:Songs``."""

from __future__ import annotations

import os
from typing import Any

import bentoml
from recommender import Recommender


@bentoml.service(workers=int(os.environ["WORKERS"]), traffic={"timeout": 60})
class Songs:
    def __init__(self) -> None:
        self.recommender = Recommender()

    @bentoml.api(route="/invocations")
    async def recommend(self, user_id: str | None = None, items: list[str] | None = None) -> dict[str, Any]:
        # async, so that it is not handed to a thread pool
        return self.recommender.recommend(user_id, items)
