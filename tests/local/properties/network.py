"""EC2: the network."""

from __future__ import annotations

from typing import Any

from tests.local.properties.reader import Properties, Reader, chosen, present


def _vpc(aws: Any, vpc: str, template: Properties) -> dict[str, Any]:
    ec2 = aws.client("ec2")
    shown: dict[str, Any] = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]
    for attribute, member in (("enableDnsSupport", "EnableDnsSupport"),):
        answer = ec2.describe_vpc_attribute(VpcId=vpc, Attribute=attribute)
        shown[member] = answer[member]["Value"]
    answer = ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")
    return {**shown, "EnableDnsHostnames": answer["EnableDnsHostnames"]["Value"]}


def _subnet(aws: Any, subnet: str, template: Properties) -> Properties:
    shown: dict[str, Any] = aws.client("ec2").describe_subnets(SubnetIds=[subnet])["Subnets"][0]
    return shown


def _route_table(aws: Any, table: str, template: Properties) -> Properties:
    return _table(aws, table)


def _table(aws: Any, table: str) -> dict[str, Any]:
    answer = aws.client("ec2").describe_route_tables(RouteTableIds=[table])
    found: dict[str, Any] = answer["RouteTables"][0]
    return found


def _route(aws: Any, physical_id: str, template: Properties) -> dict[str, Any]:
    table, destination = physical_id.split("|")
    routes = _table(aws, table)["Routes"]
    (found,) = [r for r in routes if r.get("DestinationCidrBlock") == destination]
    return {**found, "RouteTableId": table}


def _association(aws: Any, association: str, template: Properties) -> dict[str, Any]:
    filters = [{"Name": "association.route-table-association-id", "Values": [association]}]
    (table,) = aws.client("ec2").describe_route_tables(Filters=filters)["RouteTables"]
    found = [
        item for item in table["Associations"] if item["RouteTableAssociationId"] == association
    ]
    return chosen(found[0], "RouteTableId", "SubnetId")


def _gateway(aws: Any, gateway: str, template: Properties) -> Properties:
    answer = aws.client("ec2").describe_internet_gateways(InternetGatewayIds=[gateway])
    shown: dict[str, Any] = answer["InternetGateways"][0]
    return shown


def _attachment(aws: Any, physical_id: str, template: Properties) -> dict[str, Any]:
    vpc = physical_id.split("|")[1]
    filters = [{"Name": "attachment.vpc-id", "Values": [vpc]}]
    answer = aws.client("ec2").describe_internet_gateways(Filters=filters)
    (found,) = answer["InternetGateways"]
    (attached,) = found["Attachments"]
    return {"VpcId": attached["VpcId"], "InternetGatewayId": found["InternetGatewayId"]}


def _group(aws: Any, group: str, template: Properties) -> dict[str, Any]:
    found = aws.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    return {
        "GroupDescription": found["Description"],
        "GroupName": found["GroupName"],
        "VpcId": found["VpcId"],
        "SecurityGroupIngress": _inline(found["IpPermissions"], "Source"),
        "SecurityGroupEgress": _inline(found["IpPermissionsEgress"], "Destination"),
        "Tags": found.get("Tags", []),
    }


def _inline(permissions: list[dict[str, Any]], peer: str) -> list[dict[str, Any]]:
    """Return the rules by address; rules by group stand apart in the templates."""
    return [
        {**chosen(permission, "IpProtocol", "FromPort", "ToPort"), **item}
        for permission in permissions
        for item in permission.get("IpRanges", [])
    ]


def _group_attributes(aws: Any, group: str) -> dict[str, Any]:
    found = aws.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    return {"GroupId": found["GroupId"], "VpcId": found["VpcId"]}


def _rule(aws: Any, rule: str, template: Properties) -> dict[str, Any]:
    answer = aws.client("ec2").describe_security_group_rules(SecurityGroupRuleIds=[rule])
    (found,) = answer["SecurityGroupRules"]
    peer = found.get("ReferencedGroupInfo", {}).get("GroupId")
    member = "DestinationSecurityGroupId" if found["IsEgress"] else "SourceSecurityGroupId"
    return present(
        **chosen(found, "IpProtocol", "FromPort", "ToPort", "Description", "GroupId"),
        CidrIp=found.get("CidrIpv4"),
        **{member: peer},
    )


def _endpoint(aws: Any, endpoint: str, template: Properties) -> dict[str, Any]:
    answer = aws.client("ec2").describe_vpc_endpoints(VpcEndpointIds=[endpoint])
    found = answer["VpcEndpoints"][0]
    groups = [group["GroupId"] for group in found.get("Groups", [])]
    return {**found, "SecurityGroupIds": groups}


def _flow_log(aws: Any, identifier: str, template: Properties) -> dict[str, Any]:
    found = aws.client("ec2").describe_flow_logs(FlowLogIds=[identifier])["FlowLogs"][0]
    kind = "VPC" if found["ResourceId"].startswith("vpc-") else "unknown"
    return {**found, "ResourceType": kind}


READERS = (
    Reader("AWS::EC2::VPC", _vpc),
    Reader("AWS::EC2::Subnet", _subnet),
    Reader("AWS::EC2::RouteTable", _route_table),
    Reader("AWS::EC2::Route", _route),
    Reader("AWS::EC2::SubnetRouteTableAssociation", _association),
    Reader("AWS::EC2::InternetGateway", _gateway),
    Reader("AWS::EC2::VPCGatewayAttachment", _attachment),
    Reader("AWS::EC2::SecurityGroup", _group, attributes=_group_attributes),
    Reader("AWS::EC2::SecurityGroupIngress", _rule),
    Reader("AWS::EC2::SecurityGroupEgress", _rule),
    Reader("AWS::EC2::VPCEndpoint", _endpoint),
    Reader("AWS::EC2::FlowLog", _flow_log),
)
