"""R-O4: a PHP host: a package install in five steps, a batch migration that is killed, and what is echoed."""

import asyncio
import csv
import json
import os
import shutil
import signal
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

import psutil
import pytest

from clawactors.runtime.client import ClusterClient
from clawactors.runtime.client.waiting import TaskFailed
from clawactors.runtime.node.workers import Workers
from tests.clawactors.runtime.cluster import Cluster
from tests.waiting import until

ROOT = Path(__file__).parents[4]
WORKER = f"php {ROOT}/examples/workers/php/worker.php"

pytestmark = pytest.mark.skipif(shutil.which("php") is None, reason="there is no php here")


async def status(client: ClusterClient, id: str, wanted: str) -> None:
    async def there() -> bool:
        return (await client.task(id)).status == wanted

    await until(there, f"{id} is {wanted}", 10)


def package(folder: Path, **more: Any) -> Path:
    files = {"schema.sql": b"CREATE TABLE a (b);\nINSERT INTO a VALUES (1);\n", "src/a.php": b"<?php return 1;\n"}
    for name, body in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    manifest = {"version": "1.2", "sql": "schema.sql", "caches": ["cache"]} | more
    manifest = {"files": {name: sha256(body).hexdigest() for name, body in files.items()}} | manifest
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


async def test_a_package_is_installed_in_five_steps(cluster: Cluster, tmp_path: Path) -> None:
    into, trace = tmp_path / "into", tmp_path / "trace"
    (into / "cache").mkdir(parents=True)
    (into / "cache" / "old").write_text("old")
    async with Workers([WORKER], "n1") as workers:
        await cluster.control()
        await cluster.node("n1", workers.skills)
        client = cluster.client()
        params = {"package": str(package(tmp_path / "p")), "into": str(into), "trace": str(trace)}
        result = await client.run("php-install-package", params, wait_s=10, id="t")
        assert (result["files"], result["statements"], result["cleared"]) == (2, 2, 1)
        assert (into / "current" / "src" / "a.php").read_text() == "<?php return 1;\n"
        steps = ["check-dependencies", "verify-files", "import-sql", "install", "clear-caches"]
        assert [step.name for step in (await client.task("t")).steps or ()] == steps
        assert trace.read_text().split() == steps
        for wrong, said in (
            ({"requires": {"php": "99"}}, "it needs PHP 99"),
            ({"requires": {"extensions": ["nothing"]}}, "it needs the extension nothing"),
            ({"files": {"../x": "0"}}, "outside the package"),
            ({"files": {"schema.sql": "0" * 64}}, "schema.sql is corrupt"),
            ({"version": "../../x"}, "the manifest has no version"),
        ):
            params["package"] = str(package(tmp_path / "wrong", **wrong))
            with pytest.raises(TaskFailed, match=said):
                await client.run("php-install-package", params, wait_s=10)
        params["package"] = str(package(tmp_path / "p"))
        with pytest.raises(TaskFailed, match="no PDO driver none"):
            await client.run("php-install-package", params | {"dsn": "none:x"}, wait_s=10)


async def test_a_migration_that_is_killed_loses_and_doubles_no_row(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clawactors.runtime.node.workers.process._BACK_OFF_S", (0.05, 0.1))
    source, target, trace = tmp_path / "s.csv", tmp_path / "t.csv", tmp_path / "trace"
    rows = [[str(number), f'text "{number}", ü', "line\nbreak"] for number in range(1050)]
    with source.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    async with Workers([WORKER], "n1") as workers:
        await cluster.control()
        await cluster.node("n1", workers.skills)
        client = cluster.client()
        params = {"source": str(source), "target": str(target), "trace": str(trace), "pause_ms": 20}
        ref = await client.submit("php-migrate-table", params, id="m")
        for kill in (2, 6):
            await until(
                lambda kill=kill: trace.exists() and len(trace.read_text().split()) >= kill, f"{kill} batches", 10
            )
            child = workers._workers[0]._child
            assert child is not None
            [process] = psutil.Process(child._process.pid).children()
            os.kill(process.pid, signal.SIGKILL)
        assert (await ref.result(20))["rows"] == 1050
    with target.open(newline="") as file:
        assert list(csv.reader(file)) == rows
    ran = Counter(trace.read_text().split())
    assert len(ran) == 11
    assert ran.total() <= 13, "only the batch that it was killed in runs again"
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".parts")]


async def test_tasks_wait_side_by_side_and_what_is_echoed_is_logged(cluster: Cluster, tmp_path: Path) -> None:
    script = tmp_path / "own.php"
    script.write_text(
        f"""<?php
require '{ROOT}/examples/workers/php/claw.php';
Claw\\serve(['waits' => ['run' => function ($task, $params) use (&$ended) {{
    try {{
        echo "hello from {{$task->id}}\\n";
        $task->emit(['n' => 1]);
        $got = $task->signal('go');
        $bad = null;
        try {{
            $task->step('bad', fn () => throw new LogicException('mine'));
        }} catch (LogicException $e) {{
            $bad = $e->getMessage();
        }}
        return [$got, $bad, $task->cancelled];
    }} finally {{
        file_put_contents('{tmp_path}/ended', $task->id . "\\n", FILE_APPEND);
    }}
}}]]);
"""
    )
    async with Workers([f"php {script}"], "n1") as workers:
        await cluster.control()
        await cluster.node("n1", workers.skills, slots=2)
        client = cluster.client()
        refs = [await client.submit("waits", id=f"w{n}") for n in range(5)]
        await asyncio.gather(*(ref.signal("go", n) for n, ref in enumerate(refs)))
        assert [await ref.result(10) for ref in refs] == [[n, "mine", False] for n in range(5)]
        said = [str(chunk.value) async for chunk in refs[0].stream("log", live=False)]
        assert any("hello from w0" in each for each in said)
        last = await client.submit("waits", id="last")
        await status(client, "last", "waiting")
        await last.cancel()
        await status(client, "last", "cancelled")
        await client.submit("waits", id="left")
        await status(client, "left", "waiting")
    assert sorted((tmp_path / "ended").read_text().split()) == ["last", *(f"w{n}" for n in range(5))], "left goes on"
