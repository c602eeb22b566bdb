"""Answers requests for recommendations. Needs numpy and the standard library, nothing else.

The name of this package and its four functions are what SageMaker's inference toolkit looks for.
"""

from inference.handler import input_fn, lines_fn, model_fn, output_fn, predict_fn

__all__ = ["input_fn", "lines_fn", "model_fn", "output_fn", "predict_fn"]
