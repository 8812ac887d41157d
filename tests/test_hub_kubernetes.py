"""Values for Zero to JupyterHub: keys the chart knows, a hub file that runs, a seat's pod rendered.

The chart cannot be fetched in CI, so `helm template` is not among these; docs/hub.md says what is
proved and what is not. With KubeSpawner installed the pod is the one that it would send.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ruamel.yaml import YAML

from course_utils.build.products.hub import capacity
from course_utils.classroom.tokens import seat_of

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDER = REPOSITORY / "deploy" / "kubernetes" / "classroom"
SECRET = "course-class"
#: Keys of the chart (version 4) that our values may set; what is below them is given as it stands.
RULES = (
    "cloudMetadataServer",
    "dnsPortsCloudMetadataServer",
    "dnsPortsKubeSystemNamespace",
    "dnsPortsPrivateIPs",
    "nonPrivateIPs",
    "privateIPs",
)
KNOWN: dict[str, Any] = {
    "hub": {
        "image": {"name": 1, "tag": 1},
        "templatePaths": 1,
        "templateVars": 1,
        "concurrentSpawnLimit": 1,
        "activeServerLimit": 1,
        "extraEnv": 1,
        "extraConfig": 1,
        "resources": 1,
        "networkPolicy": {"egressAllowRules": dict.fromkeys(RULES, 1)},
    },
    "proxy": {
        "service": {"type": 1, "nodePorts": {"http": 1}},
        "chp": {"resources": 1, "networkPolicy": {"egressAllowRules": dict.fromkeys(RULES, 1)}},
    },
    "singleuser": {
        "image": {"name": 1, "tag": 1, "pullPolicy": 1},
        "cmd": 1,
        "defaultUrl": 1,
        "startTimeout": 1,
        "uid": 1,
        "fsGid": 1,
        "memory": {"guarantee": 1, "limit": 1},
        "cpu": {"guarantee": 1, "limit": 1},
        "storage": {"capacity": 1, "homeMountPath": 1},
        "extraEnv": 1,
        "networkPolicy": {"egressAllowRules": dict.fromkeys(RULES, 1), "egress": 1},
        "cloudMetadata": {"blockWithIptables": 1},
    },
    "cull": {"enabled": 1, "timeout": 1, "every": 1, "users": 1},
    "prePuller": {"hook": {"enabled": 1}, "continuous": {"enabled": 1}},
    "scheduling": {"userScheduler": {"enabled": 1}, "userPlaceholder": {"enabled": 1}},
    "ingress": {"enabled": 1},
}

NO_CLUSTER = """
apiVersion: v1
kind: Config
current-context: none
contexts: [{name: none, context: {cluster: none, user: none}}]
clusters: [{name: none, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: none, user: {}}]
"""


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    return YAML(typ="safe").load((FOLDER / "values.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lay the two files that the hub's image gets where its configuration finds them."""
    package = REPOSITORY / "course_utils"
    for name, path in {
        "course_seats": package / "build/products/hub/authenticator.py",
        "course_tokens": package / "classroom/tokens.py",
    }.items():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^(from|import) course_utils", text, re.M), f"{path} stands alone"
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
    for name in ("CLASS_CODE", "TEACHER_PASSWORD", "PROGRESS_SECRET"):
        monkeypatch.setenv(f"COURSE_{name}", f"{name}-of-the-test")
    monkeypatch.setenv("COURSE_SEATS", "60")
    path = list(sys.path)
    yield
    sys.path[:] = path


