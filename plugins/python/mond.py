# Copyright of the mond authors; Apache License 2.0.
"""Makes a monitor or an alert for mond of a function.

    #!/usr/bin/python3
    import socket, mond

    def options(parser):
        parser.add_argument("-p", "--port", type=int, default=23, help="TCP port to open")

    def check(host, opt, seconds_left):
        with socket.create_connection((host, opt.port), timeout=seconds_left()):
            return f"port {opt.port} open"

    mond.monitor("knock.monitor", check, options, "fails for hosts whose port does not open")

Started by mond from its plugindir the program stays and answers thousands of
checks over go-plugin; started by a shell, by mon, or by mond from its mondir,
it makes one check by mon's contract and ends. Resident it needs gRPC (Debian:
python3-grpcio, python3-protobuf), classic only Python 3.9.

The file stands alone: put it beside your plugins, or where Python finds it.
"""

import argparse
import base64
import collections
import errno
import json
import os
import queue
import signal
import socket
import sys
import threading
import time
import traceback
import urllib.error
import zlib

__all__ = ["monitor", "monitor_all", "alert", "each_host", "Result", "Host", "Notice", "Claim",
           "Failed", "Blind", "Warning", "Permanent"]


# --- what an author raises and returns -------------------------------------

class Failed(Exception):
    """The host failed: a verdict. So is OSError, unless it is this machine's own."""


class Blind(Exception):
    """Nothing was seen, by this machine's fault: no verdict about the host."""


class Warning(Exception):  # noqa: A001 - the field's word
    """The host is well but deserves a look (opstatus warn)."""


class Permanent(Exception):
    """Of an alert: another try would not mend it."""


# Numbers of monitor.Cause, as on the wire. All but the second and third are blind.
NOT_RUN, EXITED, TIMED_OUT, KILLED, COULD_NOT_START, PLUGIN_LOST, GARBLED, PANICKED, OVERLOADED, LOCAL_FAULT = range(10)
CAUSES = ("not run", "exited", "timed out", "killed", "could not start", "plugin lost",
          "garbled answer", "panicked", "overloaded", "local fault")


class Result:
    """What a check found. Unless it says otherwise it is blind."""

    def __init__(self, cause=NOT_RUN, exit=0, warn=False, summary="", detail="", hosts=()):
        self.cause, self.exit, self.warn = cause, exit, warn
        self.summary, self.detail, self.hosts = summary, detail, list(hosts)
        self.took = 0.0  # seconds

    @classmethod
    def ok(cls, summary="", detail="", hosts=()):
        return cls(EXITED, 0, False, summary, detail, hosts)

    @classmethod
    def failed(cls, summary, detail="", exit=1, hosts=()):
        return cls(EXITED, exit, False, summary, detail, hosts)

    @property
    def blind(self):
        return self.cause not in (EXITED, TIMED_OUT)

    @property
    def failing(self):
        return self.cause == TIMED_OUT or self.cause == EXITED and self.exit != 0


# What is known of one host: took in seconds, perf a dict of figures.
Host = collections.namedtuple("Host", "name ok detail took perf", defaults=("", 0.0, None))

# One check: hosts and args are lists, env a dict.
Request = collections.namedtuple("Request", "group service hosts args env")

# One notice; at in seconds since 1970. id is equal for every try at the same one.
Notice = collections.namedtuple(
    "Notice", "id group service kind repeated late hosts args summary output at exit status env")

# What should hold now for one target of a keeper.
Claim = collections.namedtuple("Claim", "id group service reason args down provisional withdrawn since")

KINDS = ("unset", "failure", "up", "startup", "trap", "traptimeout", "ack", "disable", "test")

# Errors that say nothing of the target: plugins/monitor/local.go has the reasons.
_OURS = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EPERM, errno.EACCES, errno.EADDRNOTAVAIL,
         errno.EADDRINUSE, errno.EAFNOSUPPORT, errno.ENETUNREACH, errno.ENETDOWN}


def _local(err):
    """Whether an OSError is this machine's fault: a name without an address, no
    descriptors, no route, a file or program of ours that is not there."""
    if isinstance(err, urllib.error.URLError) and isinstance(err.reason, OSError):
        return _local(err.reason)
    if isinstance(err, socket.gaierror):
        return True
    return err.errno in _OURS or err.errno is not None and err.filename is not None


# --- a check of several hosts ----------------------------------------------

_PARALLEL = 32    # hosts of one check that are looked at side by side
_INFLIGHT = 128   # checks at once; each takes a thread
_MOST_LINE = 1024


