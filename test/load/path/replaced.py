"""The design that Tandem replaces: JSON over TCP, in Python, with one line for each request and one for each answer. Nothing is computed.

replaced.py server        prints its port
replaced.py client PORT SECONDS [CPU]   one request at a time, 768 floats; prints latencies as JSON
"""
import asyncio
import json
import random
import socket
import sys
import time

SIZE = 768


async def answer(reader, writer):
    while line := await reader.readline():
        started = time.perf_counter()
        request = json.loads(line)
        if len(request["encoding"]) != SIZE:
            raise ValueError("wrong size")
        response = {
            "type": "reason",
            "result": "noun.person",
            "confidence": 0.93,
            "scores": [1 / 45] * 45,
            "processing_time_ms": (time.perf_counter() - started) * 1000,
        }
        writer.write(json.dumps(response).encode() + b"\n")
        await writer.drain()


async def serve():
    server = await asyncio.start_server(answer, "127.0.0.1", 0, limit=1 << 20)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def call(port, seconds):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    lines = connection.makefile("rb")
    # As they come from an embedding: binary32 values, which Python writes with all digits of binary64.
    inputs = [[random.gauss(0, 0.036) for _ in range(SIZE)] for _ in range(64)]
    latencies = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        started = time.perf_counter()
        request = {"type": "reason", "encoding": inputs[len(latencies) % len(inputs)]}
        connection.sendall(json.dumps(request).encode() + b"\n")
        json.loads(lines.readline())
        latencies.append((time.perf_counter() - started) * 1e6)
    latencies.sort()
    count = len(latencies)
    print(
        json.dumps(
            {
                "calls": count,
                "calls_per_s": count / seconds,
                "p50_us": latencies[count // 2],
                "p99_us": latencies[count * 99 // 100],
                "p999_us": latencies[count * 999 // 1000],
            }
        )
    )


if sys.argv[1] == "server":
    asyncio.run(serve())
else:
    call(int(sys.argv[2]), float(sys.argv[3]))
