#!/usr/bin/env python3
"""Writes what a pull request's measurement found into one comment on that pull request.

Runs in `workflow_run`, with the right to write comments, after a workflow that ran a stranger's code. So the artifact of that
workflow is a stranger's text: it is read in memory, within limits, checked, made harmless, and never executed or unpacked.
Which pull request it is about is taken from GitHub's event alone, never from the artifact.

Environment: GITHUB_EVENT_PATH, GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_SERVER_URL, GITHUB_TOKEN; ARTIFACT (its name),
COMMENT_NAME (tells several comments on one pull request apart), COMMENT_AUTHOR (whose comment is edited).
Needs Python 3.8 and nothing else. Exit code 0: commented, or nothing to comment on; 1: refused; 4: GitHub did not answer.
"""

import io
import json
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
import zipfile

MOST_ZIP_BYTES = 2 * 1024 * 1024
MOST_VERDICT_BYTES = 8 * 1024 * 1024
MOST_REPORT_BYTES = 256 * 1024
MOST_ENTRIES = 16
# A comment may have 65,536 characters; the rest is for what stands around the report.
MOST_REPORT_CHARACTERS = 60_000
MOST_PAGES = 30
VERDICTS = ("pass", "improvement", "new", "undecided", "not_measured", "regression")
JOINER = "\u2060"


class Refused(Exception):
    """The artifact is not what our own workflow writes."""


class NothingToDo(Exception):
    """There is no report, or no pull request that waits for it."""


# GitHub


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A download leads to another host, which must not see the token."""

    def redirect_request(self, *_):
        return None


class GitHub:
    """The few calls of the REST API that are needed."""

    def __init__(self, environment):
        self.api = environment["GITHUB_API_URL"].rstrip("/")
        self.repository = environment["GITHUB_REPOSITORY"]
        self.token = environment["GITHUB_TOKEN"]
        self.opener = urllib.request.build_opener(NoRedirect)

    def request(self, method, path, body=None, most=64 * 1024 * 1024):
        request = urllib.request.Request(
            f"{self.api}/repos/{self.repository}/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                "User-Agent": "git-ratchet",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        with self.opener.open(request, timeout=60) as response:
            return json.loads(response.read(most))

    def pages(self, path, key=None):
        """Every item of a list, up to MOST_PAGES pages."""
        separator = "&" if "?" in path else "?"
        for page in range(1, MOST_PAGES + 1):
            answer = self.request("GET", f"{path}{separator}per_page=100&page={page}")
            items = answer if key is None else answer[key]
            yield from items
            if len(items) < 100:
                return

    def download(self, artifact_id):
        """The zip file of an artifact, at most MOST_ZIP_BYTES."""
        request = urllib.request.Request(
            f"{self.api}/repos/{self.repository}/actions/artifacts/{artifact_id}/zip",
            headers={"Authorization": f"Bearer {self.token}", "User-Agent": "git-ratchet"},
        )
        try:
            with self.opener.open(request, timeout=60) as response:
                content = response.read(MOST_ZIP_BYTES + 1)
        except urllib.error.HTTPError as redirect:
            if redirect.code not in (301, 302, 303, 307, 308):
                raise
            with urllib.request.urlopen(redirect.headers["Location"], timeout=60) as response:
                content = response.read(MOST_ZIP_BYTES + 1)
        if len(content) > MOST_ZIP_BYTES:
            raise Refused(f"the artifact is larger than {MOST_ZIP_BYTES} bytes")
        return content


def find_artifact(github, run, name):
    artifacts = github.pages(f"actions/runs/{run['id']}/artifacts", "artifacts")
    found = [artifact for artifact in artifacts if artifact["name"] == name and not artifact.get("expired")]
    if not found:
        raise NothingToDo("the run left no report: nothing was measured")
    newest = max(found, key=lambda artifact: artifact["id"])
    if newest["size_in_bytes"] > MOST_ZIP_BYTES:
        raise Refused(f"the artifact has {newest['size_in_bytes']} bytes, {MOST_ZIP_BYTES} are the most")
    return newest


def find_pull_request(github, run):
    """The open pull request whose head is the commit of the run. For forks, GitHub's event does not name it."""
    head_repository = (run.get("head_repository") or {}).get("full_name")

    def is_it(pull):
        head = pull["head"]
        same_repository = (head.get("repo") or {}).get("full_name") == head_repository
        return pull["state"] == "open" and head["sha"] == run["head_sha"] and same_repository

    if head_repository and run.get("head_branch"):
        owner = head_repository.split("/")[0]
        head = urllib.parse.quote(f"{owner}:{run['head_branch']}", safe="")
        for pull in github.pages(f"pulls?state=open&head={head}"):
            if is_it(pull):
                return pull
    for pull in github.pages("pulls?state=open&sort=updated&direction=desc"):
        if is_it(pull):
            return pull
    raise NothingToDo(f"no open pull request has {run['head_sha'][:12]} as its head: a newer commit was pushed, or it is closed")


