//! What stays in the browser: sets that are not saved yet, and flows that runs leave out.

import type { Table } from './spec'

/** A set on its way into the builder. */
export interface Draft {
  name: string
  spec: Table
  left: string[]
  /** What was left out or changed on the way. */
  notes?: string[]
}

const drafts = new Map<string, Draft>()

/** Leaves a set for the builder of `id` (or of `new`). */
export function handOver(id: string, draft: Draft): void {
  drafts.set(id, draft)
}

/** Takes what was left, once. */
export function takeOver(id: string): Draft | undefined {
  const draft = drafts.get(id)
  drafts.delete(id)
  return draft
}

const key = (id: string) => `linerate-left-out-${id}`

/** The flows of a set that runs from this browser leave out. */
export function leftOut(id: string): string[] {
  try {
    const names: unknown = JSON.parse(localStorage.getItem(key(id)) ?? '[]')
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []
  } catch {
    return []
  }
}

export function keepLeftOut(id: string, names: readonly string[]): void {
  if (names.length === 0) localStorage.removeItem(key(id))
  else localStorage.setItem(key(id), JSON.stringify(names))
}
