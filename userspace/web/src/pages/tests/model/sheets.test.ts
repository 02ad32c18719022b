import { expect, test } from 'vitest'
import { lossCurves, throughput } from '../chart/bench'
import { compared, paired } from './compare'
import { latencyOf, lossOf, resultOf, rowOf, throughputOf } from './sample'
import { csvNames, sheets } from './sheets'

const result = resultOf([
  rowOf('64', { throughput: throughputOf({ fps: 1000.9, bound: 'at-least', reason: 'tester-limited' }), frame_loss: [lossOf({ loss_ratio: null, lost_frames: null, valid: false })], latency: [] }),
  rowOf('512', { throughput: throughputOf({ fps: null, ratio: null, bound: 'none' }) }),
])

test('a table has what was measured, and a dash for what was not', () => {
  const [first, second] = sheets(result)
  expect(first?.rows.map((row) => row.slice(0, 4))).toEqual([['64', '2,000', '≥ 1,000', '50'], ['512', '2,000', 'none', '–']])
  expect(first?.columns.at(-1)).toEqual({ title: 'note', words: true })
  expect(second?.rows[0]?.slice(-3)).toEqual(['2,000', '–', '–'])
  expect(sheets(result).map((sheet) => sheet.key)).toEqual(['throughput', 'frame-loss'])
})

test('the CSV has tables of what was measured, and always the trials', () => {
  expect(csvNames(result)).toEqual(['throughput', 'frame-loss', 'trials'])
  expect(csvNames(resultOf([]))).toEqual(['trials'])
})

test('what only one of two results has stands beside a dash', () => {
  expect(paired([[['64'], 1]], [[['512'], 2], [['64'], 3]])).toEqual([[['64'], 1, 3], [['512'], undefined, 2]])
  const other = resultOf([rowOf('64', { throughput: throughputOf({ fps: 1101 }), latency: [latencyOf({})] })])
  const [rates, latency, losses] = compared(result, other)
  expect(rates?.rows).toEqual([['64', '≥ 1,000', '1,101', '+10 %', '50', '50'], ['512', 'none', '–', '–', '–', '–']])
  expect(latency?.rows[0]?.slice(0, 5)).toEqual(['64', 'throughput', '–', '10 ns', '–'])
  expect(losses?.rows[0]?.slice(0, 4)).toEqual(['64', '100', '– (not valid)', '–'])
})

test('a throughput that is only "at least" is hollow, and one size has a line of theory', () => {
  const chart = throughput([{ name: '', rows: result.rows.slice(0, 1) }])
  expect(chart?.marks.map((mark) => mark.class)).toEqual(['line theory', 'line c0', 'mark c0 hollow'])
  expect(chart?.marks.at(-1)).toMatchObject({ words: '64: at least 1,000 fps' })
})

test('loads that were not measured are no points of a curve', () => {
  expect(lossCurves([{ name: '64', points: null }])).toBeNull()
  const chart = lossCurves([{ name: '64', points: [lossOf({ loss_ratio: null }), lossOf({ loss_ratio: 0.5, valid: false })] }])
  expect(chart?.marks.map((mark) => mark.class)).toEqual(['line c0', 'mark c0 hollow'])
})
