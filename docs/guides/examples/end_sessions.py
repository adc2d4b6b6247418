"""Ends the sessions of whoever loses access. Needs nats-py; the NATS user has to be allowed the consumer `sessions`."""

import asyncio
import os

import nats
from nats.js.api import ConsumerConfig, DeliverPolicy


def end_sessions(company: str, user: str) -> None:
    # Yours to write, so that a second time does no harm: a fact may come more than once.
    print(f"ended the sessions of {user} in {company}", flush=True)


async def main() -> None:
    bus = await nats.connect(
        os.environ["NATS_URL"],
        user="subscriber",
        password=os.environ["NATS_PASSWORD"],
        inbox_prefix="_INBOX.subscriber",
    )
    # The server remembers under this name how far we are; by "all", a new name begins with the oldest fact that is kept.
    begin = ConsumerConfig(deliver_policy=DeliverPolicy.ALL)
    facts = await bus.jetstream().pull_subscribe(
        "facts.v1.*.user.*.*", durable="sessions", stream="DIRECTORY", config=begin
    )
    while True:
        try:
            messages = await facts.fetch(100, timeout=30)
        except nats.errors.TimeoutError:
            continue
        for message in messages:
            # The subject says enough: facts.v1.<company>.user.<user>.<event>
            _, _, company, _, user, event = message.subject.split(".")
            if event in ("deactivated", "deleted"):
                end_sessions(company, user)
            # Only now: what is not acknowledged comes again.
            await message.ack()


asyncio.run(main())
