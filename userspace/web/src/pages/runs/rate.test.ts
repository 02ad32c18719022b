//! What a slider asks for is a rate that the daemon reads.

import { expect, test } from 'vitest'
import { askedRate, parseRate, writeRate } from './rate'

test('rates of flow files are read with their units', () => {
  expect(parseRate('2.5Mpps')).toEqual({ value: 2.5, unit: 'Mpps' })
  expect(parseRate('800 Mbps')).toEqual({ value: 800, unit: 'Mbps' })
  expect(parseRate('1Gbps-l1')).toEqual({ value: 1, unit: 'Gbps-l1' })
  expect(parseRate('40%')).toEqual({ value: 40, unit: '%' })
  expect(parseRate('10fps')).toEqual({ value: 10, unit: 'pps' })
  for (const none of ['max', '', '5', '0pps', '-1pps', '5 apples']) expect(parseRate(none), none).toBeNull()
})

test('a written rate has no exponent and no rounding dust', () => {
  expect(writeRate({ value: 0.1 + 0.2, unit: '%' })).toBe('0.3%')
  expect(writeRate({ value: 2000 * 0.5, unit: 'pps' })).toBe('1000pps')
  expect(writeRate({ value: 1e-7, unit: 'Gbps' })).toBe('0.0000001Gbps')
})

test('a row finds its flow by name, number and direction', () => {
  const spec = {
    defaults: { rate: '10%' },
    flow: [{ name: 'a.b', rate: '5pps' }, { name: 'cust{i}', repeat: 9 }, { name: 'top', rate: 'max' }, { name: 's', schedule: [{ rate: '7pps' }] }],
  }
  expect(askedRate(spec, 'a.b/rev')).toEqual({ value: 5, unit: 'pps' })
  expect(askedRate(spec, 'axb')).toBeNull()
  expect(askedRate(spec, 'cust17')).toEqual({ value: 10, unit: '%' })
  expect(askedRate(spec, 'custard')).toBeNull()
  expect(askedRate(spec, 'top')).toBeNull()
  expect(askedRate(spec, 's')).toEqual({ value: 7, unit: 'pps' })
  expect(askedRate(null, 's')).toBeNull()
})
