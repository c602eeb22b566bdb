"""A container with many models: each is loaded when it is first asked for, and the least recently used goes where memory ends."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.local_aws import asking
from scripts.local_aws.asking import TARGET_MODEL, TIMEOUT_SECONDS, Answer
from scripts.local_aws.context import Context
from scripts.local_aws.errors import ApiError, JobError
from scripts.local_aws.model_server import ModelServer, fetch_packed
from scripts.local_aws.storage import split_uri, under

LOAD_SECONDS, UNLOAD_SECONDS = 300, 60
NOT_LOADED, LOADED_ALREADY, NO_MEMORY = 404, 409, 507
MULTI_MODEL = {"SAGEMAKER_MULTI_MODEL": "true"}


@dataclass
class _Model:
    """``name``: how the container knows it. ``lock``: of its loading and unloading. ``users``: requests that need it loaded."""

    target: str
    name: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0
    loaded: bool = False


class MultiModelServer:
    """``server``: runs the container, whose /opt/ml is ``base``; ``container``: its definition, whose ModelDataUrl is a prefix."""

    def __init__(self, context: Context, container: Mapping[str, Any], base: Path, server: ModelServer) -> None:
        self._context, self._base, self._server = context, base, server
        self._prefix: str = container["ModelDataUrl"]
        self._cached = container.get("MultiModelConfig", {}).get("ModelCacheSetting", "Enabled") == "Enabled"
        self._models: OrderedDict[str, _Model] = OrderedDict()  # the most recently used last
        self._changed = threading.Condition()  # of the models and their numbers of users
        self._loading = threading.Lock()  # one at a time, so that nobody takes the room that another one has made
        self._unloaded = 0  # how many have been, up to now

    @property
    def address(self) -> tuple[str, int]:
        return self._server.address

    def start(self) -> None:
        self._server.start()

    def wait(self) -> str:
        return self._server.wait()

    def stop(self) -> None:
        self._server.stop()

    def kill(self) -> None:
        self._server.kill()

    def join(self) -> None:
        self._server.join()

    def ask(self, body: bytes, headers: Mapping[str, str], seconds: float = TIMEOUT_SECONDS) -> Answer:
        """Asks the model that Target-Model names, a key below the prefix. Raises ``ApiError`` if it names none that is there."""
        target = headers.get(TARGET_MODEL, "").lstrip("/")
        if not target:
            raise ApiError("ValidationError", "The request is missing a target model header: the endpoint is a multi-model endpoint.")
        with self._using(target) as model:
            answer = self._loaded(model)
            if answer.good:
                answer = self._invoke(model, body, headers, seconds)
            if model.loaded and answer.status == NOT_LOADED:  # a server that was started again has lost its models
                model.loaded = False
                answer = self._loaded(model)
                if answer.good:
                    answer = self._invoke(model, body, headers, seconds)
            return answer

    def _invoke(self, model: _Model, body: bytes, headers: Mapping[str, str], seconds: float) -> Answer:
        deadline = time.monotonic() + seconds
        while True:
            unloaded = self._unloaded
            answer = asking.ask(self._server.address, body, headers, seconds, f"/models/{model.name}/invoke")
            late = time.monotonic() > deadline
            # It waits for nobody: two that wait for each other's end would never have theirs.
            if answer.status != NO_MEMORY or late or not self._make_room(model, unloaded, wait=0):
                return answer

    @contextmanager
    def _using(self, target: str) -> Iterator[_Model]:
        """Yields the model, which nobody unloads until the block ends."""
        with self._changed:
            if target not in self._models:
                name = hashlib.sha256(under(self._prefix, target).encode()).hexdigest()[:32]
                self._models[target] = _Model(target, name)
            model = self._models[target]
            self._models.move_to_end(target)
            model.users += 1
        try:
            yield model
        finally:
            with self._changed:
                model.users -= 1
                if not model.users and not model.loaded:
                    del self._models[target]
                claimed = not self._cached and self._claim(model)
                self._changed.notify_all()
            if claimed:
                self._unload(model)

    def _loaded(self, model: _Model) -> Answer:
        """Loads it where it is not. Returns the container's answer to that, a good one if there was nothing to do."""
        with model.lock:
            if model.loaded:
                return Answer(200, {}, b"")
            folder = self._fetched(model)
            with self._loading:
                answer = self._load(model, self._context.launcher.serving_path(self._base, folder))
                if answer.status == LOADED_ALREADY:
                    answer = Answer(200, {}, b"")
                model.loaded = answer.good  # known before the next one looks for room
        if answer.good:
            self._context.say(f"model {model.target}: loaded")
        return answer

    def _load(self, model: _Model, url: str) -> Answer:
        request = json.dumps({"model_name": model.name, "url": url}).encode()
        headers = {"Content-Type": "application/json", TARGET_MODEL: model.target}
        while True:
            unloaded = self._unloaded
            answer = asking.ask(self._server.address, request, headers, LOAD_SECONDS, "/models")
            if answer.status != NO_MEMORY or not self._make_room(model, unloaded, TIMEOUT_SECONDS):
                return answer

    def _fetched(self, model: _Model) -> str:
        """Returns the place of its files below /opt/ml. As on the platform they stay there: who replaces a model gives it a new key."""
        place = f"models/{model.name}/model"
        folder = self._base / place
        if folder.exists():
            return place
        partial = folder.with_name("partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        uri = under(self._prefix, model.target)
        try:
            fetch_packed(self._context.s3, uri, partial)
        except JobError as error:
            shutil.rmtree(folder.parent, ignore_errors=True)
            bucket, key = split_uri(uri)
            advice = "Please ensure that there is an object located at the URL"
            said = f"Failed to download model data(bucket: {bucket}, key: {key}). {advice}. {error}"
            raise ApiError("ValidationError", said) from None
        partial.rename(folder)
        return place

    def _make_room(self, wanted: _Model, unloaded: int, wait: float) -> bool:
        """Unloads the least recently used model that nobody uses. If all others are used, waits so many seconds for one. False: in vain.

        ``unloaded``: how many had been when memory was last seen to be full. Where others have been since, there is room already.
        """
        deadline = time.monotonic() + wait
        with self._changed:
            while self._unloaded == unloaded:
                others = [model for model in self._models.values() if model.loaded and model is not wanted]
                if victim := next(filter(self._claim, others), None):
                    break
                if not others or not self._changed.wait(deadline - time.monotonic()):
                    return False
            else:
                return True
        return self._unload(victim)

    def _claim(self, model: _Model) -> bool:
        """Takes the lock of a model that is loaded and not used, to unload it; ``_changed`` is held. Never waits: who holds the lock may
        be waiting for who asks."""
        return model.loaded and not model.users and model.lock.acquire(blocking=False)

    def _unload(self, model: _Model) -> bool:
        """Unloads a model that is claimed. False: the container will not."""
        try:
            headers = {TARGET_MODEL: model.target}
            answer = asking.call(self._server.address, "DELETE", f"/models/{model.name}", b"", headers, UNLOAD_SECONDS)
            gone = answer.good or answer.status in (0, NOT_LOADED)
            with self._changed:
                model.loaded = not gone
                self._unloaded += gone
        finally:
            model.lock.release()
        with self._changed:
            self._changed.notify_all()
        if gone:
            self._context.say(f"model {model.target}: unloaded")
        return gone
