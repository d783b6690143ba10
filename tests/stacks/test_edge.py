"""What stands in front of the API, and that there is no way around it."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from config.settings import load_settings
from tests.conftest import Templates, synthesize
from tests.stacks.test_variants import varied
from tests.templates import only, parameters, properties, resources, strings, text

AT_CLOUDFRONT, AT_CLOUDFLARE = ("dev",), ("staging", "prod")
EDGES = (*AT_CLOUDFRONT, *AT_CLOUDFLARE)
DISTRIBUTION = "AWS::CloudFront::Distribution"
RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"


def distribution(template: dict[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = only(template, DISTRIBUTION)["DistributionConfig"]
    return config


def behaviour(template: dict[str, Any], path: str) -> dict[str, Any]:
    """Return what CloudFront does with a path: the first pattern that fits, else the default."""
    config = distribution(template)
    for found in config.get("CacheBehaviors", []):
        if fnmatchcase(path, found["PathPattern"]):
            return dict(found)
    return dict(config["DefaultCacheBehavior"])


def origin(template: dict[str, Any], path: str) -> dict[str, Any]:
    wanted = behaviour(template, path)["TargetOriginId"]
    [found] = [one for one in distribution(template)["Origins"] if one["Id"] == wanted]
    return dict(found)


def resource_of(template: dict[str, Any], reference: Any) -> dict[str, Any]:
    """Return the properties of what `{"Ref": ...}` names."""
    return dict(template["Resources"][reference["Ref"]]["Properties"])


def web_acl(templates: Templates, environment: str) -> dict[str, Any]:
    stack = "edge" if environment in AT_CLOUDFRONT else "api"
    return only(templates[stack], "AWS::WAFv2::WebACL")


def rules(acl: dict[str, Any]) -> dict[str, Any]:
    return {rule["Name"]: rule for rule in acl["Rules"]}


@pytest.fixture(scope="module", params=EDGES)
def name(request: pytest.FixtureRequest) -> str:
    """Each environment with an edge in turn."""
    return str(request.param)


@pytest.fixture
def edged(name: str, assemblies: Any) -> Templates:
    found: Templates = assemblies(name)
    return found


# The origin


def test_without_an_edge_the_load_balancer_is_open_and_there_is_no_edge(local: Templates) -> None:
    assert "edge" not in local
    assert not properties(local["api"], RULE)
    assert not properties(local["api"], "AWS::WAFv2::WebACL")


def test_the_load_balancer_refuses_whoever_does_not_show_the_secret(
    edged: Templates, name: str
) -> None:
    listener = only(edged["api"], "AWS::ElasticLoadBalancingV2::Listener")
    assert listener["Port"] == 443
    [refusal] = listener["DefaultActions"]
    assert refusal["Type"] == "fixed-response"
    assert refusal["FixedResponseConfig"]["StatusCode"] == "403"
    rule = only(edged["api"], RULE)
    [condition] = rule["Conditions"]
    assert condition["HttpHeaderConfig"]["HttpHeaderName"] == "X-Origin-Verify"
    assert condition["HttpHeaderConfig"]["Values"] == [reference_to_secret(edged)]
    assert [action["Type"] for action in rule["Actions"]] == ["forward"]


def reference_to_secret(templates: Templates) -> str:
    """Return the dynamic reference to the edge's own secret, by its name."""
    secret = only(templates["edge"], "AWS::SecretsManager::Secret")
    return f"{{{{resolve:secretsmanager:{secret['Name']}:SecretString:::}}}}"


def test_the_secret_is_generated_and_copied_to_the_load_balancers_region(
    edged: Templates, name: str
) -> None:
    secret = only(edged["edge"], "AWS::SecretsManager::Secret")
    assert secret["GenerateSecretString"]["PasswordLength"] == 50
    assert "SecretString" not in secret
    assert secret["ReplicaRegions"] == [{"Region": load_settings(name).aws.region}]
    # Six letters after a hyphen look like the end of an ARN, and AWS then finds no such secret.
    assert "-" not in secret["Name"]


