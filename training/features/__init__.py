"""Finds the numbers of the transforms of `inference.features`, and applies them to a catalogue."""

from training.features.fit import fit_transform

__all__ = ["fit_transform"]
