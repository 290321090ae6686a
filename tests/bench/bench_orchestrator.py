"""A plan of eight goals: what it costs when six are known, and how long it takes beside one goal after the other.

A turn of the model takes a second here, less than a real one does. Every figure starts with no client connected: the
plan that works on several goals at once pays for starting several.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import statistics
from pathlib import Path

from surroundings import clean, row, timed

ROUNDS = 3
TURN_S = 1.0
WORDS = ("adelies", "gentoos", "chinstraps", "emperors", "kings", "macaronis", "royals", "rockhoppers")
CODE = "{name} = sum(ord(letter) for letter in '{name}')\nprint('sum:', {name})"
SCRIPT = """---
goal: {goal}
delay_s: {delay}
---
## Turn 1

I compute it.

### run_cell

```python
{code}
```

## Answer

The sum is {{{{result|match: sum: (\\d+)}}}}.
"""


def goal(name: str) -> str:
    return f"Add the letters of {name} and keep the sum as {name}"


async def main() -> None:
    clean()
    from llmos_nb import LLMOS, Node, Plan, Product
    from llmos_nb.cortex.scripted import ScriptedServer, parse_script
    from llmos_nb.tools.namespace import PlainNamespace

    made = iter(range(1000))
    texts = {name: SCRIPT.format(goal=goal(name), delay=TURN_S, code=CODE.format(name=name)) for name in WORDS}
    scripts = [parse_script(text, f"{name}.md") for name, text in texts.items()]

    with ScriptedServer(scripts) as server:

        def system(parallel: int) -> LLMOS:
            folder = Path(f"workspace-{next(made)}").resolve()
            return LLMOS(
                folder, endpoint=server.url, endpoint_key=server.api_key, price_input_usd=3.0, price_output_usd=15.0,
                namespace=PlainNamespace(), parallel_goals=parallel, run_budget_usd=2.0, model="scripted",
            )  # fmt: skip

        def plan(chain: bool = False) -> Plan:
            nodes = []
            for number, name in enumerate(WORDS):
                needs = (WORDS[number - 1],) if chain and number else ()
                nodes.append(Node(name, goal(name), needs=needs, produces=(Product("variable", name),)))
            return Plan("Add the letters of eight kinds of penguins", tuple(nodes))

        async def took(parallel: int, known: int = 0, chain: bool = False) -> tuple[float, float, float]:
            """Seconds, dollars, and what the goals that were not known cost on their own, learned in turn."""
            llmos = system(parallel)
            try:
                alone = 0.0
                for name in WORDS[:known]:
                    assert (await llmos.execute(goal(name))).ok
                if known:
                    other = system(1)
                    for name in WORDS[known:]:
                        alone += (await other.execute(goal(name))).cost_usd or 0.0
                    other.close()
                ended = []

                async def run() -> None:
                    ended.append(await llmos.execute(plan(chain)))

                seconds = await timed(run)
                assert ended[0].ok, ended[0]
                return seconds, ended[0].cost_usd or 0.0, alone
            finally:
                llmos.close()

        with contextlib.redirect_stdout(io.StringIO()):
            together = [await took(3) for _ in range(ROUNDS)]
            one_by_one = [await took(1) for _ in range(ROUNDS)]
            chained = await took(3, chain=True)
            some_known = await took(3, known=6)
            some_known_slowly = await took(1, known=6)

    fast, slow = (statistics.median(entry[0] for entry in all_) for all_ in (together, one_by_one))
    row("eight goals, none needs another, three at a time", f"{fast:.1f} s")
    row("the same one after the other", f"{slow:.1f} s")
    row("faster by", f"{slow / fast:.2f} times", "aim >= 1.5")
    row("a chain of eight, where nothing can overlap", f"{chained[0]:.1f} s")
    row("six of eight known: time; one after the other", f"{some_known[0]:.1f}; {some_known_slowly[0]:.1f} s")
    row("cost of the plan with six known", f"${some_known[1]:.4f}")
    row("cost of the two others, each on its own", f"${some_known[2]:.4f}")
    row("ratio", f"{some_known[1] / some_known[2]:.3f}", "aim 1")


asyncio.run(main())