class _Limit:
    """The time that a check has left, in seconds. Called when there is none left it
    raises TimeoutError, which fails the host; after a cancellation Blind."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds
        self.cancelled = False

    def __call__(self):
        if self.cancelled:
            raise Blind("cancelled")
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError("its time is over")
        return left


def _span(seconds):
    """A duration as people like to read it, as monitor.Span has it."""
    if seconds < 0.9995:
        return _decimal(seconds * 1000) + "ms"
    if seconds < 100:
        return _decimal(seconds) + "s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest}s"


def _decimal(value):
    text = f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _one_line(text):
    text = str(text)
    if len(text) > _MOST_LINE:
        text = text[:_MOST_LINE] + "..."
    return " ".join("".join(c if c.isprintable() else " " for c in text).split()) if not text.isprintable() else text


_Sight = collections.namedtuple("_Sight", "host cause warn why text took bug perf")


def _look(check, host, opt, limit):
    """Sees one host. cause says whether it was judged, text is its line."""
    began = time.monotonic()
    cause, warn, text, bug, perf = EXITED, False, None, "", None
    failed = False
    try:
        limit()
        text = check(host, opt, limit)
        if isinstance(text, tuple):
            text, perf = text
        text = text or "ok"
    except Warning as err:
        warn, text = True, str(err)
    except Failed as err:
        failed, text = True, str(err)
    except Blind as err:
        cause, text = (NOT_RUN if limit.cancelled else LOCAL_FAULT), str(err)
    except TimeoutError as err:
        failed, text = True, f"no answer in {_span(time.monotonic() - began)}: {_reason(err)}"
    except OSError as err:
        failed, text = not _local(err), _reason(err)
        cause = EXITED if failed else LOCAL_FAULT
    except UnicodeError as err:  # what Python says of a name that no resolver would take
        cause, text = LOCAL_FAULT, f"name {host} has no address: {err}"
        if "idna" not in str(err):
            cause, text, bug = PANICKED, f"{type(err).__name__}: {err}", traceback.format_exc()
    except BaseException as err:  # a bug is never a verdict
        cause, text, bug = PANICKED, f"{type(err).__name__}: {err}", traceback.format_exc()
    took = time.monotonic() - began
    if cause != EXITED:
        line = f"{host}: not judged: {_one_line(text)}"
    elif text.startswith("no answer in"):
        line = f"{host}: {_one_line(text)}"
    else:
        line = f"{host}: {'warning: ' if warn else ''}{_one_line(text)} ({_span(took)})"
    return failed, _Sight(host, cause, warn, f"{host}: {_one_line(text)}", line, took, bug, perf)


def _reason(err):
    if isinstance(err, urllib.error.URLError) and isinstance(err.reason, OSError):
        return _reason(err.reason)
    return (err.strerror or str(err) or type(err).__name__) if isinstance(err, OSError) else str(err)


def each_host(check):
    """A check of all hosts of a request by a function that looks at one."""

    def whole(request, opt, limit):
        hosts = request.hosts
        if len(hosts) < 2:
            seen = [_look(check, h, opt, limit) for h in hosts]
        else:
            seen = _side_by_side(lambda h: _look(check, h, opt, limit), hosts)
        return _summarize(seen)

    return whole


def _side_by_side(do, items):
    """do for every item, by a few threads of its own that end with the last one."""
    out, left, lock = [None] * len(items), iter(range(len(items))), threading.Lock()

    def work():
        while True:
            with lock:
                i = next(left, None)
            if i is None:
                return
            out[i] = do(items[i])

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(len(items), _PARALLEL) - 1)]
    for t in threads:
        t.start()
    work()
    for t in threads:
        t.join()
    return out


def _summarize(seen):
    """Failed hosts come first, then those not judged, those with a warning, the healthy ones."""
    groups = ([], [], [], [])
    for failed, s in seen:
        groups[0 if failed else 1 if s.cause != EXITED else 2 if s.warn else 3].append(s)
    failed, blind, warned, _ = groups
    r = Result(EXITED, detail="".join(s.text + "\n" for g in groups for s in g))
    r.hosts = [Host(s.host, not bad, s.text[len(s.host) + 2:], s.took, s.perf) for bad, s in seen if s.cause == EXITED]
    if failed:
        r.exit, r.summary = 1, " ".join(sorted({s.host for s in failed}))
    elif blind:
        first = next((s for s in blind if s.cause == PANICKED), blind[0])
        r.cause = first.cause
        r.summary = first.why + (f" (and {len(blind) - 1} more)" if len(blind) > 1 else "")
    elif warned:
        r.warn, r.summary = True, warned[0].why + (f" (and {len(warned) - 1} more)" if len(warned) > 1 else "")
    r.detail += "".join(s.bug for s in blind)
    return r


# --- options ----------------------------------------------------------------

class _Usage(Exception):
    """Words that make no sense; index is that of the wrong one, -1 for all together."""

    def __init__(self, message, index=-1):
        super().__init__(message)
        self.index = index


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise _Usage(message)


class _Options:
    """The options of a plugin, read the way of mon's programs: before the operands."""

    def __init__(self, name, synopsis, declare, operands):
        self.parser = _Parser(prog=name, description=synopsis, add_help=False, allow_abbrev=False,
                              exit_on_error=False, usage=f"{name} [option...] {operands}")
        if declare:
            declare(self.parser)
        self.lock, self.known = threading.Lock(), {}

    def get(self, args):
        """(options, operands) of a list of words; the same for equal words. Raises _Usage."""
        key = tuple(args)
        with self.lock:
            if key not in self.known:
                if len(self.known) >= 4096:
                    self.known.pop(next(iter(self.known)))
                try:
                    self.known[key] = self.parse(list(args))
                except _Usage as err:
                    self.known[key] = err
            found = self.known[key]
        if isinstance(found, _Usage):
            raise found
        return found

    def parse(self, args):
        head, rest = self.split(args)
        try:
            opt, extra = self.parser.parse_known_args(head)
        except argparse.ArgumentError as err:
            names = (err.argument_name or "").split("/")
            at = next((i for i, a in enumerate(head) if any(n and a.startswith(n) for n in names)), -1)
            raise _Usage(f"option {names[0]}: {err.message}" if err.argument_name else err.message, at) from None
        except _Usage as err:
            raise err
        if extra:
            raise _Usage(f"unknown option {extra[0]}", args.index(extra[0]))
        return opt, rest

    def split(self, args):
        """args up to the first word that is no option and no value of one, and the rest."""
        i = 0
        while i < len(args):
            word = args[i]
            if word == "--":
                return args[:i], args[i + 1:]
            if len(word) < 2 or word[0] != "-":
                break
            i += 1 + self.wants_next(word)
        return args[:i], args[i:]

    def wants_next(self, word):
        known = self.parser._option_string_actions
        if word in known:
            return known[word].nargs is None
        if word.startswith("--"):
            return False
        for i, letter in enumerate(word[1:], 1):  # a group of switches, the last of which may take a value
            action = known.get("-" + letter)
            if action is None or action.nargs is None:
                return action is not None and i == len(word) - 1
        return False

    def flags(self):
        for action in self.parser._actions:
            usage = (action.help or action.dest.replace("_", " ")) % {"default": action.default, "prog": self.parser.prog}
            default = "" if action.default in (None, False, argparse.SUPPRESS) else str(action.default)
            for name in action.option_strings:
                yield {"name": name.lstrip("-"), "usage": usage, "default": default, "switch": action.nargs == 0}


