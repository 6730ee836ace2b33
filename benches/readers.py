#!/usr/bin/env python3
"""Reads answers by HTTP and discards them in the kernel: `benches/readers.py HOST PORT PATH HOW-MANY`. Runs until it is ended."""

import selectors
import socket
import sys

MOST = 1 << 20  # octets at a time


def main():
    host, port, path, count = sys.argv[1:]
    nowhere = bytearray(MOST)
    chosen = selectors.DefaultSelector()
    for _ in range(int(count)):
        reader = socket.create_connection((host, int(port)))
        reader.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        chosen.register(reader, selectors.EVENT_READ)
    while True:
        for key, _ in chosen.select():
            # With this flag TCP throws the octets away instead of copying them (tcp(7)).
            if not key.fileobj.recv_into(nowhere, MOST, socket.MSG_TRUNC):
                sys.exit("an answer ended")


if __name__ == "__main__":
    main()
