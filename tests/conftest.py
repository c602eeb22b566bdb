"""What holds for all tests."""

from hypothesis import settings

# A deadline says how busy the machine is; what is slow is found by --durations.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