# --- a plugin ---------------------------------------------------------------

def monitor(name, check, options=None, synopsis="", caps=(), inflight=_INFLIGHT):
    """Runs this process as a monitor that looks at each host by itself; does not return.

    check(host, opt, seconds_left) returns what is to be said of a healthy host (or that
    and a dict of figures). OSError and Failed mean that the host failed; Blind that it
    could not be seen; Warning that it is well but deserves a look; any other exception is
    a bug and no verdict. seconds_left() is the time limit for the next wait. It is called
    from many threads. options(parser) declares options on an argparse parser, which opt
    then holds; operands are the hosts. caps are Linux capabilities that it needs.
    """
    _run(_Plugin(name, "monitor", synopsis or _doc(), options, check=each_host(check), caps=caps, inflight=inflight))


def monitor_all(name, check, options=None, synopsis="", caps=(), inflight=_INFLIGHT):
    """As monitor, for one that looks at all hosts together: check(request, opt, seconds_left)
    returns a Result."""
    _run(_Plugin(name, "monitor", synopsis or _doc(), options, check=check, caps=caps, inflight=inflight))


def alert(name, tell, options=None, synopsis="", keep=None, caps=()):
    """Runs this process as an alert; does not return.

    tell(notice, opt, seconds_left) tells somebody. An exception means that nobody was
    told, and mond tries again, unless it is Permanent. It is called at least once.
    keep(full, claims), if given, makes it a keeper of what should hold now: with full
    claims is all there is, and what is absent is hands off; else it is what changed. It is
    idempotent and never called at the same time twice.
    """
    _run(_Plugin(name, "alert", synopsis or _doc(), options, tell=tell, keep=keep, caps=caps))


def _doc():
    """The first line of the program's docstring, without its own usage."""
    text = (sys.modules["__main__"].__doc__ or "").strip().split("\n")[0]
    return text.split(": ", 1)[-1].rstrip(".")


class _Plugin:
    def __init__(self, name, kind, synopsis, options, check=None, tell=None, keep=None, caps=(), inflight=_INFLIGHT):
        self.name, self.kind, self.synopsis = name, kind, synopsis
        operands = "host..." if kind == "monitor" else "-s service -g group -h hosts -t time [-u] [option...] < output"
        self.options = _Options(name, synopsis, options, operands)
        self.check_all, self.tell_one, self.keep = check, tell, keep
        self.caps, self.inflight = list(caps), max(1, int(inflight))

    def manifest(self):
        m = {"kind": self.kind, "name": self.name, "synopsis": self.synopsis, "flags": list(self.options.flags())}
        if self.caps:
            m["caps"] = self.caps
        if self.kind == "monitor":
            m["max_inflight"] = self.inflight
        if self.keep:
            m["keeper"] = True
        return m

    def check(self, request, limit):
        """Runs one check and always answers: a bug is that check's result and nobody else's."""
        began = time.monotonic()
        try:
            opt, rest = self.options.get(request.args)
            r = self.check_all(request._replace(hosts=rest + request.hosts), opt, limit)
            if not isinstance(r, Result):
                r = Result(GARBLED, summary=f"check returned {type(r).__name__}, want a mond.Result")
        except _Usage as err:
            r = Result(COULD_NOT_START, summary=str(err))
        except BaseException as err:
            r = self.caught(err, limit, began)
        r.took = r.took or time.monotonic() - began
        if limit.cancelled:
            r = Result(NOT_RUN, summary="cancelled")
        elif r.cause == EXITED and not 0 <= r.exit <= 255:
            r = Result(GARBLED, summary=f"the check answered exit {r.exit}")
        elif r.blind and not r.summary:
            r.summary = "the monitor did not say why: " + CAUSES[r.cause]
        return r

    @staticmethod
    def caught(err, limit, began):
        """What an exception of a check of all hosts means."""
        if isinstance(err, Blind) or isinstance(err, OSError) and _local(err):
            return Result(LOCAL_FAULT, summary=_one_line(_reason(err)))
        if isinstance(err, TimeoutError):
            return Result(TIMED_OUT, summary=f"no answer in {_span(time.monotonic() - began)}")
        if isinstance(err, (Failed, OSError)):
            return Result.failed(_one_line(_reason(err)))
        return Result(PANICKED, summary=_one_line(f"{type(err).__name__}: {err}"), detail=traceback.format_exc())


