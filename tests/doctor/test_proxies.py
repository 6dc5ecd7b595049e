"""Who signed a response."""

import pytest

from lfgtui.doctor.proxies import Headers, signed_by, value_of


@pytest.mark.parametrize(
    ("name", "value", "proxy"),
    [
        ("Server", "nginx/1.22.1", "nginx"),
        ("server", "openresty", "nginx"),
        ("via", "kong/3.4.0", "Kong"),
        ("via", "1.1 Caddy", "Caddy"),
        ("server", "Caddy", "Caddy"),
        ("server", "Apache/2.4.57 (Debian)", "Apache"),
        ("server", "istio-envoy", "Envoy"),
        ("x-varnish", "32770 3", "Varnish"),
        ("via", "1.1 proxy.example (squid/5.7)", "Squid"),
        ("x-amz-apigw-id", "XYZ=", "AWS API Gateway"),
        ("via", "1.1 abc.cloudfront.net (CloudFront)", "CloudFront"),
        ("server", "awselb/2.0", "an AWS load balancer"),
        ("x-served-by", "cache-fra-etou8220071-FRA", "Fastly"),
        ("cf-ray", "9a1f2b3c4d5e6f70-FRA", "Cloudflare"),
        ("via", "1.1 google", "a Google load balancer"),
        ("server", "Microsoft-Azure-Application-Gateway/v2", "Azure Application Gateway"),
        ("server", "Microsoft-IIS/10.0", "IIS"),
    ],
)
def test_a_proxy_is_known_by_its_header(name: str, value: str, proxy: str) -> None:
    found = signed_by([("content-type", "text/event-stream"), (name, value)])
    assert list(found) == [f"{proxy} ({name.lower()}: {value})"]
    assert found.popitem()[1].name == proxy


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("server", "uvicorn")],
        [("x-cache", "MISS"), ("server", "llama.cpp")],
        [("via", "1.1 vegur"), ("content-type", "text/event-stream")],
    ],
)
def test_a_server_by_itself_is_no_proxy(headers: Headers) -> None:
    assert signed_by(headers) == {}


def test_each_is_named_once_and_the_nearest_to_home_first() -> None:
    headers = [("server", "cloudflare"), ("cf-ray", "9a1f2b3c4d5e6f70-FRA"), ("via", "kong/3.4.0")]
    assert [proxy.name for proxy in signed_by(headers).values()] == ["Kong", "Cloudflare"]


def test_a_header_that_comes_twice_is_one_list() -> None:
    assert value_of([("Via", "a"), ("via", "b")], "via") == "a, b"
    assert value_of([], "via") == ""
