"""The serving side of the container: multi-model-server started, supervised, and taught to answer properly."""