def _run(plugin):
    args = sys.argv[1:]
    if os.environ.get("MOND_PLUGIN") == _COOKIE:
        sys.exit(_serve(plugin))
    if args == ["--describe"]:
        print(json.dumps(plugin.manifest(), indent=2))
        sys.exit(0)
    if args in (["-h"], ["--help"]):
        print(plugin.options.parser.format_help(), end="")
        sys.exit(0)
    sys.exit(_classic_monitor(plugin, args) if plugin.kind == "monitor" else _classic_alert(plugin, args))


# --- classic: mon's contract ------------------------------------------------

_BLIND_EXIT = 75  # EX_TEMPFAIL: mond reads it, with the first line, as "has seen nothing"


def _time_limit(absent):
    word = os.environ.get("MOND_TIMEOUT", "")
    total, number = 0.0, ""
    units = {"h": 3600, "m": 60, "s": 1, "ms": 0.001, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
    rest = word
    while rest:  # a Go duration such as 1m30s, or seconds
        number = rest[:len(rest) - len(rest.lstrip("0123456789."))]
        rest = rest[len(number):]
        unit = rest[:len(rest) - len(rest.lstrip("hmsunµ"))]
        rest = rest[len(unit):]
        try:
            total += float(number) * units[unit or "s"]
        except (ValueError, KeyError):
            raise _Usage(f'variable MOND_TIMEOUT: "{word}" is no time such as 10s') from None
    return total or absent


def _classic_monitor(plugin, args):
    try:
        limit = _Limit(_time_limit(300))
        plugin.options.get(args)
    except _Usage as err:
        code = _print_result(Result(COULD_NOT_START, summary=str(err)))
        print(f"{plugin.name}: {err} (-h explains)", file=sys.stderr)
        return code
    env = dict(os.environ)
    r = _in_time(lambda: plugin.check(Request(env.get("MON_GROUP", ""), env.get("MON_SERVICE", ""), [], args, env), limit), limit)
    code = _print_result(r)
    if r.cause == PANICKED:
        print(f"{plugin.name}: {r.summary}\n{r.detail}", file=sys.stderr)
    return code


def _in_time(do, limit):
    """do's result; if it does not come in time and a second more, that of a host that never answered."""
    box = queue.SimpleQueue()
    threading.Thread(target=lambda: box.put(do()), daemon=True).start()
    try:
        return box.get(timeout=max(limit.end - time.monotonic(), 0) + 1)
    except queue.Empty:
        return Result(TIMED_OUT, summary="no answer within the time limit")


def _print_result(r):
    summary = r.summary.replace("\n", " ")
    if r.blind:
        summary = f"blind ({CAUSES[r.cause]}): {summary}"
    text = summary + "\n" + r.detail if summary or r.detail else ""
    try:
        sys.stdout.write(text if not text or text.endswith("\n") else text + "\n")
        sys.stdout.flush()
    except OSError:  # a reader that is gone cannot be told; the status still says it
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return _BLIND_EXIT if r.blind else 1 if r.cause == TIMED_OUT else r.exit


_LETTERS = {"-u": "up", "-a": "ack", "-D": "disable", "-T": "trap", "-O": "traptimeout"}


def _mon_words(args, env):
    """mon's own words of an alert: what they say, and the alert's own words. Each is
    taken once, before the first that is none of them; where MON_ALERTTYPE says the kind
    only its letter is taken, and nothing after it."""
    said, kind = {}, env.get("MON_ALERTTYPE", "")
    known = kind in KINDS[1:]
    while args and args[0] not in said:
        word = args[0]
        if _LETTERS.get(word) and (_LETTERS[word] == kind if known else not kind):
            said[word], kind, args = True, _LETTERS[word], args[1:]
            if known:
                break
        elif len(args) > 1 and (word in ("-s", "-g", "-h", "-t") or word == "-l" and not known):
            said[word], args = args[1], args[2:]
        else:
            break
    return said, kind if kind in KINDS[1:] else "failure", args


def _number(env, name, absent):
    try:
        return int(env.get(name, ""))
    except ValueError:
        return absent


def _classic_notice(args, env):
    said, kind, rest = _mon_words(args, env)
    try:
        at = float(said.get("-t", time.time()))
    except ValueError:
        raise _Usage(f"option -t: {said['-t']!r} is not a time in seconds since 1970") from None
    output = ""
    try:
        if not os.isatty(0):
            text = sys.stdin.buffer.read(1 << 20)
            while sys.stdin.buffer.read(1 << 16):
                pass
            output = text.decode("utf-8", "replace")
    except (OSError, AttributeError):  # no standard input
        pass
    well = kind in ("up", "startup", "disable", "test")
    group, service = said.get("-g", env.get("MON_GROUP", "")), said.get("-s", env.get("MON_SERVICE", ""))
    return Notice(f"{group}:{service} {kind} {int(at)}", group, service, kind, False, False, said.get("-h", "").split(), rest,
                  env.get("MON_LAST_SUMMARY", output.split("\n")[0]), output, at, _number(env, "MON_RETVAL", int(not well)),
                  _number(env, "MON_OPSTATUS", int(well)), env)


def _classic_alert(plugin, args):
    try:
        limit = _Limit(_time_limit(900))
        notice = _classic_notice(args, dict(os.environ))
        opt, rest = plugin.options.get(notice.args)
        plugin.tell_one(notice._replace(args=notice.args), opt, limit)
    except _Usage as err:
        print(f"{plugin.name}: {err} (-h explains)", file=sys.stderr)
        return 2
    except BaseException as err:
        text = _reason(err) if isinstance(err, (OSError, Permanent)) else "".join(traceback.format_exception_only(type(err), err)).strip()
        print(f"{plugin.name}: {text}", file=sys.stderr)
        return 1 if isinstance(err, Permanent) else 75
    return 0


# --- resident: go-plugin over gRPC ------------------------------------------

_COOKIE = "c3b1f5f2-5b0e-4a9a-8f6b-resident"

# Limits of the wire, as plugins/rpc has them: items and bytes of a message, bytes of
# the text of one check, of its summary, and of the largest message either way.
_MOST_ITEMS, _MOST_BYTES, _MOST_OUTPUT, _MOST_SUMMARY = 256, 256 << 10, 64 << 10, 16 << 10
_RECEIVES, _SENDS = 64 << 20, 1 << 20
_CUT = "\n[mond: cut here, the rest was too long]\n"

# plugins/rpc/pb/plugin.proto as a FileDescriptorProto, compressed. A test keeps it
# current: go test ./plugins/python -update
_SCHEMA = """
eNqsWE9z28YVD0gQJB9FmUFcF7GbWkYnE43TyI7TP5MeMqOIdEqLJj1Lyu70wi6JFYkI3EUAULKn936LHnLuvT13+hl67K0fo4fOe7sAYZFKm2
lP2N/u2337/r8F7MXRehHKozhRmXL3V0oGR2bq8lP/XbjVFek8CWeCiW/WIs38P1Wg8ZzL8FykmXsI9kUoA886sA73n9w+env70WkoA0YUrgu2
5CvhVQ6swyajsXsXGukbqeI0TL0qzRfYfQi184gvUs8+qB62to9+GvEF0yR49pzHqVc7qOLZOHYfwN6Kv56G8jwKF8vMcw6swzZrrfjrvply74
BzIUQsEq9+YB02mEGuB/Urns2XIvEatJBDXBGRmGcq8Zp6xUA8a6miQCQe6LM08mdg400L8a2S+Lehtk75IteJBsgjEOd8HWVGJzlEHulVmM2X
nq15aOR/CLde8igMeJYbCdnxZJF6ltYIjv0utDdkcfTG/QwacaJmkVhpwtaTH17X8gu9zgpC/3Oom0m8fygD8ZqEepdpgPdfibQkVw79P1fAGa
osnAt3HyphYJRRCQM8apGodZyrggAelYrkMpyLXBUGonzkdzZZVXvYXWgkIhY8E4FXIwUVGOkjngnyggajMfJcqjRLvTopSYNCc42N5uge69WK
J2/I7HgPDdEkap3F64zM3mQGoXw881oH1mGVVTjZQ7wOM2+PNEVjMmfGs3XqtWnWILcDVSEvvX26AA79MTTHQgbaai7YgZLakxqMxiiKSBKV5O
oj4P4ImrFIVlwKqX2pwTYTfgytUyHi3GN+DLAQUiQ8C5Wkw21WmkG25+soIg4NRmP3E3DmEQ9XGL3oPj+47j4nuMoMkf8PC2o08z+b/w44ieCp
kuQATWZQYbxayXikryuZmx7H7gG04kRdhmmoJI9M+JenUHdXYbYMEn4lTRbYTOB901DOBblDlWng/8GCplbp/9FOxCvjkTBBr4F7D5pSiGBKNj
HejhNP11Hk/wRa46W6yk17G2qZisO5UbgG/n1oaiJz2Uy8zvL0hGP/7xVo/Vql2XMdvqj0c5UsRGZEMgjTSLqefS3mWepVdqeRsV5nBaH7Edhf
q1nuOO9d3/BMzRgRINc5l3MRUSGwmUHux1CjrEzC73C9V7jINA2KF4dyQT5gMxqjVoKEh9JYXwP3l9CklB4qmZLdW0/ev350LydgG1qshFcquS
CP2FGuXqnkghGF/3uoG32gcHK9momEVNpmBn3veChSmb0rlZWiwQ+g+kzNSgFoUwA+gL1ErHgoQ7mYrlLi22atYu65SYJ0beLeZjnME5a9SVi/
ghrp3/00L6XBTRXmlV7Oa2zg/xzqZq7M0trJsrJheQLNwi7uL8pW1Iy9m6xYMqL/O2jk09+HORo/DTNtlh3GH4eZYETh/7MCNkLsb6JQivx6W3
sGoRRMk6CbRIoHIjDZ1yC8YiLSdZSlJm3kkGrLGzkXQdEqEEJHSQSPUoqaNtNAnxNH4ZxThDgsh7hyKRLMiRQmbZZDdK4lT5cUIw6jMdYDlQQi
Sb3m7nowwlVmiPDwSPBLDEzdNOWQyrsQMRXQBqMxBny65ImgGrrj7DEuMk3jP4AaYeQR82QuIq3oPZZD/zHYqONNrFnlWMtjp1KKnT7USICbt1
yKZJZ3uDgmO4gk5BEZyGYG+WuwMSMUVdUqVdXCMyr/2TM+ASdTF0LeWIEnuMoMkf9XC2o0c7MI2LfmRR7HVLNiNV8aCTSg3lVmYUT+VWUa4Gwk
eCrIvapMA2zMuJRqjQVTV+EClyp5/a1KXoq+xlvR539rQW2ccRncIENx30r5viiZiAKTumis62LGI9NFarCRrHZNMl25nXLlvgNOIDIeRvntNf
L/VoH2C7JBXjwfb0JVB/yd65ZitLwJYdoRq6Soqjt24DLLyajKKbkwhqIxvSawsBWZIIcl16n9F66D5ClqPfWc3eRkE2aIqOEW5xn11m1GY/cI
HIrOgJrrHQJRyOIZ9PVn4OiZ78jF+K5SgTAFi8bFW6taemvdAUcHPqlhjxnk/8sCR2t+qyZ+DLU5X6f67P0dzS0uMk1TNPjGv6jBd8G+4ok0iq
dx+SlR23pKGF9yyr6E6WDzTNmRDrBFyyv+PWjOxILLKV8oipsqa9DE8UJRj6fUhelZaez/xQIbD9j5Pn1EnWeWK+D9XZzHSMA0XUmE6lsi5Jzt
DWf3A4BYJOdT5JS3KNj1ng9xwr0PLVq+5NFaaJ+zGO14STN+hHZDv/8O5zjC5IK2JQlujjlDdXOD9fBnYJ+GlHI6p/1hd3o2HL/onfSf9nvdzj
tuC+rPR8P+ZMQ6ltuE2vGgxyadysM/4oOH3KMF9eFoMmVnw847LoDT+01/0ut2LLcNzUn/ea87HZ1NOhVcOu0PBr1up+q+B7dORmeD7hR3jifH
bNKx3VvQejE4+6o/nA5G40mnhid/dcy+xC2OuweNF8fD/slpr9upu/sAo5c9Nhgdd3vdTgP3DkYnx4Pp0+OzwaTTfPhTaBY2xIPOhqfD0Su8og
OV0WnHwvs8Pe7j4ZUn31bB0UnN7UEj/y3k3r+u1Gs/jO5udV7F36Nn0Mj/SGwfc+2Xxt0PbibAF8znYOMb2d2ysf7jcHfLezcv6i/Axmebe2/r
99Xmfby9f/PS+wJsfElt7y89wnbwLx5ffaiPRUpd1b1dMWZqyLYG3ioxh9Zj68uPfvvhIsyW69nRXK0eIfnyG/o80rvSR0k8fxTPZg797/vs3w
EAAP//OwdlTg==
"""


def _messages():
    """Gives the class of a message by its name."""
    from google.protobuf import descriptor_pool, message_factory
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(zlib.decompress(base64.b64decode(_SCHEMA)))
    get = getattr(message_factory, "GetMessageClass", None) or message_factory.MessageFactory(pool).GetPrototype
    return lambda name: get(pool.FindMessageTypeByName("mond.plugin.v1." + name))


def _clean(text, limit):
    """text in valid UTF-8 of at most limit bytes; what was cut is replaced by a mark."""
    raw = str(text).encode("utf-8", "replace")
    if len(raw) > limit:
        raw = raw[:limit - len(_CUT)].decode("utf-8", "ignore").encode() + _CUT.encode()
    return raw.decode()


def _pairs(words):
    return dict(zip(words[::2], words[1::2]))


def _log(level, message, **more):
    """Writes a line that mond's log takes as one of its own."""
    line = json.dumps({"@level": level, "@message": message, "@module": "python",
                       "@timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime()), **more})
    try:
        os.write(2, (line + "\n").encode())
    except OSError:
        pass  # nobody reads it


class _Pulse:
    """Sums up the time in which this process did not run: a limit that ended meanwhile
    says nothing of the target (plugins/rpc/pulse)."""

    BEAT = 0.25

    def __init__(self):
        self.last, self.sum = time.monotonic(), 0.0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            time.sleep(self.BEAT)
            now = time.monotonic()
            self.sum += self.delay(now)
            self.last = now

    def delay(self, now):
        late = now - self.last - self.BEAT
        return late if late > self.BEAT else 0.0

    def lost(self):
        return self.sum + self.delay(time.monotonic())


class _Crew:
    """Threads that do what they are given; one more is made when none is free."""

    def __init__(self, most):
        self.most, self.threads, self.free = most, 0, 0
        self.lock, self.jobs = threading.Lock(), queue.SimpleQueue()

    def do(self, job):
        with self.lock:
            if self.free:
                self.free -= 1
            elif self.threads < self.most:
                self.threads += 1
                threading.Thread(target=self.work, daemon=True).start()
        self.jobs.put(job)

    def work(self):
        while True:
            self.jobs.get()()
            with self.lock:
                self.free += 1


class _Session:
    """One host's stream. The thread that reads it owns subjects; checks run in the crew."""

    def __init__(self, service):
        self.service, self.out = service, queue.SimpleQueue()
        self.subjects = {}
        self.lock, self.running, self.draining, self.ended = threading.Lock(), {}, False, False

    def read(self, stream):
        try:
            for message in stream:
                self.take(message)
        except BaseException as err:
            if not self.ended:
                _log("debug", f"session: {err}")
        self.close()

    def close(self):
        """Ends the stream; checks that are out are cancelled: nobody waits for them."""
        with self.lock:
            self.ended = True
            for limit in self.running.values():
                limit.cancelled = True
            self.running.clear()
        self.out.put(None)

    def take(self, m):
        """Does what one message says, in the order of its fields."""
        if m.forget:
            self.subjects.clear()
        for s in m.subjects:
            self.subjects[s.number] = Request(s.group, s.service, list(s.hosts), list(s.args), {})
        for j in m.jobs:
            self.start(j)
        for i in m.cancel:
            self.cancel(i)
        if m.ping:
            self.out.put(("pong", m.ping))
        if m.drain:
            with self.lock:
                self.draining = True
                done = not self.running
            if done:
                self.out.put(("drained", True))

    def start(self, job):
        request = self.subjects.get(job.subject)
        if request is None:
            self.answer(job.id, Result(GARBLED, summary=f"the host named subject {job.subject} without saying what it is"))
            return
        seconds = job.remaining_ms / 1000
        limit = _Limit(seconds)
        with self.lock:
            why = "the plugin is ending" if self.draining else ""
            if len(self.running) >= self.service.plugin.inflight:
                why = f"{len(self.running)} checks of this plugin are running already"
            if job.id in self.running:
                why = "the host used a number twice"
            if not why:
                self.running[job.id] = limit
        if why:
            self.answer(job.id, Result(OVERLOADED, summary=why))
            return
        request = request._replace(env=_pairs(job.env))
        self.service.crew.do(lambda: self.check(job.id, request, limit, seconds))

    def check(self, number, request, limit, seconds):
        pulse = self.service.pulse
        mark = pulse.lost()
        r = self.service.plugin.check(request, limit)
        lost = pulse.lost() - mark
        if r.failing and lost > seconds / 4:
            r = Result(OVERLOADED, detail=r.detail, summary=f"the plugin itself did not run for {_span(lost)} of "
                       f"this check's {_span(seconds)}; it answered: {r.summary}")
        if r.cause == PANICKED:
            _log("error", "check panicked", group=request.group, service=request.service, reason=r.summary)
        with self.lock:
            if self.running.pop(number, None) is None:
                return  # it was cancelled, and answered then
            done = self.draining and not self.running
        self.answer(number, r)
        if done:
            self.out.put(("drained", True))

    def cancel(self, number):
        """Answers at once, whenever the check itself may end."""
        with self.lock:
            limit = self.running.pop(number, None)
            done = self.draining and not self.running
        if limit is None:
            return
        limit.cancelled = True
        self.answer(number, Result(NOT_RUN, summary="cancelled"))
        if done:
            self.out.put(("drained", True))

    def answer(self, number, r):
        self.out.put(("results", self.service.encode(number, r)))

    def messages(self):
        """What is to be sent: what gathers while the stream is busy goes as one message."""
        while True:
            item = self.out.get()
            m, size = self.service.types("PluginMessage")(), 0
            while item is not None:
                name, value = item
                if name == "results":
                    m.results.append(value)
                    size += value.ByteSize()
                else:
                    setattr(m, name, value)
                # What follows a pong or the end says something else.
                if name != "results" or len(m.results) >= _MOST_ITEMS or size >= _MOST_BYTES or self.out.empty():
                    break
                item = self.out.get()
            if item is None:
                return
            yield m


class _Service:
    """Answers the host. Every method guards itself: an exception is that call's alone."""

    def __init__(self, plugin):
        self.plugin, self.types = plugin, _messages()
        self.pulse, self.crew = _Pulse(), _Crew(2 * plugin.inflight)
        self.lock, self.session = threading.Lock(), None
        self.keeping, self.generation, self.full = threading.Lock(), 0, False
        self.result_type, self.host_type = self.types("Result"), self.types("Host")

    def describe(self, _, __):
        m = self.plugin.manifest()
        m["kind"] = {"monitor": 1, "alert": 2}[m["kind"]]
        return self.types("Manifest")(**m)

    def validate(self, request, _):
        reply = self.types("ValidateReply")()
        try:
            self.plugin.options.get(list(request.args))
        except _Usage as err:
            reply.problems.add(index=err.index, message=_clean(err, 4 << 10))
        return reply

    def send(self, n, context):
        reply = self.types("SendReply")
        try:
            if not 0 < n.kind < len(KINDS):
                raise Permanent(f"read a notice: kind {n.kind} is unknown (is the plugin older than mond?)")
            if self.plugin.tell_one is None:
                raise Permanent(f"{self.plugin.name} is no alert")
            opt, _ = self.plugin.options.get(list(n.args))
            notice = Notice(n.id, n.group, n.service, KINDS[n.kind], n.repeated, n.late, list(n.hosts), list(n.args),
                            n.summary, n.output, n.at / 1e9, n.exit, n.status, _pairs(n.env))
            left = context.time_remaining()
            self.plugin.tell_one(notice, opt, _Limit(86400 if left is None else left))
        except (Permanent, _Usage) as err:
            return reply(error=_clean(err, _MOST_OUTPUT) or "refused", permanent=True)
        except BaseException as err:
            text = _reason(err) if isinstance(err, OSError) else traceback.format_exc()
            return reply(error=_clean(text, _MOST_OUTPUT) or "failed")
        return reply(done=True)

    def keep(self, r, _):
        reply = self.types("KeepReply")
        with self.keeping:
            if self.plugin.keep is None:
                return reply(error=f"{self.plugin.name} is no keeper: it takes notices only", permanent=True)
            if r.generation <= self.generation:
                return reply(stale=True)
            if not r.full and not self.full:
                return reply(need_full=True)
            self.generation = r.generation
            claims = [Claim(c.id, c.group, c.service, c.reason, list(c.args), c.down, c.provisional, c.withdrawn, c.since / 1e9)
                      for c in r.claims]
            try:
                self.plugin.keep(r.full, claims)
            except BaseException as err:
                text = str(err) if isinstance(err, (Permanent, OSError)) else traceback.format_exc()
                return reply(error=_clean(text, _MOST_OUTPUT) or "failed", permanent=isinstance(err, Permanent))
            self.full = True
            return reply(done=True)

    def show(self, _, __):
        return self.types("ShowReply")()

    def serve(self, stream, context):
        session = _Session(self)
        with self.lock:
            before, self.session = self.session, session
        if before:
            before.close()
        if not context.add_callback(session.close):
            return
        threading.Thread(target=session.read, args=(stream,), daemon=True).start()
        yield from session.messages()

    def encode(self, number, r):
        summary, _, more = str(r.summary).partition("\n")
        detail = more + "\n" + r.detail if more else r.detail
        if len(summary) > _MOST_SUMMARY:
            summary, detail = summary[:_MOST_SUMMARY // 4], summary + "\n" + detail
        out = self.result_type(id=number, cause=r.cause, exit=r.exit if r.cause == EXITED else 0, warn=r.warn,
                               summary=_clean(summary, _MOST_SUMMARY), took=int(r.took * 1e9))
        if detail:
            out.detail = _clean(detail, _MOST_OUTPUT - len(out.summary))
        for h in r.hosts:
            host = self.host_type(name=_clean(h.name, 255), state=1 if h.ok else 2, detail=_clean(h.detail, 1 << 10), took=int(h.took * 1e9))
            for name, value in list((h.perf or {}).items())[:64]:
                host.perf_names.append(_clean(name, 64))
                host.perf_values.append(float(value))
            out.hosts.append(host)
        if len(r.hosts) > 1 and out.ByteSize() > _MOST_BYTES + _MOST_OUTPUT:
            for host in out.hosts:  # keep all hosts: half a list would pass for a whole one
                host.detail = ""
        return out


def _handlers(service, stop, grpc):
    """All that the host may call: the plugin's own service, and those of go-plugin."""
    t = service.types

    def unary(do, takes):
        return grpc.unary_unary_rpc_method_handler(do, t(takes).FromString, lambda m: m.SerializeToString())

    def plain(value, also=lambda: None):
        def do(_, __):
            also()
            return value
        return grpc.unary_unary_rpc_method_handler(do, None, None)

    def quiet(_, context):  # go-plugin would carry what is printed; it goes to standard error instead
        ended = threading.Event()
        context.add_callback(ended.set)
        ended.wait()
        return iter(())

    own = {
        "Describe": unary(service.describe, "DescribeRequest"), "Validate": unary(service.validate, "ValidateRequest"),
        "Send": unary(service.send, "Notice"), "Keep": unary(service.keep, "KeepRequest"), "Show": unary(service.show, "ShowRequest"),
        "Session": grpc.stream_stream_rpc_method_handler(service.serve, t("HostMessage").FromString, lambda m: m.SerializeToString()),
    }
    make = grpc.method_handlers_generic_handler
    return (make("mond.plugin.v1.Plugin", own),
            make("grpc.health.v1.Health", {"Check": plain(b"\x08\x01")}),  # SERVING
            make("plugin.GRPCController", {"Shutdown": plain(b"", stop.set)}),
            make("plugin.GRPCStdio", {"StreamStdio": grpc.unary_stream_rpc_method_handler(quiet, None, None)}))


def _lifeline(fd):
    """Ends the process with its host, however that ended."""
    try:
        os.read(fd, 1)
    except OSError:
        return
    _log("warn", "host is gone, ending")
    _end(0)


def _end(code):
    """Ends the process and what it started in its group."""
    if os.getpgrp() == os.getpid():
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        os.killpg(0, signal.SIGTERM)
    os._exit(code)


def _serve(plugin):
    """Serves until the host is gone or asks for the end."""
    said = os.dup(1)
    os.dup2(2, 1)  # what is printed from here goes to mond's log, not into the handshake
    sys.stdout.reconfigure(line_buffering=True)
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"  # threads of gRPC need no care when a check starts a program
    try:
        import grpc
        from concurrent import futures
        service = _Service(plugin)
    except ImportError as err:
        print(f"{plugin.name}: {err}: a resident plugin in Python needs gRPC and protobuf "
              "(Debian: apt-get install python3-grpcio python3-protobuf), or put it into mondir or alertdir", file=sys.stderr)
        return 3
    stop = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=32), handlers=_handlers(service, stop, grpc), options=(
        ("grpc.max_receive_message_length", _RECEIVES), ("grpc.max_send_message_length", _SENDS)))
    path = os.path.join(os.environ.get("PLUGIN_UNIX_SOCKET_DIR") or os.environ.get("TMPDIR") or "/tmp", f"python-{os.getpid()}.sock")
    server.add_insecure_port("unix:" + path)
    server.start()
    line = os.environ.get("MOND_LIFELINE_FD", "")
    for name in ("MOND_PLUGIN", "MOND_LIFELINE_FD", "GRPC_ENABLE_FORK_SUPPORT"):
        os.environ.pop(name, None)  # what it starts is a classic program
    if line.isdigit() and int(line) > 2:
        os.set_inheritable(int(line), False)
        threading.Thread(target=_lifeline, args=(int(line),), daemon=True).start()
    os.write(said, f"1|1|unix|{path}|grpc\n".encode())
    stop.wait()
    server.stop(0.5).wait(1)
    _end(0)
