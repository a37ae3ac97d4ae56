"""Prints every event that httpx-sse yields; comes back with the last id when a connection breaks."""

import time

import httpx
import httpx_sse

from tell import HEADERS, run, tell


def read(stream, url):
    last = None
    with httpx.Client(headers=HEADERS, timeout=None, trust_env=False) as client:
        while True:
            headers = {"Last-Event-ID": last} if last else {}
            try:
                with httpx_sse.connect_sse(client, "GET", url, headers=headers) as source:
                    if source.response.status_code != 200:
                        return tell(stream, ended=source.response.status_code)
                    for sse in source.iter_sse():
                        last = sse.id or last
                        tell(stream, id=sse.id, event=sse.event, data=sse.data)
            except httpx.TransportError:
                time.sleep(0.05)


run(read)
