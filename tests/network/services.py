"""Prints what python-zeroconf hears of services of the kind _http._tcp, until it is ended: a line for each that comes, with
its host, addresses, port and path, and one for each that goes.
"""

import threading

from zeroconf import IPVersion, ServiceBrowser, ServiceListener, Zeroconf

KIND = "_http._tcp.local."


class Listener(ServiceListener):
    def add_service(self, zeroconf, kind, name):
        info = zeroconf.get_service_info(kind, name)
        short = name.removesuffix("." + kind)
        if info is None:
            print("+", short, "has no answer", flush=True)
            return
        addresses = ",".join(sorted(info.parsed_addresses()))
        path = info.properties.get(b"path", b"").decode()
        print(f"+ {short}: {info.server} {addresses} {info.port} {path}", flush=True)

    def remove_service(self, zeroconf, kind, name):
        print("-", name.removesuffix("." + kind), flush=True)

    def update_service(self, zeroconf, kind, name):
        pass


zeroconf = Zeroconf(ip_version=IPVersion.V4Only)
ServiceBrowser(zeroconf, KIND, Listener())
threading.Event().wait()
