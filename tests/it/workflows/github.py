#!/usr/bin/env python3
"""As much of GitHub's REST API as the comment workflow uses, for tests.

github.py serve FOLDER      answers on two ports, which it prints: the API, and a host that artifacts are downloaded from
github.py zip KIND FOLDER OUT
                            an artifact of FOLDER, as GitHub packs it (`plain`), or as no workflow of ours would

FOLDER/state.json holds pull requests, artifacts and comments, and is written anew after each change.
"""

import http.server
import json
import pathlib
import re
import sys
import threading
import zipfile
from urllib.parse import parse_qs, urlparse

TOKEN = "Bearer token-of-the-job"


class Quiet(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, code, body=b"", **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def blobs(folder):
    """The host of the downloads. It refuses whoever shows it a token, as the real one does."""

    class Blobs(Quiet):
        def do_GET(self):
            if self.headers["Authorization"]:
                self.answer(400, b"no credentials here, please")
            else:
                self.answer(200, (folder / pathlib.PurePath(self.path).name).read_bytes())

    return Blobs


def api(folder, blob_port):
    state = json.loads((folder / "state.json").read_text())
    repository = "/repos/upstream/kernels"

    class Api(Quiet):
        def give(self, value, code=200):
            self.answer(code, json.dumps(value).encode())

        def page(self, items):
            query = parse_qs(urlparse(self.path).query)
            size, page = int(query.get("per_page", ["30"])[0]), int(query.get("page", ["1"])[0])
            return items[(page - 1) * size : page * size]

        def changed(self):
            (folder / "state.json").write_text(json.dumps(state))

        def route(self, method):
            if self.headers["Authorization"] != TOKEN:
                return self.give({"message": "Bad credentials"}, 401)
            path = urlparse(self.path).path.removeprefix(repository)
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or "null")
            if method == "GET" and re.fullmatch(r"/actions/runs/\d+/artifacts", path):
                return self.give({"artifacts": self.page(state["artifacts"])})
            if found := re.fullmatch(r"/actions/artifacts/(\d+)/zip", path):
                return self.answer(302, Location=f"http://127.0.0.1:{blob_port}/{found.group(1)}.zip")
            if method == "GET" and path == "/pulls":
                head = parse_qs(urlparse(self.path).query).get("head", [None])[0]
                pulls = [pull for pull in state["pulls"] if head is None or pull["head"]["label"] == head]
                return self.give(self.page(pulls))
            if found := re.fullmatch(r"/issues/(\d+)/comments", path):
                number = int(found.group(1))
                if method == "GET":
                    return self.give(self.page([c for c in state["comments"] if c["issue"] == number]))
                comment = {"id": 1000 + len(state["comments"]), "issue": number, "user": {"login": "github-actions[bot]"}}
                state["comments"].append({**comment, "body": body["body"]})
                self.changed()
                return self.give(state["comments"][-1], 201)
            if method == "PATCH" and (found := re.fullmatch(r"/issues/comments/(\d+)", path)):
                comment = next(c for c in state["comments"] if c["id"] == int(found.group(1)))
                comment["body"] = body["body"]
                self.changed()
                return self.give(comment)
            return self.give({"message": "Not Found"}, 404)

        def do_GET(self):
            self.route("GET")

        def do_POST(self):
            self.route("POST")

        def do_PATCH(self):
            self.route("PATCH")

    return Api


def serve(folder):
    blob_server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), blobs(folder))
    api_server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), api(folder, blob_server.server_port))
    threading.Thread(target=blob_server.serve_forever, daemon=True).start()
    threading.Thread(target=api_server.serve_forever, daemon=True).start()
    print(api_server.server_port, flush=True)
    sys.stdin.read()


def pack(kind, folder, out):
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
    if kind == "traversal":
        files["../../../../tmp/verdict.json"] = files.pop("verdict.json")
    if kind == "absolute":
        files["/etc/report.md"] = b"x"
    if kind == "missing":
        del files["report.md"]
    if kind == "many":
        files.update({f"{'a' * (i // 26 + 1)}{chr(97 + i % 26)}.md": b"" for i in range(60)})
    if kind == "bomb":
        files["report.md"] = b"a" * (64 * 1024 * 1024)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        if kind == "twice":
            archive.writestr("report.md", b"another")
    if kind == "garbage":
        out.write_bytes(b"PK\x03\x04" + b"\xff" * 200)
    if kind == "cut":
        out.write_bytes(out.read_bytes()[:-40])


if sys.argv[1] == "serve":
    serve(pathlib.Path(sys.argv[2]))
else:
    pack(sys.argv[2], pathlib.Path(sys.argv[3]), pathlib.Path(sys.argv[4]))
