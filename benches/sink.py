#!/usr/bin/env python3
"""Receives on UDP sockets and discards every packet in a filter of the socket: `benches/sink.py ADDRESS:PORT...`.

The packets go all the way through the kernel, segmented like those for any receiver; what is left out is a process that
is woken for them, shares the sender's CPUs, and sometimes does not keep up. The kernel counts them as InErrors.
Ends when its input does.
"""

import ctypes
import socket
import struct
import sys

SO_ATTACH_FILTER = 26  # asm-generic/socket.h; Python has no name for it
BPF_RET = 6  # linux/bpf_common.h


def discard(sink):
    """One instruction: take 0 octets (struct sock_filter, struct sock_fprog of linux/filter.h)."""
    instruction = ctypes.create_string_buffer(struct.pack("HBBI", BPF_RET, 0, 0, 0))
    program = struct.pack("HP", 1, ctypes.addressof(instruction))
    sink.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


def main():
    sinks = []
    for address in sys.argv[1:]:
        host, port = address.split(":")
        sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        discard(sink)
        sink.bind((host, int(port)))
        sinks.append(sink)
    sys.stdin.read()


if __name__ == "__main__":
    main()
