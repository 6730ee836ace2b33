"""What HTTP viewers cost the thread that sends a camera's pictures by RTP: its CPU per frame with and without them.

Each of framewire's threads has its name and its CPU time in /proc (task/*/comm, and schedstat in nanoseconds). A camera's
thread bears the camera's name: in it is all of the way from the picture to the wire, and the copy that viewers get. What
HTTP itself takes is in the thread `door`.
"""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from statistics import median

import lab
import tables

CAMERA = "rtp"
VIEWERS = 16
PACINGS = (0.75, 0)
FPS = 30
# Pictures before the measurement: connections and buffers are there then.
WARM = 1.0  # seconds


class Result:
    """CPU per frame in microseconds, round by round: of the camera's thread and of the door's."""

    def __init__(self):
        self.camera, self.door = [], []


class Run:
    """framewire with one camera at 30 fps and HTTP, and so many who read its pictures."""

    def __init__(self, work, receiver, pacing, viewers):
        self.port = free_port()
        camera = work.camera("1080p", FPS, receiver.destinations(1), pacing, name=CAMERA)
        config = work.config(f"viewers-{pacing}", [f'[http]\nlisten = "127.0.0.1:{self.port}"\n', camera])
        self.process = start([work.programs.framewire, "--config", config])
        readers = Path(__file__).with_name("readers.py")
        self.status_when_up()
        url = ("127.0.0.1", self.port, f"/{CAMERA}/stream.mjpg")
        self.readers = start([sys.executable, "-B", readers, *url, viewers])

    def status(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/status", timeout=10) as answer:
            return json.load(answer)["cameras"][0]

    def status_when_up(self):
        deadline = time.monotonic() + 10
        while True:
            try:
                return self.status()
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    sys.exit("framewire does not answer by HTTP")
                time.sleep(0.02)

    def cpu(self):
        """Nanoseconds of CPU that each thread has had, by its name."""
        used = {}
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            name = (task / "comm").read_text().strip()
            used[name] = used.get(name, 0) + int((task / "schedstat").read_text().split()[0])
        return used

    def measure(self, viewers, seconds):
        """CPU per frame in microseconds of the camera's thread and of the door's, over so many seconds."""
        time.sleep(WARM)
        before, cpu_before = self.status(), self.cpu()
        time.sleep(seconds)
        after, cpu_after = self.status(), self.cpu()
        count = lambda name: after[name] - before[name]
        shown = lambda name: after["viewers"][name] - before["viewers"][name]
        frames = count("frames_sent")
        if frames < 0.9 * FPS * seconds or shown("frames_sent") < 0.9 * frames * viewers:
            print(f"too busy a machine: {frames} pictures sent, {shown('frames_sent')} to {viewers} viewers", file=sys.stderr)
        if frames == 0 or viewers and shown("frames_sent") == 0:
            sys.exit("no pictures were sent")
        micros = lambda thread: (cpu_after[thread] - cpu_before[thread]) / frames / 1e3
        return micros(CAMERA), micros("door")

    def close(self):
        for process in (self.readers, self.process):
            process.send_signal(signal.SIGTERM)
            process.wait()


def start(command):
    return subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def measure(work, receiver, rounds, seconds):
    """The case without viewers and the one with them in turn, as often as there are rounds."""
    results = {(pacing, viewers): Result() for pacing in PACINGS for viewers in (0, VIEWERS)}
    for number in range(1, rounds + 1):
        for (pacing, viewers), result in results.items():
            run = Run(work, receiver, pacing, viewers)
            try:
                camera, door = run.measure(viewers, seconds)
            finally:
                run.close()
            result.camera.append(camera)
            result.door.append(door)
        print(f"viewers, round {number} of {rounds}", file=sys.stderr, flush=True)
    return results


def print_table(results):
    """A row for each pacing: of the rounds the least counts; and each round's ratio."""
    print(f"\nCPU per 1080p frame at {FPS} fps of the camera's thread, which sends by RTP, in microseconds; by HTTP"
          f" {VIEWERS} watch\n")
    tables.row("pacing", "nobody watches", f"{VIEWERS} watch", "ratio", "ratio of the rounds: least, median, most",
               "the door's thread, each viewer")
    tables.row("---", *["---:"] * 5)
    for pacing in PACINGS:
        without, watched = results[pacing, 0], results[pacing, VIEWERS]
        ratios = [many / none for many, none in zip(watched.camera, without.camera)]
        tables.row(pacing, f"{min(without.camera):.0f}", f"{min(watched.camera):.0f}",
                   f"{min(watched.camera) / min(without.camera):.2f}",
                   f"{min(ratios):.2f}, {median(ratios):.2f}, {max(ratios):.2f}", f"{min(watched.door) / VIEWERS:.0f}")


def report(results):
    """The same for compare.json."""
    rounded = lambda figures: [round(figure, 1) for figure in figures]
    return [{"pacing": pacing, "viewers": viewers, "camera_cpu_us_per_frame_by_round": rounded(result.camera),
             "door_cpu_us_per_frame_by_round": rounded(result.door)} for (pacing, viewers), result in results.items()]
