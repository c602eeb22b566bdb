"""The part of the page about the catalogue: its columns, genres and years."""

from __future__ import annotations

from typing import Any

from training.quality.markup import BREAK, Markup, element, foreign, joined, table
from training.quality.svg import bars, histogram, spark
from training.quality.wording import count, counted, decimal, percent

MOST_COLUMNS = 100  # more are in the JSON only
MOST_VALUES = 4
FEW_DECADES = 3
Column = dict[str, Any]


def songs_section(catalogue: dict[str, Any] | None) -> Markup:
    """Column by column what is missing and how the values are spread, then the genres, then the years."""
    if catalogue is None:
        return element("p", "No catalogue was given. What can be recommended is learned from listening alone, and has no title.")
    columns = [one for one in catalogue["columns"] if one["column"] is not None or one["missing_share"] < 1]
    absent = [one["name"] for one in catalogue["columns"] if one["column"] is None and one["missing_share"] == 1]
    parts = [element("p", f"{counted(catalogue['songs'], 'song')} with a row in the catalogue, after rows of one song were merged.")]
    heads = ["Column", "Missing", "Distinct", "Distribution", "Values"]
    rows = [_row(one) for one in columns[:MOST_COLUMNS]]
    parts.append(table(heads, rows, ["Distinct"]))
    if len(columns) > MOST_COLUMNS:
        parts.append(element("p", f"and {len(columns) - MOST_COLUMNS} more columns, which quality_report.json has.", class_="dim"))
    if absent:
        parts.append(element("p", f"Not in the files: {', '.join(absent)}.", class_="dim"))
    if catalogue["similar_pairs"]:
        parts.append(element("p", f"The catalogue calls {counted(catalogue['similar_pairs'], 'pair')} of its songs similar."))
    parts += _genres(next(one for one in catalogue["columns"] if one["name"] == "genre" and one["kind"] == "names"))
    year = next(one for one in catalogue["columns"] if one["name"] == "year" and one["kind"] == "number")
    parts += _years(catalogue["years"], year)
    return joined(parts)


def _row(column: Column) -> tuple[Markup | str, ...]:
    name: list[Markup | str] = [element("strong", foreign(column["name"]))]
    if column["column"] is not None and column["column"] != column["name"]:
        name += [BREAK, element("small", "in the file: ", foreign(column["column"]))]
    if column.get("unit"):
        name += [BREAK, element("small", column["unit"])]
    lack = percent(column["missing_share"])
    bar = element("span", element("i", style=f"width:{100 * column['missing_share']:.1f}%"), class_="track lack")
    missing = joined([lack, " ", element("small", f"({count(column['missing'])})"), bar]) if column["missing"] else lack
    distinct = count(column["distinct"]) if column["distinct"] is not None else "–"
    return joined(name), missing, distinct, _distribution(column), _values(column)


def _distribution(column: Column) -> Markup | str:
    drawn = column.get("histogram") or (column.get("terms_per_song") or column.get("songs_per_name") or {}).get("histogram")
    if drawn is None:
        return ""
    low, high = decimal(drawn["edges"][0]), decimal(drawn["edges"][-1])
    what = "values" if "histogram" in column else "terms per song" if column.get("terms_per_song") else f"songs per {column['name']}"
    told = f"{column['name']}: histogram of {what} from {low} to {high}"
    return joined([spark(drawn["counts"], told), *([element("small", what)] if what != "values" else [])])


def _values(column: Column) -> Markup | str:
    kind = column["kind"]
    if column.get("median") is not None:
        said = [f"{name} {decimal(column[name])}" for name in ("min", "q1", "median", "q3", "max")]
        return joined([" · ".join(said), BREAK, element("small", f"mean {decimal(column['mean'])} ± {decimal(column['deviation'])}")])
    if kind == "vector":
        return f"vectors of {counted(column['dimensions'], 'number')}"
    if kind == "terms":
        spread = column["terms_per_song"]
        return (
            f"{decimal(spread['median'])} different terms in half of the songs, at most {decimal(spread['max'])}" if spread else "no text"
        )
    top = sorted((one for one in column.get("top", ()) if one["count"]), key=lambda one: -one["count"])
    if not top:
        return "text" if kind == "text" and column["distinct"] else "no value"
    shown = [joined([foreign(one["value"]), " ", element("small", percent(one["share"]))]) for one in top[:MOST_VALUES]]
    more = column["distinct"] - len(shown)
    rest = [element("small", f" and {count(more)} more")] if more > 0 else []
    return joined([*[part for one in shown for part in (", ", one)][1:], *rest])


def _genres(column: Column) -> list[Markup]:
    if not column["top"]:
        return []
    most = column["top"][0]["count"]
    ranks = [
        element(
            "li",
            foreign(one["value"]),
            element("span", f"{count(one['count'])} · {percent(one['share'])}"),
            element("span", element("i", style=f"width:{100 * one['count'] / most:.1f}%"), class_="track"),
        )
        for one in column["top"]
    ]
    n = column["distinct"]
    told = "All genres" if n <= len(ranks) else f"The {len(ranks)} most frequent of {counted(n, 'genre')}"
    text = f"{told}, with songs and share of all songs. A song that has genres has {decimal(column['per_song'])} on average."
    return [element("h3", "Genres"), element("p", text, class_="dim"), element("ol", *ranks, class_="ranks")]


def _years(years: dict[str, Any] | None, column: Column) -> list[Markup]:
    if years is None:
        return []
    described = f"Songs by year of release, {years['first']} to {years['last']}; half of them are of {decimal(column['median'])} or later."
    labels = [f"{one['decade']}s" for one in years["decades"]]
    counts = [one["songs"] for one in years["decades"]]
    plots = [histogram("years", "Years", column["histogram"], "year", "songs", described)]
    if len(labels) >= FEW_DECADES:
        best = max(years["decades"], key=lambda one: one["songs"])
        told = f"Most songs are of the {best['decade']}s ({count(best['songs'])}). Decades without songs are left out."
        plots.append(bars("decades", "Decades", labels, counts, "decade", "songs", told))
    return [element("h3", "Years"), element("div", *plots, class_="plots")]
