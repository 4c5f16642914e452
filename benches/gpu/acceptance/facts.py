"""The head of the results: what was run, on what. Also says whether there is anything to run on."""

import datetime
import importlib.metadata
import json
import os
import re
import shutil
import subprocess

from . import lab
from .session import ROOT


def run(session, command):
    """False where there is no GPU: then there are no results."""
    session.say(f"GPU acceptance, {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC")
    session.say(f"command: {command}")
    # Of the project itself, not of a repository that a copy of it may lie in.
    above = {"GIT_CEILING_DIRECTORIES": str(ROOT.parent)}
    commit = _asked("git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*", **above)
    session.say(f"commit: {commit or 'not known (no repository)'}")
    session.say(f"tool: {_asked(session.ratchet, '--version') or session.ratchet}")
    smi = _asked("nvidia-smi", "--query-gpu=name,driver_version,compute_cap,clocks.max.sm,power.limit", "--format=csv,noheader")
    session.say(f"GPU: {smi or 'nvidia-smi does not say'}")
    capability = re.search(r", (\d+)\.(\d), ", smi)
    if capability and "arch" not in session.plan:
        session.plan["arch"] = "".join(capability.groups())
    session.say(f"PyTorch {_version('torch')}, triton {_version('triton')}")
    if session.dry_run:
        return True
    if shutil.which("git") is None:
        session.not_reached("everything", "it takes git, and there is none in PATH")
        return False
    findings = {finding["about"]: finding for finding in _examined(session)}
    if not {"NVRTC", "GPU"} <= findings.keys():
        return False
    for about in ("NVRTC", "GPU"):
        session.say(f"{about}: {findings[about]['message']}")
    session.say(f"ncu: {_ncu(session, findings.get('profiler'))}")
    if "driver for CUDA" not in findings["GPU"]["message"]:
        session.not_reached("everything", "it takes a GPU")
        return False
    return True


def _examined(session):
    """What `git ratchet doctor` finds; where it finds no GPU, it still says so."""
    # The first to load libraries and to wake the driver, which may take long, and without it there is nothing to run.
    ran = lab.cheats(session).ratchet("doctor", "--json", at_least=60)
    try:
        findings = json.loads(ran.out)["findings"]
    except (ValueError, KeyError):
        findings = []
    if not any(finding["about"] == "GPU" for finding in findings):
        said = next((finding["message"] for finding in findings if finding["state"] == "error"), ran.last_line())
        session.say(f"  git ratchet doctor: {said}: {session.expect(False, 'git ratchet doctor')}")
    return findings


def _asked(*command, **environment):
    """What a program says, or nothing."""
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=20, env={**os.environ, **environment})
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ran.stdout.strip() if ran.returncode == 0 else ""


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "is not installed"


def _ncu(session, finding):
    """Where Nsight Compute is, which the parts that need it ask the session."""
    if not finding or finding["state"] != "ok":
        session.no_ncu = finding["message"] if finding else "there is no Nsight Compute"
        return session.no_ncu
    session.ncu = finding["message"]
    lines = (line.strip() for line in _asked(session.ncu, "--version").splitlines())
    return f"{session.ncu}, {next((line for line in lines if line.startswith('Version')), 'which does not say its version')}"
