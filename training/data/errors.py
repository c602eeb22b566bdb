"""The one error of this folder: the user's data cannot be used, and what to do about it."""


class UserDataError(Exception):
    """The data in a channel cannot be used as it is.

    The message is one sentence or two: what was found, where (file, column, row, value), and what to do. It is meant to be
    read by the person who started the training, so it never needs a traceback beside it.
    """
