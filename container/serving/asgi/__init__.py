"""The second engine of `serve`: an ASGI server in several processes that share one model, without Java."""
