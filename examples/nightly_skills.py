"""The skills of `nightly.yaml`: `claw up --skills examples/nightly_skills.py`, then

    claw workflow add examples/nightly.yaml
    claw workflow run nightly '{"day": "2026-05-01"}' --id night
    claw schedule add nightly '0 3 * * *' workflow '{"workflow": "nightly", "params": {"day": "today"}}'

`claw task --tree night` shows the steps, `claw workflow show nightly --diagram svg --task night` draws them.
"""

from typing import Any

from clawactors import Task, skill


@skill("collect_sales")
async def collect_sales(task: Task, shop: str, day: str) -> dict[str, Any]:
    """Pretends that a shop sells more the longer its name is."""
    return {"file": f"{day}-{shop}.csv", "cents": 1000 * len(shop)}


@skill("drop_sales")
async def drop_sales(task: Task, file: str) -> str:
    """Undoes `collect_sales`."""
    return f"dropped {file}"


@skill("archive_sales")
async def archive_sales(task: Task, files: list[str]) -> str:
    return f"{len(files)} files"


@skill("make_report")
async def make_report(task: Task, day: str, cents: list[int]) -> dict[str, Any]:
    return {"text": f"{day}: {sum(cents)} cents in {len(cents)} shops", "cents": sum(cents)}


@skill("send_report")
async def send_report(task: Task, text: str) -> str:
    print(text)
    return "receipt 1"


@skill("check_delivery")
async def check_delivery(task: Task, receipt: str) -> bool:
    return bool(receipt)
