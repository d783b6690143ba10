"""Composition root: `-c env=<environment> -c image_tag=<tag>` in, stacks out. No logic here."""

import sys

import aws_cdk as cdk
import cdk_nag

from config.settings import Settings, SettingsError, load_settings, release_tag
from stacks.api import ApiStack
from stacks.configuration import ConfigurationStack
from stacks.constructs.foundation import Foundation
from stacks.data import DataStack
from stacks.delivery import DeliveryStack
from stacks.edge import edge_stack
from stacks.monitoring import MonitoringStack
from stacks.network import NetworkStack
from stacks.notifications import NotificationsStack
from stacks.place import place_of
from stacks.queues import QueuesStack
from stacks.scaling import ScalingStack
from stacks.storage import StorageStack
from stacks.workers import WorkerStack


def compose(app: cdk.App, s: Settings, image_tag: str) -> None:
    """Build every stack of an environment; `image_tag` names the images that it runs."""
    place = NotificationsStack(app, place=place_of(s, image_tag), alarms=s.alarms).informed
    DeliveryStack(app, place=place, delivery=s.delivery)
    network = NetworkStack(app, place=place, settings=s)
    edge = edge_stack(app, place=place, settings=s)
    storage = StorageStack(app, place=place, storage=s.storage, edge=s.edge)
    queues = QueuesStack(app, place=place, queues=s.queues)
    data = DataStack(app, place=place, network=network, settings=s)
    config = ConfigurationStack(app, place=place, settings=s, data=data, storage=storage, edge=edge)
    told = (config.api, config.workers, config.kinds)
    base = Foundation(network.network, queues.job_queues, storage.objects, *told)
    api = ApiStack(app, place=place, settings=s, base=base)
    kinds = list(s.workers)
    workers = [WorkerStack(app, kind=k, place=place, settings=s, base=base, api=api) for k in kinds]
    scaling = ScalingStack(app, place=place, settings=s, base=base, api=api, workers=workers)
    MonitoringStack(app, place=place, settings=s, base=base, data=data, api=api, scaling=scaling)


def main() -> None:
    """Read the context, compose and synthesize; a wrong setting ends it with one line."""
    # `make check` and every deploy run cfn-lint; CDK's own validation would double a synth's time.
    app = cdk.App(analytics_reporting=False, builtin_cloud_formation_validation=False)
    given = app.node.try_get_context
    try:
        settings = load_settings(given("env"), users_per_day=given("users_per_day"))
        compose(app, settings, release_tag(given("image_tag")))
    except SettingsError as error:
        sys.exit(str(error))
    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))
    app.synth()


if __name__ == "__main__":
    main()
