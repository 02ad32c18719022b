//! How a search goes: load and outcome of each trial, and the bounds that it leaves.

import type { CurrentTrial, TrialRow } from '@/api/schema'
import { fps, loss } from '@/format/exact'
import { count } from '@/format'
import { amount, type Chart, linear, Plot } from './plot'

/** One search: the trials of a test with one frame. */
export interface Search {
  /** `throughput/64`, as links name it. */
  key: string
  test: string
  frame: string
  trials: TrialRow[]
}

/** Tests that look for a rate or a length; the others try the loads that they were given. */
export const SEARCHING = ['throughput', 'mlrsearch', 'back-to-back']

/** `Search: throughput, 64`. */
export function searchTitle(of: { test: string; frame: string }): string {
  return `${SEARCHING.includes(of.test) ? 'Search' : 'Loads'}: ${of.test}, ${of.frame}`
}

/** Trials by the search they belong to, in the order of their first trials. */
export function searches(trials: Iterable<TrialRow>): Search[] {
  const all = new Map<string, Search>()
  for (const trial of trials) {
    const key = searchKey(trial)
    const search = all.get(key) ?? { key, test: trial.test, frame: trial.frame, trials: [] }
    search.trials.push(trial)
    all.set(key, search)
  }
  return [...all.values()]
}

/** Which search a trial belongs to. */
export function searchKey(trial: { test: string; frame: string }): string {
  return `${trial.test}/${trial.frame}`
}

/** Marks that can still be told from each other; of longer searches the end is drawn. */
const MOST = 400

/** What is sought is a length of a burst, at the greatest rate; elsewhere it is a rate. */
function load(trial: { test: string; intended_fps: number; tx_frames?: number; duration_ns: number }): number {
  if (trial.test !== 'back-to-back') return trial.intended_fps
  return trial.tx_frames ?? Math.round((trial.intended_fps * trial.duration_ns) / 1e9)
}

/**
 * Load against trial; `ways` directions share a load, and bounds are told per direction.
 * A trial that goes on stands at the end as a hollow mark.
 */
export function trace(title: string, all: TrialRow[], ways: number, current?: CurrentTrial | null): Chart | null {
  const trials = all.slice(-MOST)
  const steps = [...trials, ...(current ? [current] : [])]
  if (steps.length === 0) return null
  const top = steps.reduce((most, trial) => Math.max(most, load(trial)), 0)
  const every = Math.max(1, Math.ceil(steps.length / 10))
  const ticks = steps.flatMap((trial, at) => (at % every === 0 ? [{ at: at + 1, name: String(trial.id) }] : []))
  const burst = steps[0]?.test === 'back-to-back'
  const plot = new Plot(
    { title: 'trial', from: 0.5, to: steps.length + 0.5, ticks },
    linear(burst ? 'frames in the burst' : 'frames per second', top, amount),
  )
  bound(plot, 'lower', steps.map((step) => step.lower_fps), ways)
  bound(plot, 'upper', steps.map((step) => step.upper_fps), ways)
  plot.line('theory', steps.map((step, at) => [at + 1, load(step)]))
  trials.forEach((trial, at) => {
    const offered = burst ? `${count(load(trial))} frames` : `${fps(trial.intended_fps)} fps`
    const words = `trial ${trial.id}${trial.goal ? `, ${trial.goal}` : ''}: ${offered}, ${loss(trial.loss_ratio)} % lost${trial.reason ? `; ${trial.reason}` : ''}`
    if (!trial.valid) plot.marker(7, [at + 1, load(trial)], words, true)
    else if (trial.lost_frames > 0) plot.cross([at + 1, load(trial)], words)
    else plot.marker(0, [at + 1, load(trial)], words)
  })
  if (current) plot.marker(2, [steps.length, load(current)], `trial ${current.id} goes on`, true)
  const legend: [string, string][] = [['c0', 'no loss'], ['bad', '× loss'], ['c7', 'not valid (hollow)']]
  if (steps.some((step) => step.lower_fps != null)) legend.push(['lower', 'greatest load that passed'])
  if (steps.some((step) => step.upper_fps != null)) legend.push(['upper', 'least load that failed'])
  if (current) legend.push(['c2', 'goes on'])
  return plot.chart(all.length > MOST ? `${title} (the last ${MOST} of ${count(all.length)} trials)` : title, legend)
}

/** A bound as it stood before each trial: a staircase with gaps where there was none. */
function bound(plot: Plot, kind: string, values: (number | null | undefined)[], ways: number): void {
  let stairs: [number, number][] = []
  const end = () => {
    if (stairs.length > 0) plot.line(kind, stairs)
    stairs = []
  }
  values.forEach((value, at) => {
    if (value == null) return end()
    stairs.push([at + 0.5, value * ways], [at + 1.5, value * ways])
  })
  end()
}
