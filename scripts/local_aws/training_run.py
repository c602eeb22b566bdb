"""One training job from Starting to its end, on a thread of its own."""

from __future__ import annotations

import shutil
import threading
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from scripts.local_aws.channels import Channel
from scripts.local_aws.checkpoints import Checkpoints
from scripts.local_aws.context import Context
from scripts.local_aws.errors import JobError
from scripts.local_aws.logs import Metrics
from scripts.local_aws.records import Records
from scripts.local_aws.storage import under, upload
from scripts.local_aws.training_hosts import Host, Machine, count_hosts, deliver, machines, write_config

POLL_SECONDS = 0.05
MOST_REASON = 1024  # characters of FailureReason
CHECKPOINTS = "/opt/ml/checkpoints"


class TrainingRun:
    """``request``: what CreateTrainingJob was asked, checked. Its progress is written into the records."""

    def __init__(self, context: Context, records: Records, request: Mapping[str, Any], channels: list[Channel], metrics: Metrics) -> None:
        self._context, self._records, self._request = context, records, request
        self._channels, self._metrics = channels, metrics
        self.name: str = request["TrainingJobName"]
        self._hosts: list[Host] = []
        self._stop = threading.Event()
        self._over_time = False
        self._thread = threading.Thread(target=self._run, name=f"training {self.name}")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """SIGTERM, and SIGKILL 120 s later; what is in the model folder then is uploaded."""
        self._stop.set()

    def join(self) -> None:
        if self._thread.is_alive():  # not so where it never was started
            self._thread.join()

    def kill(self) -> None:
        """Ends the processes now."""
        self._stop.set()
        for host in self._hosts:
            if host.child:
                host.child.kill()

    def _run(self) -> None:
        base = self._context.folder / "training" / self.name
        try:
            self._status("Starting", "Starting the training job")
            self._status("Downloading", "Downloading input data")
            self._prepare(base)
            reason = "" if self._stop.is_set() else self._train()
            self._deliver(reason)
        except JobError as error:
            self._end("Failed", "Training job failed", FailureReason=str(error)[:MOST_REASON])
        except Exception as error:
            traceback.print_exc()
            self._end("Failed", "Training job failed", FailureReason=f"InternalServerError: {type(error).__name__}: {error}"[:MOST_REASON])
        finally:
            self._context.launcher.release(self.name)
            if not self._context.keep:
                _remove(base)

    def _prepare(self, base: Path) -> None:
        s3, launcher = self._context.s3, self._context.launcher
        _remove(base)  # kept of an earlier job of this name, maybe
        places = {channel: channel.find(s3) for channel in self._channels}
        cluster = machines(self._request["ResourceConfig"], launcher.hosts(self.name, count_hosts(self._request["ResourceConfig"])))
        begin = int(time.time())
        for number, machine in enumerate(cluster, start=1):
            host = Host(machine, base / f"algo-{number}", self._context.log("TrainingJobs", f"{self.name}/algo-{number}-{begin}"))
            checkpoints = self._request.get("CheckpointConfig")
            inside = None
            if checkpoints:
                place = checkpoints.get("LocalPath", CHECKPOINTS).removeprefix("/opt/ml/")
                inside = launcher.path_inside(place)
                host.checkpoints = Checkpoints(s3, host.base / place, checkpoints["S3Uri"])
                host.checkpoints.restore()
            hyperparameters = self._request.get("HyperParameters", {})
            write_config(host.base, machine, cluster, launcher.interface, hyperparameters, self._channels, inside)
            deliver(s3, places, host, cluster)
            self._hosts.append(host)

    def _variables(self, machine: Machine) -> dict[str, str]:
        region = {"AWS_REGION": self._context.region, "AWS_DEFAULT_REGION": self._context.region}
        job = {"TRAINING_JOB_NAME": self.name, "TRAINING_JOB_ARN": self._records.arn(self.name)}
        return {**region, **self._request.get("Environment", {}), **job}

    def _train(self) -> str:
        """Runs the command on all hosts until all have ended. Returns why it failed, or ""."""
        algorithm = self._request["AlgorithmSpecification"]
        self._status("Training", "Training image download completed. Training in progress.")
        self._records.change(self.name, TrainingStartTime=time.time())
        readers = []
        for host in self._hosts:
            command = algorithm.get("ContainerEntrypoint", []), algorithm.get("ContainerArguments", [])
            host.child = self._context.launcher.train(self.name, host.base, host.machine.name, self._variables(host.machine), *command)
            readers.append(host.log.follow(host.child.output, self._metrics.see))
            for pipe in host.pipes:
                pipe.start()
            if host.checkpoints:
                host.checkpoints.start()
        failed = self._wait(time.monotonic() + self._request["StoppingCondition"]["MaxRuntimeInSeconds"])
        for reader in readers:
            reader.join(5)
        for host in self._hosts:
            for pipe in host.pipes:
                pipe.end()
            if host.checkpoints:
                host.checkpoints.end()
        return failed

    def _wait(self, deadline: float) -> str:
        failed: Host | None = None
        stopping = False
        while any(host.child and host.child.exit_code is None for host in self._hosts):
            failed = failed or next((host for host in self._hosts if host.child and host.child.exit_code), None)
            if time.monotonic() > deadline and not self._stop.is_set():
                self._over_time = True
                self._stop.set()
            if self._stop.is_set() and not stopping:
                self._records.change(self.name, TrainingJobStatus="Stopping")
                self._status("Stopping", "Stopping the training job")
            if (self._stop.is_set() or failed) and not stopping:
                stopping = True
                for host in self._hosts:
                    if host.child:
                        host.child.stop()
            time.sleep(POLL_SECONDS)
        if self._stop.is_set():
            return ""
        failed = failed or next((host for host in self._hosts if host.child and host.child.exit_code), None)
        return _reason(failed) if failed else ""

    def _deliver(self, reason: str) -> None:
        """Uploads what the command left, and ends the job."""
        where, compressed = self._request["OutputDataConfig"], self._request["OutputDataConfig"].get("CompressionType") != "NONE"
        place = under(where["S3OutputPath"], self.name, "output")
        if not reason:
            self._status("Uploading", "Uploading generated training model")
            model = upload(self._context.s3, [host.model for host in self._hosts], under(place, "model"), compressed)
            if model:
                self._records.change(self.name, ModelArtifacts={"S3ModelArtifacts": model})
        name = "output" if compressed else "data"
        upload(self._context.s3, [host.output for host in self._hosts], under(place, name), compressed)
        if reason:
            self._end("Failed", "Training job failed", FailureReason=reason)
        elif self._over_time:
            self._end("Stopped", "Training job runtime exceeded MaxRuntimeInSeconds", "MaxRuntimeExceeded")
        elif self._stop.is_set():
            self._end("Stopped", "Training job stopped")
        else:
            self._end("Completed", "Training job completed")

    def _status(self, secondary: str, message: str, **facts: Any) -> None:
        """Sets the secondary status and adds it to the transitions."""
        now = time.time()
        transitions = self._records.get(self.name).get("SecondaryStatusTransitions", [])
        if transitions:
            transitions[-1].setdefault("EndTime", now)
        final = {"EndTime": now} if secondary in ("Completed", "Failed", "Stopped", "MaxRuntimeExceeded") else {}
        transitions.append({"Status": secondary, "StartTime": now, "StatusMessage": message, **final})
        self._records.change(self.name, SecondaryStatus=secondary, SecondaryStatusTransitions=transitions, **facts)
        self._context.say(f"training job {self.name}: {secondary}")

    def _end(self, status: str, message: str, secondary: str = "", **facts: Any) -> None:
        now = time.time()
        begin = self._records.get(self.name).get("TrainingStartTime")
        seconds = {"TrainingTimeInSeconds": round(now - begin), "BillableTimeInSeconds": round(now - begin)} if begin else {}
        times = {"TrainingEndTime": now, "FinalMetricDataList": self._metrics.final() or None}
        self._status(secondary or status, message, TrainingJobStatus=status, **times, **seconds, **facts)
        if "FailureReason" in facts:
            self._context.say(f"training job {self.name}: {facts['FailureReason']}")


def _reason(host: Host) -> str:
    """The platform's words around the failure file, or the last line of the log where there is none; at most 1024 characters."""
    said = host.failure() or host.log.last_line()
    begin, end = "AlgorithmError: ", f", exit code: {host.child.exit_code if host.child else '?'}"
    return begin + said[: MOST_REASON - len(begin) - len(end)] + end


def _remove(folder: Path) -> None:
    """Read-only folders, those of FastFile mode, must be writable to be emptied."""
    for path in [folder, *folder.rglob("*")]:
        with suppress(OSError):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
    shutil.rmtree(folder, ignore_errors=True)
