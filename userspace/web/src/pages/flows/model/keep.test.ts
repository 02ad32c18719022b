import { beforeEach, expect, test } from 'vitest'
import { handOver, keepLeftOut, leftOut, takeOver } from './keep'

beforeEach(() => localStorage.clear())

test('what is handed over is taken once', () => {
  handOver('new', { name: 'a', spec: {}, left: [] })
  expect(takeOver('new')?.name).toBe('a')
  expect(takeOver('new')).toBeUndefined()
})

test('what is left out is kept for its set alone; what is damaged is nothing', () => {
  keepLeftOut('1', ['a', 'b'])
  expect([leftOut('1'), leftOut('2')]).toEqual([['a', 'b'], []])
  keepLeftOut('1', [])
  expect(localStorage.length).toBe(0)
  localStorage.setItem('linerate-left-out-1', '{')
  expect(leftOut('1')).toEqual([])
})
