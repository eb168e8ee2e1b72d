"""The driver of a run that several workers grow: hands out a round, waits for it, judges what came of it, until done.

Does not handle: how a worker grows its part (``worker``), or how replies are judged (``merge``).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from selfinstruct import run_directory
from selfinstruct.analysis.summary import Summary
from selfinstruct.api.connect import SpendingLimits
from selfinstruct.api.division import Division
from selfinstruct.api.parts.divisible import require_divisible
from selfinstruct.api.parts.merge import Join
from selfinstruct.api.parts.orders import limits_of_parts, recipe_of_part
from selfinstruct.api.parts.part import Part, place_of
from selfinstruct.api.parts.state import PartsState
from selfinstruct.api.parts.worker import PartEnd, PartOrder, PartProgress, forget_progress
from selfinstruct.api.session_record import added, record_start, require_conserved, stop_reason, write_results
from selfinstruct.errors import EndpointError, InputError, StorageError
from selfinstruct.events import Snapshot
from selfinstruct.growth import RunCounts, Sampler, take_decisions
from selfinstruct.growth.shares import equal_shares, hand_out, round_of, survival_of
from selfinstruct.growth.stagnation import EXHAUSTED_AFTER, StagnationLimit
from selfinstruct.journal import CalledBatch, History, Journal
from selfinstruct.messages import Phrase
from selfinstruct.preparation import JudgingState, Prepared

#: Seconds between two looks at what the parts have grown.
_LOOK_EVERY = 0.2
_NO_LIMITS = SpendingLimits(None, None, None)


class Workers(Protocol):
    """Workers in any number of processes, which grow parts; after a crash again."""

    @property
    def on_this_machine(self) -> bool:
        """Whether all of them are, so that a journal can be read while it grows (SQLite's log needs shared memory)."""
        ...

    def run(self, orders: Sequence[PartOrder]) -> Iterator[PartEnd]:
        """Yield how each part ended, as soon as it has."""
        ...

    def stop(self) -> None:
        """Stop what is running, from another thread; ``run`` may then raise anything."""
        ...


async def grow_parts(
    prepared: Prepared,
    where: Path,
    division: Division,
    workers: Workers,
    *,
    watch: Callable[[Snapshot], None],
    elapsed: Callable[[], float],
) -> Summary:
    """Grow a prepared run by several workers in the directory ``where`` until it stops, and return its summary.

    ``elapsed`` returns the seconds of this session. Raises as ``selfinstruct.run``, and InputError for a run that
    cannot be divided, or was begun with another number of workers.
    """
    require_divisible(prepared, division)
    metadata = run_directory.initial_metadata(where, prepared, division.seed)
    with contextlib.ExitStack() as stack:
        stack.enter_context(run_directory.lock_directory(where))
        begin_writing = stack.enter_context(run_directory.journal_checksum(where))
        journal = run_directory.open_journal(where, prepared, metadata)
        if journal is None:
            started = datetime.now(UTC).isoformat(timespec="seconds")
            parts = PartsState([{} for _ in range(division.parts)]).to_json()
            metadata = replace(metadata, started=started, parts=parts)
            journal = run_directory.create_journal(where, prepared, metadata)
        stack.enter_context(journal)
        _require_same_parts(where, journal, division.parts)
        begin_writing()
        more = _grown_quotas(journal, prepared)
        record_start(journal, metadata.recipe, prepared, {}, journal.history.metadata().preflights)
        inputs = prepared.inputs.to_json()
        journal.write_metadata(replace(journal.history.metadata(), prompt_inputs=inputs))
        driver = _Driver(prepared, where, journal, division, workers, watch, forgiven=more)
        summary = await _run_and_write(driver, elapsed)
    require_conserved(where, summary)
    return summary


async def _run_and_write(driver: _Driver, elapsed: Callable[[], float]) -> Summary:
    """Run the rounds and write the results, however they end."""

    def write(stopped: str) -> Summary:
        driver.record_parts()
        quotas = {name: state.quota for name, state in driver.state.progress.items()}
        preflights = driver.journal.history.metadata().preflights
        return write_results(
            driver.where, driver.journal, driver.prepared, quotas, driver.notes, stopped, elapsed(), preflights
        )

    try:
        stopped = await driver.run()
    except BaseException as error:
        # Report the error that ended the run, not a later one.
        with contextlib.suppress(StorageError):
            write(stop_reason(error))
        raise
    return write(stopped)


@dataclass(slots=True)
class _Driver:
    """The state of one session; ``forgiven`` are the categories whose quotas have grown, which all parts try again."""

    prepared: Prepared
    where: Path
    journal: Journal
    division: Division
    workers: Workers
    watch: Callable[[Snapshot], None]
    forgiven: frozenset[str]
    notes: list[str] = field(default_factory=list)
    state: JudgingState = field(init=False)
    counts: RunCounts = field(init=False)
    _join: Join = field(init=False)
    _dead: dict[int, EndpointError] = field(default_factory=dict)
    #: How many parts spend what is left of the budget.
    _spenders: int = field(init=False)

    def __post_init__(self) -> None:
        """Restore the state from the journal."""
        recorded = self.journal.history.state()
        self.state = JudgingState.of_seeds(self.prepared)
        sampler = Sampler(self.prepared.recipe, self.prepared.inputs, self.division.seed, self.prepared.is_usable)
        self.journal.take_decisions()
        self.state.restore(self.journal.history, sampler)
        self.counts = RunCounts(
            recorded.accepted,
            recorded.candidates,
            recorded.requests,
            Counter(recorded.rejected),
            Counter(recorded.failed),
        )
        self._join = Join(self.journal, self.prepared, self.state, self.counts, self.division.parts)
        self._spenders = self.division.parts

    async def run(self) -> str:
        """Run rounds until the quotas are met or nothing more can be done; returns the reason why it stopped."""
        handed: PartsState | None = _parts_state(self.journal, self.division.parts)
        if handed is not None and handed.joined:
            handed = self._next(handed)
        while handed is not None:
            self.watch(self._snapshot())
            ends = await self._grow(handed)
            self._record(replace(handed, joined=True))
            budget = any(end.stopped == "budget" for end in ends)
            self._dead |= {end.part: end.error for end in ends if end.error is not None}
            if budget and self._spenders == 1:
                return "budget"
            # Where the shares are too small for one more call, fewer parts get larger ones.
            self._spenders = max(1, self._spenders // 2) if budget else self._spenders
            handed = self._next(handed)
        short = [name for name, state in self.state.progress.items() if state.accepted < state.quota]
        if short and len(self._dead) == self.division.parts:
            raise self._dead[min(self._dead)]
        self.journal.write_exhausted(short)
        return "exhausted" if short else "done"

    def _next(self, last: PartsState) -> PartsState | None:
        """Plan and record the next round; None where no rows are missing, or no part finds any more."""
        take_decisions(self.journal, self.counts, self.state.progress, self.state.pool)
        progress = self.state.progress
        parts = self._parts()
        kept = {name: state.accepted for name, state in progress.items()}
        grown = {name: sum(part.accepted.get(name, 0) for part in parts) for name in progress}
        active = self._active()
        able = {}
        patience = StagnationLimit(*(each * self.division.parts for each in EXHAUSTED_AFTER))
        for name, state in progress.items():
            # All that the parts grew was alike, as often as it takes each of them to give a category up.
            alike = last.round and kept[name] <= last.kept.get(name, 0)
            useless = alike and state.stagnation.reached(patience)
            willing = [part for part in active if name not in parts[part].exhausted]
            able[name] = active if name in self.forgiven else [] if useless else willing
        missing = {name: max(0, state.quota - state.accepted) if able[name] else 0 for name, state in progress.items()}
        self.forgiven = frozenset()
        if not any(missing.values()):
            return None
        survival = {
            name: survival_of(kept[name], grown[name], last.kept.get(name, 0), last.grown.get(name, 0))
            for name in progress
        }
        shares = hand_out(
            round_of(missing, survival, sum(kept.values()), self.division.parts),
            able,
            self.division.parts,
            last.round,
            self.prepared.recipe.prompt.rows_per_request,
        )
        quotas = [
            {name: part.accepted.get(name, 0) + share[name] for name in progress}
            for part, share in zip(parts, shares, strict=True)
        ]
        handed = PartsState(quotas, last.round + 1, kept, joined=False, grown=grown)
        self._record(handed)
        return handed

    def _active(self) -> list[int]:
        """The parts that can grow: not those whose endpoint has failed, and no more than the budget suffices for."""
        alive = [part for part in range(self.division.parts) if part not in self._dead]
        return alive[: self._spenders] if self.division.limits != _NO_LIMITS else alive

    async def _grow(self, handed: PartsState) -> list[PartEnd]:
        """Have the parts grow to their quotas, and judge what they have grown meanwhile, in turns; shows the progress.

        Where the journal of a part that grows cannot be read, its turn waits for its end.
        """
        joined = self._parts()
        orders = self._orders(handed, joined)
        ends: list[PartEnd] = []
        work = asyncio.create_task(asyncio.to_thread(self._work, orders, ends))
        left = set(range(self.division.parts))
        try:
            while left:
                part = self._join.next_of(left)
                grows = part in {order.part for order in orders} - {end.part for end in ends}
                found = self._take(part, grows=grows)
                if found:
                    joined[part] = joined[part].with_batches(found)
                    await asyncio.sleep(0)  # let a cancellation take effect
                elif grows:
                    await asyncio.wait([work], timeout=_LOOK_EVERY)
                    if work.done():
                        work.result()
                else:
                    left.discard(part)
                    forget_progress(place_of(self.where, part))
                self.watch(self._snapshot(joined))
            await work
        except BaseException:
            self.workers.stop()
            with contextlib.suppress(Exception):
                await work
            raise
        finally:
            for part in range(self.division.parts):
                forget_progress(place_of(self.where, part))
        return ends

    def _work(self, orders: Sequence[PartOrder], ends: list[PartEnd]) -> None:
        """Have the workers carry out the orders, and list how they ended; in another thread."""
        for end in self.workers.run(orders):
            ends.append(end)

    def _take(self, part: int, *, grows: bool) -> list[CalledBatch]:
        """Judge the next batches of a part that there are; returns them."""
        place = place_of(self.where, part)
        if (grows and not self.workers.on_this_machine) or not run_directory.is_run_directory(place):
            return []
        return self._join.take(part, place, grows=grows)

    def _orders(self, handed: PartsState, parts: Sequence[Part]) -> list[PartOrder]:
        """The orders of a round, for the parts that have something to do in it."""
        division, prepared = self.division, self.prepared
        wanting = [at for at in self._active() if parts[at].misses(handed.quotas[at])]
        limits = [division.limits] * division.parts
        if division.limits != _NO_LIMITS and wanting:
            limits = limits_of_parts(division.limits, [part.spent for part in parts], wanting)
        # The calls of a model are shared in its part of the recipe.
        local = division.concurrency is not None and not prepared.recipe.all_models
        concurrency = equal_shares(division.concurrency or 0, division.parts) if local else [None] * division.parts
        orders = []
        for at in wanting:
            recipe = recipe_of_part(prepared.recipe, at, division.parts, served=division.serve is not None)
            own = replace(prepared, recipe=recipe, quotas=dict(handed.quotas[at]), notes=())
            # A worker may have another working directory.
            place = place_of(self.where, at).absolute()
            orders.append(
                PartOrder(at, division.parts, place, own, division.seed, division.backend, concurrency[at], limits[at])
            )
        return orders

    def record_parts(self) -> None:
        """Record what the parts know of their models: prices, and the cost of calls that are no rows of this run (yet).

        These are their preflights, and what they were paid for since the last join.
        """
        metadata = self.journal.history.metadata()
        prices, others = dict(metadata.prices), dict[str, Sequence[int]]()
        for number, part in enumerate(self._parts()):
            prices |= part.prices
            for name, figures in (*part.preflights.items(), *self._untaken(number).items()):
                others[name] = added(others.get(name), figures)
            self.notes += [Phrase("part {part}: {note}", part=number, note=note) for note in part.remarks]
        self.journal.write_metadata(replace(metadata, prices=prices, preflights=others))

    def _untaken(self, part: int) -> dict[str, list[int]]:
        """What the calls of a part cost that this run does not have."""
        place = place_of(self.where, part)
        if not run_directory.is_run_directory(place):
            return {}
        with History.open(place) as history:
            return self._join.cost_of_untaken(part, history)

    def _record(self, handed: PartsState) -> None:
        self.journal.write_metadata(replace(self.journal.history.metadata(), parts=handed.to_json()))
        self.journal.commit()

    def _parts(self) -> list[Part]:
        """The parts as they are now."""
        return [Part.read(place_of(self.where, part), self.prepared.recipe) for part in range(self.division.parts)]

    def _snapshot(self, joined: Sequence[Part] = ()) -> Snapshot:
        """The state of the run, with what the parts report beyond what is ``joined`` of them."""
        shown = self.counts.snapshot(self.state.progress)
        reports = [PartProgress.read(place_of(self.where, part)) for part in range(len(joined))]
        running = [(report, part) for report, part in zip(reports, joined, strict=True) if report.accepted]
        if not running:
            return shown
        categories = {}
        for name, each in shown.categories.items():
            new = sum(report.accepted.get(name, 0) - part.accepted.get(name, 0) for report, part in running)
            categories[name] = replace(each, accepted=min(each.quota, each.accepted + max(0, new)))
        return replace(
            shown,
            categories=categories,
            accepted=sum(each.accepted for each in categories.values()),
            requests=shown.requests + sum(max(0, report.requests - part.spent.requests) for report, part in running),
            in_flight=sum(report.in_flight for report, _ in running),
        )


def _parts_state(journal: Journal, parts: int) -> PartsState:
    """The round that was handed out last; before the first one, none."""
    return PartsState.from_json(journal.history.metadata().parts) or PartsState([{} for _ in range(parts)])


def _grown_quotas(journal: Journal, prepared: Prepared) -> frozenset[str]:
    """The categories whose quotas are larger than in the last session."""
    before = journal.history.metadata().current_quotas
    return frozenset(name for name, quota in prepared.quotas.items() if quota > before.get(name, 0))


def _require_same_parts(where: Path, journal: Journal, parts: int) -> None:
    """Raise InputError unless the run has as many parts."""
    recorded = journal.history.metadata().parts
    if not recorded:
        raise InputError(
            "{where}: one worker grows this run",
            hint="Leave out `engine` and `workers`, or set `out` to another directory.",
            where=where,
        )
    if len(recorded["quotas"]) != parts:
        raise InputError(
            "{where}: this run has {recorded} parts, so it cannot go on with {workers} workers",
            hint="Set `workers={recorded}`: parts wait for their turn where fewer processes can run.",
            where=where,
            recorded=len(recorded["quotas"]),
            workers=parts,
        )
