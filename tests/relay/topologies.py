"""Redis by TLS, behind sentinels, and as a cluster: real servers, each in a folder of its own."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from redis.crc import key_slot

from snowplow_logging.testing import closed_port
from tests.delivery.support import until
from tests.relay.servers import RedisServer

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

OPENSSL = shutil.which("openssl") or "openssl"
SLOTS = 16_384
NODE_TIMEOUT = 1_000  # ms


class Certificates(NamedTuple):
    """Files of an authority, and of who it vouches for."""

    authority: Path
    certificate: Path
    key: Path


def certificates(folder: Path) -> Certificates:
    """Makes an authority, and a certificate for localhost that it has signed."""
    authority, certificate, key = (folder / name for name in ("ca.pem", "its.pem", "its.key"))
    extensions = folder / "extensions"
    _ = extensions.write_text(
        "subjectAltName=DNS:localhost\n"
        "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid,issuer\n"
    )
    new = [OPENSSL, "req", "-newkey", "rsa:2048", "-nodes"]
    usage = ["-addext", "keyUsage=critical,keyCertSign"]
    sign = [OPENSSL, "x509", "-req", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]
    for command in (
        [*new, "-x509", "-subj", "/CN=an authority", "-keyout", "ca.key", "-out", "ca.pem", *usage],
        [*new, "-subj", "/CN=localhost", "-keyout", "its.key", "-out", "its.csr"],
        [*sign, "-in", "its.csr", "-out", "its.pem", "-extfile", "extensions"],
    ):
        _ = subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return Certificates(authority, certificate, key)


@contextmanager
def tls_server(folder: Path, clients: str) -> Generator[tuple[str, Certificates]]:
    """Runs a server; gives its address by TLS, and the files that it takes.

    Args:
        folder: Where its files are.
        clients: Whether clients need certificates: ``yes`` or ``no``.
    """
    files = certificates(folder)
    port = closed_port()
    options = ["--tls-port", str(port), "--tls-auth-clients", clients]
    options += ["--tls-ca-cert-file", str(files.authority)]
    options += ["--tls-cert-file", str(files.certificate), "--tls-key-file", str(files.key)]
    with RedisServer(folder, *options):
        yield f"rediss://localhost:{port}/0?ssl_ca_certs={files.authority}", files


class Sentinels(NamedTuple):
    """A primary, its replica, and the address at the sentinel that watches them."""

    primary: RedisServer
    replica: RedisServer
    url: str


@contextmanager
def sentinels(folder: Path) -> Generator[Sentinels]:
    """Runs a primary with a replica, and a sentinel with a password."""
    port = closed_port()
    with ExitStack() as stack:
        primary = stack.enter_context(RedisServer(_made(folder / "primary")))
        replica = stack.enter_context(
            RedisServer(_made(folder / "replica"), "--replicaof", f"127.0.0.1 {primary.port}")
        )
        file = folder / "sentinel.conf"
        _ = file.write_text(
            f"port {port}\nrequirepass guarded\n"
            f"sentinel monitor mymaster 127.0.0.1 {primary.port} 1\n"
            "sentinel down-after-milliseconds mymaster 500\n"
            "sentinel failover-timeout mymaster 2000\n"
        )
        watching = subprocess.Popen(
            ["redis-server", str(file), "--sentinel"], cwd=folder, stdout=subprocess.DEVNULL
        )
        _ = stack.callback(watching.wait)
        _ = stack.callback(watching.kill)
        with replica.client() as client:
            until(lambda: client.info("replication")["master_link_status"] == "up", "the replica")
        until(lambda: "known-replica" in file.read_text(), "the sentinel to know the replica")
        query = "sentinel_password=guarded"
        yield Sentinels(primary, replica, f"redis+sentinel://127.0.0.1:{port}/mymaster?{query}")


class Cluster(NamedTuple):
    """A cluster of three primaries, and a replica of the one that holds the stream."""

    primary: RedisServer
    replica: RedisServer
    url: str


@contextmanager
def cluster(folder: Path, stream: str = "snowplow") -> Generator[Cluster]:
    """Runs the cluster."""
    with ExitStack() as stack:
        buses = {name: str(closed_port()) for name in ("a", "b", "c", "replica")}
        enabled = ("--cluster-enabled", "yes", "--cluster-node-timeout", str(NODE_TIMEOUT))
        servers = [
            stack.enter_context(RedisServer(_made(folder / name), *enabled, "--cluster-port", bus))
            for name, bus in buses.items()
        ]
        clients: list[Any] = [stack.enter_context(server.client()) for server in servers]
        bounds = [0, SLOTS // 3, 2 * SLOTS // 3, SLOTS]
        for number, client in enumerate(clients[:3]):
            ranges = (bounds[number], bounds[number + 1] - 1)
            _ = client.execute_command("CLUSTER ADDSLOTSRANGE", *ranges)
            _ = client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
        for client in clients:
            for server, bus in zip(servers, buses.values(), strict=True):
                _ = client.execute_command("CLUSTER MEET", "127.0.0.1", server.port, bus)
        ids = {client.execute_command("CLUSTER MYID").decode() for client in clients}
        until(lambda: all(_known(client) == ids for client in clients), "the nodes to meet")
        holder = next(n for n in range(3) if key_slot(stream.encode()) < bounds[n + 1])
        holders_id = clients[holder].execute_command("CLUSTER MYID")
        _ = clients[3].execute_command("CLUSTER REPLICATE", holders_id)
        until(lambda: clients[3].info("replication").get("master_link_status") == "up", "a copy")
        until(lambda: all(map(_is_well, clients)), "the cluster")
        seeds = ",".join(f"127.0.0.1:{server.port}" for server in servers[:3])
        yield Cluster(servers[holder], servers[3], f"redis+cluster://{seeds}")


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _known(client: Any) -> set[str]:
    nodes: dict[str, dict[str, str]] = client.execute_command("CLUSTER NODES")
    return {node["node_id"] for node in nodes.values() if "handshake" not in node["flags"]}


def _is_well(client: Any) -> bool:
    info: dict[str, str] = client.execute_command("CLUSTER INFO")
    return info["cluster_state"] == "ok"
