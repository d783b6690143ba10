"""AWS::ECR::Repository."""

from __future__ import annotations

from local.resources.base import Context
from local.resources.calls import call, dropped_tags, lower_camel, missing_is_fine, tag_list, text
from local.resources.kind import Kind, Properties, changed


class Repository(Kind):
    """An image repository; deleting one that holds images is refused unless EmptyOnDelete."""

    type_name = "AWS::ECR::Repository"
    properties = frozenset(
        {
            "EmptyOnDelete",
            "EncryptionConfiguration",
            "ImageScanningConfiguration",
            "ImageTagMutability",
            "LifecyclePolicy",
            "RepositoryName",
            "RepositoryPolicyText",
            "Tags",
        }
    )
    replace_on = frozenset({"RepositoryName", "EncryptionConfiguration"})

    def make(self, context: Context, properties: Properties) -> str:
        name = str(
            properties.get("RepositoryName") or context.unique_name(max_length=256, lower=True)
        )
        values = {"repositoryName": name}
        if "EncryptionConfiguration" in properties:
            configuration = lower_camel(properties["EncryptionConfiguration"])
            values["encryptionConfiguration"] = configuration
        call(context.clients.client("ecr"), "CreateRepository", values)
        return name

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        ecr = context.clients.client("ecr")
        name = {"repositoryName": physical_id}
        if changed("ImageTagMutability", old, new):
            mutability = new.get("ImageTagMutability", "MUTABLE")
            ecr.put_image_tag_mutability(**name, imageTagMutability=mutability)
        if changed("ImageScanningConfiguration", old, new):
            scanning = lower_camel(new.get("ImageScanningConfiguration", {"ScanOnPush": False}))
            values = {**name, "imageScanningConfiguration": scanning}
            call(ecr, "PutImageScanningConfiguration", values)
        if changed("LifecyclePolicy", old, new):
            if "LifecyclePolicy" in new:
                policy = text(new["LifecyclePolicy"]["LifecyclePolicyText"])
                ecr.put_lifecycle_policy(**name, lifecyclePolicyText=policy)
            else:
                with missing_is_fine():
                    ecr.delete_lifecycle_policy(**name)
        if changed("RepositoryPolicyText", old, new):
            if "RepositoryPolicyText" in new:
                ecr.set_repository_policy(**name, policyText=text(new["RepositoryPolicyText"]))
            else:
                with missing_is_fine():
                    ecr.delete_repository_policy(**name)
        arn = _arn(context, physical_id)
        if dropped := dropped_tags(old, new):
            ecr.untag_resource(resourceArn=arn, tagKeys=dropped)
        if tags := tag_list(new):
            ecr.tag_resource(resourceArn=arn, tags=tags)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        force = str(properties.get("EmptyOnDelete", False)).lower() == "true"
        context.clients.client("ecr").delete_repository(repositoryName=physical_id, force=force)

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        registry = f"{context.account}.dkr.ecr.{context.region}.amazonaws.com"
        return {
            "Arn": _arn(context, physical_id),
            "RepositoryUri": f"{registry}/{physical_id}",
        }


def _arn(context: Context, name: str) -> str:
    return f"arn:aws:ecr:{context.region}:{context.account}:repository/{name}"


HANDLERS = (Repository(),)
