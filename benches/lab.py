"""What benches/compare and benches/footprint share: builds, pictures, networks, senders, and the CPU of a process."""

import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
RTP_OCTETS = 1372  # of a packet: MTU 1400 less 20 of IPv4 and 8 of UDP, for every sender
SIZES = {"1080p": (1920, 1080), "720p": (1280, 720)}
OFFLOADS = ("tso", "gso", "gro", "tx-udp-segmentation")


def run(*command, **options):
    """The output of a command that must succeed."""
    return subprocess.run(
        [str(word) for word in command], check=True, text=True, stdout=subprocess.PIPE, **options
    ).stdout


def build(target, *arguments, **environment):
    """The executable that `cargo` makes of a target."""
    command = ["cargo", *arguments, "--locked", "--quiet", "--message-format=json"]
    lines = run(*command, cwd=ROOT, env=os.environ | environment).splitlines()
    made = [message for message in map(json.loads, lines) if message.get("executable")]
    return next(Path(message["executable"]) for message in made if message["target"]["name"] == target)


def static_target():
    return f"{platform.machine()}-unknown-linux-musl"


class Programs:
    """framewire's static binary, and the bench that is the baseline senders."""

    def __init__(self):
        self.framewire = build("framewire", "build", "--release", "--bin", "framewire", "--target", static_target())
        self.bench = build("send", "bench", "--no-run", "--bench", "send")


class Work:
    """A folder with the test pictures, as files and in Matroska, that vanishes in the end."""

    def __init__(self, programs, folder):
        self.programs = programs
        self.folder = folder
        self.octets = {}
        for size, (width, height) in SIZES.items():
            run(programs.bench, "pictures", folder / size, width, height)
            files = list((folder / size).iterdir())
            self.octets[size] = sum(file.stat().st_size for file in files) // len(files)

    def matroska(self, size, frames):
        """A file of so many frames at 30 fps: what GStreamer and FFmpeg can pace by."""
        path = self.folder / f"{size}-{frames}.mkv"
        if not path.exists():
            pictures = self.folder / size / "%d.jpg"
            run("ffmpeg", "-v", "error", "-nostdin", "-stream_loop", -1, "-framerate", 30, "-i", pictures,
                "-c", "copy", "-frames:v", frames, path)
        return path

    def pictures(self, size):
        return self.folder / size

    def camera(self, size, fps, destinations, pacing, name="x"):
        text = f'[[camera]]\nname = "{name}"\ndevice = "replay:{self.pictures(size)}"\nfps = {fps}\n'
        for destination in destinations:
            text += f'[[camera.rtp]]\ndestination = "{destination}"\npacing = {pacing}\n'
        return text

    def config(self, name, cameras):
        path = self.folder / f"{name}.toml"
        path.write_text("".join(cameras))
        return path


def gstreamer(matroska, destinations, paced):
    return ["gst-launch-1.0", "-q", "filesrc", f"location={matroska}", "!", "matroskademux", "!", "rtpjpegpay",
            f"mtu={RTP_OCTETS}", "!", "multiudpsink", f"clients={','.join(destinations)}", f"sync={str(paced).lower()}"]


def ffmpeg(matroska, destinations, paced):
    # By default it decodes 5 MB of pictures before it begins: more than a short run has.
    command = ["ffmpeg", "-v", "error", "-nostdin", "-probesize", 500_000, *(["-re"] if paced else []), "-i", matroska]
    for destination in destinations:
        command += ["-c", "copy", "-f", "rtp", f"rtp://{destination}?pkt_size={RTP_OCTETS}"]
    return command


class Usage(NamedTuple):
    """What a process took: CPU of user and system and time of day, in seconds."""

    cpu: float
    wall: float


def measure(command):
    """Runs a command to its end; it must succeed."""
    command = [str(word) for word in command]
    quiet = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1)]
    start = time.monotonic()
    errors = os.memfd_create("stderr")
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=[*quiet, (os.POSIX_SPAWN_DUP2, errors, 2)])
    _, status, usage = os.wait4(pid, 0)
    wall = time.monotonic() - start
    said = os.pread(errors, 4000, 0).decode(errors="replace")
    os.close(errors)
    if status != 0:
        sys.exit(f"{' '.join(command)}: status {status}\n{said}")
    return Usage(usage.ru_utime + usage.ru_stime, wall)


def own_network():
    """Starts this script again in a network namespace of its own, where nobody else's packets are; needs root."""
    if os.geteuid() == 0 and "BENCH_NETWORK" not in os.environ:
        os.environ["BENCH_NETWORK"] = "own"
        sys.stdout.flush()
        os.execvp("unshare", ["unshare", "--net", sys.executable, "-B", *sys.argv])
    own = os.environ.get("BENCH_NETWORK") == "own"
    if own:
        run("ip", "link", "set", "lo", "up")
    return own