def hub_config(environment: Mapping[str, Any]) -> Any:
    """Run the hub's file after what the chart has set by then."""
    from traitlets.config import Config

    c = Config()
    c.KubeSpawner.environment = dict(environment)
    c.JupyterHub.authenticator_class = "dummy"  # the chart's default
    values = YAML(typ="safe").load((FOLDER / "values.yaml").read_text(encoding="utf-8"))
    (line,) = values["hub"]["extraConfig"].values()
    in_image = "/opt/course/hub_config.py"
    assert f"hub_config.py {in_image}\n" in (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    exec(line.replace(in_image, str(FOLDER / "hub_config.py")), {"c": c, "get_config": None})
    return c


def test_every_key_is_one_that_the_chart_knows(values: dict[str, Any]) -> None:
    def walk(given: Mapping[str, Any], known: Mapping[str, Any], where: str) -> None:
        for key, value in given.items():
            assert key in known, f"{where}{key}"
            if known[key] != 1:
                walk(value, known[key], f"{where}{key}.")

    walk(values, KNOWN, "")


def test_values_follow_what_was_measured(values: dict[str, Any]) -> None:
    memory = values["singleuser"]["memory"]
    assert int(memory["guarantee"].removesuffix("M")) * 1e6 >= capacity.seat_mib() * 2**20
    kernel = int(values["singleuser"]["extraEnv"]["COURSE_MEMORY_MIB"])
    server_and_greedy_kernel = (kernel + capacity.SERVER_MIB + capacity.KERNEL_MIB) * 2**20
    assert int(memory["limit"].removesuffix("G")) * 2**30 >= server_and_greedy_kernel
    seats = int(values["hub"]["extraEnv"]["COURSE_SEATS"])
    assert values["hub"]["activeServerLimit"] == seats + 1
    assert str(values["cull"]["timeout"]) == values["singleuser"]["extraEnv"]["COURSE_IDLE_SECONDS"]


def test_codes_come_from_the_secret_and_nothing_from_outside(values: dict[str, Any]) -> None:
    named = [
        entry["valueFrom"]["secretKeyRef"]
        for entry in values["hub"]["extraEnv"].values()
        if isinstance(entry, dict)
    ]
    assert {one["name"] for one in named} == {SECRET} and len(named) == 3
    rules = values["singleuser"]["networkPolicy"]["egressAllowRules"]
    allowed = {rule for rule in RULES if rules[rule]}
    assert allowed == {"dnsPortsKubeSystemNamespace", "dnsPortsPrivateIPs"}
    assert not values["prePuller"]["hook"]["enabled"]
    for path in FOLDER.iterdir():
        text = path.read_text(encoding="utf-8")
        for address in re.findall(r"https?://[^\s}\"']+", text):
            assert address.startswith("http://course-progress:"), (path, address)
        assert not re.search(r"(quay|docker|ghcr|gcr)\.io", text), path


def test_the_collector_and_the_seats_find_each_other(values: dict[str, Any]) -> None:
    text = (FOLDER / "progress.yaml").read_text(encoding="utf-8")
    parts = {part["kind"]: part for part in YAML(typ="safe").load_all(text)}
    service, deployment = parts["Service"], parts["Deployment"]
    url = values["singleuser"]["extraEnv"]["COURSE_PROGRESS_URL"]
    port = service["spec"]["ports"][0]["port"]
    assert url == f"http://{service['metadata']['name']}:{port}/class"
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert container["command"][container["command"].index("--port") + 1] == str(port)
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    to = values["singleuser"]["networkPolicy"]["egress"][0]
    assert to["to"][0]["podSelector"]["matchLabels"] == labels == service["spec"]["selector"]
    assert to["ports"][0]["port"] == port
    assert parts["NetworkPolicy"]["spec"]["egress"] == []


def test_the_hub_file_knows_seats_and_signs_for_them(values: dict[str, Any], modules: None) -> None:
    c = hub_config(values["singleuser"]["extraEnv"])
    assert c.SeatAuthenticator.seats[0] == "seat01" and len(c.SeatAuthenticator.seats) == 60
    authenticator = c.JupyterHub.authenticator_class(config=c)
    assert authenticator.normalize_username("7") == "seat07"
    made = c.KubeSpawner.environment
    spawner = SimpleNamespace(user=SimpleNamespace(name="seat07"))
    assert made["COURSE_SEAT"](spawner) == "seat07"
    token = made["COURSE_PROGRESS_TOKEN"](spawner)
    assert seat_of("PROGRESS_SECRET-of-the-test", token) == "seat07"
    teacher = SimpleNamespace(user=SimpleNamespace(name="teacher"))
    assert made["COURSE_PROGRESS_TOKEN"](teacher) == ""


def test_a_seats_pod(
    values: dict[str, Any], modules: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Render a pod with KubeSpawner, set from our values as the chart sets it."""
    nowhere = tmp_path / "cluster.yaml"
    nowhere.write_text(NO_CLUSTER, encoding="utf-8")
    monkeypatch.setenv("KUBECONFIG", str(nowhere))
    pytest.importorskip("kubespawner", reason="KubeSpawner is not in the lock; see docs/hub.md")
    from kubespawner import KubeSpawner

    single = values["singleuser"]
    c = hub_config(single["extraEnv"])
    c.KubeSpawner.image = f"{single['image']['name']}:{single['image']['tag']}"
    c.KubeSpawner.cmd, c.KubeSpawner.default_url = single["cmd"], single["defaultUrl"]
    c.KubeSpawner.uid, c.KubeSpawner.fs_gid = single["uid"], single["fsGid"]
    for part, name in (("memory", "mem"), ("cpu", "cpu")):
        for kind in ("limit", "guarantee"):
            setattr(c.KubeSpawner, f"{name}_{kind}", single[part][kind])

    async def render() -> Any:
        return await render_spawner(KubeSpawner, c).get_pod_manifest()

    pod = asyncio.run(render())
    told = pod.to_dict()
    if target := os.environ.get("COURSE_POD_FILE"):
        write_manifest(Path(target), pod)
    container = told["spec"]["containers"][0]
    environment = {entry["name"]: entry["value"] for entry in container["env"]}
    assert environment["COURSE_SEAT"] == "seat07"
    assert environment["COURSE_HOME"] == "/opt/course/kit"
    assert seat_of("PROGRESS_SECRET-of-the-test", environment["COURSE_PROGRESS_TOKEN"]) == "seat07"
    assert not [value for value in environment.values() if "of-the-test" in str(value)]
    assert container["args"][:4] == ["python", "-P", "-m", "jupyterhub.singleuser"]
    assert container["resources"]["limits"]["memory"] == 3 * 2**30
    security = container["security_context"]
    assert security["runAsUser"] == 1000 and security["capabilities"]["drop"] == ["ALL"]
    assert security["allowPrivilegeEscalation"] is False
    assert told["spec"]["automount_service_account_token"] is False


def render_spawner(kind: Any, config: Any) -> Any:
    """Return a spawner of seat07 that talks to no cluster."""
    from jupyterhub.objects import Hub
    from jupyterhub.orm import Spawner as Row

    hub = Hub(ip="0.0.0.0", port=8081, base_url="/hub/", connect_url="http://hub:8081")
    user = SimpleNamespace(
        name="seat07", escaped_name="seat07", id=7, url="/user/seat07/", admin=False,
        server=SimpleNamespace(base_url="/user/seat07/"), settings={}, groups=[], state=None,
        json_escaped_name="seat07",
    )  # fmt: skip
    spawner = kind(
        config=config, hub=hub, user=user, orm_spawner=Row(name=""), _mock=True, api_token="token",
        oauth_client_id="client",
    )  # fmt: skip
    spawner.port = 8888
    return spawner


def write_manifest(path: Path, pod: Any) -> None:
    """Write the pod as it goes to the cluster, for `kubectl` to read."""
    import json

    from kubernetes_asyncio.client import ApiClient

    plain = ApiClient.sanitize_for_serialization(ApiClient.__new__(ApiClient), pod)
    path.write_text(json.dumps(plain, ensure_ascii=False, indent=1), encoding="utf-8")
