// The browser's WebSocket: the events of a runner job, from the page that is open.

import type { Page } from "@playwright/test";
import { until } from "../server";
import { Reader } from "./clients";

export class BrowserSocket {
  readonly reader = new Reader();
  /** Codes with which sockets were closed. */
  readonly codes: number[] = [];

  private constructor(private readonly page: Page) {}

  /** Reads from the beginning; opened anew with the last id whenever it breaks. */
  static async open(page: Page, job: string): Promise<BrowserSocket> {
    const socket = new BrowserSocket(page);
    const { reader, codes } = socket;
    await page.exposeFunction("socketTold", (text: string) => {
      const { id, event, data } = JSON.parse(text);
      // Data is JSON in JSON, not text.
      reader.take({ id, event, data: JSON.stringify(data) });
    });
    await page.exposeFunction("socketClosed", (code: number) => void codes.push(code));
    await page.evaluate((job) => {
      let last = "";
      const open = () => {
        const since = last && `?since=${last}`;
        const socket = new WebSocket(`${location.origin.replace("http", "ws")}/runner-jobs/${job}/events/ws${since}`);
        socket.onmessage = ({ data }) => {
          last = JSON.parse(data).id;
          (window as any).socketTold(data);
        };
        socket.onclose = ({ code }) => {
          (window as any).socketClosed(code);
          if (code !== 1000) setTimeout(open, 100);
        };
      };
      open();
    }, job);
    return socket;
  }

  async over() {
    await until("the socket to be closed in good order", async () => this.codes.at(-1) === 1000);
  }
}
