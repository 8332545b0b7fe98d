"""A bucket for a measurement: moto's server, a process of its own on loopback."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import boto3

SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""
KEYS = {"aws_access_key_id": "benchmark", "aws_secret_access_key": "no-secret-at-all"}


@contextmanager
def bucket() -> Iterator[dict[str, str]]:
    """The settings of a service that keeps its files there."""
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        address = f"http://127.0.0.1:{int(server.stdout.readline())}"
        boto3.client("s3", endpoint_url=address, region_name="us-east-1", **KEYS).create_bucket(
            Bucket="files"
        )
        yield {
            "STORAGE": "s3", "S3_BUCKET": "files", "S3_ENDPOINT_URL": address,
            "S3_ACCESS_KEY_ID": KEYS["aws_access_key_id"], "S3_SECRET_ACCESS_KEY": KEYS["aws_secret_access_key"],
        }  # fmt: skip
        server.stdin.close()
        server.wait(60)
