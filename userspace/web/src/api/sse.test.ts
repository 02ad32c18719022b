import { expect, test } from 'vitest'
import { EventParser } from './sse'

test('events come whole, wherever the body was cut', () => {
  const body = ': hello\n\nid: a-1\nevent: run\ndata: {"x":\ndata: 1}\n\nid: a-2\r\ndata:two\r\n\r\n'
  const expected = [
    { id: 'a-1', kind: 'run', data: '{"x":\n1}' },
    { id: 'a-2', kind: 'message', data: 'two' },
  ]
  for (let size = 1; size <= body.length; size += 1) {
    const parser = new EventParser()
    const events = []
    for (let at = 0; at < body.length; at += size) events.push(...parser.feed(body.slice(at, at + size)))
    expect(events).toEqual(expected)
  }
})

test('an event that is not ended is none', () => {
  expect(new EventParser().feed('data: 1\n')).toEqual([])
})