def test_only_the_edges_addresses_reach_the_load_balancer(edged: Templates, name: str) -> None:
    found = [
        rule
        for group in resources(edged["network"], "AWS::EC2::SecurityGroup").values()
        if group["Properties"]["GroupDescription"] == "Public entry"
        for rule in group["Properties"].get("SecurityGroupIngress", [])
    ] + [
        rule
        for rule in properties(edged["network"], "AWS::EC2::SecurityGroupIngress")
        if rule.get("Description") == "Edge"
    ]
    assert {(rule["FromPort"], rule["ToPort"]) for rule in found} == {(443, 443)}
    if name in AT_CLOUDFRONT:
        assert [rule["SourcePrefixListId"] for rule in found] == ["pl-22a6434b"]
        return
    networks = [ip_network(rule["CidrIp"]) for rule in found]
    assert len(networks) == 15
    assert ip_network("104.16.0.0/13") in networks
    # A network that somebody typed with a digit too few would open half the internet.
    assert sum(network.num_addresses for network in networks) < 2**21


def test_the_load_balancer_holds_a_certificate_of_the_name_that_arrives(
    edged: Templates, name: str
) -> None:
    settings = load_settings(name)
    certificate = only(edged["api"], "AWS::CertificateManager::Certificate")
    assert certificate["DomainName"] == settings.api.domain_name
    others = certificate.get("SubjectAlternativeNames", [])
    assert others == ([settings.edge.domain_name] if name in AT_CLOUDFRONT else [])


def test_callers_are_told_the_name_that_leads_through_the_edge(edged: Templates, name: str) -> None:
    settings = load_settings(name)
    through = settings.edge.domain_name if name in AT_CLOUDFRONT else settings.api.domain_name
    [function] = [
        one["Environment"]["Variables"]
        for one in properties(edged["scaling"], "AWS::Lambda::Function")
        if "VIDEO_BACKLOG_API_URL" in one.get("Environment", {}).get("Variables", {})
    ]
    assert function["VIDEO_BACKLOG_API_URL"] == f"https://{through}"
    bare = "" if name == "prod" else f"{name}/"
    hosts = parameters(edged["configuration"], f"/academy/{bare}api/env")["ALLOWED_HOSTS"]
    assert hosts.split(",")[0] == through


def test_a_failed_first_deploy_can_take_the_load_balancer_back(templates: Templates) -> None:
    """It holds no data: protected from deletion it would only stand in the way."""
    [balancer] = properties(templates["api"], "AWS::ElasticLoadBalancingV2::LoadBalancer")
    found = {item["Key"]: item["Value"] for item in balancer["LoadBalancerAttributes"]}
    assert found["deletion_protection.enabled"] == "false"
    assert found["routing.http.drop_invalid_header_fields.enabled"] == "true"


# The firewall for web requests


def test_an_address_may_ask_the_api_a_hundred_times_a_minute(edged: Templates, name: str) -> None:
    rule = rules(web_acl(edged, name))["RequestsPerMinute"]
    limit = rule["Statement"]["RateBasedStatement"]
    assert (limit["Limit"], limit["EvaluationWindowSec"]) == (100, 60)
    counted = [
        one["ByteMatchStatement"]["SearchString"]
        for one in limit["ScopeDownStatement"]["OrStatement"]["Statements"]
    ]
    # A class behind one address loads the page and its segments at once.
    assert counted == ["/api/", "/health"]
    if name in AT_CLOUDFRONT:
        assert limit["AggregateKeyType"] == "IP"
    else:
        assert limit["AggregateKeyType"] == "FORWARDED_IP"
        assert limit["ForwardedIPConfig"]["HeaderName"] == "CF-Connecting-IP"


def test_above_the_limit_the_answer_is_429_in_both_languages(edged: Templates, name: str) -> None:
    acl = web_acl(edged, name)
    answer = rules(acl)["RequestsPerMinute"]["Action"]["Block"]["CustomResponse"]
    body = acl["CustomResponseBodies"][answer["CustomResponseBodyKey"]]
    said = json.loads(body["Content"])
    assert answer["ResponseCode"] == 429
    assert body["ContentType"] == "APPLICATION_JSON"
    assert "요청이 너무 많습니다" in said["detail"] and "Too many requests" in said["detail"]
    assert {"Name": "Retry-After", "Value": "60"} in answer["ResponseHeaders"]
    # CloudFormation gives other letters back as question marks, and each diff would show a change.
    assert body["Content"].isascii()


