// Event streams by the letter of the WHATWG algorithm.

export interface Block {
  /** The last id that was given, as a client keeps it; empty: none was. */
  id: string;
  event: string;
  data: string;
}

export class Decoder {
  private text = "";
  private begun = false;
  private last = "";
  private event = "";
  private data = "";
  private readonly utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(private readonly dispatch: (block: Block) => void) {}

  /** Takes in bytes as they arrive. What is left without a blank line at the end is no event. */
  push(bytes: Uint8Array) {
    this.text += this.utf8.decode(bytes, { stream: true });
    if (!this.begun && this.text) {
      this.begun = true;
      this.text = this.text.replace(/^\uFEFF/, "");
    }
    for (;;) {
      // A CR at the end may be the first half of a CRLF.
      const end = /\r\n|\n|\r(?=[^])/.exec(this.text);
      if (!end) return;
      this.line(this.text.slice(0, end.index));
      this.text = this.text.slice(end.index + end[0].length);
    }
  }

  private line(line: string) {
    if (line === "") return this.blank();
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.event = value;
    else if (field === "data") this.data += `${value}\n`;
    else if (field === "id" && !value.includes("\0")) this.last = value;
  }

  private blank() {
    const { event, data } = this;
    this.event = this.data = "";
    // A browser dispatches nothing without data, others an empty event: ours has none, and one would be seen.
    this.dispatch({ id: this.last, event: event || "message", data: data.replace(/\n$/, "") });
  }
}
