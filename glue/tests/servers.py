"""Real servers for the tests: a private MariaDB, and S3 and Secrets Manager on this machine."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pymysql

_SBIN = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/usr/libexec"])


@dataclass(frozen=True)
class DatabaseServer:
    """A running server, with root's way in for the tests themselves."""

    port: int
    socket: str
    pid: int

    def as_root(self) -> pymysql.Connection:
        return pymysql.connect(
            unix_socket=self.socket,
            user="root",
            charset="utf8mb4",
            autocommit=True,
            client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS,
        )


@contextmanager
def quick_folder() -> Iterator[Path]:
    """Make a folder in memory where there is room, since a test server's files need not outlive it."""
    memory = Path("/dev/shm")  # noqa: S108 (a file system, not a shared folder name)
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 30
    with TemporaryDirectory(dir=memory if roomy else None) as folder:
        yield Path(folder)


@contextmanager
def database_server(folder: Path, *options: str, port: int | None = None) -> Iterator[DatabaseServer]:
    """Start MariaDB on a free port or the given one, with what an earlier one left in the folder, and stop it."""
    data, sock, is_new = folder / "data", folder / "sock", not (folder / "data").exists()
    if is_new:
        _install(data, *options)
    given_port = port or _free_port()
    command = [
        _program("mariadbd"),
        "--no-defaults",
        *(["--user=root"] if os.geteuid() == 0 else []),
        f"--datadir={data}",
        f"--socket={sock}",
        # A server that starts clears away what it finds in the folder for temporary tables.
        f"--tmpdir={folder}",
        f"--port={given_port}",
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
        "--character-set-server=utf8mb4",
        "--innodb-file-per-table=0",
        "--innodb-log-file-size=16M",
        "--innodb-buffer-pool-size=64M",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-flush-method=nosync",
        *options,
    ]
    with _process(command, {}, folder / "mariadb.log") as process:
        server = DatabaseServer(given_port, str(sock), process.pid)
        wait_for(lambda: sock.exists() and server.as_root().close() is None, pymysql.MySQLError)
        if is_new:
            _make_users(server)
        yield server


def _install(data: Path, *options: str) -> None:
    subprocess.run(
        [
            _program("mariadb-install-db"),
            "--no-defaults",
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            *options,
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _make_users(server: DatabaseServer) -> None:
    with closing(server.as_root()) as root, root.cursor() as cursor:
        cursor.execute("DELETE FROM mysql.global_priv WHERE User = ''")
        cursor.execute("FLUSH PRIVILEGES")
        cursor.execute("CREATE USER reader@'%' IDENTIFIED BY 'reader-pass'")
        cursor.execute(r"GRANT SELECT ON `case\_%`.* TO reader@'%'")
        cursor.execute("CREATE USER copier@'%' IDENTIFIED BY 'copier-pass'")
        rights = "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, CREATE TEMPORARY TABLES"
        cursor.execute(rf"GRANT {rights} ON `case\_%`.* TO copier@'%'")


@contextmanager
def aws_services(folder: Path) -> Iterator[str]:
    """Start S3 and Secrets Manager on a free port; yields their address."""
    port = _free_port()
    settings = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "SERVICES": "s3,secretsmanager", "AUTH": "false"}
    with _process([sys.executable, "-m", "ministack"], settings, folder / "aws.log"):
        address = f"http://127.0.0.1:{port}"
        wait_for(
            lambda: urllib.request.urlopen(f"{address}/_ministack/health", timeout=1).status == 200,  # noqa: S310
            urllib.error.URLError,
            ConnectionError,
        )
        yield address


@contextmanager
def _process(command: list[str], settings: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (
        log.open("wb") as output,
        subprocess.Popen(command, env=os.environ | settings, stdout=output, stderr=output) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def wait_for(works: Callable[[], bool], *passing: type[Exception]) -> None:
    for _ in range(400):
        try:
            if works():
                return
        except passing:
            pass
        time.sleep(0.05)
    raise AssertionError("a server did not get there within 20 seconds")


def _program(name: str) -> str:
    found = shutil.which(name, path=_SBIN)
    assert found, f"{name} is needed; install the MariaDB server package"
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