def test_awss_rules_look_at_everything_but_a_spreadsheet(edged: Templates, name: str) -> None:
    found = rules(web_acl(edged, name))
    common = found["AWSManagedRulesCommonRuleSet"]
    group = common["Statement"]["ManagedRuleGroupStatement"]
    besides = group["ScopeDownStatement"]["NotStatement"]["Statement"]["ByteMatchStatement"]
    assert besides["SearchString"] == "/api/v1/enrollments/lecture_enroll_from_excel/"
    assert besides["PositionalConstraint"] == "STARTS_WITH"
    inputs = found["AWSManagedRulesKnownBadInputsRuleSet"]
    assert "ScopeDownStatement" not in inputs["Statement"]["ManagedRuleGroupStatement"]
    for rule in (common, inputs):
        assert rule["OverrideAction"] == {"None": {}}  # they block


def test_the_web_acl_stands_where_requests_pass(edged: Templates, name: str) -> None:
    acl = web_acl(edged, name)
    if name in AT_CLOUDFRONT:
        assert acl["Scope"] == "CLOUDFRONT"
        assert "WebAcl" in text(distribution(edged["edge"])["WebACLId"])
        return
    assert acl["Scope"] == "REGIONAL"
    [association] = properties(edged["api"], "AWS::WAFv2::WebACLAssociation")
    assert "LoadBalancer" in text(association["ResourceArn"])
    assert "WebAcl" in text(association["WebACLArn"])


def test_blocked_requests_alone_are_logged_without_credentials(edged: Templates, name: str) -> None:
    template = edged["edge" if name in AT_CLOUDFRONT else "api"]
    logging = only(template, "AWS::WAFv2::LoggingConfiguration")
    [kept] = logging["LoggingFilter"]["Filters"]
    assert logging["LoggingFilter"]["DefaultBehavior"] == "DROP"
    assert kept["Conditions"] == [{"ActionCondition": {"Action": "BLOCK"}}]
    redacted = {
        one.get("SingleHeader", {}).get("Name") or next(iter(one))
        for one in logging["RedactedFields"]
    }
    assert redacted >= {"authorization", "cookie", "x-internal-key", "x-origin-verify", "UriPath"}
    [destination] = logging["LogDestinationConfigs"]
    assert not text(destination).endswith(":*")  # WAF refuses a log group's own ARN
    groups = properties(template, "AWS::Logs::LogGroup")
    assert any(str(one.get("LogGroupName")).startswith("aws-waf-logs-") for one in groups)


# The front end


def test_the_edge_stands_in_us_east_1_and_refers_to_no_other_stack(
    tmp_path: Path, name: str
) -> None:
    templates = synthesize(load_settings(name), tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())["artifacts"]
    edge, configuration = (f"academy-{name}-{role}" for role in ("edge", "configuration"))
    assert manifest[edge]["environment"].endswith("/us-east-1")
    assert "Fn::ImportValue" not in set(strings(templates["edge"]))
    assert edge in manifest[configuration]["dependencies"]


