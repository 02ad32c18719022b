import { mount } from '@vue/test-utils'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { defineComponent, h, nextTick } from 'vue'
import { type Draft, firstWish, makeDraft, provideDraft, readWish, writeWish } from '../model/draft'
import SuiteField from './SuiteField.vue'
import TomlPart from './TomlPart.vue'

const PLAN = { ports: [], directions: [], rows: ['64'], expected_ns: 1e9, virtual_time: true, notes: [] }
let answer: () => Response
const asked: string[] = []

beforeEach(() => {
  vi.useFakeTimers()
  answer = () => Response.json(PLAN)
  asked.length = 0
  vi.stubGlobal('fetch', async (request: Request) => {
    asked.push(await request.text())
    return answer()
  })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

function within(draft: Draft, part: ReturnType<typeof defineComponent>, props: Record<string, unknown> = {}) {
  return mount(defineComponent({ setup: () => (provideDraft(draft), () => h(part, props)) }))
}
const quiet = async () => {
  await vi.advanceTimersByTimeAsync(1000)
  await vi.dynamicImportSettled()
  await nextTick()
}

test('what is being typed is not rewritten while it means the same', async () => {
  const draft = makeDraft(firstWish('rfc2544'))
  const input = within(draft, SuiteField as never, { label: 'Frame sizes', is: 'list', path: ['sizes'] }).find('input')
  await input.setValue('64, ')
  expect(draft.get(['sizes'])).toEqual([64])
  expect(input.element.value).toBe('64, ')
  draft.set(['sizes'], [128, 'imix'])
  await nextTick()
  expect(input.element.value).toBe('128, imix')
  await input.setValue('')
  expect(draft.wish.suite).toEqual(firstWish('rfc2544').suite)
})

test('the daemon is asked once one stops typing, and what is wrong stands at its field', async () => {
  const draft = makeDraft(firstWish('rfc2544'))
  await quiet()
  expect(draft.plan.value).toEqual(PLAN)
  answer = () => Response.json({ detail: 'sizes[1]: 51 is below 64', field: 'suite.sizes[1]' }, { status: 422 })
  const field = within(draft, SuiteField as never, { label: 'Frame sizes', is: 'list', path: ['sizes'] })
  const before = asked.length
  for (const text of ['64', '64, 5', '64, 51']) await field.find('input').setValue(text)
  await quiet()
  expect(asked.length).toBe(before + 1)
  expect(JSON.parse(asked.at(-1) ?? '').suite.sizes).toEqual([64, 51])
  expect(draft.plan.value).toBeUndefined()
  const input = field.find('input')
  expect(input.attributes('aria-invalid')).toBe('true')
  const told = field.find(`#${input.attributes('aria-describedby')}`)
  expect(told.text()).toBe('sizes[1]: 51 is below 64')
})

test('the suite file and the form are one: what only the file says stays', async () => {
  const draft = makeDraft(firstWish('rfc2544'))
  const text = within(draft, TomlPart as never).find('textarea')
  await text.setValue('unknown = 1\n[topology]\ndut = "sim:link=1G"\n')
  draft.set(['throughput', 'trial'], '2s')
  await nextTick()
  expect(draft.wish.suite).toEqual({ unknown: 1, topology: { dut: 'sim:link=1G' }, throughput: { trial: '2s' } })
  expect(text.element.value).toContain('unknown = 1')
  expect(text.element.value).toContain('trial = "2s"')
  await text.setValue('broken =')
  expect(text.attributes('aria-invalid')).toBe('true')
  expect(draft.wish.suite.unknown).toBe(1)
})

test('a draft is the same after an address and back, and nonsense is none', () => {
  const wish = { ...firstWish('y1564'), name: 'a name', flow_set: 7 }
  expect(readWish(writeWish(wish) ?? '')).toEqual(wish)
  for (const text of ['', '{', '[]', '{"kind":"rfc2544"}', '{"kind":"other","suite":{}}']) expect(readWish(text), text).toBeNull()
  expect(writeWish({ ...wish, name: 'x'.repeat(7000) })).toBeNull()
})
