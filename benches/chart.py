#!/usr/bin/env python3
"""Draws target/compare.json as horizontal bars: `benches/chart.py FILE.json` prints the SVG."""

import json
import sys
from html import escape

WIDTH = 760
LEFT = 190  # where the bars begin
LONGEST = 390  # of the longest bar
BAR, STEP, GAP = 16, 22, 40

# The page behind may be light or dark: the picture brings no background and takes its ink from the reader's setting.
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.title { font-size: 15px; font-weight: 600; }
.group { font-weight: 600; }
.note { font-size: 12px; fill: #57606a; }
.bar { fill: #8c959f; }
.ours { fill: #1f883d; }
.floor { fill: #54aeff; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .note { fill: #9198a1; }
  .bar { fill: #6e7681; }
  .ours { fill: #3fb950; }
  .floor { fill: #388bfd; }
}
"""


def groups(report):
    """Cases of 1080p to one destination by network, unpaced, and paced on one network."""
    found = {}
    for case in report["cases"]:
        if case["size"] == "1080p" and case["destinations"] == 1:
            pace = "30 frames a second" if case["mode"] == "paced" else "as fast as it goes"
            found.setdefault((case["mode"], f"{case['network']}, {pace}"), []).append(case)
    paced = [key for key in found if key[0] == "paced"]
    shown = next((key for key in paced if "offload on" in key[1]), paced[0])
    return {key[1]: cases for key, cases in found.items() if key[0] == "unpaced" or key == shown}


def draw(report):
    found = groups(report)
    micros = lambda case: case["cpu_us_per_frame"]
    scale = LONGEST / max(micros(case) for cases in found.values() for case in cases)
    out, y = [], 24
    text = lambda x, y, words, kind="": out.append(f'<text x="{x}" y="{y}" class="{kind}">{escape(words)}</text>')
    octets = report["octets_per_frame"]["1080p"]
    text(10, y, "CPU time per 1080p frame of the sending process, in microseconds", "title")
    y += 20
    text(10, y, f"{octets / 1000:.0f} kB a frame, one destination, the least of {report['rounds']} rounds; shorter is better", "note")
    for heading, cases in found.items():
        y += GAP
        text(10, y, heading, "group")
        y += 10
        ours = micros(next(case for case in cases if case["sender"] == "framewire"))
        for case in cases:
            kind = {"framewire": "bar ours", "burst": "bar ours", "gso": "bar floor"}.get(case["sender"], "bar")
            length = micros(case) * scale
            text(10, y + BAR - 3, case["name"])
            out.append(f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2" class="{kind}"/>')
            times = "" if case["sender"] == "framewire" else f"  ({micros(case) / ours:.1f} x framewire)"
            text(round(LEFT + length + 6), y + BAR - 3, f"{micros(case):.0f}{times}")
            y += STEP
    machine = report["machine"]
    for line in (f"{machine['cpu']}, {machine['cpus']} CPUs, Linux {machine['linux']}",
                 f"{machine['gstreamer']}, {machine['ffmpeg']}; measured and drawn by {report['command']}"):
        y += 18
        text(10, y, line, "note")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 16}" viewBox="0 0 {WIDTH} {y + 16}" role="img">\n'
            f"<title>CPU time per frame of framewire and other RTP/JPEG senders</title>\n<style>{STYLE}</style>\n"
            + "\n".join(out) + "\n</svg>\n")


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        sys.stdout.write(draw(json.load(file)))
