"""From files with order and names to a model that answers by them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from inference.artifact import load, save
from inference.errors import ArtifactError
from inference.recommender import Recommender
from inference.request import Event, Request
from training import pipeline
from training.config import TrainingConfig

SONGS, LISTS = 24, 300


def write_world(folder: Path, order: str) -> dict[str, Path]:
    """Playlists walk along one of two circles of songs: the even ones, called "calm ocean", or the odd ones, "loud engine"."""
    rng = np.random.default_rng(2)
    rows, names = ["playlist_id,song_id," + order], ["playlist_id,name,country"]
    for playlist in range(LISTS):
        circle, start = playlist % 2, int(rng.integers(0, SONGS // 2))
        names.append(f"p{playlist:03},{('Calm Ocean', 'loud engine')[circle]},{('DE', 'FR')[circle]}")
        rows += [f"p{playlist:03},s{(2 * ((start + step) % (SONGS // 2)) + circle):02},{1_000_000_000 + 60 * step}" for step in range(6)]
    for name, lines in (("interactions", rows), ("users", names)):
        (folder / name).mkdir()
        (folder / name / "part.csv").write_text("\n".join(lines) + "\n")
    return {name: folder / name for name in ("interactions", "users")}


def train(base: Path, channels: dict[str, Path], **settings: str) -> Recommender:
    given = {"evaluation_bootstrap_samples": "20", "models": "ease,transitions,sessions,words", **settings}
    given |= {"transitions_backward": "0", "transitions_patience": "0.3"}
    pipeline.run(TrainingConfig.from_hyperparameters(given), channels, base / "model", base / "output", threads=2)
    return load(base / "model", verify=True)


@pytest.fixture(scope="module", params=["position", "timestamp"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp(request.param)
    train(base, write_world(base, request.param))
    return base


@pytest.fixture
def model(trained: Path) -> Recommender:
    return load(trained / "model")


def best(model: Recommender, request: Request) -> str:
    return model.recommend(request).recommendations[0].item_id


def test_the_next_song_of_a_circle_follows_the_latest_one(model: Recommender) -> None:
    transitions = model.with_model("transitions")
    assert best(transitions, Request(items=("s02", "s10"))) == "s12"
    assert best(transitions, Request(items=("s10", "s02"))) == "s04"
    assert best(transitions, Request(events=(Event("s10", timestamp=5.0), Event("s02", timestamp=4.0)))) == "s12"


def test_a_known_playlist_goes_on_where_it_ends(model: Recommender) -> None:
    user = model.users.id(4)
    numbers, _ = model.user_items.row(4)
    assert model.order is not None
    latest = int(numbers[np.argmax(model.order.times[model.user_items.indptr[4] : model.user_items.indptr[5]])])
    assert best(model.with_model("transitions"), Request(user_id=user)) == f"s{(latest + 2) % SONGS:02}"


@pytest.mark.parametrize(("context", "odd"), [({"name": "calm"}, 0), ({"Name": "Loud ENGINE!"}, 1), ({"country": "fr"}, 1)])
def test_a_name_alone_finds_its_songs_and_says_that_nothing_was_heard(model: Recommender, context: dict[str, str], odd: int) -> None:
    answer = model.with_model("words").recommend(Request(context=context, num_recommendations=5, explain=True))
    assert answer.fallback == "context"
    assert [int(one.item_id[1:]) % 2 for one in answer.recommendations] == [odd] * 5
    for one in answer.recommendations:
        assert one.reasons is not None
        assert [(reason.item_id, reason.share) for reason in one.reasons] == [(None, 1.0)]
        assert one.reasons[0].models == {"words": 1.0}


def test_the_words_of_a_known_playlist_need_not_be_sent(model: Recommender) -> None:
    words = model.with_model("words")
    for user, odd in ((0, 0), (1, 1)):
        (first,) = words.recommend(Request(user_id=model.users.id(user), num_recommendations=1)).recommendations
        assert int(first.item_id[1:]) % 2 == odd


def test_words_that_nobody_knows_are_answered_by_popularity(model: Recommender) -> None:
    assert model.recommend(Request(context={"name": "zzz"})).fallback == "popularity"


def test_held_out_playlists_were_asked_in_their_order_and_with_their_names(trained: Path) -> None:
    models = json.loads((trained / "output" / "evaluation.json").read_text())["holdout"]["models"]
    assert models["transitions"]["recall_at_5"]["mean"] > 0.5
    assert models["words"]["recall_at_10"]["mean"] > 0.75  # of 12 songs, with no song of the playlist known


def test_order_and_words_are_the_same_bits_after_saving_and_loading(model: Recommender, tmp_path: Path) -> None:
    save(model, tmp_path, {})
    again = load(tmp_path, verify=True)
    assert (again.order, again.words) != (None, None)
    requests = [Request(user_id="p007", context={"country": "de"}), Request(items=("s01", "s02", "s05")), Request(events=(Event("s03"),))]
    for request in requests:
        for name in model.scorers:
            one, other = (some.with_model(name).recommend(request) for some in (model, again))
            assert [(r.item_id, r.score) for r in one.recommendations] == [(r.item_id, r.score) for r in other.recommendations]


def test_times_that_do_not_fit_the_histories_are_a_damaged_model(model: Recommender, tmp_path: Path) -> None:
    save(model, tmp_path, {})
    document = json.loads((tmp_path / "model.json").read_text())
    shorter = np.load(tmp_path / "user_items.times.npy")[:-1]
    np.save(tmp_path / "user_items.times.npy", shorter)
    document["arrays"]["user_items.times"]["shape"] = [len(shorter)]
    (tmp_path / "model.json").write_text(json.dumps(document))
    with pytest.raises(ArtifactError, match=r"user_items\.times does not fit"):
        load(tmp_path)


def test_models_that_the_data_cannot_train_are_left_out(tmp_path: Path) -> None:
    channels = write_world(tmp_path, "position")
    lines = (channels["interactions"] / "part.csv").read_text().replace("position", "nothing")
    (channels["interactions"] / "part.csv").write_text(lines)
    model = train(tmp_path, {"interactions": channels["interactions"]})
    assert set(model.scorers) == {"ease", "sessions", "popularity"}
    assert (model.order, model.words) == (None, None)


def test_weights_that_decay_train_another_model(tmp_path: Path) -> None:
    channels = write_world(tmp_path, "timestamp")
    kept, decayed = (train(tmp_path / str(days), channels, data_half_life_days=str(days)) for days in (0, 0.001))
    assert kept.weighting.half_life_days == 0
    assert decayed.weighting.half_life_days == 0.001
    request = Request(user_id="p003")
    assert (decayed.user_items.values == kept.user_items.values).all()  # stored as they are: a request decays them
    assert decayed.history(request).weights.min() < 0.5 * kept.history(request).weights.min()
    assert not np.array_equal(decayed.scorers["ease"].arrays()["values"], kept.scorers["ease"].arrays()["values"])
