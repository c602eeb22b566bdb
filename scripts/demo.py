"""Shows the whole way on this machine: makes data, trains, serves, asks, and stops. Needs neither Docker, nor AWS, nor a Java of your own.

    scripts/demo                                  # 5,000 songs, 2,000 listeners: well under a minute
    scripts/demo --songs 50000 --listeners 6000
    scripts/demo --keep                           # goes on serving until Ctrl-C, so that you can ask, too

Everything it makes lies in runs/demo: data/, trained/model, trained/output/evaluation.json, trained/model.tar.gz.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inference.artifact import load
from inference.recommender import Recommender
from scripts import train
from scripts.answer_table import describe_answer
from scripts.command_line import CommandError, run
from scripts.local_server import serving
from scripts.make_dataset import make_dataset

RUNS = Path(__file__).resolve().parent.parent / "runs"
BATCH = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Goes the whole way and returns 0, or the exit code of a training that failed. Raises ``CommandError``."""
    options = parse_arguments(arguments)
    begin = time.perf_counter()
    out: Path = options.output
    heading(f"1. Data: {options.songs:,} songs, {options.listeners:,} listeners, invented (seed {options.seed})")
    made = make_dataset(out / "data", options.songs, options.listeners, seed=options.seed)
    print(", ".join(f"{count:,} {what.replace('_', ' ')}" for what, count in made.items()), f"in {out / 'data'}")

    heading("2. Training: container/bin/train, as SageMaker starts it")
    channels = ["--interactions", str(out / "data" / "interactions"), "--items", str(out / "data" / "items")]
    weights = json.dumps({"like": 2, "play": 1, "skip": 0})
    if code := train.main([*channels, "--output", str(out / "trained"), "-p", f"data_event_weights={weights}"]):
        return code

    heading("3. Serving: container/bin/serve, multi-model-server on 127.0.0.1")
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)  # ends as with Ctrl-C, and the server with it
    with serving(out / "trained" / "model", out / "serve.log") as url:
        show(url, out / "trained" / "model")
        print(f"\nThe whole way took {time.perf_counter() - begin:.0f} s.")
        if options.keep:
            print(f"Still serving at {url}: try scripts/invoke --url {url} --user listener-0001 --explain. Ctrl-C stops it.")
            signal.pause()
    print("Stopped.")
    return 0


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=int, default=5000, help="songs in the catalogue (%(default)s)")
    parser.add_argument("--listeners", type=int, default=2000, help="people who listen (%(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="another seed, another world (%(default)s)")
    parser.add_argument("--output", type=Path, default=RUNS / "demo", metavar="DIR", help="where everything goes (runs/demo)")
    parser.add_argument("--keep", action="store_true", help="goes on serving until Ctrl-C")
    return parser.parse_args(arguments)


def heading(text: str) -> None:
    print(f"\n=== {text}", flush=True)


def show(url: str, model: Path) -> None:
    """Asks the four questions that a person would, and prints the answers as tables."""
    recommender = load(model)
    titles = titles_of(recommender)
    user = recommender.users.id(0)
    history = [recommender.items.id(number) for number in recommender.user_items.row(0)[0].tolist()]
    heading(f"4. A known listener, {user}, who has played {len(history)} songs, among them {names(history[:3], titles)}")
    ask(url, {"user_id": user, "num_recommendations": 5}, titles)

    seeds = history[:3]
    heading(f"5. A new listener, who has just played {names(seeds, titles)}")
    ask(url, {"events": [{"item_id": song, "event_type": "play"} for song in seeds], "num_recommendations": 5}, titles)

    new = int(next(iter((recommender.listeners == 0).nonzero()[0]), 0))
    heading(f"6. Songs similar to one that nobody has played yet: {titles[recommender.items.id(new)]}")
    ask(url, {"items": [recommender.items.id(new)], "num_recommendations": 5}, titles)

    heading("7. Somebody of whom nothing is known")
    ask(url, {"user_id": "a stranger", "num_recommendations": 3}, titles)

    users = [recommender.users.id(number) for number in range(min(BATCH, len(recommender.users)))]
    heading(f"8. A batch: {len(users)} listeners, one JSON line each")
    lines = "\n".join(json.dumps({"user_id": user}) for user in users).encode()
    body, seconds = post(url, lines, "application/jsonlines")
    answers = [json.loads(line) for line in body.splitlines()]
    good = sum(answer["status"] == "success" for answer in answers)
    print(f"{good} of {len(users)} answered in {1000 * seconds:.0f} ms, {1000 * seconds / len(users):.2f} ms each")


def titles_of(recommender: Recommender) -> dict[str, str]:
    """Returns "title - artist (genre)" of each song, by its id."""
    title, artist, genre = (recommender.metadata[name] for name in ("title", "artist", "genre"))
    return {recommender.items.id(n): f"{title[n]} - {artist[n]} ({genre[n]})" for n in range(len(recommender.items))}


def names(songs: Sequence[str], titles: dict[str, str]) -> str:
    return "; ".join(titles[song] for song in songs)


def ask(url: str, request: dict[str, Any], titles: dict[str, str]) -> None:
    body, seconds = post(url, json.dumps({**request, "explain": True}).encode(), "application/json")
    print(f"{describe_answer(body, titles)}\n({1000 * seconds:.1f} ms)")


def post(url: str, body: bytes, content_type: str) -> tuple[bytes, float]:
    request = urllib.request.Request(f"{url}/invocations", data=body, headers={"Content-Type": content_type})
    begin = time.perf_counter()
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read(), time.perf_counter() - begin
    except urllib.error.HTTPError as error:
        raise CommandError(f"the server answered {error.code}: {error.read().decode('utf-8', 'replace')}") from None


if __name__ == "__main__":
    sys.exit(run(main))
