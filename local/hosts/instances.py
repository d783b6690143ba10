"""Instances that run: each a supervised process that does what its user data says."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
import threading
from collections.abc import Mapping
from pathlib import Path

from local.hosts import imds
from local.hosts.boot_faults import BootFaults
from local.hosts.instance_home import Facts, InstanceHome
from local.hosts.user_data import lay_out
from local.images import images_directory
from local.processes import cpu_s_of
from local.supervisor import Child, Supervisor

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_REPOSITORY = Path(__file__).resolve().parents[2]
#: Directories of ended instances that stay, the newest of them.
KEPT_DIRECTORIES = 20


class LocalInstances:
    """The running instances below `<state>/instances/<instance id>`. Thread-safe.

    An instance ends when it is stopped, when it shuts itself down, or when its process dies.
    """

    def __init__(
        self,
        state_dir: Path,
        supervisor: Supervisor,
        *,
        endpoint: str,
        region: str,
        faults: BootFaults | None = None,
    ) -> None:
        self._root = state_dir / "instances"
        self._images = images_directory(state_dir)
        self._supervisor = supervisor
        self._endpoint = endpoint
        self._region = region
        self._faults = faults or BootFaults()
        self._children: dict[str, Child] = {}
        self._stops: dict[str, threading.Thread] = {}
        self._halted: set[str] = set()
        self._ended: list[str] = []
        self._lock = threading.Lock()

    def ensure(
        self,
        instance_id: str,
        *,
        user_data: str,
        tags: Mapping[str, str],
        profile_role: str | None,
    ) -> None:
        """Boot an instance unless it was booted before; a boot happens once in its life.

        `user_data` is the decoded script. Tags and role are served by the metadata service, which
        reads them from EC2's record.

        Raises: UserDataError for a script that this machine must not run.
        """
        with self._lock:
            if instance_id in self._children:
                return
            home = self.home(instance_id)
            shutil.rmtree(home.directory, ignore_errors=True)
            home.directory.mkdir(parents=True)
            lay_out(home, user_data)
            home.write_facts(self._facts(instance_id))
            if self._faults.next_fails():
                home.no_registry.touch()
            self._boot(instance_id, home)

    def stop(self, instance_id: str, grace_s: float) -> None:
        """Begin to end an instance, as EC2's terminate does; `running` tells when it is done.

        Containers get SIGTERM and their stop time-outs, the machine `grace_s` in all. One that is
        gone or unknown is fine.
        """
        with self._lock:
            self._halted.discard(instance_id)
        self._shut_down(instance_id, grace_s)

    def _shut_down(self, instance_id: str, grace_s: float) -> None:
        with self._lock:
            child = self._children.get(instance_id)
            if child is None or instance_id in self._stops:
                return
            self._stops[instance_id] = thread = threading.Thread(
                target=self._supervisor.stop,
                args=(child, grace_s),
                name=f"stop {instance_id}",
                daemon=True,
            )
        thread.start()

    def halt(self, instance_id: str, grace_s: float) -> None:
        """Begin to stop an instance, as EC2's stop does: it can be started again."""
        with self._lock:
            if instance_id in self._children:
                self._halted.add(instance_id)
        self._shut_down(instance_id, grace_s)

    def start(self, instance_id: str) -> None:
        """Boot a halted instance: it runs what its first boot has left for each later one.

        Raises: ValueError when it was not halted, or is still being stopped.
        """
        with self._lock:
            self._collect()
            if instance_id not in self._halted or instance_id in self._children:
                raise ValueError(f"{instance_id} is not stopped, so it cannot be started")
            self._halted.discard(instance_id)
            self._boot(instance_id, self.home(instance_id))

    def runs(self, instance_id: str) -> bool:
        """Say whether an instance runs, or is still being stopped."""
        return instance_id in self.running()

    def running(self) -> list[str]:
        """Return the instances whose process runs."""
        with self._lock:
            return [key for key, child in self._children.items() if child.running()]

    def ended(self) -> list[str]:
        """Return the instances that ended by themselves since the last call.

        Their directories stay, for the logs, until KEPT_DIRECTORIES later ones have ended; what
        they started is ended.
        """
        with self._lock:
            self._collect()
            ended, self._ended = self._ended, []
            return ended

    def _collect(self) -> None:
        """Take the children out that have ended, by themselves or because they were told to."""
        gone = {key: child for key, child in self._children.items() if not child.running()}
        for instance_id, child in gone.items():
            del self._children[instance_id]
            self._supervisor.stop(child, 0)
            if self._stops.pop(instance_id, None) is None:
                self._ended.append(instance_id)
        if gone:
            self._clean_up()

    def _boot(self, instance_id: str, home: InstanceHome) -> None:
        self._children[instance_id] = self._supervisor.spawn(
            f"instance {instance_id}",
            [sys.executable, "-m", "local.hosts.instance_main", str(home.directory)],
            env={
                "PATH": self._path(),
                "PYTHONPATH": str(_REPOSITORY),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            cwd=home.directory,
            log_path=home.log / "host.log",
        )

    def cpu_s(self, instance_id: str) -> float | None:
        """Return the CPU seconds of all that it ever ran; None when it does not run."""
        with self._lock:
            child = self._children.get(instance_id)
        return cpu_s_of(child.pid) if child and child.running() else None

    def stop_all(self, grace_s: float = 120.0) -> None:
        """End every instance and wait for it."""
        for instance_id in self.running():
            self.stop(instance_id, grace_s)
        for thread in list(self._stops.values()):
            thread.join()

    def port(self, instance_id: str, port: int) -> int | None:
        """Return the loopback port that stands for a port of an instance, None if none does."""
        return self.home(instance_id).ports().get(str(port))

    def home(self, instance_id: str) -> InstanceHome:
        """Return an instance's directory."""
        return InstanceHome(self._root / instance_id)

    def _clean_up(self) -> None:
        """Delete the directories of ended instances but for the newest, earlier runs' included."""
        kept = self._children.keys() | self._halted
        ended = [one for one in self._root.iterdir() if one.name not in kept]
        ended.sort(key=lambda one: one.stat().st_mtime, reverse=True)
        for directory in ended[KEPT_DIRECTORIES:]:
            shutil.rmtree(directory, ignore_errors=True)

    def _facts(self, instance_id: str) -> Facts:
        return Facts(
            instance_id=instance_id,
            images=str(self._images),
            path=self._path(),
            endpoint=self._endpoint,
            imds=imds.endpoint(self._endpoint, instance_id),
            region=self._region,
        )

    @staticmethod
    def _path() -> str:
        return os.pathsep.join((sysconfig.get_path("scripts"), _SYSTEM_PATH))