def find_comment(github, number, marker, author):
    """Ours: the hidden marker at the start, and written by us. The marker alone anybody can write."""
    for comment in github.pages(f"issues/{number}/comments"):
        login = (comment.get("user") or {}).get("login")
        if login == author and (comment.get("body") or "").startswith(marker):
            return comment
    return None


# The artifact


def read_artifact(content):
    """verdict.json and report.md of the zip file, as bytes; nothing is written to the disk."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_ENTRIES:
                raise Refused(f"the artifact has {len(entries)} files, {MOST_ENTRIES} are the most")
            names = [entry.filename for entry in entries]
            for name in names:
                if not re.fullmatch(r"[a-z]{1,20}\.[a-z]{1,5}", name):
                    raise Refused(f"the artifact has a file of the name {name[:80]!r}")
            if len(set(names)) < len(names):
                raise Refused("the artifact has two files of one name")
            return read_entry(archive, "verdict.json", MOST_VERDICT_BYTES), read_entry(archive, "report.md", MOST_REPORT_BYTES)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise Refused(f"the artifact cannot be read: {error}") from error


def read_entry(archive, name, most):
    """At most `most` bytes are inflated, whatever the entry says of its size."""
    try:
        entry = archive.getinfo(name)
    except KeyError:
        raise Refused(f"the artifact has no {name}") from None
    with archive.open(entry) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise Refused(f"{name} is larger than {most} bytes")
    return content


def read_verdict(content, head_sha):
    """The verdict's one word and how many series there are, if the file is of this very commit."""
    try:
        verdict = json.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Refused(f"verdict.json is no JSON: {type(error).__name__}") from error
    if not isinstance(verdict, dict) or verdict.get("version") != 1 or verdict.get("verdict") not in VERDICTS:
        raise Refused("verdict.json is not what git ratchet check writes")
    candidate, series = verdict.get("candidate"), verdict.get("series")
    if not isinstance(candidate, dict) or not isinstance(series, list):
        raise Refused("verdict.json is not what git ratchet check writes")
    if candidate.get("commit") != head_sha:
        raise Refused("verdict.json is about another commit than the run")
    return verdict["verdict"], len(series)


# Text of strangers

TAGS = "details|summary|b|strong|em|code|sub|sup|kbd|br"
UNSHOWABLE = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2061-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb]"
    "|[\U000e0000-\U000e0fff]"
)


def harmless(text, own_pages):
    """Markdown that neither mentions, refers, embeds, nor leads anywhere but to this repository, in bounded length.

    A word joiner, which nobody sees, parts what GitHub would otherwise act upon.
    """
    text = UNSHOWABLE.sub("", text.replace("\r\n", "\n"))
    text = cut(text)
    kept = []

    def keep(match):
        kept.append(match.group(0))
        return f"\ue000{len(kept) - 1}\ue001"

    text = re.sub("[\ue000-\uf8ff]", "", text)
    # Links into this repository stay.
    text = re.sub(r"\]\(" + re.escape(own_pages) + r"/[A-Za-z0-9_./#?=&%~+-]*\)", keep, text)
    text = re.sub(r"</?(?:" + TAGS + r")>|<details open>", keep, text)
    text = re.sub(r"&(?:lt|gt|amp|quot|nbsp);", keep, text)
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    text = re.sub(r"(?m)^(\s*(?:`{3,}|~{3,}))(?!(?:text|diff|sh)?\s*$).*$", r"\1", text)
    text = text.replace("![", f"!{JOINER}[").replace("](", f"]{JOINER}(").replace("]:", f"]{JOINER}:").replace("][", f"]{JOINER}[")
    text = text.replace("://", f":{JOINER}//").replace("@", f"@{JOINER}")
    text = re.sub(r"(?i)\b(www)\.", rf"\1{JOINER}.", text)
    text = re.sub(r"(?i)\b(mailto|xmpp):", rf"\1{JOINER}:", text)
    text = re.sub(r"#(?=\w)", f"#{JOINER}", text)
    text = re.sub(r"(?i)\b(gh)-(?=\d)", rf"\1{JOINER}-", text)
    return re.sub("\ue000(\\d+)\ue001", lambda match: kept[int(match.group(1))], text)


