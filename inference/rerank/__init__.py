"""Filters, boosts, caps, and the one re-ranker: which songs may come at all, and in which order the best of them do."""
