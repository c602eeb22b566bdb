"""Several hosts: each has its own /opt/ml, the platform merges what they write, and one of them may have got no data at all."""

from __future__ import annotations

import pytest

from tests.conformance.conftest import MakeJob, Train
from tests.conformance.container import Container, Hosts
from tests.conformance.opt_ml import OptMl, contents
from tests.conformance.subject_folder import Subject


def several(container: Container, subject: Subject, count: int) -> Hosts:
    if not subject.training["several_hosts"]:
        pytest.skip("the container trains on one host")
    return container.hosts(count)


def model_of_all(jobs: list[OptMl], train: Train, hosts: Hosts, subject: Subject) -> dict[str, bytes]:
    """Trains on all hosts, the last one first, and returns what the platform would merge: no file may come from two hosts."""
    pairs = list(zip(hosts.names, jobs, strict=True))
    runs = {host: train(job, hosts=hosts, host=host) for host, job in reversed(pairs)}
    logs = "\n".join(f"--- {host}\n{run.log()}" for host, run in runs.items())
    assert {host: run.wait(subject.training["seconds"]) for host, run in runs.items()} == dict.fromkeys(runs, 0), logs
    for folder in ("model", "output/data", "checkpoints"):
        found = [set(contents(job.base / folder)) for job in jobs]
        assert sum(map(len, found)) == len(set().union(*found)), f"{folder}: files of several hosts have one name: {found}"
    merged: dict[str, bytes] = {}
    for job in jobs:
        merged |= contents(job.model, subject.differs_by_delivery)
    return merged


@pytest.mark.contract("A3", "ShardedByS3Key: each host has a part of the files, and one may have none")
@pytest.mark.contract("A4", "Hosts never write files of one name: model, output and checkpoints are merged")
@pytest.mark.contract("A8", "Several hosts train one model, and all of them end with exit code 0")
def test_parts_on_hosts_make_the_model_of_the_whole(
    opt_ml: MakeJob, train: Train, container: Container, trained: tuple[OptMl, str], subject: Subject
) -> None:
    hosts = several(container, subject, 3)
    sharded = subject.training["sharded"]
    jobs = []
    for number, host in enumerate(hosts.names):

        def part(job: OptMl, name: str, number: int = number) -> None:
            files = subject.files(name)
            job.channel(name, files[number::2] if number < 2 else [] if name in sharded else None) if name in sharded else job.channel(name)

        job = opt_ml(channels={name: {"S3DistributionType": "ShardedByS3Key"} for name in sharded}, copied=part)
        job.resources(host, hosts.names, hosts.interface)
        job.keep_checkpoints()
        jobs.append(job)
    assert model_of_all(jobs, train, hosts, subject) == contents(trained[0].model, subject.differs_by_delivery)


@pytest.mark.slow
@pytest.mark.contract("A2", "resourceConfig.json, as older documents spell it, is understood")
@pytest.mark.contract("A8", "Heterogeneous clusters: hosts of several instance groups train one model")
def test_hosts_of_two_groups_make_the_model_of_one(
    opt_ml: MakeJob, train: Train, container: Container, trained: tuple[OptMl, str], subject: Subject
) -> None:
    hosts = several(container, subject, 2)
    jobs = []
    for host in hosts.names:
        job = opt_ml()
        groups = [
            {"instance_group_name": f"group-{number}", "instance_type": f"ml.m5.{number}xlarge", "hosts": [name]}
            for number, name in enumerate(hosts.names, 2)
        ]
        content = job.resources(host, hosts.names, hosts.interface, instance_groups=groups)
        (job.base / "input" / "config" / "resourceconfig.json").unlink()
        job.config("resourceConfig.json", content)
        jobs.append(job)
    assert model_of_all(jobs, train, hosts, subject) == contents(trained[0].model, subject.differs_by_delivery)


@pytest.mark.slow
@pytest.mark.contract("A3", "ShardedByS3Key on one host is all of the data")
def test_a_sharded_channel_on_one_host_is_all_of_it(opt_ml: MakeJob, train: Train, trained: tuple[OptMl, str], subject: Subject) -> None:
    job = opt_ml(channels={name: {"S3DistributionType": "ShardedByS3Key"} for name in subject.training["sharded"]})
    train(job).succeeds(subject.training["seconds"])
    assert contents(job.model, subject.differs_by_delivery) == contents(trained[0].model, subject.differs_by_delivery)