def cut(text):
    """Whole lines, and what they left open closed."""
    if len(text) <= MOST_REPORT_CHARACTERS // 2:
        return text
    # Making text harmless may lengthen it; half is what always fits.
    head = text[: MOST_REPORT_CHARACTERS // 2].rsplit("\n", 1)[0]
    still_open = max(head.count("<details") - head.count("</details>"), 0)
    return head + "\n\n…the rest stands in the run's summary.\n" + "\n</details>\n" * still_open


# The comment


def comment_of(run, verdict, series, report, marker, server, repository):
    url = f"{server}/{repository}/actions/runs/{int(run['id'])}"
    conclusion = re.sub("[^a-z_]", "", str(run.get("conclusion")))
    footer = (
        f"<sub>`{run['head_sha'][:12]}`: {verdict}, {series} series · the [run]({url}) ended with {conclusion} · "
        "each new run edits this comment</sub>"
    )
    body = harmless(report, f"{server}/{repository}")
    if len(body) > MOST_REPORT_CHARACTERS:
        raise Refused("report.md cannot be made short enough")
    return f"{marker}\n{body.rstrip()}\n\n{footer}\n"


def main(environment):
    with open(environment["GITHUB_EVENT_PATH"], encoding="utf-8") as file:
        run = json.load(file)["workflow_run"]
    if run.get("event") != "pull_request" or not re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", run["head_sha"]):
        raise NothingToDo(f"the run was started by {run.get('event')}, not by a pull request")
    name = environment.get("COMMENT_NAME") or "report"
    if not re.fullmatch("[A-Za-z0-9_.-]{1,60}", name):
        raise Refused(f"COMMENT_NAME {name!r} is no plain word")
    marker = f"<!-- git-ratchet:{name} -->"
    github = GitHub(environment)

    artifact = find_artifact(github, run, environment.get("ARTIFACT") or "git-ratchet-report")
    verdict_json, report = read_artifact(github.download(artifact["id"]))
    verdict, series = read_verdict(verdict_json, run["head_sha"])
    try:
        report = report.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("report.md is not UTF-8") from error

    pull = find_pull_request(github, run)
    body = comment_of(run, verdict, series, report, marker, environment["GITHUB_SERVER_URL"], environment["GITHUB_REPOSITORY"])
    author = environment.get("COMMENT_AUTHOR") or "github-actions[bot]"
    ours = find_comment(github, pull["number"], marker, author)
    if ours is None:
        github.request("POST", f"issues/{pull['number']}/comments", {"body": body})
        print(f"commented on #{pull['number']}: {verdict}")
    else:
        github.request("PATCH", f"issues/comments/{ours['id']}", {"body": body})
        print(f"edited the comment on #{pull['number']}: {verdict}")


def one_line(text):
    """For a workflow command: GitHub acts on a line that begins with ::"""
    return UNSHOWABLE.sub("", str(text)).replace("%", "%25").replace("\n", "%0A")


if __name__ == "__main__":
    try:
        main(os.environ)
    except NothingToDo as reason:
        print(one_line(reason))
    except Refused as reason:
        print(f"::error::refused: {one_line(reason)}")
        sys.exit(1)
    except (urllib.error.URLError, TimeoutError) as error:
        print(f"::error::GitHub did not answer: {one_line(error)}")
        sys.exit(4)
