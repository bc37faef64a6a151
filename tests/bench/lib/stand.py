"""What is measured, as processes of this run's own: an agent, PostgreSQL with the Express peer before
it, and wrk. Everything listens on loopback or a socket, and is ended at the end."""

import base64
import concurrent.futures
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAMS = ROOT / "build/release"
EXPRESS = ROOT / "build/bench/express"
KEY = "a key of the benchmarks, at least 32 bytes long"
TOKENS = 100
SERVICE = """
name = "bench"
title = "Bench"
image = "resmgr/hello:latest"
container_port = 8080
probe = "none"
stop_timeout = "1s"
pull = "never"
[resources]
cpus = 0.25
memory = "16MiB"
pids = 16
"""


def await_true(condition, what, seconds=120.0, pause=0.01):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"{what} did not come about within {seconds:.0f} s")
        time.sleep(pause)


def end_process(process, how=signal.SIGTERM):
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def with_children(pid):
    found = [pid]
    with contextlib.suppress(OSError):
        for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += with_children(int(child))
    return found


def cpu_seconds(pids):
    """What these processes have taken so far, and their threads."""
    ticks = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            after_name = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(after_name[11]) + int(after_name[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def token_of(user, role):
    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    now = int(time.time())
    claims = {"sub": user, "role": role, "iat": now, "exp": now + 12 * 3600}
    signed = part(b'{"alg":"HS256","typ":"JWT"}') + "." + part(json.dumps(claims).encode())
    return signed + "." + part(hmac.digest(KEY.encode(), signed.encode(), hashlib.sha256))


class SocketConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=300)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Agent:
    """An agent with data and configuration of its own below `directory`."""

    def __init__(self, directory):
        self.dir = directory
        self.data = directory / "data"
        self.socket = directory / "run/agent.sock"
        self.process = None
        for name in ("services.d", "data"):
            (directory / name).mkdir(parents=True)
        self.data.chmod(0o700)
        (directory / "key").write_text(KEY)
        (directory / "services.d/bench.toml").write_text(SERVICE)
        (directory / "resmgr.toml").write_text(
            f'[agent]\nservices_dirs = ["{directory}/services.d"]\nlog_level = "warning"\n'
            f'[auth]\nhmac_key_file = "{directory}/key"\n')
        with open(directory / "tokens", "w", encoding="utf-8") as tokens:
            for number in range(TOKENS):
                user = f"99999999-9999-4999-8999-{number:012}"
                tokens.write(token_of(user, "admin") + "\n")

    def spawn(self):
        """Without waiting for anything."""
        with open(self.dir / "log", "ab") as log:
            self.process = subprocess.Popen(
                [PROGRAMS / "agent/resmgr-agent", "--config", self.dir / "resmgr.toml",
                 "--data-dir", self.data, "--run-dir", self.dir / "run",
                 "--listen", "127.0.0.1:0"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                # Other people's settings must not reach it.
                env={"PATH": os.environ["PATH"]})

    def start(self):
        self.spawn()
        ready = self.dir / "run/agent.json"

        def is_ready():
            if self.process.poll() is not None:
                raise RuntimeError(f"the agent ended; see {self.dir}/log")
            with contextlib.suppress(OSError, ValueError):
                return json.loads(ready.read_text())["pid"] == self.process.pid
            return False
        await_true(is_ready, "the agent")
        self.url = "http://" + json.loads(ready.read_text())["listen"][0]
        self.id = (self.data / "agent-id").read_text().strip()

    def stop(self):
        if self.process is not None:
            end_process(self.process)

    def kill9(self):
        self.process.kill()
        self.process.wait()

    def ask(self, method, target, body=None, headers=None):
        """Over the socket; (status, bytes)."""
        connection = SocketConnection(self.socket)
        try:
            given = dict(headers or {})
            if body is not None:
                given["Content-Type"] = "application/json"
            connection.request(method, target, json.dumps(body) if body is not None else None, given)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def answers(self, target):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.ask("GET", target)[0] == 200
        return False

    def metric(self, line):
        """Of GET /metrics, by the text before the value; 0: it is not there yet."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            for found in self.ask("GET", "/metrics")[1].decode().splitlines():
                if found.startswith(line + " "):
                    return float(found.rsplit(" ", 1)[1])
        return 0.0

    def run_containers(self, count):
        """Until that many tasks run."""
        def start_one(_):
            status, body = self.ask("POST", "/api/tasks", {"serviceType": "bench"})
            if status != 201:
                raise RuntimeError(f"a start was answered {status}: {body.decode()}")
        running = len(json.loads(self.ask("GET", "/api/tasks?status=Running&limit=500")[1]))
        with concurrent.futures.ThreadPoolExecutor(8) as crew:
            list(crew.map(start_one, range(count - running)))

    def pids(self):
        return [self.process.pid]

    def memory(self):
        """{RssAnon, VmRSS} in MiB."""
        found = {}
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in ("RssAnon", "VmRSS"):
                found[name] = int(rest.split()[0]) / 1024
        return found

    def remove_containers(self):
        """All that bears this agent's label, the agent being gone."""
        if not (self.data / "agent-id").exists():
            return
        filters = ("--quiet", "--filter", "label=io.resmgr.agent-id="
                   + (self.data / "agent-id").read_text().strip())
        for listed, remove in ((("ps", "--all"), ("rm", "--force", "--volumes")),
                               (("network", "ls"), ("network", "rm"))):
            found = output_of("docker", *listed, *filters).split()
            if found:
                output_of("docker", *remove, *found)


class Postgres:
    """A server on a socket in a directory of its own; as root it runs as the user postgres."""

    def __init__(self, directory):
        self.dir = directory
        self.programs = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres")).parent
        self.as_user = []
        directory.mkdir()
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(directory, user.pw_uid, user.pw_gid)
            self.as_user = ["setpriv", "--reuid", "postgres", "--regid", "postgres",
                            "--clear-groups"]
        data = directory / "data"
        subprocess.run([*self.as_user, self.programs / "initdb", "-D", data, "-U", "postgres", "-A",
                        "trust", "-E", "UTF8", "--no-locale", "--no-sync"],
                       check=True, capture_output=True)
        with open(directory.parent / "postgres.log", "ab") as log:
            # Memory and checkpoints as one would set them for a database of this size.
            self.process = subprocess.Popen(
                [*self.as_user, self.programs / "postgres", "-D", data, "-k", directory,
                 "-c", "listen_addresses=", "-c", "shared_buffers=1GB", "-c", "max_wal_size=4GB",
                 "-c", "random_page_cost=1.1"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        await_true(lambda: self.query("SELECT 1", check=False) == "1", "PostgreSQL")

    def query(self, sql, check=True):
        done = subprocess.run(
            [self.programs / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h",
             self.dir, "-U", "postgres", "-c", sql], capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            raise RuntimeError(f"PostgreSQL: {done.stderr}")
        return done.stdout.strip()

    def copy(self, table, file):
        with open(file, "rb") as rows:
            subprocess.run(
                [self.programs / "psql", "-X", "-q", "-h", self.dir, "-U", "postgres", "-c",
                 f"COPY {table} FROM STDIN"], stdin=rows, check=True)

    def stop(self):
        end_process(self.process, signal.SIGINT)


class Express:
    def __init__(self, postgres, key_file):
        self.postgres = postgres
        postgres.query((EXPRESS / "schema.sql").read_text())
        self.process = subprocess.Popen(
            ["node", "server.mjs"], cwd=EXPRESS, stdout=subprocess.PIPE, text=True,
            stdin=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "NODE_ENV": "production", "KEY_FILE": str(key_file),
                 "PGHOST": str(postgres.dir), "PGUSER": "postgres", "PGDATABASE": "postgres"})
        line = self.process.stdout.readline().strip()
        if not line:
            raise RuntimeError("the Express peer does not start")
        self.url = "http://127.0.0.1:" + line

    def pids(self):
        """With its database, which does half of the work."""
        return [self.process.pid, *with_children(self.postgres.process.pid)]

    def stop(self):
        end_process(self.process)


def wrk(url, path, clients, seconds, tokens, ids=None, delay=0):
    """{rate, p50, p90, p99, max (ms), bytes, failed} of that many clients with kept connections."""
    env = {"PATH": os.environ["PATH"], "BENCH_TOKENS": str(tokens), "BENCH_PATH": path,
           "BENCH_DELAY": str(delay)}
    if ids is not None:
        env["BENCH_IDS"] = str(ids)
    done = subprocess.run(
        ["wrk", "--threads", "1", "--connections", str(clients), "--duration", f"{seconds}s",
         "--script", ROOT / "tests/bench/load.lua", url],
        env=env, capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("BENCH "):
            found = json.loads(line[6:])
            if found["failed"]:
                raise RuntimeError(f"{found['failed']} requests to {path} failed")
            return found
    raise RuntimeError(f"wrk said: {done.stdout}{done.stderr}")


class History:
    """An agent and the Express peer with the same tasks that ended long ago, more and more of them."""

    def __init__(self, directory, with_express=True):
        self.dir = directory
        directory.mkdir()
        self.ids = directory / "ids"
        self.tasks = 0
        self.agent = Agent(directory / "agent")
        self.postgres = self.express = None
        if with_express:
            self.postgres = Postgres(directory / "postgres")
            self.express = Express(self.postgres, self.agent.dir / "key")

    def grow(self, tasks):
        """To that many; the agent must be stopped."""
        rows = self.dir / "rows"
        subprocess.run([PROGRAMS / "tests/bench/history_seed", "--data-dir", self.agent.data,
                        "--tasks", str(tasks), "--ids", self.ids, "--rows", rows], check=True)
        if self.postgres:
            self.postgres.copy("tasks", rows)
            self.postgres.query("VACUUM ANALYZE tasks")
            self.postgres.query("CHECKPOINT")
        rows.unlink()
        # So that what follows does not share the disk with this.
        os.sync()
        self.tasks = tasks

    def read_files(self):
        """Both peers' files once, so that they are in the system's cache, as far as there is room."""
        folders = [self.agent.data] + ([self.postgres.dir / "data/base"] if self.postgres else [])
        for file in (file for folder in folders for file in folder.rglob("*") if file.is_file()):
            with contextlib.suppress(OSError), open(file, "rb", buffering=0) as bytes_of:
                while bytes_of.read(1 << 20):
                    pass

    def id_at(self, number):
        """Of the one that is the `number`th, the oldest being 0."""
        with open(self.ids, "rb") as ids:
            ids.seek(37 * number)
            return ids.read(36).decode()

    def stop(self):
        for one in (self.express, self.postgres, self.agent):
            if one is not None:
                one.stop()
        self.agent.remove_containers()
        shutil.rmtree(self.dir, ignore_errors=True)
