import { expect, test } from 'vitest'
import { ascii, inSpans, octetsOf, rowsOf } from './frames'

test('long payload is folded between headers and tag, and nothing is lost', () => {
  const octets = octetsOf('00'.repeat(200))
  const telling = [{ offset: 0, octets: 42 }, { offset: 186, octets: 14 }]
  const rows = rowsOf(octets, 16, telling, false)
  expect(rows.map((row) => ('hidden' in row ? -row.hidden : row.octets.length))).toEqual([16, 16, 16, -128, 16, 8])
  expect(rowsOf(octets, 16, telling, true)).toHaveLength(13)
  expect(rowsOf(octetsOf('00'.repeat(64)), 16, [], false).map((row) => row.offset)).toEqual([0, 16, 32, 48])
})

test('a span ends before the octet behind it', () => {
  expect([13, 14, 15, 16].map((at) => inSpans(at, [{ offset: 14, octets: 2 }]))).toEqual([false, true, true, false])
})

test('only what can be printed is', () => {
  expect(ascii(['41', '00', '7f', '20', '7a'])).toBe('A...z')
})
