"""What a LEARNER run adds to the same exchange driven by the bare SDK: same endpoint, same tool, one process, in turn."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
from pathlib import Path

from surroundings import clean, median_ms, row, timed

ROUNDS = 25
GOAL = "How many penguins of each species are in penguins.csv?"


async def main() -> None:
    clean()
    import claude_agent_sdk as sdk

    from llmos_nb import LLMOS
    from llmos_nb.cortex.endpoint import isolated_environment
    from llmos_nb.cortex.scripted import ScriptedServer
    from llmos_nb.tools.namespace import PlainNamespace

    namespace = PlainNamespace()
    with ScriptedServer() as server:

        async def run_cell(arguments: dict[str, str]) -> dict[str, object]:
            result = await namespace.run_cell(arguments["code"])
            text = "".join(output.text for output in result.outputs)
            return {"content": [{"type": "text", "text": text}]}

        schema = {"type": "object", "properties": {"code": {"type": "string"}}, "required": ["code"]}
        tool = sdk.SdkMcpTool(name="run_cell", description="Run Python.", input_schema=schema, handler=run_cell)
        home = Path("bare").resolve()
        home.mkdir()
        options = sdk.ClaudeAgentOptions(
            model="scripted", system_prompt="You work in a notebook.", tools=[], skills=[], setting_sources=[],
            mcp_servers={"llmos": sdk.create_sdk_mcp_server("llmos", tools=[tool])}, strict_mcp_config=True,
            allowed_tools=["mcp__llmos__run_cell"], include_partial_messages=True, stderr=lambda line: None,
            env={**isolated_environment(os.environ, url=server.url, key=server.api_key, home=home)},
        )  # fmt: skip
        async with sdk.ClaudeSDKClient(options) as client:
            system = LLMOS("workspace", endpoint="scripted", namespace=namespace)

            async def bare() -> None:
                await client.query("/clear")  # as LLMOS does: a goal of its own, not the next turn of a talk
                async for _ in client.receive_response():
                    pass
                await client.query(GOAL)
                async for _ in client.receive_response():
                    pass

            async def learn() -> None:
                result = await system.execute(GOAL, mode="learner")
                assert result.ok, result

            ours, theirs = [], []
            with contextlib.redirect_stdout(io.StringIO()):
                for _ in range(3):
                    await bare()
                    await learn()
                for _ in range(ROUNDS):
                    theirs.append(await timed(bare))
                    ours.append(await timed(learn))
            system.close()
    row("the bare SDK, warm, a conversation of its own", f"{median_ms(theirs):.0f} ms")
    row("a LEARNER run, warm", f"{median_ms(ours):.0f} ms")
    row("LEARNER beyond the bare SDK", f"{median_ms(ours) - median_ms(theirs):.0f} ms", "aim <= 100 ms")


asyncio.run(main())
