"""Flask around implicit: ``MODEL=FOLDER gunicorn -w 2 --preload flask_app:app``."""

from __future__ import annotations

from typing import Any

from flask import Flask, request
from recommender import Recommender

app = Flask(__name__)
recommender = Recommender()


@app.get("/ping")
def ping() -> dict[str, Any]:
    return {}


@app.post("/invocations")
def invocations() -> dict[str, Any] | tuple[dict[str, Any], int]:
    asked = request.get_json()
    try:
        return recommender.recommend(asked.get("user_id"), asked.get("items"))
    except KeyError:
        return {"error": "unknown listener"}, 404
