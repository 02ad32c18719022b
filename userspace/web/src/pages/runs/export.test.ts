//! Files are whole, and hold what names may hold.

import { expect, test } from 'vitest'
import type { FlowResult, RunResult } from '@/api/results/run'
import { flowsCsv, html, junit, samplesCsv } from './export'

function flow(name: string, verdict: string): FlowResult {
  return { name, verdict, tx_port: 'west', rx_port: null, tx_frames: 10, lost_frames: null, latency_ns: null, outage: {} } as unknown as FlowResult
}
const result = {
  started: '2026-01-02T03:04:05Z', duration_ns: 1_500_000_000, verdict: 'loss',
  reasons: ['a<b: 3 frames lost', 'west: copied'], tool: { name: 'linerate', version: '1' }, host: { name: 'h', kernel: '6', cpus: 2 }, ports: [],
  flows: [flow('a<b', 'loss'), flow('=1,"x"', 'ok'), flow('c', 'invalid')],
} as unknown as RunResult

test('CSV has a column for each key, empty for null, and quotes what RFC 4180 asks for', () => {
  const lines = flowsCsv(result).split('\r\n')
  expect(lines).toHaveLength(5)
  const head = (lines[0] ?? '').split(',')
  expect(head.slice(0, 5)).toEqual(['name', 'tx_port', 'rx_port', 'verdict', 'requested_frames'])
  expect(lines[2]).toContain(`"'=1,""x""",west,,ok`)
  expect((lines[1] ?? '').split(',')).toHaveLength(head.length)
  expect((lines[1] ?? '').split(',')[head.indexOf('tx_frames')]).toBe('10')
})

test('samples have a row for each flow and interval', () => {
  const sample = { t: 1, tx_frames: 2, rx_frames: null, tx_pps: 2, tx_bps_l2: 3, loss_ratio: 0 }
  expect(samplesCsv([{ name: 'a', samples: [sample, sample] }, { name: 'b', samples: [sample] }]).trim().split('\r\n')).toHaveLength(4)
})

test('JUnit is well-formed, and what was not measured validly is an error', () => {
  const text = junit('run "1" & more', result)
  const page = new DOMParser().parseFromString(text, 'application/xml')
  expect(page.querySelector('parsererror')).toBeNull()
  expect(page.querySelectorAll('testcase')).toHaveLength(3)
  expect(page.querySelectorAll('failure')).toHaveLength(1)
  expect(page.querySelectorAll('error')).toHaveLength(1)
  expect(page.querySelector('failure')?.textContent).toBe('a<b: 3 frames lost')
  expect(text).toContain('tests="3" failures="1" errors="1"')
})

test('HTML holds names as text', () => {
  const page = new DOMParser().parseFromString(html('x', result), 'text/html')
  expect(page.querySelectorAll('script')).toHaveLength(0)
  expect([...page.querySelectorAll('tbody th')].map((cell) => cell.textContent)).toContain('a<b')
})
