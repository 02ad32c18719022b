//! The daemon's REST, typed by its own description.

import createClient from 'openapi-fetch'
import { session } from '@/state/session'
import type { paths, Problem as ProblemBody } from './schema'

export type * from './schema'

/** What the daemon, or the way to it, refused: RFC 9457. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    detail: string,
    /** The place in what was sent: `spec.flow[0].size`. */
    readonly field: string | null = null,
    /** Who has the port that was asked for. */
    readonly holder: string | null = null,
  ) {
    super(detail)
  }

  /** Of an answer that is no success. */
  static async of(response: Response): Promise<Problem> {
    let body: Partial<ProblemBody> = {}
    try {
      body = (await response.clone().json()) as Partial<ProblemBody>
    } catch {
      // Not from the daemon: a proxy's page.
    }
    const detail = body.detail ?? `the daemon answered ${response.status} ${response.statusText}`
    return new Problem(response.status, detail, body.field ?? null, body.holder ?? null)
  }

  /** Of anything thrown. */
  static from(error: unknown): Problem {
    if (error instanceof Problem) return error
    // fetch throws a TypeError when nobody answers.
    if (error instanceof TypeError) return new Problem(0, 'the daemon does not answer')
    return new Problem(0, error instanceof Error ? error.message : String(error))
  }
}

/** fetch with the token; throws a [`Problem`] for whatever is no success. */
export async function ask(input: string | Request, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init)
  if (session.token) request.headers.set('authorization', `Bearer ${session.token}`)
  let response: Response
  try {
    response = await fetch(request)
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw Problem.from(error)
  }
  if (response.status === 401) session.refuse()
  if (!response.ok) throw await Problem.of(response)
  return response
}

/** One method for each operation; `data` is always there, for problems are thrown. */
export const api = createClient<paths>({ baseUrl: location.origin, fetch: (request) => ask(request) })

/** The body of an answer; problems were thrown before. */
export async function data<T>(answer: Promise<{ data?: T }>): Promise<T> {
  return (await answer).data as T
}
