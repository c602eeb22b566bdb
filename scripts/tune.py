"""Searches good hyperparameters by a SageMaker tuning job: many training jobs, the next ones chosen by what the earlier ones found.

    scripts/tune --image IMAGE --role ROLE_ARN --bucket my-bucket --interactions s3://my-bucket/events/ -p models=ease,popularity \\
        --tune ease_l2=0.1:1000 --tune ease_item_exponent --jobs 20 --at-once 4 --wait
    scripts/tune … --list                               # what can be tuned for these models, and what can be aimed at

A hyperparameter without a range has the one that `train --describe` gives. Before you pay for this: `-p tune=auto` searches settings and
weights within one training job. --dry-run prints the request and sends nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from scripts import aws
from scripts.aws_advice import with_advice
from scripts.command_line import CommandError, key_values, run
from scripts.training_options import add_training_options, cost, plan, show_plan
from scripts.tuning_request import TuningJob, range_of, tunable
from scripts.uploads import Upload, upload

RUNNING = ("InProgress", "Stopping")


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns the options of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/tune", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    search = parser.add_argument_group("search")
    search.add_argument("--tune", action="append", default=[], metavar="NAME[=LOW:HIGH[:SCALE]]", help="may be given again")
    search.add_argument("--objective", metavar="METRIC", help="what to aim at (the first of --list)")
    search.add_argument("--strategy", choices=("Bayesian", "Random"), default="Bayesian", help="(%(default)s)")
    search.add_argument("--jobs", type=int, default=20, help="training jobs in all (%(default)s)")
    search.add_argument("--at-once", type=int, default=2, help="of them at the same time (%(default)s)")
    search.add_argument("--early-stopping", action="store_true", help="lets SageMaker stop jobs that look hopeless")
    search.add_argument("--seed", type=int, help="of the search")
    search.add_argument(
        "--parent", action="append", default=[], metavar="NAME", help="an earlier tuning job of the same data to learn from"
    )
    search.add_argument("--list", action="store_true", help="prints what can be tuned and aimed at, and does nothing else")
    add_training_options(parser)
    parser.add_argument("--wait", action="store_true", help="waits for the end; ends non-zero without a best job")
    parser.add_argument("--dry-run", action="store_true", help="prints the request as JSON and sends nothing")
    return parser.parse_args(arguments)


def plan_search(options: argparse.Namespace) -> tuple[TuningJob, list[Upload]]:
    """Returns the search and what has to be uploaded for it. Raises ``CommandError`` with every mistake."""
    options.name = options.name or aws.unique_name("music")
    job, uploads = plan(options)
    can_be_tuned, objectives = tunable(job.hyperparameters, job.image)
    read = [range_of(text, can_be_tuned) for text in options.tune]
    mistakes = [wrong for _, wrong in read if wrong]
    ways = dict(objectives)
    objective = options.objective or objectives[0][0]
    if objective not in ways:
        mistakes.append(f"--objective {objective}: not one of {', '.join(ways)}")
    search = TuningJob(
        job=job,
        ranges=[one for one, _ in read if one],
        objective=(objective, ways.get(objective, "Maximize")),
        strategy=options.strategy,
        jobs=options.jobs,
        at_once=options.at_once,
        early_stopping=options.early_stopping,
        seed=options.seed,
        parents=options.parent,
    )
    mistakes = mistakes or search.mistakes()
    if mistakes:
        raise CommandError("\n  ".join([f"{len(mistakes)} to put right:", *mistakes]) if len(mistakes) > 1 else mistakes[0])
    return search, uploads


def describe(sagemaker: Any, name: str) -> dict[str, Any] | None:
    """Returns the description of the tuning job, None without one."""
    try:
        return dict(sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name))
    except ClientError as error:
        if aws.is_missing(error):
            return None
        raise


def wait_for(sagemaker: Any, name: str) -> int:
    """Waits for the end, saying how many jobs there were, and prints the best. Returns the exit code."""

    def status(answer: dict[str, Any]) -> str:
        counted = answer["TrainingJobStatusCounters"]
        failed = counted.get("NonRetryableError", 0)
        done = f"{counted.get('Completed', 0)} done, {counted.get('InProgress', 0)} running, {failed} failed"
        best = answer.get("BestTrainingJob", {}).get("FinalHyperParameterTuningJobObjectiveMetric")
        return f"{answer['HyperParameterTuningJobStatus']}, {done}" + (f", best {best['MetricName']}={best['Value']:.4f}" if best else "")

    end = aws.wait(
        lambda: sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name),
        status,
        lambda text: text.startswith(RUNNING),
    )
    return tell_end(end, name)


def tell_end(job: dict[str, Any], name: str) -> int:
    """Prints the best training job and how to use it, or why there is none. Returns the exit code."""
    best = job.get("BestTrainingJob")
    if not best:
        said = f"{name} ended as {job['HyperParameterTuningJobStatus']}: {job.get('FailureReason', 'no training job has the objective')}"
        print(with_advice(said), file=sys.stderr)
        return 1
    tuned = best["TunedHyperParameters"]
    print(f"best: {best['TrainingJobName']}: {' '.join(f'-p {key}={value}' for key, value in sorted(tuned.items()))}")
    print(f"serve it: scripts/deploy_endpoint ENDPOINT --training-job {best['TrainingJobName']}")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Starts the search, or prints its request. Returns 0, or 1 if what was waited for has no best job; raises ``CommandError``."""
    options = parse_arguments(arguments)
    if options.list:
        can_be_tuned, objectives = tunable(key_values(options.parameter, "-p"), options.image)
        for name, described in can_be_tuned.items():
            (limits,) = described["Range"].values()
            print(f"{name}={limits['MinValue']}:{limits['MaxValue']}  {described['Description']}")
        print("objectives: " + ", ".join(f"{metric} ({way})" for metric, way in objectives))
        return 0
    search, uploads = plan_search(options)
    job = search.job
    most = f"at most {search.jobs} × {cost(job.max_runtime / 3600, job.instance_count, None)}"
    if options.price_per_hour:
        most = f"at most {cost(search.jobs * job.max_runtime / 3600, job.instance_count, options.price_per_hour)}"
    if options.dry_run:
        show_plan(search.request(), uploads, most)
        return 0
    with aws.readable_errors():
        sagemaker = aws.client("sagemaker", options.region)
        if existing := describe(sagemaker, job.name):
            print(f"{job.name} was started already: {existing['HyperParameterTuningJobArn']}")
            if existing["HyperParameterTuningJobStatus"] not in RUNNING:
                return tell_end(existing, job.name)
        else:
            for one in uploads:
                upload(aws.client("s3", options.region), one)
            arn = sagemaker.create_hyper_parameter_tuning_job(**search.request())["HyperParameterTuningJobArn"]
            print(f"started {job.name}: {arn}; {most}")
        return wait_for(sagemaker, job.name) if options.wait else 0


if __name__ == "__main__":
    sys.exit(run(main))
