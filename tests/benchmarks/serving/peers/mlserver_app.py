"""MLServer around implicit: a custom runtime with a route of its own, ``mlserver start FOLDER``; contestants.py makes its settings."""

from __future__ import annotations

import os
from typing import Any

from mlserver import MLModel
from mlserver.handlers import custom_handler
from recommender import Recommender


class ImplicitRuntime(MLModel):
    async def load(self) -> bool:
        self.recommender = Recommender(os.environ["MODEL"])
        return True

    @custom_handler(rest_path="/invocations")
    async def invocations(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self.recommender.recommend(asked.get("user_id"), asked.get("items"))
