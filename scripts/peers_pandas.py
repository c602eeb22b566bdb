"""Features of the 20-column tracks catalogue in plain pandas and scikit-learn: what the data side of training is measured against.

Written as one would in a notebook, with care but without tricks. The same songs and the same features come out; what is left out is the
report on the data, the sha256 of the file, and everything that keeps odd files from ending it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.preprocessing import MultiLabelBinarizer, StandardScaler

AUDIO = ["danceability", "energy", "loudness", "speechiness", "acousticness", "instrumentalness", "liveness", "valence", "tempo"]
UNIT = [name for name in AUDIO if name not in ("loudness", "tempo")]
KEYS = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
CLUSTERS = 24


def features(path: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Returns a row per song, by its id, and the vectors of how they sound: float32 (songs, 14)."""
    songs = one_row_per_song(read(path))
    songs["popularity_bucket"] = pd.cut(songs["popularity"], [0, 25, 50, 75, 101], right=False, labels=["Low", "Medium", "High", "Viral"])
    songs["key_name"] = songs["key"].map(dict(enumerate(KEYS))).astype("category")
    songs["mode_name"] = songs["mode"].map({0: "minor", 1: "major"}).astype("category")
    songs["mood"] = mood(songs)
    songs["genre_cluster"] = genre_clusters(songs["genres"])
    for name in ("album_name", "time_signature"):
        songs[name] = songs[name].astype("category")
    return songs, sound(songs)


def read(path: Path) -> pd.DataFrame:
    """The rows of the file, values that cannot be taken out."""
    rows = pd.read_csv(path, dtype={"track_id": str, "time_signature": str}).dropna(subset=["track_id"])
    rows["duration"] = rows["duration_ms"] / 1000
    rows[UNIT] = rows[UNIT].where((rows[UNIT] >= 0) & (rows[UNIT] <= 1))
    rows["tempo"] = rows["tempo"].where(rows["tempo"].between(1, 400))
    rows["loudness"] = rows["loudness"].where(rows["loudness"].between(-80, 20))
    rows["duration"] = rows["duration"].where(rows["duration"].between(0.1, 86400))
    rows["title"] = normal(rows["track_name"])
    rows["artist"] = normal(rows["artists"])
    return rows


def normal(texts: pd.Series) -> pd.Series:
    return texts.str.normalize("NFC").str.casefold().str.split().str.join(" ")


def one_row_per_song(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of one id become one song: the most popular row, with the genres of all of them. Other ids of a title and artist are marked."""
    songs = rows.sort_values("popularity", ascending=False, kind="stable").drop_duplicates("track_id").set_index("track_id")
    genres = pd.DataFrame({"song": rows["track_id"], "genre": normal(rows["track_genre"])}).dropna().drop_duplicates()
    songs["genres"] = genres.sort_values(["song", "genre"]).groupby("song")["genre"].agg(list)
    songs["genres"] = songs["genres"].map(lambda names: names if isinstance(names, list) else [])
    songs["artist_names"] = songs["artist"].fillna("").str.split(";")
    songs["other_id"] = songs.duplicated(["title", "artist"]) & songs["title"].notna()
    return songs.sort_index()


def mood(songs: pd.DataFrame) -> pd.Series:
    glad, lively = songs["valence"] >= 0.5, songs["energy"] >= 0.5
    names = pd.Series(np.select([glad & lively, glad, lively], ["happy", "calm", "tense"], "sad"), index=songs.index)
    return names.where(songs[["valence", "energy"]].notna().all(axis=1)).astype("category")


def genre_clusters(genres: pd.Series) -> pd.Categorical:
    """Genres that the same songs have are alike; a song belongs to the cluster that most of its genres do, the first of several."""
    binarizer = MultiLabelBinarizer(sparse_output=True)
    songs = binarizer.fit_transform(genres)
    alike = cosine_similarity((songs.T @ songs).toarray())
    names = list(binarizer.classes_)
    if len(names) < 2:
        return pd.Categorical.from_codes(np.where(genres.str.len() > 0, 0, -1), categories=pd.Index(names[:1]))
    clustering = AgglomerativeClustering(min(CLUSTERS, len(names)), metric="precomputed", linkage="average").fit(1 - alike)
    members = pd.get_dummies(clustering.labels_).to_numpy(dtype=int)
    counts = songs @ members
    codes = np.where(counts.sum(axis=1) > 0, counts.argmax(axis=1), -1)
    frequency = np.asarray(songs.sum(axis=0)).ravel()
    heads = [names[int(np.where(members[:, cluster], frequency, -1).argmax())] for cluster in range(members.shape[1])]
    return pd.Categorical.from_codes(codes, categories=pd.Index(heads))


def sound(songs: pd.DataFrame) -> np.ndarray:
    """Standardised numbers, the tempo's octave, and the key on the circle of fifths; 0 where something is missing."""
    numbers = songs[[*AUDIO, "duration"]].copy()
    numbers[["tempo", "duration"]] = np.log1p(numbers[["tempo", "duration"]])
    scaled = np.clip(StandardScaler().fit_transform(numbers), -3, 3)
    scaled[:, AUDIO.index("tempo")] /= 2
    octave = 2 * np.pi * np.log2(songs["tempo"])
    major = songs["key"] + 3 * (songs["mode"] == 0)
    fifths = (2 * np.pi * (7 * major % 12) / 12).where(songs["key"].between(0, 11))
    circles = np.column_stack([np.cos(octave), np.sin(octave), np.cos(fifths), np.sin(fifths)])
    return np.nan_to_num(np.hstack([scaled, circles])).astype(np.float32)
