"""What deserves attention in the catalogue: what content-based recommendations rest on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from inference.features.attributes import AUDIO
from training.quality.finding import LIMITS, Finding, finding
from training.quality.wording import count, counted, percent

WEIGHTS = {
    "artist": "content_artist_weight",
    "genre": "content_genre_weight",
    "year": "content_year_weight",
    "lyrics": "content_lyrics_weight",
    **dict.fromkeys(AUDIO, "content_audio_weight"),
}
# What the similarity of songs rests on: the columns that say it, and the setting that names such a column (for audio: there is none).
BASES = {"artists": (("artist",), "data_artist_column"), "genres": (("genre",), "data_genre_column"), "audio features": (AUDIO, "")}
DERIVED = "language"  # of the lyrics: that all are in one language is no mistake
SHOWN = 6  # columns that one sentence names
Column = dict[str, Any]


def song_findings(document: dict[str, Any]) -> Iterator[Finding]:
    """The findings about the catalogue; see ``attention.findings``."""
    songs = document["totals"]["songs"]
    if songs < LIMITS["few_songs"]:
        text = f"There {'is' if songs == 1 else 'are'} only {counted(songs, 'song')}: lists of recommendations soon hold all of them."
        yield finding("few_songs", "medium", songs, text, "Check that all files of the catalogue and of the events are in the channels.")
    catalogue = document["catalogue"]
    if catalogue is None or not catalogue["songs"]:
        return
    columns = catalogue["columns"]
    yield from _absent(columns)
    yield from _missing(columns)
    yield from _constant(columns, catalogue["songs"])
    yield from _popularity(columns)
    yield from _frequent(columns)
    unknown = document["counts"].get("items.similar_songs_not_in_catalogue", 0)
    named = unknown + catalogue["similar_pairs"]
    if named and unknown / named >= LIMITS["similar_unknown"]:
        text = (
            f"{percent(unknown / named)} of the songs that the catalogue calls similar are not in it ({count(unknown)} of {count(named)}). "
            "They can't be recommended, and say nothing."
        )
        yield finding("similar_unknown", "low", unknown / named, text, "A larger part of the catalogue in the channel items would help.")


def _absent(columns: list[Column]) -> Iterator[Finding]:
    lacking = {what: names for what, names in BASES.items() if not any(one["name"] in names[0] and _given(one) for one in columns)}
    if len(lacking) < LIMITS["no_column"]:
        return
    settings = [setting for _, setting in lacking.values() if setting]
    text = (
        f"The catalogue has no column with {_and(list(lacking), 'or')}. What songs have in common is told by the other columns alone, so "
        "recommendations of new songs are weaker."
    )
    named = (
        f"If there is one under another name, name it with {_and(settings, 'or')}." if settings else "Add such columns to the catalogue."
    )
    severity = "high" if len(lacking) == len(BASES) else "medium"
    yield finding("no_column", severity, len(lacking), text, named, settings)


def _missing(columns: list[Column]) -> Iterator[Finding]:
    lacking = [one for one in columns if _given(one) and one["missing_share"] >= LIMITS["mostly_missing"]]
    if not lacking:
        return
    lacking.sort(key=lambda one: (-one["missing_share"], one["name"]))
    settings = _weights(lacking)
    verb = "has" if len(lacking) == 1 else "have"
    listed = _listed([f"{one['name']} ({percent(one['missing_share'])} missing)" for one in lacking])
    text = f"{listed} {verb} no value for at least half of the songs, and can't tell these songs apart."
    advice = "Fill the columns, or check that the right columns are read" + (
        f"; {_and(settings, 'and')} {'says' if len(settings) == 1 else 'say'} how much they count." if settings else "."
    )
    serious = any(one["name"] in ("artist", "genre", "title") or one["missing_share"] == 1 for one in lacking)
    yield finding("mostly_missing", "medium" if serious else "low", lacking[0]["missing_share"], text, advice, settings)


def _constant(columns: list[Column], songs: int) -> Iterator[Finding]:
    same = [one for one in columns if _given(one) and one["distinct"] == 1 and songs - one["missing"] >= LIMITS["constant_column"]]
    same = [one for one in same if one["name"] != DERIVED]
    if not same:
        return
    settings = _weights(same)
    listed = _listed([one["name"] for one in same])
    text = f"{listed} {'is' if len(same) == 1 else 'are'} the same for every song that has a value, so nothing can be learned from it."
    advice = "Check that the right columns are read" + (f"; {_and(settings, 'and')} = 0 leaves them out." if settings else ".")
    yield finding("constant_column", "low", max(songs - one["missing"] for one in same), text, advice, settings)


def _popularity(columns: list[Column]) -> Iterator[Finding]:
    for one in columns:
        if one["name"] == "popularity" and not one["named"] and one.get("q1") == 0:
            text = (
                "At least a quarter of the songs have the popularity 0. Where it means unknown, these songs are "
                "ranked last by a model that goes by popularity, and by filters on it."
            )
            advice = "If 0 means unknown, leave the field empty in the file."
            yield finding("popularity_zero", "low", LIMITS["popularity_zero"], text, advice)


def _frequent(columns: list[Column]) -> Iterator[Finding]:
    for one in columns:
        name = f"one_{one['name']}"
        if one["kind"] != "names" or name not in LIMITS or not one["top"]:
            continue
        top = one["top"][0]
        if top["share"] < LIMITS[name] or one["distinct"] < 2:
            continue
        setting = WEIGHTS[one["name"]]
        text = (
            f'{percent(top["share"])} of the songs have the {one["name"]} "{top["value"]}". '
            f"Songs are easily alike by {one['name']} alone, and lists may hold little else."
        )
        yield finding(name, "low", top["share"], text, f"A lower {setting} makes other features count more.", [setting])


def _given(column: Column) -> bool:
    """Whether the files have this column."""
    return column["column"] is not None or column["named"]


def _weights(columns: list[Column]) -> list[str]:
    names = ["content_extra_weight" if one["named"] else WEIGHTS.get(one["name"], "") for one in columns]
    return list(dict.fromkeys(name for name in names if name))


def _listed(parts: list[str]) -> str:
    shown = parts if len(parts) <= SHOWN else [*parts[:SHOWN], f"{len(parts) - SHOWN} further columns"]
    text = _and(shown, "and")
    return text[0].upper() + text[1:]


def _and(parts: list[str], word: str) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"
