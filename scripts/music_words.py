"""Invented names, titles and lyrics from word lists of our own. Nothing in here is anybody's song."""

import numpy as np
from numpy.typing import NDArray


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


ADJECTIVES = words(
    "Amber Ancient Blue Bright Broken Burning Cold Crimson Crooked Crystal Dark Distant Electric Empty Endless Fading Faithful Fallen "
    "Feral Final Foreign Forgotten Fragile Frozen Gentle Ghostly Giant Golden Hidden Hollow Honest Humble Idle Infinite Inner Iron "
    "Ivory Lazy Little Lonely Lost Lucky Midnight Neon Noble Northern Outer Pale Patient Perfect Plastic Polar Quiet Rapid Restless "
    "Rising Rusty Secret Silent Silver Simple Sleepy Slow"
)
NOUNS = words(
    "Anchor Arrow Atlas Autumn Balcony Beacon Bird Bridge Candle Canyon Carousel Cathedral City Cloud Comet Compass Corner Desert "
    "Diamond Door Dream Echo Ember Engine Feather Field Fire Flood Forest Fountain Garden Gate Glacier Harbor Heart Hill Horizon "
    "Island Jungle Kite Ladder Lantern Lighthouse Machine Maple Meadow Mirror Moon Mountain Ocean Orchard Paper Picture Planet Rain "
    "River Road Satellite Shadow Signal Sky Stone Storm Summer"
)
FIRST_NAMES = words(
    "Ada Alma Amos Anouk Arlo Astrid Bela Bruno Cato Celia Cleo Cyril Dalia Dario Edda Elio Elsa Ezra Fay Felix Flora Gideon Greta "
    "Hana Hugo Ida Igor Ines Iris Ivo Jana Jonas Juno Kaia Kofi Lena Leo Lidia Lino Mabel Magnus Mara Mila Milo Nadia Nico Nils Nora "
    "Odin Olga Oscar Otis Petra Quinn Rafa Romy Rosa Ruben Sami Selma Silas Tilda Uma Viggo"
)
STARTS = words("Al Bar Bel Cor Dal Den Far Fen Gal Har Hol Jor Kal Kor Lan Lor Mar Mor Nor Or Pel Ros San Tor")
MIDDLES = words("a ab ar ad e el en er i il in ir o ol on or u ul un ur ai ei ia io")
ENDS = words("berg dahl field land mont ski")
BAND_FORMS = ("The {a} {n}s", "{a} {n}", "{n} & the {a}s", "{a} {n} Club")
TITLE_FORMS = (
    *("{a} {n}", "{n} of the {m}", "My {a} {n}", "Under the {n}", "No More {n}s", "{n} and {m}", "Take Me to the {n}", "{a} Again"),
    *("Every {n}", "Before the {n}", "Love Is a {a} {n}", "Dance with the {n}", "{n} (Part II)", "Hello, {a} {n}", "So {a}", "One {n}"),
)
ALBUM_FORMS = ("{a} {n}s", "The {n}", "{n}, {m}", "Songs for a {a} {n}", "{a}")
LINE_FORMS = (
    *("I saw the {n} in the {a} {m}", "you were {a}, I was the {n}", "oh, the {n} is calling me home", "we will never leave this {a} {n}"),
    *("don't let the {n} fall down", "and the {m} turns {a} in the night", "take my hand, take the {n}", "yeah, yeah, {a} like a {n}"),
    *("there's a {n} inside of me", "what did the {m} say to the {n}?", "hold on to the {a} days"),
    '"{a}," said the {n}, and the {m} said "no"',
)


def fill(forms: tuple[str, ...], numbers: NDArray[np.int64], adjectives: list[str] = ADJECTIVES, nouns: list[str] = NOUNS) -> list[str]:
    """One text per number, by a fixed rule: the number says which form and which words."""
    rest, form = np.divmod(numbers, len(forms))
    rest, adjective = np.divmod(rest, len(ADJECTIVES))
    second, noun = np.divmod(rest, len(NOUNS))
    second = second % len(NOUNS)
    rows = zip(form.tolist(), adjective.tolist(), noun.tolist(), second.tolist(), strict=True)
    return [forms[f].format(a=adjectives[a], n=nouns[n], m=nouns[(n + 1 + m) % len(nouns)]) for f, a, n, m in rows]


def artist_names(n: int, rng: np.random.Generator) -> list[str]:
    """`n` different names of bands and people, in a random order."""
    n_bands = min(n * 2 // 5, 8000)
    bands = fill(BAND_FORMS, rng.choice(len(BAND_FORMS) * len(ADJECTIVES) * len(NOUNS), n_bands, replace=False))
    surnames = [start + middle + end for start in STARTS for middle in MIDDLES for end in ENDS]
    people = rng.choice(len(FIRST_NAMES) * len(surnames), n - n_bands, replace=False)
    names = bands + [f"{FIRST_NAMES[p % len(FIRST_NAMES)]} {surnames[p // len(FIRST_NAMES)]}" for p in people.tolist()]
    return [names[place] for place in rng.permutation(n).tolist()]


def title_numbers(artists: NDArray[np.int64], n_titles: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """For each song (a number of its artist) the place of its title among `n_titles`: the songs of one artist have different ones."""
    order = np.argsort(artists, kind="stable")
    firsts = np.searchsorted(artists[order], artists[order])
    place_in_artist = np.empty(len(artists), np.int64)
    place_in_artist[order] = np.arange(len(artists)) - firsts
    start = rng.integers(0, n_titles, int(artists.max()) + 1)
    # a step without a common divisor visits every title once before it repeats one
    step = next(size for size in range(n_titles * 5 // 8, n_titles) if np.gcd(size, n_titles) == 1)
    places: NDArray[np.int64] = (start[artists] + place_in_artist * step) % n_titles
    return places


def distinct_titles() -> list[str]:
    """All titles there are, each once, whatever their case."""
    return list(dict.fromkeys(fill(TITLE_FORMS, np.arange(len(TITLE_FORMS) * len(ADJECTIVES) * len(NOUNS) * 2))))


def lyrics(n_songs: int, n_lines: int, between: str, rng: np.random.Generator) -> list[str]:
    """For each song `n_lines` lines, with marks of verse and chorus, and `between` between the lines: a space, as in the public files."""
    numbers = rng.integers(0, len(LINE_FORMS) * len(ADJECTIVES) * len(NOUNS) ** 2, 5000)
    lower = [[word.lower() for word in group] for group in (ADJECTIVES, NOUNS)]
    pool = fill(LINE_FORMS, numbers, *lower)
    verse = ["[Verse 1] ", "", "", "", " [Chorus] ", "", "", "", " [Verse 2] ", "", "", ""]
    marks = np.array([len(pool) * place for place in range(len(verse))])
    marked = [mark + line for mark in verse for line in pool]
    chosen = rng.integers(0, len(pool), (n_songs, n_lines)) + marks[np.arange(n_lines) % len(verse)]
    return [between.join([marked[line] for line in lines]) for lines in chosen.tolist()]
