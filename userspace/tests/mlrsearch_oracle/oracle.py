"""Answers for main.rs: what MLRsearch 1.2.1 makes of trials and of devices.

Reads one JSON document from stdin, writes one to stdout.
"""

import json
import sys
from fractions import Fraction

from MLRsearch import (
    AbstractMeasurer,
    Config,
    MeasurementResult,
    MultipleLossRatioSearch,
    SearchGoal,
)
from MLRsearch.target_spec import TargetSpec
from MLRsearch.target_stat import TargetStat


def classes(optimistic, pessimistic):
    if optimistic != pessimistic:
        return "undecided"
    return "lower" if optimistic else "upper"


def by_package(goal, trials):
    """The package's own statistics of one load, in doubles."""
    stat = TargetStat(
        TargetSpec(
            loss_ratio=goal["loss"][0] / goal["loss"][1],
            exceed_ratio=goal["exceed"][0] / goal["exceed"][1],
            discrete_width=None,
            trial_duration=float(goal["trial_s"]),
            duration_sum=float(goal["sum_s"]),
            expansion_coefficient=2,
            fail_fast=False,
            preceding=None,
        )
    )
    for seconds, lost, sent in trials:
        stat.add(
            MeasurementResult(
                seconds, 1.0, offered_count=sent, loss_count=lost,
                intended_count=sent, duration_with_overheads=seconds,
            )
        )
    return [classes(*stat.estimates()), stat.pessimistic_loss_ratio]


def by_rfc(goal, trials):
    """The code in the appendices of RFC 9971, in fractions."""
    exceed, goal_loss = Fraction(*goal["exceed"]), Fraction(*goal["loss"])
    sums = {(full, high): Fraction(0) for full in (0, 1) for high in (0, 1)}
    full_trials = []
    for seconds, lost, sent in trials:
        loss = Fraction(lost, sent)
        full = int(seconds >= goal["trial_s"])
        sums[full, int(loss > goal_loss)] += seconds
        if full:
            full_trials.append((loss, seconds))
    balancing = sums[0, 0] * exceed / (1 - exceed)
    excess = sums[1, 1] + max(0, sums[0, 1] - balancing)
    whole = max(sums[1, 0] + excess, goal["sum_s"])
    quantile = whole * exceed
    kind = classes(excess <= quantile, whole - sums[1, 0] <= quantile)
    remaining = max(goal["sum_s"], sums[1, 0] + sums[1, 1]) * (1 - exceed)
    charged = None
    for loss, seconds in sorted(full_trials):
        if charged is None or remaining > 0:
            charged = loss
            remaining -= seconds
        else:
            break
    else:
        if remaining > 0:
            charged = Fraction(1)
    return [kind, float(charged)]


class Device(AbstractMeasurer):
    """The devices of main.rs, step by step the same."""

    def __init__(self, device):
        self.device, self.state, self.trials = device, device["seed"], 0

    def uniform(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 11) / 2.0**53

    def measure(self, intended_duration, intended_load):
        self.trials += 1
        frames = int(intended_duration * intended_load)
        room, fps = self.device["room"], float(self.device["fps"])
        fps *= 1.0 + self.device["jitter"] * (self.uniform() - 0.5)
        received = frames
        if intended_load > fps:
            received = min(frames, int(fps * (frames - 1) / intended_load) + room)
        if self.uniform() < intended_duration * self.device["stalls_per_s"]:
            missed = int(intended_load * 0.001) - room
            received = min(received, frames - max(0, missed))
        return MeasurementResult(
            intended_duration, intended_load, intended_count=frames, offered_count=frames,
            forwarding_count=received, duration_with_overheads=intended_duration,
        )


def search(job):
    goals = [
        SearchGoal(
            loss_ratio=goal["loss"][0] / goal["loss"][1],
            exceed_ratio=goal["exceed"][0] / goal["exceed"][1],
            relative_width=goal["width"][0] / goal["width"][1],
            initial_trial_duration=goal["initial_s"],
            final_trial_duration=goal["trial_s"],
            duration_sum=goal["sum_s"],
            fail_fast=False,
        )
        for goal in job["goals"]
    ]
    config = Config(
        goals=goals, min_load=job["min_load"], max_load=job["max_load"], warmup_duration=None
    )
    device = Device(job["device"])
    found = MultipleLossRatioSearch(config=config).search(measurer=device)
    number = lambda value: None if value is None else float(value)
    bounds = [
        [
            number(found[goal].relevant_lower_bound),
            number(found[goal].relevant_upper_bound),
            number(found[goal].conditional_throughput),
        ]
        for goal in goals
    ]
    return {"trials": device.trials, "goals": bounds}


asked = json.load(sys.stdin)
json.dump(
    {
        "classified": [
            {"package": by_package(*case), "rfc": by_rfc(*case)} for case in asked["classify"]
        ],
        "searched": [search(job) for job in asked["search"]],
    },
    sys.stdout,
)
