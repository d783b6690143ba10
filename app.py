"""Composition root: `-c env=<environment> -c image_tag=<tag>` in, stacks out. No logic here."""

import sys

import aws_cdk as cdk

from config.settings import Settings, SettingsError, load_settings, release_tag
from stacks.api import ApiStack
from stacks.configuration import ConfigurationStack
from stacks.constructs.foundation import Foundation
from stacks.constructs.platform_stack import Place
from stacks.dashboard import DashboardStack
from stacks.data import DataStack
from stacks.network import NetworkStack
from stacks.queues import QueuesStack
from stacks.scaling import ScalingStack
from stacks.storage import StorageStack
from stacks.workers import WorkerStack


def compose(app: cdk.App, s: Settings, image_tag: str) -> None:
    """Build every stack of an environment; `image_tag` names the images that it runs."""
    place = Place(
        environment=s.environment,
        account=s.aws.account_id,
        region=s.aws.region,
        image_tag=image_tag,
        keep_data=s.protect_data,
        log_retention_days=s.log_retention_days,
    )
    network = NetworkStack(app, place=place, settings=s)
    storage = StorageStack(app, place=place, storage=s.storage)
    queues = QueuesStack(app, place=place, queues=s.queues)
    data = DataStack(app, place=place, network=network, database=s.database, redis=s.redis)
    config = ConfigurationStack(app, place=place, settings=s, data=data, storage=storage)
    base = Foundation(
        network.network, queues.job_queues, storage.objects, config.api, config.workers
    )
    api = ApiStack(app, place=place, api=s.api, base=base)
    workers = [
        WorkerStack(app, kind=kind, place=place, settings=s, base=base, api=api)
        for kind in s.workers
    ]
    scaling = ScalingStack(app, place=place, settings=s, base=base, api=api, workers=workers)
    DashboardStack(app, place=place, queues=queues, api=api, workers=workers, scaling=scaling)


def main() -> None:
    """Read the context, compose and synthesize; a wrong setting ends it with one line."""
    app = cdk.App(analytics_reporting=False)
    try:
        settings = load_settings(app.node.try_get_context("env"))
        compose(app, settings, release_tag(app.node.try_get_context("image_tag")))
    except SettingsError as error:
        sys.exit(str(error))
    app.synth()


if __name__ == "__main__":
    main()
