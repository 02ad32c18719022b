import { expect, test } from 'vitest'
import { courseOf, endOf, freshSize, rateOf, rateText, seconds, sizeForm, weightTable, weightsOf, type SizeForm } from './traffic'

test('every form of a rate is cut and put together again', () => {
  for (const rate of ['100kpps', '2.5Mpps', '800Mbps', '1Gbps-l1', '40%', 'max', '5fps', '1Tbps']) {
    const cut = rateOf(rate)
    expect(cut && rateText(cut), rate).toBe(rate)
  }
  expect(rateOf('2.5Mpps')).toEqual({ number: '2.5', unit: 'Mpps' })
  expect([rateOf('quick'), rateOf(10), rateOf(undefined), rateOf('10 parsec')]).toEqual([null, null, null, null])
})

test('times are seconds', () => {
  expect(['10s', '500ms', '1.5m', '2min', '1h', '0s'].map(seconds)).toEqual([10, 0.5, 90, 120, 3600, 0])
  expect([seconds('ten'), seconds(10), seconds('1d')]).toEqual([null, null, null])
})

test('a schedule is a line of steps and ramps; the first ramp begins at nothing', () => {
  expect(courseOf([{ at: '0s', rate: '10kpps', ramp: '2s' }, { at: '10s', rate: '50kpps' }])).toEqual({
    kind: 'pps',
    points: [{ s: 0, rate: 0 }, { s: 2, rate: 10000 }, { s: 10, rate: 10000 }, { s: 10, rate: 50000 }, { s: 12, rate: 50000 }],
  })
  expect(courseOf([{ at: '0s', rate: '10%' }, { at: '10s', rate: '5kpps' }])).toBeNull()
  expect(courseOf([{ at: 'soon', rate: '10%' }])).toBeNull()
  expect(courseOf([])).toBeNull()
})

test('a size is known by its shape, and what begins a form has that form', () => {
  for (const form of ['fixed', 'list', 'range', 'random', 'weights', 'imix', 'imix:trex'] as SizeForm[]) {
    expect(sizeForm(freshSize(form))).toBe(form)
  }
  expect(sizeForm({ random: '64-128', seed: 1, count: 9 })).toBe('random')
  expect([sizeForm({ range: '1-2', more: 1 }), sizeForm([{}]), sizeForm(true)]).toEqual(['hand', 'hand', 'hand'])
})

test('weights are rows, none twice', () => {
  const size = { weights: { 64: 7, 570: 4 } }
  expect(weightTable(weightsOf(size))).toEqual(size)
  expect(weightTable([{ size: '64', weight: '1' }, { size: ' 64', weight: '2' }])).toBeNull()
})

test('the end of a flow is the one key that it has', () => {
  expect([endOf({ frames: 1 }), endOf({}), endOf({ burst: {} })]).toEqual(['frames', null, 'burst'])
})
