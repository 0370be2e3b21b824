"""The clients: each function is one visit, which `crowd` repeats at a bounded pace until the end."""
import asyncio
import random

import questions
import wire


class Context:
    """What all clients share."""

    def __init__(self, address, tally, asked, bodies, is_over):
        self.address, self.tally, self.asked, self.bodies, self.is_over = address, tally, asked, bodies, is_over
        self.bad = questions.bad_requests(address)
        self.small = [question for question in asked if question.size < 100_000]
        self.large = [question for question in asked if question.size >= 100_000]

    def check(self, kind, question, answer):
        """Judges the answer to a good question."""
        if answer.status == 200:
            right = question.is_answered_by(answer)
            self.tally.count(kind, "right") if right else self.tally.wrong(kind, f"other results for {question.body[:300]}")
        elif answer.status in (429, 503) and answer.fields.get("retry-after", "").isdigit():
            self.tally.count(kind, "refused")
        else:
            self.tally.wrong(kind, f"{answer} for {question.body[:300]}")

    def check_get(self, kind, path, answer):
        """Judges the answer to a good GET, whose content is known except for health's, which is the probe's to judge."""
        if answer.status == 200 and self.bodies.get(path, answer.body) == answer.body:
            self.tally.count(kind, "right")
        elif answer.status in (429, 503) and "retry-after" in answer.fields:
            self.tally.count(kind, "refused")
        else:
            self.tally.wrong(kind, f"{answer} for {path}")


async def good(context, rng, source):
    """Some questions on one connection, in the forms that a body may have."""
    async with wire.connect(context.address, source) as connection:
        for _ in range(rng.randrange(1, 12)):
            question = rng.choice(context.small)
            form = rng.randrange(6)
            if form == 0:
                connection.send(wire.post_head(question.path, context.address, "Transfer-Encoding: chunked\r\n"))
                connection.send(wire.chunked(question.body, rng.randrange(1, 200)))
            elif form == 1:
                connection.send(question.encoded(context.address, "Expect: 100-continue\r\n"))
            else:
                connection.send(question.encoded(context.address))
            answer = await connection.answer()
            context.check("good", question, answer)
            if answer.fields.get("connection", "").lower() == "close" or context.is_over():
                return
            await asyncio.sleep(rng.random() * 0.2)


async def half_closing(context, rng, source):
    """Sends FIN right behind a question, and waits: the answer must come, and then the end."""
    question = rng.choice(context.small)
    async with wire.connect(context.address, source) as connection:
        connection.send(question.encoded(context.address))
        connection.finish()
        context.check("half-closed", question, await connection.answer())
        await connection.end()


async def pipelining(context, rng, source):
    """Several requests at once; the answers must come in their order."""
    requests = [rng.choice(context.small) if rng.random() < 0.3 else rng.choice(questions.CATALOGUE) for _ in range(6)]
    data = b"".join(
        wire.get(one, context.address) if isinstance(one, str) else one.encoded(context.address) for one in requests)
    async with wire.connect(context.address, source) as connection:
        connection.send(data)
        for one in requests:
            answer = await connection.answer()
            if isinstance(one, str):
                context.check_get("pipelined", one, answer)
            else:
                context.check("pipelined", one, answer)
            if answer.fields.get("connection", "").lower() == "close":
                return


async def herd(context, rng, source):
    """The same question from many at once, of whom some lose patience: what the others get must not suffer."""
    question = rng.choice(context.small)

    async def member(leaves):
        async with wire.connect(context.address, source) as connection:
            connection.send(question.encoded(context.address))
            if leaves:
                await asyncio.sleep(rng.random() * 0.03)
                connection.reset()
                context.tally.count("herd", "left")
            else:
                context.check("herd", question, await connection.answer())

    await asyncio.gather(*(member(rng.random() < 0.5) for _ in range(rng.randrange(2, 13))))


async def browsing(context, rng, source):
    """The catalogue on one connection."""
    async with wire.connect(context.address, source) as connection:
        for _ in range(20):
            path = rng.choice(questions.CATALOGUE)
            method = "HEAD" if rng.random() < 0.1 else "GET"
            connection.send(wire.get(path, context.address, method))
            answer = await connection.answer(method)
            if method == "HEAD":
                answer.body = context.bodies[path] if int(answer.fields["content-length"]) == len(context.bodies[path]) else b""
            context.check_get("catalogue", path, answer)
            if context.is_over():
                return
            await asyncio.sleep(rng.random() * 0.1)


async def bad(context, rng, source):
    """What must be refused: with the right status, once, and with the connection closed where nothing behind can be trusted."""
    name, octets, statuses, closes = rng.choice(context.bad)
    async with wire.connect(context.address, source) as connection:
        try:
            connection.send(octets)
            answer = await connection.answer()
            if answer.status in statuses and closes:
                await connection.end()
            elif answer.status in statuses and closes is False:
                connection.send(wire.get("/health/live", context.address))
                context.check_get("bad", "/health/live", await connection.answer())
            # Whoever asks for compute while the queue is full is told that first.
            elif answer.status not in statuses and (answer.status not in (429, 503) or "retry-after" not in answer.fields):
                return context.tally.wrong("bad", f"{name}: {answer}")
            context.tally.count("bad", "refused")
        except (wire.Broken, OSError) as error:
            context.tally.wrong("bad", f"{name}: {error!r}")


