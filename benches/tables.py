"""The tables of benches/compare, in Markdown."""

import itertools
from statistics import median

MODES = {"unpaced": "as fast as it goes", "paced": "30 fps"}
# framewire at 30 fps: a frame spread over three quarters of its interval, or in one burst as the others send it.
PACED_NAMES = {"framewire": "framewire, pacing = 0.75", "burst": "framewire, pacing = 0"}


def print_cpu(results, senders):
    """A row for each place: every sender's CPU per frame."""
    print("\nCPU per frame in microseconds; *: does not keep up with 30 fps, or not all of its packets arrived\n")
    row("rate", "size", "network", "destinations", *senders.values())
    row(*["---"] * 3, *["---:"] * (len(senders) + 1))
    for place, cases in itertools.groupby(results, key=lambda case: case.place()):
        cases = list(cases)
        packets = median(results[cases[0]._replace(sender="gso")].packets)
        figures = {case.sender: figure(results[case], packets) for case in cases}
        mode, *rest = place
        row(MODES[mode], *rest, *(figures.get(sender, "") for sender in senders))


def figure(result, packets):
    complete = min(result.packets) > 0.99 * packets
    mark = "" if complete and not result.behind else " *"
    return f"{result.micros():.0f}{mark}"


def print_goals(verdicts):
    """A row for each goal in each place: the ratio, and the median of the rounds' ratios."""
    for goal, group in itertools.groupby(verdicts, key=lambda verdict: verdict["goal"]):
        group = list(group)
        met = sum(verdict["met"] for verdict in group)
        print(f"\n{goal}: met in {met} of {len(group)}\n")
        row("size", "network", "destinations", "ratio", "median", "")
        row("---", "---", "---:", "---:", "---:", "---")
        for verdict in group:
            row(verdict["size"], verdict["network"], verdict["destinations"], f"{verdict['ratio']:.3f}",
                f"{verdict['median']:.3f}", "met" if verdict["met"] else "MISSED")


def print_system_calls(calls):
    """A row for each case: calls that send, and the most frequent ones."""
    print("\nSystem calls per frame (strace), 1080p, loopback\n")
    row("rate", "destinations", "sender", "sends per destination", "all", "most frequent")
    row("---", "---:", "---", "---:", "---:", "---")
    for case, counts in calls.items():
        sends = sum(counts.get(name, 0) for name in ("sendto", "sendmsg", "sendmmsg"))
        most = sorted(counts.items(), key=lambda item: -item[1])[:4]
        names = ", ".join(f"{name} {count:.1f}" for name, count in most if count >= 0.05)
        row(MODES[case.mode], case.destinations, case.name(), f"{sends / case.destinations:.2f}",
            f"{sum(counts.values()):.1f}", names)


def row(*cells):
    print("|", " | ".join(map(str, cells)), "|")
