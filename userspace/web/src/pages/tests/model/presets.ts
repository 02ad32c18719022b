//! What a profile gives where the suite says nothing (as the daemon does), shown in empty fields.

import type { SuiteKind } from '@/api/schema'

export const KINDS: { kind: SuiteKind; name: string; about: string }[] = [
  { kind: 'rfc2544', name: 'RFC 2544', about: 'Throughput, latency, frame loss, back-to-back frames, recovery' },
  { kind: 'mlrsearch', name: 'MLRsearch', about: 'RFC 9971: rates of several loss ratios in one search' },
  { kind: 'y1564', name: 'Y.1564', about: 'ITU-T: services with CIR, EIR and what was promised' },
]

export function kindName(kind: SuiteKind): string {
  return KINDS.find((one) => one.kind === kind)?.name ?? kind
}

/** By place in the suite: quick, and rfc. */
const DEFAULTS: Record<string, [quick: string, rfc: string]> = {
  sizes: ['64, 512, 1518', '64, 128, 256, 512, 1024, 1280, 1518'],
  'throughput.trial': ['1s', '60s'],
  'throughput.resolution': ['0.1%', '0.1%'],
  'throughput.max_loss': ['0', '0'],
  'throughput.max_rate': ['100%', '100%'],
  'latency.trial': ['2s', '120s'],
  'latency.from': ['half the trial', 'half the trial'],
  'latency.repeats': ['3', '20'],
  'latency.at': ['10%, 50%, 90%, throughput', 'throughput'],
  'loss.trial': ['1s', '60s'],
  'loss.step': ['10%', '10%'],
  'back_to_back.repeats': ['5', '50'],
  'back_to_back.burst_limit': ['2s', '2s'],
  'back_to_back.step': ['1', '1'],
  'recovery.overload': ['2s', '60s'],
  'recovery.reduced': ['as the overload', 'as the overload'],
  'recovery.repeats': ['3', '20'],
  'mlrsearch.max_rate': ['100%', '100%'],
  'y1564.step': ['2s', '60s'],
  'y1564.steps': ['25%, 50%, 75%, 100%', '25%, 50%, 75%, 100%'],
  'y1564.performance': ['15s', '900s'],
  'learning.frames': ['3', '3'],
  'learning.refresh': ['60s', '60s'],
  'waits.before': ['100ms', '5s'],
  'waits.residual': ['2s', '2s'],
  'waits.after': ['100ms', '5s'],
  'limits.trials': ['5000', '50000'],
  'limits.time': ['2h', '168h'],
  'modifiers.broadcast': ['0%', '0%'],
}

/** What an empty field stands for. */
export function usual(place: string, profile: unknown): string {
  return DEFAULTS[place]?.[profile === 'rfc' ? 1 : 0] ?? ''
}

/** The tests of RFC 2544 with their sections in the suite file. Reset wants a command, which a daemon does not run. */
export const TESTS = [
  { test: 'throughput', name: 'Throughput', section: '26.1' },
  { test: 'latency', name: 'Latency', section: '26.2' },
  { test: 'loss', name: 'Frame loss rate', section: '26.3' },
  { test: 'back-to-back', name: 'Back-to-back frames', section: '26.4, RFC 9004' },
  { test: 'recovery', name: 'System recovery', section: '26.5' },
] as const

/** Tests that are done where the suite names none: the usual four, and those with a section of their own. */
export function chosenTests(tests: unknown, hasRecovery: boolean): string[] {
  if (Array.isArray(tests)) return tests.map(String)
  if (typeof tests === 'string') return [tests]
  return ['throughput', 'latency', 'loss', 'back-to-back', ...(hasRecovery ? ['recovery'] : [])]
}

/** The goals that have a name of their own (RFC 9971; CSIT). */
export const GOALS = [
  { name: 'NDR', about: 'no loss; trials of 1 s, 21 s in all' },
  { name: 'PDR', about: 'at most 0.5 % loss; trials of 1 s, 21 s in all' },
  { name: 'RFC2544', about: 'no loss; one trial of 60 s' },
  { name: 'TST009', about: 'no loss in most of the trials of 60 s' },
] as const