def test_the_front_end_has_the_name_that_people_type(edged: Templates, name: str) -> None:
    config = distribution(edged["edge"])
    assert config["Aliases"] == [load_settings(name).edge.domain_name]
    assert config["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
    # 100 has no place in Korea.
    assert config["PriceClass"] == "PriceClass_200"
    for found in (config["DefaultCacheBehavior"], *config["CacheBehaviors"]):
        assert found["ViewerProtocolPolicy"] in ("redirect-to-https", "https-only")


def test_pages_are_asked_for_anew_and_assets_are_kept_for_a_year(edged: Templates) -> None:
    template = edged["edge"]
    for path, kept in (
        ("/", "no-cache"),
        ("/courses/7", "no-cache"),
        ("/assets/app.3f2a.js", "public, max-age=31536000, immutable"),
    ):
        policy = resource_of(template, behaviour(template, path)["ResponseHeadersPolicyId"])
        config = policy["ResponseHeadersPolicyConfig"]
        [header] = config["CustomHeadersConfig"]["Items"]
        assert (header["Header"], header["Value"], header["Override"]) == (
            "Cache-Control",
            kept,
            True,
        )
        security = config["SecurityHeadersConfig"]
        assert security["ContentTypeOptions"]["Override"]
        assert security["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 365 * 24 * 3600
        said = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]
        assert "frame-ancestors 'none'" in said and "script-src 'self';" in said
    cache = resource_of(template, behaviour(template, "/")["CachePolicyId"])["CachePolicyConfig"]
    assert (cache["MinTTL"], cache["DefaultTTL"], cache["MaxTTL"]) == (0, 60, 60)


def test_the_front_end_may_talk_to_the_api_and_upload_to_the_store(
    edged: Templates, name: str
) -> None:
    settings, template = load_settings(name), edged["edge"]
    policy = resource_of(template, behaviour(template, "/")["ResponseHeadersPolicyId"])
    said = policy["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    csp = said["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    [connect] = [part for part in csp.split("; ") if part.startswith("connect-src ")]
    if name in AT_CLOUDFRONT:
        assert connect.split()[1:] == [
            "'self'",
            "https://academy-dev-video.s3.ap-northeast-2.amazonaws.com",
            "https://academy-dev-storage.s3.ap-northeast-2.amazonaws.com",
        ]
    else:
        assert settings.storage.r2 is not None
        api = f"https://{settings.api.domain_name}"
        assert connect.split()[1:] == ["'self'", api, settings.storage.r2.endpoint]


def test_the_bucket_is_private_and_read_by_this_distribution_alone(edged: Templates) -> None:
    template = edged["edge"]
    bucket = only(template, "AWS::S3::Bucket")
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    [policy] = properties(template, "AWS::S3::BucketPolicy")
    allowed = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
    [statement] = allowed
    assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert set(statement["Action"]) == {"s3:GetObject", "s3:ListBucket"}
    [condition] = statement["Condition"].values()
    assert "Distribution" in text(condition["AWS:SourceArn"])
    config = origin(template, "/")
    assert config["OriginAccessControlId"]


def test_no_error_page_hides_the_apis_404(edged: Templates) -> None:
    assert "CustomErrorResponses" not in distribution(edged["edge"])


def test_the_rewrite_runs_for_pages_and_for_nothing_else(edged: Templates) -> None:
    template = edged["edge"]
    [association] = behaviour(template, "/courses/7")["FunctionAssociations"]
    assert association["EventType"] == "viewer-request"
    for path in ("/assets/app.js", "/api/v1/x", "/watch/x/", "/tenants/1/video/hls/1/a.m3u8"):
        found = behaviour(template, path)
        if found != behaviour(template, "/courses/7"):
            assert "FunctionAssociations" not in found


# The API and HLS behind CloudFront


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/media/videos/",
        "/health",
        "/healthz",
        "/metrics",
        "/watch/token/",
        "/static/1/watch.js",
    ],
)
def test_cloudfront_hands_the_api_its_requests_with_the_secret(assemblies: Any, path: str) -> None:
    template = assemblies("dev")["edge"]
    found = origin(template, path)
    assert found["DomainName"] == load_settings("dev").api.domain_name
    assert found["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    [header] = found["OriginCustomHeaders"]
    assert header["HeaderName"] == "X-Origin-Verify"
    assert text(header["HeaderValue"]).startswith("{{resolve:secretsmanager:<OriginSecret")
    # The managed policy that forwards everything, Host and cookies among it:
    # https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html
    every_header = "216adef6-5c7f-47e4-b989-5492eafa07d3"
    assert behaviour(template, path)["OriginRequestPolicyId"] == every_header


def test_answers_of_the_api_are_not_kept_but_hashed_files_are(assemblies: Any) -> None:
    template = assemblies("dev")["edge"]
    disabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    for path in ("/api/v1/media/videos/", "/health", "/watch/token/hls/master.m3u8"):
        assert behaviour(template, path)["CachePolicyId"] == disabled
        assert "POST" in behaviour(template, path)["AllowedMethods"]
    assert behaviour(template, "/static/1/watch.js")["CachePolicyId"] != disabled


def test_with_cloudflare_the_distribution_serves_the_front_end_alone(prod: Templates) -> None:
    config = distribution(prod["edge"])
    assert len(config["Origins"]) == 1
    assert [found["PathPattern"] for found in config["CacheBehaviors"]] == ["/assets/*"]
    assert not properties(prod["edge"], "AWS::WAFv2::WebACL")


def test_without_a_key_no_distribution_leads_to_hls(edged: Templates) -> None:
    path = "/tenants/1/video/hls/7/master.m3u8"
    assert behaviour(edged["edge"], path) == behaviour(edged["edge"], "/")
    for policy in properties(edged["storage"], "AWS::S3::BucketPolicy"):
        assert all(one["Effect"] == "Deny" for one in policy["PolicyDocument"]["Statement"])


@pytest.fixture(scope="module")
def playing(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The environment behind CloudFront, with a key for playback."""
    public = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    playback = {"public_key_pem": pem.decode(), "private_key_secret_name": "academy/dev/playback"}
    settings = varied("dev", edge={"playback": playback})
    return synthesize(settings, tmp_path_factory.mktemp("playing"))


def test_hls_is_read_with_a_signed_cookie_or_not_at_all(playing: Templates) -> None:
    template, path = playing["edge"], "/tenants/1/video/hls/7/v1/index0.m4s"
    found = behaviour(template, path)
    [group] = found["TrustedKeyGroups"]
    [key] = resource_of(template, group)["KeyGroupConfig"]["Items"]
    encoded = resource_of(template, key)["PublicKeyConfig"]["EncodedKey"]
    assert encoded.startswith("-----BEGIN PUBLIC KEY-----")
    assert origin(template, path)["OriginAccessControlId"]
    assert text(origin(template, path)["DomainName"]) == (
        "academy-dev-video.s3.ap-northeast-2.amazonaws.com"
    )
    assert found["ViewerProtocolPolicy"] == "https-only"
    raw = "/tenants/1/video/raw/a/b.mp4"
    assert behaviour(template, raw) == behaviour(template, "/")


def test_the_bucket_admits_this_accounts_distributions_to_hls_alone(playing: Templates) -> None:
    allowed = [
        one
        for policy in properties(playing["storage"], "AWS::S3::BucketPolicy")
        for one in policy["PolicyDocument"]["Statement"]
        if one["Effect"] == "Allow"
    ]
    [statement] = allowed
    assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert statement["Action"] == "s3:GetObject"
    assert text(statement["Resource"]).endswith("/tenants/*/video/hls/*")
    condition = statement["Condition"]
    assert text(condition["StringEquals"]["aws:SourceAccount"]) == "<AWS::AccountId>"
    source = text(condition["ArnLike"]["aws:SourceArn"])
    assert source.endswith(":cloudfront::<AWS::AccountId>:distribution/*")


def test_the_api_is_told_the_keys_id_by_the_edge_and_the_key_by_its_secret(
    playing: Templates,
) -> None:
    [found] = [
        one["Value"]
        for one in properties(playing["configuration"], "AWS::SSM::Parameter")
        if one["Name"].endswith("/PLAYBACK_KEY_PAIR_ID")
    ]
    [output] = found.values()
    assert output["StackName"] == "academy-dev-edge"
    assert output["Region"] == "us-east-1"
    assert output["OutputName"] in playing["edge"]["Outputs"]
    values = parameters(playing["configuration"], "/academy/dev/api/env")
    assert values["PLAYBACK_PRIVATE_KEY"].startswith("secretsmanager:")
    assert values["PLAYBACK_PRIVATE_KEY"].endswith(":secret:academy/dev/playback")


def test_another_key_is_another_resource(playing: Templates, tmp_path: Path) -> None:
    [before] = resources(playing["edge"], "AWS::CloudFront::PublicKey")
    other = "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n"
    playback = {"public_key_pem": other, "private_key_secret_name": "academy/dev/playback"}
    settings = varied("dev", edge={"playback": playback})
    [after] = resources(synthesize(settings, tmp_path)["edge"], "AWS::CloudFront::PublicKey")
    assert before != after


def test_the_api_counts_requests_of_viewers_and_not_of_the_edge(
    edged: Templates, local: Templates
) -> None:
    def hops(templates: Templates) -> list[str]:
        found = properties(templates["configuration"], "AWS::SSM::Parameter")
        return [one["Value"] for one in found if one["Name"].endswith("/PROXY_HOPS")]

    assert hops(edged) == ["2"]
    assert hops(local) == []
