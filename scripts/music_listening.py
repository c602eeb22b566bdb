"""What the listeners of a small world of music listen to, session by session."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scripts.music_world import GENRES, Floats, Ints, World

EVENT_TYPES = ("play", "like", "skip")
FIRST_DAY, LAST_DAY = 1_672_531_200, 1_735_689_600  # 2023-01-01 to 2025-01-01
SESSION_EVENTS = 6
BLOCK_EVENTS = 1_000_000
SCENES_PER_LISTENER, ARTISTS_PER_LISTENER = 3, 4
# What a session is made of, and how often something else comes between.
SESSION_KINDS = {"scene": 0.52, "artist": 0.14, "mood": 0.22, "charts": 0.12}
CHARTS, ANYTHING = 3, 4  # kinds of an event; the first four are those of the sessions
CHARTS_BETWEEN, ANYTHING_BETWEEN = 0.08, 0.03


@dataclass(frozen=True)
class Events:
    """Arrays over events, in the order of time: listener, song, seconds since 1970, place in `EVENT_TYPES`."""

    listeners: Ints
    songs: Ints
    seconds: Ints
    types: Ints


class Pools:
    """Pools of songs to draw from, song by song: one for each value of a label, in proportion to a weight."""

    def __init__(self, labels: Ints, weights: Floats, n_pools: int) -> None:
        self.order = np.argsort(labels, kind="stable")
        self.cumulative = np.concatenate([[0.0], np.cumsum(weights[self.order])])
        sizes = np.bincount(labels, minlength=n_pools)
        ends = np.cumsum(sizes)
        self.low, self.high = self.cumulative[ends - sizes], self.cumulative[ends]

    def draw(self, pools: Ints, rng: np.random.Generator) -> Ints:
        """One song for each pool number, -1 where the pool is empty."""
        points = self.low[pools] + rng.random(len(pools)) * (self.high[pools] - self.low[pools])
        places = np.clip(np.searchsorted(self.cumulative, points, side="right") - 1, 0, len(self.order) - 1)
        return np.where(self.high[pools] > self.low[pools], self.order[places], -1)


@dataclass(frozen=True)
class Shelves:
    """All the pools of a world. The sessions of one listener differ in the pool that they are drawn from."""

    scenes: Pools
    artists: Pools
    moods: Pools  # of a genre and a mood in it
    charts: Pools
    anything: Pools


def make_shelves(world: World) -> Shelves:
    """Sorts the songs that can be found into pools; the charts are the most lopsided."""
    one = np.zeros(len(world.artists), np.int64)
    return Shelves(
        scenes=Pools(world.scenes, world.popularity**0.8, world.n_scenes),
        artists=Pools(world.artists, world.popularity**0.8, int(world.artists.max()) + 1),
        moods=Pools(mood_labels(world), world.popularity, 4 * len(GENRES)),
        charts=Pools(one, world.popularity**1.3, 1),
        anything=Pools(one, (world.popularity > 0).astype(float), 1),
    )


def mood_labels(world: World) -> Ints:
    """Genre and mood as one number per song."""
    return world.genres * 4 + world.moods


def listen(world: World, n_listeners: int, events_per_listener: float, rng: np.random.Generator) -> Iterator[Events]:
    """About `events_per_listener` events for each listener, fewer for many and more for some, in blocks of some listeners.

    A listener has a few scenes, favourite artists from them, and a genre and mood. A session is drawn from one of these or from the
    charts, and now and then something else comes between. Events are in the order of time within a block.
    """
    shelves = make_shelves(world)
    heard = world.popularity <= 0
    block = max(1, round(BLOCK_EVENTS / events_per_listener))
    for start in range(0, n_listeners, block):
        stop = min(start + block, n_listeners)
        events = _block(world, shelves, stop - start, events_per_listener, rng)
        heard[events.songs] = True
        if stop == n_listeners:
            events = _all_found_once(world, events, np.flatnonzero(~heard), rng)
        yield _in_order(Events(events.listeners + start, events.songs, events.seconds, events.types))


def _block(world: World, shelves: Shelves, n_listeners: int, events_per_listener: float, rng: np.random.Generator) -> Events:
    """The events of some listeners, who are numbered from 0."""
    activity = rng.lognormal(-0.125, 0.5, n_listeners) * events_per_listener
    events_of = np.rint(np.maximum(activity, min(5, events_per_listener))).astype(np.int64)
    listeners = np.repeat(np.arange(n_listeners), events_of)
    place = np.arange(len(listeners)) - np.repeat(np.cumsum(events_of) - events_of, events_of)
    first = place % SESSION_EVENTS == 0
    session = np.cumsum(first) - 1

    kind, pool = _sessions(world, shelves, listeners[first], n_listeners, rng)
    between = rng.random(len(listeners))
    event_kind = np.where(between < CHARTS_BETWEEN, CHARTS, np.where(between > 1 - ANYTHING_BETWEEN, ANYTHING, kind[session]))
    songs = _songs(shelves, event_kind, pool[session], rng)
    start = rng.integers(FIRST_DAY, LAST_DAY - 86_400, len(kind))
    seconds = start[session] + (place % SESSION_EVENTS) * 215 + rng.integers(0, 30, len(listeners))
    luck, own_taste = rng.random(len(listeners)), event_kind < CHARTS
    likes, skips = luck < np.where(own_taste, 0.12, 0.03), luck > np.where(own_taste, 0.95, 0.75)
    return Events(listeners, songs, seconds, np.where(likes, 1, np.where(skips, 2, 0)))


def _sessions(world: World, shelves: Shelves, who: Ints, n_listeners: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """For each session its kind (place in `SESSION_KINDS`) and the number of the pool that it is drawn from."""
    scenes = rng.integers(0, world.n_scenes, (n_listeners, SCENES_PER_LISTENER))
    which = rng.integers(0, SCENES_PER_LISTENER, (n_listeners, ARTISTS_PER_LISTENER))
    known = shelves.scenes.draw(np.take_along_axis(scenes, which, axis=1).ravel(), rng).reshape(which.shape)
    kind = rng.choice(len(SESSION_KINDS), len(who), p=list(SESSION_KINDS.values()))
    scene = scenes[who, np.minimum(rng.geometric(0.5, len(who)) - 1, SCENES_PER_LISTENER - 1)]
    artist = world.artists[known[who, rng.integers(0, ARTISTS_PER_LISTENER, len(who))]]
    mood = mood_labels(world)[known[who, rng.integers(0, 2, len(who))]]
    return kind, np.choose(kind, [scene, artist, mood, np.zeros_like(scene)])


def _songs(shelves: Shelves, kinds: Ints, pools: Ints, rng: np.random.Generator) -> Ints:
    songs = np.full(len(kinds), -1, np.int64)
    for kind, shelf in enumerate((shelves.scenes, shelves.artists, shelves.moods)):
        songs[kinds == kind] = shelf.draw(pools[kinds == kind], rng)
    songs[kinds == ANYTHING] = shelves.anything.draw(np.zeros(int((kinds == ANYTHING).sum()), np.int64), rng)
    rest = songs < 0  # the charts, and what came from an empty pool
    songs[rest] = shelves.charts.draw(np.zeros(int(rest.sum()), np.int64), rng)
    return songs


def _all_found_once(world: World, events: Events, unheard: Ints, rng: np.random.Generator) -> Events:
    """Adds a play of each song that nobody happened to find: by somebody who has just heard one of the same scene."""
    if len(unheard) > len(events.songs):
        return events  # so few events cannot cover so many songs
    by_scene = Pools(world.scenes[events.songs], np.ones(len(events.songs)), world.n_scenes)
    before = by_scene.draw(world.scenes[unheard], rng)
    before = np.where(before < 0, rng.integers(0, len(events.songs), len(unheard)), before)
    return Events(
        listeners=np.concatenate([events.listeners, events.listeners[before]]),
        songs=np.concatenate([events.songs, unheard]),
        seconds=np.concatenate([events.seconds, events.seconds[before] + 107]),
        types=np.concatenate([events.types, np.zeros(len(unheard), np.int64)]),
    )


def _in_order(events: Events) -> Events:
    order = np.lexsort((events.songs, events.listeners, events.seconds))
    return Events(events.listeners[order], events.songs[order], events.seconds[order], events.types[order])
