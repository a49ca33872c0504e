"""The calls of UnifiedNeuralEngine, answered by Tandem. One file, standard library only; see docs/migrating.md.

The router needs its setting `bridge.listen`. One engine object is one connection; threads may share it.
"""

import json
import socket
import threading

DEFAULTS = {"host": "127.0.0.1", "port": 8888, "timeout": 30.0, "model": "", "token": ""}


class EngineError(Exception):
    """The router refused a message. `reason` and `field` are as in google.rpc.ErrorInfo and BadRequest; "" where there is none."""

    def __init__(self, message, reason="", field=""):
        super().__init__(message)
        self.reason = reason
        self.field = field


class UnifiedNeuralEngine:
    def __init__(self, config=None, **overrides):
        given = {**(config or {}), **overrides}
        unknown = sorted(set(given) - set(DEFAULTS))
        if unknown:
            raise ValueError(f"configuration key {unknown[0]!r} is not known; known keys: {', '.join(DEFAULTS)}")
        self.config = {**DEFAULTS, **given}
        self._lock = threading.Lock()
        self._socket = None
        self._lines = None

    def start(self):
        """Connects, and checks that the router answers. Raises OSError if it does not."""
        if self._socket is None:
            address = (self.config["host"], self.config["port"])
            self._socket = socket.create_connection(address, self.config["timeout"])
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._lines = self._socket.makefile("rb")
            self._ask({"type": "ping"})
        return self

    def stop(self):
        """Closes the connection. The router continues."""
        if self._socket is not None:
            self._lines.close()
            self._socket.close()
            self._socket = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def reason(self, encoding=None, text=None):
        """One input to one conclusion: a dict with `result`, `confidence`, `scores` and more. Raises EngineError."""
        message = {"type": "reason"}
        if encoding is not None:
            message["encoding"] = [float(value) for value in encoding]
        if text is not None:
            message["text"] = text
        if self.config["model"]:
            message["model"] = self.config["model"]
        return self._ask(message)

    def query(self, query, **options):
        """A question to a corpus; options: `corpus`, `top_k`."""
        return self._ask({"type": "query", "query": query, **options})

    def get_metrics(self, reset=False):
        """The counts of the router; `reset` sets them to 0."""
        return self._ask({"type": "metrics", "reset": True} if reset else {"type": "metrics"})["metrics"]

    def _ask(self, message):
        if self._socket is None:
            raise RuntimeError("the engine is not started; call start() first")
        if self.config["token"]:
            message["token"] = self.config["token"]
        with self._lock:
            try:
                self._socket.sendall(json.dumps(message).encode() + b"\n")
                line = self._lines.readline()
            except OSError:
                # A late answer would be taken for that of the next message.
                self.stop()
                raise
        if not line.endswith(b"\n"):
            self.stop()
            raise ConnectionError("the router closed the connection")
        answer = json.loads(line)
        if answer["type"] == "error":
            raise EngineError(answer["error"], answer.get("reason", ""), answer.get("field", ""))
        return answer
