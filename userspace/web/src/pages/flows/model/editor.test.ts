import { effectScope, provide, createApp, defineComponent, h } from 'vue'
import { expect, test } from 'vitest'
import { EDITOR, keyOf, makeEditor, usePlace, type Editor } from './editor'
import type { Table } from './spec'

const made = (spec: Table): Editor => makeEditor({ name: 'set', spec, saved: true })
const named = (...names: string[]): Table => ({ flow: names.map((name) => ({ name, tx: 'w' })) })

test('a set is changed only while it differs from what the daemon has', () => {
  const editor = made(named('a'))
  expect(editor.changed.value).toBe(false)
  editor.put(['flow', 0, 'size'], 128)
  expect(editor.changed.value).toBe(true)
  editor.put(['flow', 0, 'size'], undefined)
  expect(editor.changed.value).toBe(false)
  editor.state.name = 'other'
  expect(editor.changed.value).toBe(true)
  editor.keep()
  expect(editor.changed.value).toBe(false)
})

test('flows are added, doubled, moved and removed; the chosen one stays the one meant', () => {
  const editor = made(named('a', 'b'))
  editor.add([{ name: 'a' }])
  expect([editor.names.value, editor.state.chosen]).toEqual([['a', 'b', 'a-2'], 2])
  editor.duplicate(1)
  expect([editor.names.value, editor.state.chosen]).toEqual([['a', 'b', 'b-2', 'a-2'], 2])
  editor.move(2, -1)
  expect([editor.names.value, editor.state.chosen]).toEqual([['a', 'b-2', 'b', 'a-2'], 1])
  editor.move(0, -1)
  editor.remove(3)
  expect([editor.names.value, editor.state.chosen]).toEqual([['a', 'b-2', 'b'], 2])
})

test('a flow that is left out stays so under another name, and is forgotten with it', () => {
  const editor = made(named('v/a', 'v/b', 'c'))
  editor.leave('v/a', true)
  editor.regroup('v', 'voice')
  expect([editor.names.value, [...editor.state.left]]).toEqual([['voice/a', 'voice/b', 'c'], ['voice/a']])
  editor.regroup('voice', '')
  expect(editor.names.value).toEqual(['a', 'b', 'c'])
  editor.remove(0)
  expect([...editor.state.left]).toEqual([])
})

test('a port keeps its place and its flows under another name', () => {
  const editor = made({ ports: { w: { if: 'e0' }, e: { if: 'e1' } }, defaults: { tx: 'w' }, flow: [{ name: 'a', tx: 'w', rx: ['e', 'w'] }] })
  editor.renamePort('w', 'west')
  expect(editor.state.spec).toEqual({
    ports: { west: { if: 'e0' }, e: { if: 'e1' } }, defaults: { tx: 'west' }, flow: [{ name: 'a', tx: 'west', rx: ['e', 'west'] }],
  })
  editor.renamePort('west', 'e')
  expect(Object.keys(editor.state.spec.ports as Table)).toEqual(['west', 'e'])
})

test('a row that moves keeps its key', () => {
  const editor = made(named('a', 'b'))
  const [a, b] = editor.flows.value.map(keyOf)
  editor.move(0, 1)
  expect(editor.flows.value.map(keyOf)).toEqual([b, a])
})

test('a message belongs to the innermost input that is there, and to one only', () => {
  const editor = made(named('a'))
  let outer: { wrong: { value: string } } | undefined
  const inner = effectScope()
  let innermost: { wrong: { value: string } } | undefined
  const app = createApp(defineComponent({
    setup() {
      provide(EDITOR, editor)
      return () => h(defineComponent({
        setup() {
          outer = usePlace(() => ['flow', 0])
          inner.run(() => (innermost = usePlace(() => ['flow', 0, 'size'])))
          return () => null
        },
      }))
    },
  }))
  app.mount(document.createElement('div'))
  editor.state.problem = { place: 'flow[0].size.range', message: 'backward' }
  expect([outer?.wrong.value, innermost?.wrong.value]).toEqual(['', 'backward'])
  inner.stop()
  expect(outer?.wrong.value).toBe('backward')
  app.unmount()
  expect(editor.places.size).toBe(0)
})
