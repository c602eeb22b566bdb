"""The part of the page about listening: how much there is, how it is spread over listeners, songs and time."""

from __future__ import annotations

from typing import Any

from training.quality.markup import Markup, element, foreign, joined, table
from training.quality.svg import bars, histogram, lorenz
from training.quality.wording import count, counted, decimal, percent


def events_section(described: dict[str, Any] | None, name: str) -> Markup:
    """Describes interactions, or the channel test. ``name`` is distinct in the page."""
    if described is None:
        return element("p", "No listening events were given: songs are recommended by what they are, and nothing is known of listeners.")
    return joined(
        [
            tiles(_numbers(described)),
            element("p", _catalogue(described["catalogue"])) if described["catalogue"] is not None else None,
            element("div", *_plots(described, name), class_="plots"),
            element("p", _concentration(described)),
            element("h3", "Played by most listeners"),
            _most_played(described["most_played"]),
        ]
    )


def tiles(numbers: list[tuple[str, str]]) -> Markup:
    """Large numbers with what they are."""
    return element("dl", *(element("div", element("dt", what), element("dd", number)) for what, number in numbers), class_="tiles")


def _numbers(described: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("pairs of a listener and a song", count(described["entries"])),
        ("listeners with events", count(described["listeners"])),
        ("played songs", count(described["songs"])),
        ("sparsity: pairs that are unknown", _exact_percent(described["sparsity"])),
        ("songs of a listener, median", decimal(described["songs_per_listener"]["median"])),
        ("listeners of a song, median", decimal(described["listeners_per_song"]["median"])),
    ]


def _exact_percent(share: float) -> str:
    return "100 %" if share == 1 else f"{100 * share:.4g} %"


def _catalogue(sides: dict[str, Any]) -> str:
    orphans = (
        f"{counted(sides['orphan_songs'], 'played song')} ({percent(sides['orphan_songs_share'])}) with {count(sides['orphan_entries'])} "
        f"pairs ({percent(sides['orphan_entries_share'])}) are not in the catalogue."
        if sides["orphan_songs"]
        else "Every played song is in the catalogue."
    )
    cold = f"{counted(sides['cold_songs'], 'song')} of the catalogue ({percent(sides['cold_songs_share'])}) have no listener."
    return f"{orphans} {cold if sides['cold_songs'] else 'Every song of the catalogue has a listener.'}"


def _plots(described: dict[str, Any], name: str) -> list[Markup]:
    per_listener, per_song, popularity = described["songs_per_listener"], described["listeners_per_song"], described["popularity"]
    half = next(one["entries"] for one in popularity["top"] if one["songs"] == 0.1)
    plots = [
        histogram(
            f"{name}-listeners", "Songs per listener", per_listener["histogram"], _DOUBLING, "listeners", _spread(per_listener, "listeners")
        ),
        histogram(f"{name}-songs", "Listeners per song", per_song["histogram"], _DOUBLING, "songs", _spread(per_song, "songs")),
        lorenz(
            f"{name}-lorenz",
            f"Popularity, Gini {decimal(popularity['gini'])}",
            popularity["lorenz"]["songs"],
            popularity["lorenz"]["entries"],
            f"The most played tenth of the songs has {percent(half)} of all pairs. The dashed line: all songs played alike (Gini 0).",
        ),
    ]
    if times := described["times"]:
        missing = f" {count(times['missing'])} pairs have no time." if times["missing"] else ""
        told = f"Last event of each pair, from {times['first'][:10]} to {times['last'][:10]} (UTC).{missing}"
        title = f"Pairs per {times['unit']}"
        plots.append(bars(f"{name}-times", title, times["periods"], times["counts"], times["unit"], "pairs", told))
    weights = described["weights"]
    if weights["distinct"] > 1:
        told = f"From {decimal(weights['min'])} to {decimal(weights['max'])}, half of them at most {decimal(weights['median'])}."
        plots.append(histogram(f"{name}-weights", "Weights of the pairs", weights["histogram"], "weight", "pairs", told))
    return plots


_DOUBLING = "each bar reaches to twice the number"


def _spread(spread: dict[str, Any], word: str) -> str:
    return (
        f"Half of the {word} have at most {decimal(spread['median'])}, one in twenty more than {decimal(spread['p95'])}, "
        f"the largest number is {decimal(spread['max'])}; {count(spread['once'])} have just one."
    )


def _concentration(described: dict[str, Any]) -> str:
    top = [f"the first {percent(one['songs'])} of the songs have {percent(one['entries'])}" for one in described["popularity"]["top"]]
    alone = described["listeners_without_entries"]
    unheard = f" {counted(alone, 'known listener')} without an event can be recommended to only as new ones." if alone else ""
    times = "" if described["times"] else " The events have no times."
    return f"Of all pairs, ordered by how many listeners a song has, {', '.join(top)}.{times}{unheard}"


def _most_played(songs: list[dict[str, Any]]) -> Markup:
    rows = [
        (
            foreign(one["id"]),
            foreign(one["title"]) if one["title"] else "",
            foreign(one["artist"]) if one["artist"] else "",
            count(one["listeners"]),
            percent(one["share_of_listeners"]),
        )
        for one in songs
    ]
    return table(["Song", "Title", "Artist", "Listeners", "Share of listeners"], rows, ["Listeners", "Share of listeners"])
