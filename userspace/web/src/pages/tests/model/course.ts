//! How far a suite is, from what the daemon answers and from what it tells as it happens.

import type { CurrentTrial, LiveFlow, RunPhase, SuiteCourse, TrialRow } from '@/api/schema'

/** The live event `progress`. */
export interface SuiteProgress {
  suite: number
  trials: number
  current: CurrentTrial | null
  spent_ns: number
  remaining_ns: number
  finished: TrialRow[]
}

/** The live event `rates`: an interval of a trial on real ports. */
export interface SuiteRates {
  suite: number
  trial: number
  phase: RunPhase
  elapsed_ns: number
  flows: LiveFlow[]
}

/** What is known of the course. */
export interface Course {
  done: number
  current: CurrentTrial | null
  spent_ns: number
  remaining_ns: number
}

export const NO_COURSE: Course = { done: 0, current: null, spent_ns: 0, remaining_ns: 0 }

/** An answer of the daemon, unless what was told meanwhile is newer. */
export function answered(known: Course, answer: SuiteCourse): Course {
  if (known.done > answer.trials) return known
  if (known.done === answer.trials && known.current && !answer.current) return known
  return { done: answer.trials, current: answer.current ?? null, spent_ns: answer.spent_ns, remaining_ns: answer.remaining_ns }
}

/** What was told. */
export function told(event: SuiteProgress): Course {
  return { done: event.trials, current: event.current, spent_ns: event.spent_ns, remaining_ns: event.remaining_ns }
}

/** Trials by their number: one that comes twice, by answer and by event, is one. */
export function joined(known: TrialRow[], more: TrialRow[]): TrialRow[] {
  if (more.length === 0) return known
  // Events bring the next ones, in their order.
  const last = known.at(-1)?.id ?? 0
  if (more[0] && more[0].id > last) return [...known, ...more]
  const all = new Map([...known, ...more].map((trial) => [trial.id, trial]))
  return [...all.values()].sort((a, b) => a.id - b.id)
}

/** The share that is done, by time; null where nothing is known. */
export function shareDone(course: Course): number | null {
  const whole = course.spent_ns + course.remaining_ns
  return whole > 0 ? course.spent_ns / whole : null
}

/** Rates of all flows together at the end of an interval. */
export function sums(rates: SuiteRates): { tx_pps: number; rx_pps: number } {
  const sum = (pick: (flow: LiveFlow) => number | null | undefined) => rates.flows.reduce((all, flow) => all + (pick(flow) ?? 0), 0)
  return { tx_pps: sum((flow) => flow.latest.tx_pps), rx_pps: sum((flow) => flow.latest.rx_pps) }
}

/** Points of the chart of rates: the newest stay. */
export const MOST_POINTS = 600

/** Rates over the time since the page began to listen. */
export class RateTrail {
  private readonly points: [t: number, tx: number, rx: number][] = []

  add(at_s: number, rates: SuiteRates): (number | null)[][] {
    const { tx_pps, rx_pps } = sums(rates)
    const last = this.points.at(-1)
    // Time runs on in the chart.
    if (!last || at_s > last[0]) this.points.push([at_s, tx_pps, rx_pps])
    if (this.points.length > MOST_POINTS) this.points.shift()
    return [0, 1, 2].map((at) => this.points.map((point) => point[at] ?? null))
  }
}
