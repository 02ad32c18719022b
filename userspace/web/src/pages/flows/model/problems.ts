//! Where on the page a message of the daemon belongs.

import type { Problem } from '@/api/client'

/** A message at a place of the flow file. */
export interface Placed {
  /** `flow[0].layers[1].vlan.id`; empty: the file as a whole. */
  place: string
  /** What is wrong and what is allowed, without the place. */
  message: string
}

/** The place and the words of what the daemon refused; a missing key has the place that it would have. */
export function placed(problem: Problem): Placed {
  const given = (problem.field ?? '').replace(/^spec\.?/, '')
  const start = `${given}: `
  const message = given !== '' && problem.message.startsWith(start) ? problem.message.slice(start.length) : problem.message
  const missing = /^`(\w+)` is missing/.exec(message)?.[1]
  const place = missing === undefined ? given : given === '' ? missing : `${given}.${missing}`
  return { place, message }
}

/** Whether `place` is `path` or within it. */
export function within(place: string, path: string): boolean {
  return place === path || (place.startsWith(path) && /^[.[]/.test(place.slice(path.length)))
}

/** The one of `paths` that is nearest to a place: it, or the innermost around it; `null`: none is. */
export function nearest(place: string, paths: Iterable<string>): string | null {
  let best: string | null = null
  for (const path of paths) {
    if (within(place, path) && (best === null || path.length > best.length)) best = path
  }
  return best
}

/** The flow that a place is in; `null`: none. */
export function flowAt(place: string): number | null {
  const found = /^flow\[(\d+)\]/.exec(place)?.[1]
  return found === undefined ? null : Number(found)
}