async def slow_sender(context, rng, source):
    """A question in small pieces: answered if it comes in time, 408 or the end if not."""
    question = rng.choice(context.small)
    data = question.encoded(context.address)
    size, pause = rng.randrange(1, 200), rng.random()
    async with wire.connect(context.address, source) as connection:
        pending = asyncio.create_task(connection.answer())
        try:
            for start in range(0, len(data), size):
                if pending.done() or context.is_over():
                    break
                connection.send(data[start:start + size])
                await asyncio.wait([pending], timeout=pause)
            else:
                await asyncio.wait([pending])
            if not pending.done():
                return
            answer = pending.result()
            if answer.status == 408:
                await connection.end()
                context.tally.count("slow sender", "timed out")
            else:
                context.check("slow sender", question, answer)
        finally:
            pending.cancel()


async def silent(context, rng, source):
    """Says nothing at first, or nothing more: closed without a word."""
    async with wire.connect(context.address, source) as connection:
        if rng.random() < 0.5:
            connection.send(wire.get("/health/live", context.address))
            context.check_get("silent", "/health/live", await connection.answer())
        await connection.end()
        context.tally.count("silent", "closed")


async def slow_reader(context, rng, source):
    """Takes a large answer little by little, to its end or until it has had enough; then it resets, or stops reading for good."""
    question = rng.choice(context.large)
    enough = question.size * rng.choice([2, 2, rng.random()])
    taken = bytearray()
    async with wire.connect(context.address, source, window=8192) as connection:
        connection.send(question.encoded(context.address, "Connection: close\r\n"))
        while not context.is_over():
            piece = await connection.reader.read(rng.randrange(1, 32_768))
            taken += piece
            if not piece:
                head, _, body = bytes(taken).partition(b"\r\n\r\n")
                fields = {"retry-after": "1"} if b"Retry-After: " in head else {}
                return context.check("slow reader", question, wire.Answer(int(head[9:12]), fields, body))
            if len(taken) > enough:
                if rng.random() < 0.3:
                    await asyncio.sleep(20)
                connection.reset()
                return context.tally.count("slow reader", "left")
            await asyncio.sleep(rng.random() * 0.1)


async def aborting(context, rng, source):
    """Leaves by RST or FIN: before the request, within it, after it, or in the answer."""
    question = rng.choice(context.asked)
    data = question.encoded(context.address)
    moment = rng.choice(["before", "within", "after", "answer"])
    async with wire.connect(context.address, source) as connection:
        if moment == "within":
            connection.send(data[:rng.randrange(1, len(data))])
        elif moment != "before":
            connection.send(data)
        if moment == "answer":
            try:
                async with asyncio.timeout(wire.PATIENCE):
                    await connection.reader.readexactly(rng.randrange(1, 200))
            except TimeoutError:
                raise wire.Broken("no answer to leave from") from None
        else:
            await asyncio.sleep(rng.choice([0, rng.random() * 0.03]))
        if rng.random() < 0.5:
            connection.reset()
        context.tally.count("aborting", moment)


async def churning(context, rng, source):
    """Connects for one small thing, or for nothing."""
    for _ in range(10):
        async with wire.connect(context.address, source) as connection:
            if rng.random() < 0.5:
                connection.send(wire.get("/health/live", context.address, extra="Connection: close\r\n"))
                context.check_get("churning", "/health/live", await connection.answer())
            elif rng.random() < 0.5:
                connection.reset()
            context.tally.count("churning", "connections")


# Each kind of client: how many of it there are, and the mean of its pauses in seconds.
CROWD = [
    (good, 6, 0.2), (half_closing, 1, 0.5), (pipelining, 2, 0.5), (herd, 1, 1.0), (browsing, 2, 0.5), (bad, 3, 0.1),
    (slow_sender, 6, 0.5), (silent, 4, 0.5), (slow_reader, 3, 1.0), (aborting, 4, 0.2), (churning, 2, 0.4),
]


def crowd(context, seed):
    """All clients, each with its own random numbers and address."""
    kinds = [(visit, pause) for visit, count, pause in CROWD for _ in range(count)]
    return [
        repeat(visit, pause, context, random.Random(f"{seed} {n}"), f"127.0.0.{n + 2}") for n, (visit, pause) in enumerate(kinds)
    ]


async def repeat(visit, pause, context, rng, source):
    """One client. A connection that breaks, where the visit did not expect it, is a wrong answer."""
    name = visit.__name__.replace("_", " ")
    while not context.is_over():
        try:
            await visit(context, rng, source)
        except (wire.Broken, OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            context.tally.wrong(name, repr(error))
        await asyncio.sleep(rng.expovariate(1 / pause))
