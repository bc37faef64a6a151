"""Sends requests over TLS as they stand, for a test of what no ordinary client would send.

Usage: gateway_client.py PORT, with a JSON list of requests on standard input: each {name, text}, the
server's name and the request, byte for byte (Latin-1). Prints a list of {status, head, body}; of an
answer 101 the head alone.
"""

import concurrent.futures
import json
import re
import socket
import ssl
import sys

PATIENCE = 60


def ask(port, name, text):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as plain:
        with context.wrap_socket(plain, server_hostname=name) as server:
            server.sendall(text.encode("latin-1"))
            return read(server)


def read(server):
    data = b""
    while True:
        head, end, body = data.partition(b"\r\n\r\n")
        status = int(head.split()[1]) if end else 0
        if status == 101:
            body = b""
            break
        length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
        if end and length and len(body) >= int(length[1]):
            break
        try:
            more = server.recv(65536)
        except ssl.SSLError:
            more = b""
        if not more:
            break
        data += more
    return {"status": status, "head": head.decode("latin-1"), "body": body.decode("latin-1")}


def main():
    port = int(sys.argv[1])
    requests = json.load(sys.stdin)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda one: ask(port, one["name"], one["text"]), requests)
        json.dump(list(answers), sys.stdout)


main()
