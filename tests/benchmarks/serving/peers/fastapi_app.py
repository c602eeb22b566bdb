"""FastAPI around implicit: ``MODEL=FOLDER uvicorn fastapi_app:app --workers 2``."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel
from recommender import Recommender

app = FastAPI()
recommender = Recommender()


class Request(BaseModel):
    user_id: str | None = None
    items: list[str] | None = None


@app.get("/ping")
async def ping() -> dict[str, Any]:
    return {}


@app.post("/invocations")
async def invocations(request: Request) -> dict[str, Any]:
    # not in a thread: the work is short, holds the interpreter's lock, and a thread pool would only add to it
    try:
        return recommender.recommend(request.user_id, request.items)
    except KeyError:
        raise HTTPException(404, "unknown listener") from None
