"""What Amazon Personalize asks of data, each from a page of its developer guide (docs.aws.amazon.com/personalize/latest/dg/PAGE.html)."""

from __future__ import annotations

# limits
MIN_INTERACTIONS = 1000  # to import, and to train
MIN_ACTIVE_USERS = 25  # listeners with at least MIN_EVENTS_OF_ACTIVE_USER events, to train
MIN_EVENTS_OF_ACTIVE_USER = 2
MAX_ID_CHARACTERS = 256
MAX_TEXT_CHARACTERS = 1000  # of a categorical value (all of its categories together), a plain string, an impression
MAX_METADATA_FIELDS = {"Interactions": 5, "Items": 100, "Users": 25}  # without the reserved fields
MAX_EVENT_TYPES_AND_METADATA = 10  # distinct event types, and optional columns of interactions (EVENT_TYPE and EVENT_VALUE are two)
MAX_TEXTUAL_FIELDS = 1
MAX_TRAINED_ITEMS = 750_000  # 5 million for the recipes User-Personalization-v2 and Personalized-Ranking-v2

# how-it-works-dataset-schema
NAMESPACE = "com.amazonaws.personalize.schema"
TYPES = ("float", "double", "int", "long", "string", "boolean", "null")
CATEGORY_SEPARATOR = "|"
LARGEST_FLOAT = 3.4028235677973362e38  # the largest number that rounds to a float of 32 bits

# custom-datasets-and-schemas: field -> (its type, whether null may stand beside it)
REQUIRED = {
    "Interactions": {"USER_ID": ("string", False), "ITEM_ID": ("string", False), "TIMESTAMP": ("long", False)},
    "Items": {"ITEM_ID": ("string", False)},
    "Users": {"USER_ID": ("string", False)},
}
RESERVED = {
    "Interactions": {
        "EVENT_TYPE": ("string", False),
        "EVENT_VALUE": ("float", True),
        "IMPRESSION": ("string", True),
        "RECOMMENDATION_ID": ("string", True),
        "EVENT_ATTRIBUTION_SOURCE": ("string", True),
    },
    "Items": {"CREATION_TIMESTAMP": ("long", True)},  # the page says long; items-datasets says what stands for a missing one
    "Users": {},
}
NEEDS_METADATA = ("Items", "Users")  # one field at least that is categorical, textual or a number
KINDS = tuple(REQUIRED)
