"""Prepares this checkout on any machine with Python and its venv: environment, packages, front end, browser.

    python3 tools/prepare.py run     what `make run` needs
    python3 tools/prepare.py test    that, and what `make test` needs
    python3 tools/prepare.py mutants what `make mutants` needs besides the tests

Runs before anything is installed, so it uses the standard library only, and even an old Python must be able to read it.
Each step is done again only when what it depends on has changed.
"""

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time

PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(PROJECT, ".venv")
BIN = os.path.join(VENV, "bin")
CACHE = os.path.join(PROJECT, ".cache")
LOG = os.path.join(CACHE, "prepare.log")
LEAST_PYTHON = (3, 11)
LEAST_NODE = (20, 19)
LEAST_NPM = (11, 0)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SETUP_BYTES = 1500 * 1024 * 1024


class Stop(Exception):
    """Something is in the way: one sentence that says what, one that says what to do."""


def main(purpose):
    python = suitable_python()
    os.chdir(PROJECT)
    check_folder()
    make_environment(python)
    if purpose == "mutants":
        install("mutants", ["mutants.txt"], "packages that make mutants")
        return
    install("main", ["main.txt"], "packages")
    install_self()
    if purpose == "test":
        install("dev", ["dev.txt"], "packages for the tests")
    build_front_end()
    compile_catalogues()
    compile_sources()
    if purpose == "test":
        find_browser()


# --- Python ------------------------------------------------------------------------------------------


def suitable_python():
    """This Python when it is new enough, else a newer one on PATH."""
    if sys.version_info[:2] >= LEAST_PYTHON:
        return sys.executable
    for minor in range(16, LEAST_PYTHON[1] - 1, -1):
        found = shutil.which("python3.%d" % minor)
        if found:
            return found
    raise Stop(
        "This is Python %d.%d; usance needs 3.11 or newer." % sys.version_info[:2],
        "Install a newer one (Debian 12 has it: apt-get install python3 python3-venv) and run make again.",
    )


def check_folder():
    """The checkout can be written, and the disk has room for the first set-up."""
    try:
        os.makedirs(CACHE, exist_ok=True)
        with open(LOG, "a"):
            pass
    except OSError as error:
        if error.errno == 28:
            raise full_disk() from error
        raise Stop(
            "The folder %s cannot be written." % PROJECT,
            "Give yourself write permission there, or clone the project into a folder that you own.",
        ) from error
    if not os.path.isdir(VENV) and shutil.disk_usage(PROJECT).free < SETUP_BYTES:
        raise full_disk()