class Receiver:
    """A discarding receiver behind a network, and its namespace's count of datagrams."""

    def __init__(self, prefix, port, own_namespace=False):
        self.prefix, self.port = prefix, port
        enter = ["unshare", "--net"] if own_namespace else []
        # The odd port is RTCP's: a closed port would answer with ICMP.
        sinks = [f"0.0.0.0:{port}", f"0.0.0.0:{port + 1}"]
        command = [*enter, sys.executable, "-B", ROOT / "benches/sink.py", *sinks]
        # It ends when its input does: with this script, however that ends.
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE)
        ports = {f"{port:04X}", f"{port + 1:04X}"}
        deadline = time.monotonic() + 10
        while not ports <= self._bound():
            if time.monotonic() > deadline or self.process.poll() is not None:
                sys.exit("the receiver does not start")
            time.sleep(0.01)

    def _bound(self):
        here = os.readlink("/proc/self/ns/net") == os.readlink(f"/proc/{self.process.pid}/ns/net")
        if here and "unshare" in self.process.args:
            return set()
        lines = self._proc("udp").splitlines()[1:]
        return {line.split()[1].split(":")[1] for line in lines}

    def _proc(self, name):
        return Path(f"/proc/{self.process.pid}/net/{name}").read_text()

    def destinations(self, count):
        return [f"{self.prefix}.{host}:{self.port}" for host in range(1, count + 1)]

    def arrived(self):
        """Datagrams that arrived so far: all are discarded, so all count as errors."""
        names, values = [line.split()[1:] for line in self._proc("snmp").splitlines() if line.startswith("Udp:")]
        counts = dict(zip(names, map(int, values)))
        return counts["InErrors"]

    def settled(self):
        """As `arrived`, when no more come."""
        last = None
        while last != (last := self.arrived()):
            time.sleep(0.02)
        return last

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def networks(own):
    """Receivers by network: loopback, and over veth into another namespace with segmentation offload on and off."""
    if not own:
        return {"loopback": Receiver("127.0.1", free_ports())}
    port = 5004
    receivers = {"loopback": Receiver("127.0.1", port)}
    for number, state in enumerate(("on", "off"), 1):
        receiver = Receiver(f"10.77.{number}", port, own_namespace=True)
        inside = ["nsenter", "--net", "--target", receiver.process.pid]
        here, there = f"{state}-here", f"{state}-there"
        run("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", receiver.process.pid)
        settings = [word for offload in OFFLOADS for word in (offload, state)]
        for enter, name, host in ((inside, there, 1), ([], here, 254)):
            run(*enter, "ip", "address", "add", f"{receiver.prefix}.{host}/24", "dev", name)
            run(*enter, "ethtool", "-K", name, *settings)
            run(*enter, "ip", "link", "set", name, "up")
        run(*inside, "ip", "link", "set", "lo", "up")
        run(*inside, "ip", "route", "add", "local", f"{receiver.prefix}.0/25", "dev", "lo")
        receivers[f"veth, offload {state}"] = receiver
    for receiver in receivers.values():
        await_route(receiver)
    return receivers


def await_route(receiver):
    """Sends to every destination until it arrives: then the neighbours are known."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for destination in receiver.destinations(32):
            host, port = destination.split(":")
            before = receiver.arrived()
            deadline = time.monotonic() + 10
            while receiver.arrived() == before:
                if time.monotonic() > deadline:
                    sys.exit(f"nothing arrives at {destination}")
                sender.sendto(b"", (host, int(port)))
                time.sleep(0.01)


def free_ports():
    """An even port that is free like the next."""
    for port in range(15004, 65000, 2):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as even, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as odd:
            try:
                even.bind(("0.0.0.0", port))
                odd.bind(("0.0.0.0", port + 1))
                return port
            except OSError:
                pass
    sys.exit("no free UDP ports")


def machine():
    """What the figures were measured on."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    version = lambda *command: run(*command).splitlines()[0]
    return {
        "cpu": model.group(1) if model else platform.machine(),
        "cpus": os.cpu_count(),
        "linux": platform.release().split("-")[0],
        "gstreamer": version("gst-launch-1.0", "--version"),
        "ffmpeg": " ".join(version("ffmpeg", "-version").split()[:3]),
    }


def need(*programs, root):
    """Ends the script unless these are installed; those of `root` are for networks of its own."""
    wanted = [*programs, *(root if os.geteuid() == 0 else [])]
    missing = [program for program in wanted if not shutil.which(program)]
    if missing:
        sys.exit(f"not installed: {', '.join(missing)}")
