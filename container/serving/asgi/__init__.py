"""The second engine of `serve`: uvicorn in several processes that share one model, without Java."""
