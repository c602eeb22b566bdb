"""How good contestants are for songs of which few events are known: the same held-out songs, with 0, 1, 2, 5, 10 of their events kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scripts.answer_table import table
from scripts.leaderboard_rows import Row

MIN_LISTENERS = 20  # of a held-out song: so that, with the most events kept, as many again are there to be found


def settings_for(n: int, most: int) -> dict[str, str]:
    """Returns the hyperparameters that keep ``n`` events of each held-out song; ``most`` is the largest n, so all draw the same songs."""
    return {"split_kind": "song", "split_song_events": str(n), "split_min_song_listeners": str(max(MIN_LISTENERS, 2 * most))}


def curve(found: Mapping[int, Mapping[str, Sequence[Row]]], k: int, seed: int) -> dict[str, dict[str, dict[str, Any]]]:
    """Returns, by source, contestant and n, recall@k with its interval. ``found``: the rows by n and source."""
    measure = f"recall_at_{k}"
    curves: dict[str, dict[str, dict[str, Any]]] = {}
    for n, sources in found.items():
        for source, rows in sources.items():
            for row in rows:
                if (one := row.estimate(measure, seed)) is not None:
                    curves.setdefault(source, {}).setdefault(row.name, {})[str(n)] = one.to_json()
    return curves


def text(curves: Mapping[str, Mapping[str, Mapping[str, Any]]], k: int) -> str:
    """Returns a table for each source: a row per contestant, a column per number of events that were kept."""
    parts = []
    for source, by_name in curves.items():
        levels = list(dict.fromkeys(n for by_n in by_name.values() for n in by_n))
        body = [
            [name, *(f"{by_n[n]['mean']:.4f} [{by_n[n]['low']:.4f}, {by_n[n]['high']:.4f}]" if n in by_n else "" for n in levels)]
            for name, by_n in by_name.items()
        ]
        parts.append(
            "\n".join([f"recall@{k} ({source}) by how many events of each held-out song were kept", *table([["model", *levels], *body])])
        )
    return "\n\n".join(parts)
