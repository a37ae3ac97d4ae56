// What stands between a client and the server: a line that can be cut.

import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";

export class Wire {
  url = "";
  private readonly ends = new Set<Socket>();
  private readonly server = createServer((client) => {
    const server = connect(this.port, "127.0.0.1");
    const cut = () => {
      for (const end of [client, server]) {
        end.destroy();
        this.ends.delete(end);
      }
    };
    for (const end of [client, server]) {
      this.ends.add(end);
      end.on("error", cut).on("close", cut);
    }
    client.pipe(server);
    server.pipe(client);
  });

  constructor(private readonly port: number) {}

  async lay() {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Breaks every connection that goes through it; new ones may come. */
  cut() {
    for (const end of this.ends) end.destroy();
  }

  async remove() {
    this.server.close();
    this.cut();
    await once(this.server, "close");
  }
}
