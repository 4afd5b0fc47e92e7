"""The way out of a company, for a pod: an HTTP proxy, behind it an S3 with a certificate of the company's CA.

The host that a client names is known to this proxy alone: no DNS has it. Each is a line of the log.
"""

import asyncio
import ssl
import sys

STORE, PORT = sys.argv[1], 8333


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.read(65536)
    if not head:  # a probe
        writer.close()
        return
    print(*head.decode().split()[:2], flush=True)
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    await writer.drain()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain("/tls/tls.crt", "/tls/tls.key")
    await writer.start_tls(context)
    store_reader, store_writer = await asyncio.open_connection(STORE, PORT)
    await asyncio.gather(copy(reader, store_writer), copy(store_reader, writer), return_exceptions=True)


async def main() -> None:
    server = await asyncio.start_server(connect, "0.0.0.0", 3128)  # noqa: S104 (a pod)
    await server.serve_forever()


asyncio.run(main())
