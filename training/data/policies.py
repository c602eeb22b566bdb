"""What may be wrong with the data, and what can be done about it. Imports nothing: settings are checked before numpy is."""

# kind of problem -> what each action does about it; the first is the default. `quality_<kind>` chooses.
POLICIES: dict[str, dict[str, str]] = {
    "misshapen_row": {"drop": "the row is left out"},
    "missing_id": {"drop": "the row is left out"},
    "placeholder_id": {"keep": "the id is taken as it is written", "drop": "the row is left out"},
    "unreadable_value": {"repair": "the value counts as missing", "drop": "the row is left out"},
    "out_of_range": {"repair": "the value counts as missing", "drop": "the row is left out"},
    "missing_value": {"repair": "the song or event is kept without it", "drop": "the row is left out"},
    "duplicate_row": {
        "repair": "rows of one id become one song, with what each knows",
        "drop": "the fullest row is kept, the others left out",
    },
    "duplicate_song": {"keep": "both ids stay", "repair": "the songs become one; the other ids lead to it"},
    "orphan_event": {"repair": "the song is learned from its events alone", "drop": "the event is left out"},
    "broken_time": {"repair": "the event counts as one without a time", "drop": "the event is left out"},
    "future_time": {"repair": "the event counts as one without a time", "drop": "the event is left out"},
}
WHAT_IS_WRONG = {
    "misshapen_row": "a row with more or fewer values than the header has columns, or a line that is no JSON object",
    "missing_id": "a row without the song's id (or artist and title), or without the listener's",
    "placeholder_id": "an id such as nan, null, unknown",
    "unreadable_value": "a value that is no number, key, yes or no, where one is needed",
    "out_of_range": "a number that cannot be true, such as a tempo of 0",
    "missing_value": "an empty cell",
    "duplicate_row": "a song's id in several rows",
    "duplicate_song": "songs of one title and artist with ids of their own",
    "orphan_event": "an event of a song that the catalogue does not have",
    "broken_time": "a time that cannot be read",
    "future_time": "a time that is yet to come",
}
REFUSE = "refuse"  # ends the job with the file, column, row and value of the first one; allowed for every kind
PLACEHOLDERS = frozenset({"nan", "null", "none", "na", "n/a", "nil", "undefined", "unknown", "-", "?"})  # ids that mean: there is none
