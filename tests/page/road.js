// A road between browser and server that can be closed, jammed and looked at: the server does not have to be restarted for that.
import net from "node:net";

export class Road {
  // To the server at the URL `target`, from `port`, or any port.
  static async to(target, port = 0) {
    const road = new Road();
    road.port = port;
    const there = new URL(target);
    road.there = { host: there.hostname, port: Number(there.port || 80) };
    await road.open();
    return road;
  }

  lanes = new Set(); // {path, octets, near, far}: connections that are open
  octets = 0; // towards the browser, in all

  async open() {
    this.server = net.createServer((near) => this.#join(near));
    await new Promise((resolve) => this.server.listen(this.port, "127.0.0.1", resolve));
    this.port = this.server.address().port;
  }

  // As when the server ends: nobody listens, and what was open breaks.
  async close() {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const { near, far } of this.lanes) {
      near.resetAndDestroy();
      far.destroy();
    }
    await closed;
  }

  // As when a router forgets connections: they stay open, and nothing comes any more.
  jam() {
    for (const { near, far } of this.lanes) {
      far.unpipe(near);
      far.resume();
    }
  }

  paths() {
    return [...this.lanes].map((lane) => lane.path);
  }

  streams() {
    return this.paths().filter((path) => /^\/stream\?|\/stream(\.mjpg)?$/.test(path));
  }

  #join(near) {
    const far = net.connect(this.there);
    const lane = { path: "", near, far };
    this.lanes.add(lane);
    near.on("data", (octets) => {
      lane.path = /^[A-Z]+ (\S+) HTTP/.exec(octets.toString("latin1"))?.[1] ?? lane.path;
    });
    far.on("data", (octets) => (this.octets += octets.length));
    near.pipe(far);
    far.pipe(near);
    const end = () => {
      this.lanes.delete(lane);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on("error", end).on("close", end);
  }
}