def full_disk():
    return Stop(
        "The disk that holds %s is full or nearly so." % PROJECT,
        "Free about %d MB and run make again; nothing is lost." % (SETUP_BYTES // 2**20),
    )


def make_environment(python):
    """`.venv`, made again when it is broken or was made by a Python that is gone."""
    own = os.path.join(BIN, "python")
    if os.path.exists(os.path.join(VENV, ".made")) and works([own, "-c", "import pip"]):
        return
    if works([own, "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]):
        touch(os.path.join(VENV, ".made"))
        return
    if not works([python, "-c", "import venv, ensurepip"]):
        raise Stop(
            "Python's venv module is missing.",
            "Install it (Debian and Ubuntu: apt-get install python3-venv) and run make again.",
        )
    with Step("Python environment (.venv)"):
        shutil.rmtree(VENV, ignore_errors=True)
        run([python, "-m", "venv", VENV])
    touch(os.path.join(VENV, ".made"))


def works(command):
    try:
        return subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


# --- packages ----------------------------------------------------------------------------------------


def install(name, files, what):
    """Install pinned, hashed requirements, unless exactly these are installed."""
    paths = [os.path.join(PROJECT, "requirements", f) for f in files]
    mark = digest(paths)
    stamp = os.path.join(VENV, ".installed-" + name)
    if read(stamp) == mark:
        return
    pins = sum(len(re.findall(r"(?m)^[A-Za-z0-9_.-]+==", read(p))) for p in paths)
    command = [os.path.join(BIN, "python"), "-m", "pip", "install", "--require-hashes", "--disable-pip-version-check"]
    command += ["--only-binary=:all:", "--no-input", "--progress-bar=off"]
    for path in paths:
        command += ["-r", path]
    with Step("%d %s" % (pins, what)) as step:
        seen = [0]

        def count(line):
            if line.startswith(("Collecting ", "Requirement already satisfied")):
                seen[0] += 1
                step.progress("%d of about %d" % (seen[0], pins))
            elif line.startswith("Installing collected"):
                step.progress("unpacking")

        run(command, count)
    write(stamp, mark)


def install_self():
    """The package itself, editable; needs no network."""
    mark = digest([os.path.join(PROJECT, "pyproject.toml")]) + sys.version.split()[0]
    stamp = os.path.join(VENV, ".installed-self")
    if read(stamp) == mark and os.path.exists(os.path.join(BIN, "usance")):
        return
    with Step("usance itself"):
        run(
            [os.path.join(BIN, "python"), "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--no-index"]
            + ["--disable-pip-version-check", "--progress-bar=off", "-e", PROJECT]
        )
    write(stamp, mark)


# --- front end ---------------------------------------------------------------------------------------


def build_front_end():
    """`npm ci` and `npm run build` in frontend/, each only when its inputs changed. Node comes from PATH or a wheel."""
    front = os.path.join(PROJECT, "frontend")
    if not os.path.exists(os.path.join(front, "package.json")):
        return
    lock = digest([os.path.join(front, f) for f in ("package.json", "package-lock.json")])
    web = os.path.join(PROJECT, "src", "usance", "web")
    sources = [p for p in files_under(front) if os.sep + "node_modules" + os.sep not in p]
    sources += [p for p in files_under(web) if p.endswith((".html", ".py"))]
    mark = digest(sources)
    built, installed = os.path.join(CACHE, "front-end-built"), os.path.join(front, "node_modules", ".installed")
    output = os.path.join(web, "static", "dist", "manifest.json")
    if read(built) == mark and os.path.exists(output):
        return
    npm = find_npm()
    if read(installed) != lock:
        with Step("front-end packages"):
            run(npm + ["ci", "--no-audit", "--no-fund"], cwd=front)
        write(installed, lock)
    with Step("front end"):
        run(npm + ["run", "build"], cwd=front)
    write(built, mark)


def find_npm():
    """The npm to use: PATH's when Node and npm are new enough, else the one of the wheel."""
    if version("node") >= LEAST_NODE and version("npm") >= LEAST_NPM:
        return ["npm"]
    install("node", ["node.txt"], "packages that bring Node.js")
    os.environ["PATH"] = BIN + os.pathsep + os.environ["PATH"]
    return [os.path.join(BIN, "npm")]


def version(program):
    try:
        told = subprocess.check_output([program, "--version"], stderr=subprocess.DEVNULL).decode()
    except (OSError, subprocess.CalledProcessError):
        return (0, 0)
    numbers = re.findall(r"\d+", told)
    return tuple(int(n) for n in numbers[:2]) if len(numbers) > 1 else (0, 0)


COMPILE = """
import sys
from babel.messages import mofile, pofile
with open(sys.argv[1], "rb") as source, open(sys.argv[2], "wb") as target:
    mofile.write_mo(target, pofile.read_po(source))
"""


def compile_catalogues():
    """The translations, compiled with Babel's library: gettext's own tools may be missing, and Babel's command takes
    the per cent sign of "35 % or more" for a placeholder. Placeholders are checked by the tests."""
    folder = os.path.join(PROJECT, "src", "usance", "locale")
    for source in [p for p in files_under(folder) if p.endswith(".po")]:
        target = source[:-3] + ".mo"
        if not os.path.exists(target) or os.path.getmtime(target) < os.path.getmtime(source):
            run([os.path.join(BIN, "python"), "-c", COMPILE, source, target])


def compile_sources():
    """The package's bytecode, once: where Python is told to write none (in many containers it is), each process would
    compile every module again. Only what has changed is compiled."""
    run([os.path.join(BIN, "python"), "-m", "compileall", "-q", os.path.join(PROJECT, "src")])


# --- browser -----------------------------------------------------------------------------------------


def find_browser():
    """A Chromium for the browser tests: on PATH, else Debian's, else Playwright's. Never skipped."""
    if not works([os.path.join(BIN, "playwright"), "--version"]):  # its own Node lacks a library on small systems
        install("node", ["node.txt"], "packages that bring Node.js")
        os.environ["PLAYWRIGHT_NODEJS_PATH"] = os.path.join(BIN, "node")
    if os.environ.get("USANCE_CHROMIUM") or any(shutil.which(name) for name in BROWSERS):
        return
    if works([os.path.join(BIN, "python"), "-c", PLAYWRIGHTS_OWN]):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        with Step("Chromium from Debian"):
            environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
            packages = ["chromium", "fonts-dejavu-core"]
            with contextlib.suppress(Stop):  # there is one more way
                run(["apt-get", "update", "-q"], env=environment)
                run(["apt-get", "install", "-q", "-y", "--no-install-recommends"] + packages, env=environment)
        if any(shutil.which(name) for name in BROWSERS):
            return
    with Step("Chromium from Playwright"), contextlib.suppress(Stop):
        run([os.path.join(BIN, "playwright"), "install", "chromium"])
    if not works([os.path.join(BIN, "python"), "-c", PLAYWRIGHTS_OWN]):
        raise Stop(
            "There is no Chromium for the browser tests, and none could be installed.",
            "Install one (Debian: apt-get install chromium), or set USANCE_CHROMIUM to the path of yours.",
        )


PLAYWRIGHTS_OWN = """
import os, sys
from playwright.sync_api import sync_playwright
with sync_playwright() as p:
    sys.exit(not os.path.exists(p.chromium.executable_path))
"""


# --- running, showing, remembering ---------------------------------------------------------------------


class Step:
    """A long step: its name at the start, how far it is, how long it took."""

    def __init__(self, name):
        self.name = name
        self.shows = sys.stdout.isatty()

    def __enter__(self):
        self.began = time.monotonic()
        sys.stdout.write("  %s ... " % self.name if self.shows else "  %s ...\n" % self.name)
        sys.stdout.flush()
        return self

    def progress(self, text):
        if self.shows:
            sys.stdout.write("\r\033[K  %s ... %s" % (self.name, text))
            sys.stdout.flush()

    def __exit__(self, kind, *_):
        took = "%.0f s" % (time.monotonic() - self.began)
        word = "done" if kind is None else "failed"
        sys.stdout.write("%s  %s: %s in %s\n" % ("\r\033[K" if self.shows else "", self.name, word, took))
        sys.stdout.flush()


def run(command, each_line=None, cwd=PROJECT, env=None):
    """Run to the end; everything it says goes to the log. Raises Stop with its last words when it fails."""
    last = []
    with open(LOG, "a") as log:
        log.write("\n$ %s\n" % " ".join(command))
        child = subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for raw in child.stdout:
            line = raw.decode(errors="replace")
            log.write(line)
            last = last[-40:] + [line]
            if each_line:
                each_line(line)
        status = child.wait()
    if status != 0:
        raise explained(command, "".join(last))


def explained(command, said):
    if "No space left on device" in said or "ENOSPC" in said:
        return full_disk()
    unreachable = (
        "NewConnectionError",
        "Temporary failure in name resolution",
        "ENOTFOUND",
        "ETIMEDOUT",
        "ECONNREFUSED",
    )
    if (
        any(word in said for word in unreachable)
        or "Could not find a version" in said
        or "No matching distribution" in said
    ):
        return Stop(
            "The packages could not be fetched (%s)." % last_line(said),
            "Check the network and the settings of pip or npm, then run make again; it goes on where it stopped.",
        )
    if "THESE PACKAGES DO NOT MATCH THE HASHES" in said:
        return Stop(
            "A fetched package is not the one that was pinned.",
            "Do not use it; tell the maintainers. The package is named in %s." % LOG,
        )
    name = os.path.basename(command[0])
    return Stop("`%s` failed: %s" % (name, last_line(said)), "The whole output is at the end of %s." % LOG)


def last_line(said):
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith("[notice]")]
    return lines[-1][:300] if lines else "it said nothing"


def files_under(folder):
    found = []
    for base, folders, names in os.walk(folder):
        folders[:] = [f for f in folders if f not in ("node_modules", "__pycache__", "dist")]
        found += [os.path.join(base, name) for name in names]
    return sorted(found)


def digest(paths):
    seen = hashlib.sha256()
    for path in paths:
        if os.path.exists(path):
            seen.update(os.path.relpath(path, PROJECT).encode() + b"\0")
            with open(path, "rb") as file:
                seen.update(file.read())
    return seen.hexdigest()


def read(path):
    if not os.path.exists(path):
        return ""
    with open(path) as file:
        return file.read()


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def touch(path):
    write(path, "")


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "run")
    except Stop as stop:
        sys.stderr.write("usance: %s\n        %s\n" % stop.args)
        sys.exit(1)
    except OSError as error:
        if error.errno != 28:
            raise
        sys.stderr.write("usance: %s\n        %s\n" % full_disk().args)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
