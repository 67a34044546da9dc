"""How many CPUs the process may use: affinity, control groups of both versions, and OMP_NUM_THREADS."""

import os
import sys

import pytest

from audiostyle_fx._engine.arrays import cpu_count


@pytest.fixture
def root(tmp_path):
    """An empty root of a file system, with a way to write its files."""

    class Root:
        path = tmp_path

        def write(self, name, text):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "\n")

    return Root()


@pytest.fixture(autouse=True)
def uncached():
    cpu_count.cores.cache_clear()
    yield
    cpu_count.cores.cache_clear()


@pytest.mark.parametrize(
    ("limit", "cpus"),
    [
        ("max 100000", sys.maxsize),
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("50000 100000", 1),
        ("1000 100000", 1),
        ("800000 50000", 16),
        ("", sys.maxsize),
        ("nonsense", sys.maxsize),
    ],
)
def test_version_2_of_a_container(root, limit, cpus):
    root.write("proc/self/cgroup", "0::/")
    root.write("sys/fs/cgroup/cpu.max", limit)
    assert cpu_count.quota(root.path) == cpus


def test_version_2_of_the_processs_own_group_and_its_parents(root):
    root.write("proc/self/cgroup", "0::/user.slice/job.scope")
    root.write("sys/fs/cgroup/user.slice/cpu.max", "max 100000")
    root.write("sys/fs/cgroup/user.slice/job.scope/cpu.max", "300000 100000")
    root.write("sys/fs/cgroup/other.slice/cpu.max", "100000 100000")
    assert cpu_count.quota(root.path) == 3
    root.write("sys/fs/cgroup/user.slice/cpu.max", "200000 100000")
    assert cpu_count.quota(root.path) == 2


@pytest.mark.parametrize("mount", ["cpu", "cpu,cpuacct"])
@pytest.mark.parametrize("group", ["", "docker/0123/"])
@pytest.mark.parametrize(("quota", "cpus"), [("-1", sys.maxsize), ("250000", 3), ("20000", 1)])
def test_version_1(root, mount, group, quota, cpus):
    root.write("proc/self/cgroup", "4:memory:/docker/0123\n3:cpu,cpuacct:/docker/0123\n1:name=systemd:/docker/0123")
    root.write(f"sys/fs/cgroup/{mount}/{group}cpu.cfs_quota_us", quota)
    root.write(f"sys/fs/cgroup/{mount}/{group}cpu.cfs_period_us", "100000")
    assert cpu_count.quota(root.path) == cpus


def test_without_control_groups_there_is_no_limit(root):
    assert cpu_count.quota(root.path) == sys.maxsize


@pytest.mark.parametrize(
    ("affinity", "quota", "variable", "cpus"),
    [
        (8, 3, None, 3),
        (2, 3, None, 2),
        (8, sys.maxsize, None, 8),
        (8, 3, "2", 2),
        (8, 3, "5", 3),
        (8, 3, "2,4", 2),
        (8, 3, "0", 3),
        (8, 3, "many", 3),
    ],
)
def test_the_smallest_limit_counts(monkeypatch, affinity, quota, variable, cpus):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(affinity)), raising=False)
    monkeypatch.setattr(cpu_count, "quota", lambda: quota)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if variable is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", variable)
    assert cpu_count.cores() == cpus


def test_this_machine_has_a_cpu():
    assert 1 <= cpu_count.cores() <= (os.cpu_count() or 1)
