"""Prints every event that sseclient-py yields, over urllib3; comes back with the last id when a connection breaks."""

import time

import sseclient
import urllib3

from tell import HEADERS, run, tell


def read(stream, url):
    last = None
    pool = urllib3.PoolManager(retries=False)
    while True:
        headers = {**HEADERS, "Accept": "text/event-stream"}
        if last:
            headers["Last-Event-ID"] = last
        try:
            response = pool.request("GET", url, headers=headers, preload_content=False)
            if response.status != 200:
                return tell(stream, ended=response.status)
            for event in sseclient.SSEClient(response).events():
                last = event.id or last
                tell(stream, id=event.id, event=event.event, data=event.data)
        except urllib3.exceptions.HTTPError:
            time.sleep(0.05)


run(read)
