"""A ticket says whether work is still worth it, and goes with a case into the thread that works on it."""

import time

import anyio
import anyio.to_thread
import pytest

from app.errors import DeadlinePassedError
from app.inference.ticket import AbandonedError, Ticket, Urgency, current_ticket, holding


def test_a_patient_who_waits_comes_before_routine_before_a_batch() -> None:
    assert sorted(Urgency) == [Urgency.STAT, Urgency.ROUTINE, Urgency.BATCH]


def test_a_case_is_worth_work_until_its_client_has_gone_or_its_time_is_over() -> None:
    ticket = Ticket(deadline_s=time.monotonic() + 60)
    ticket.check()
    ticket.gone.set()
    with pytest.raises(AbandonedError):
        ticket.check()
    with pytest.raises(DeadlinePassedError):
        Ticket(deadline_s=time.monotonic()).check()


def test_the_ticket_is_there_inside_its_block_only_and_in_the_threads_started_there() -> None:
    ticket = Ticket(Urgency.STAT)

    async def run() -> Ticket:
        with holding(ticket):
            return await anyio.to_thread.run_sync(current_ticket)

    assert anyio.run(run) is ticket
    assert current_ticket() is not ticket
    assert current_ticket().urgency is Urgency.ROUTINE
