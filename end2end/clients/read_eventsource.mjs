// Prints every event that Node's `eventsource` gives. It comes back by itself with the last id when a connection
// breaks, until it is told that there is no more. Arguments: the names of events, comma-separated, then URLs.

import { EventSource } from "eventsource";

const [names, ...urls] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${process.env.TAILBOARD_TOKEN}` };

urls.forEach((url, stream) => {
  const tell = (what) => console.log(JSON.stringify({ stream, ...what }));
  const source = new EventSource(url, {
    fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, ...headers } }),
  });
  for (const name of ["message", ...names.split(",")]) {
    source.addEventListener(name, (event) => tell({ id: event.lastEventId, event: event.type, data: event.data }));
  }
  source.onerror = (error) => {
    if (source.readyState === EventSource.CLOSED) tell({ ended: error.code });
  };
});
