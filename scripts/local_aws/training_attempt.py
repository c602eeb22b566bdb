"""One start of a training job: its hosts as new machines would be, their commands, and how these ended."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.local_aws.channels import Channel
from scripts.local_aws.checkpoints import Checkpoints
from scripts.local_aws.context import Context
from scripts.local_aws.logs import Metrics
from scripts.local_aws.training_hosts import Host, Machine, deliver, write_config

POLL_SECONDS = 0.05
MOST_REASON = 1024  # characters of FailureReason
CHECKPOINTS = "/opt/ml/checkpoints"
KILLED, TERMINATED = 128 + 9, 128 + 15


@dataclass(frozen=True)
class Outcome:
    """How a start ended. ``why``: done, failed, lost (a machine is gone), or what the command was stopped for."""

    why: str
    reason: str = ""


class Attempt:
    """The hosts and commands of one start. Everything is called by one thread but ``kill`` and ``lose``."""

    def __init__(self, context: Context, request: Mapping[str, Any], channels: Sequence[Channel], metrics: Metrics) -> None:
        self._context, self._request, self._channels, self._metrics = context, request, channels, metrics
        self._name: str = request["TrainingJobName"]
        self.hosts: list[Host] = []

    def prepare(self, base: Path, cluster: Sequence[Machine]) -> None:
        """Makes each host's /opt/ml below ``base``, which is emptied first. Raises ``JobError``."""
        s3, launcher = self._context.s3, self._context.launcher
        remove(base)  # of an earlier start, or kept of an earlier job of this name
        places = {channel: channel.find(s3) for channel in self._channels}
        begin = int(time.time())
        for number, machine in enumerate(cluster, start=1):
            stream = self._context.log("TrainingJobs", f"{self._name}/algo-{number}-{begin}")
            host = Host(machine, base / f"algo-{number}", stream)
            inside = None
            if checkpoints := self._request.get("CheckpointConfig"):
                place = checkpoints.get("LocalPath", CHECKPOINTS).removeprefix("/opt/ml/")
                inside = launcher.path_inside(place)
                host.checkpoints = Checkpoints(s3, host.base / place, checkpoints["S3Uri"])
                host.checkpoints.restore()
            hyperparameters = self._request.get("HyperParameters", {})
            write_config(host.base, machine, cluster, launcher.interface, hyperparameters, self._channels, inside)
            deliver(s3, places, host, cluster)
            self.hosts.append(host)

    def run(self, variables: Mapping[str, str], why_stop: Callable[[], str], stopping: Callable[[str], None]) -> Outcome:
        """Runs the command on all hosts until all have ended.

        ``why_stop`` is asked again and again, and what it says ends the commands by SIGTERM and, 120 s later, SIGKILL, once
        ``stopping`` has been told. A host that fails ends the others so, too.
        """
        algorithm = self._request["AlgorithmSpecification"]
        command = algorithm.get("ContainerEntrypoint", []), algorithm.get("ContainerArguments", [])
        readers = []
        for host in self.hosts:
            host.child = self._context.launcher.train(self._name, host.base, host.machine.name, variables, *command)
            readers.append(host.log.follow(host.child.output, self._metrics.see))
            for pipe in host.pipes:
                pipe.start()
            if host.checkpoints:
                host.checkpoints.start()
        outcome = self._wait(why_stop, stopping)
        for reader in readers:
            reader.join(5)
        for host in self.hosts:
            for pipe in host.pipes:
                pipe.end()
            if host.checkpoints:
                host.checkpoints.end()
        return Outcome("failed", _reason(outcome)) if isinstance(outcome, Host) else outcome

    def kill(self) -> None:
        """Ends the processes now."""
        for host in self.hosts:
            if host.child:
                host.child.kill()

    def lose(self, name: str) -> bool:
        """Kills the host ``algo-N`` without a warning, as a machine that fails. Returns whether it was running."""
        for host in self.hosts:
            if host.base.name == name and host.child and host.child.exit_code is None:
                host.child.vanish()
                return True
        return False

    def _wait(self, why_stop: Callable[[], str], stopping: Callable[[str], None]) -> Outcome | Host:
        why = ""
        fallen: list[Host] = []
        while any(host.child and host.child.exit_code is None for host in self.hosts):
            if not why and not fallen:
                fallen = self._fallen()
                why = "" if fallen else why_stop()
                if why:
                    stopping(why)
                if why or fallen:
                    for host in self.hosts:
                        if host.child:
                            host.child.stop()
            time.sleep(POLL_SECONDS)
        if why:
            return Outcome(why)
        fallen = fallen or self._fallen()
        lost = next((host for host in fallen if _is_lost(host)), None)
        if lost:
            said = f"InternalServerError: {lost.base.name} was killed from outside, as if its machine had failed"
            return Outcome("lost", f"{said} (a machine without memory looks the same), exit code: {_code(lost)}")
        return fallen[0] if fallen else Outcome("done")

    def _fallen(self) -> list[Host]:
        return [host for host in self.hosts if host.child and host.child.exit_code]


def _code(host: Host) -> int:
    """The exit code as a shell says it, where nobody but a signal ended the guardian, too."""
    code = host.child.exit_code if host.child else None
    return 0 if code is None else code if code >= 0 else 128 - code


def _is_lost(host: Host) -> bool:
    """Of a host that we did not stop: only a machine that goes away, or has no memory left, ends a command, or its guardian, so."""
    return _code(host) in (KILLED, TERMINATED) or bool(host.child and (host.child.exit_code or 0) < 0)


def _reason(host: Host) -> str:
    """The platform's words around the failure file, or the last line of the log where there is none; at most 1024 characters."""
    said = host.failure() or host.log.last_line()
    begin, end = "AlgorithmError: ", f", exit code: {_code(host)}"
    return begin + said[: MOST_REASON - len(begin) - len(end)] + end


def remove(folder: Path) -> None:
    """Read-only folders, those of FastFile mode, must be writable to be emptied."""
    for path in [folder, *folder.rglob("*")]:
        with suppress(OSError):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
    shutil.rmtree(folder, ignore_errors=True)
