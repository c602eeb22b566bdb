"""Makes the golden model of the present format: `python -m tests.golden.make`. Run once for each format, and commit what it writes.

A golden model must load for ever, and give for ever the answers that lie beside it.
"""

from __future__ import annotations

import json
from pathlib import Path

from inference.artifact import FORMAT_VERSION, load, save
from inference.request import parse_request
from tests.inference.models import make_recommender

HERE = Path(__file__).resolve().parent
REQUESTS = (
    {"user_id": "u0", "num_recommendations": 5, "explain": True, "metadata": True},
    {"user_id": "nobody"},
    {"items": ["s1", "s29"], "explain": True},
    {"events": [{"item_id": "s3"}, {"item_id": "s3"}], "exclude": ["s4"]},
    {"user_id": "u1", "candidates": ["s5", "s6", "unknown"]},
    {"songs": [{"artist": "artist 1", "genre": "jazz", "energy": 0.4, "lyrics": "the night and the rain and the road"}], "explain": True},
    {"user_id": "u0", "songs": [{"item_id": "new", "year": 1990, "key": "D min", "plays": 7}], "explain": True},
    {"items": ["s9", "s2"], "context": {"name": "Night drive", "country": "DE"}, "explain": True},
    {"items": ["s9", "s2"], "ordered": False},
    {"user_id": "u2", "events": [{"item_id": "s3", "timestamp": 1_700_900_000}, {"item_id": "s4", "timestamp": 1_699_000_000}]},
)


def main() -> None:
    directory = HERE / f"format-{FORMAT_VERSION}"
    save(make_recommender(), directory, {"configuration": {}})
    answers = [load(directory).recommend(parse_request(request)).to_json() for request in REQUESTS]
    (HERE / f"format-{FORMAT_VERSION}.answers.json").write_text(json.dumps([REQUESTS, answers], indent=1) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
