//! The values of a header field: fixed, or a list, a range or random values in turn.

import { isTable, type Json } from './spec'

/** A field as inputs show it; `hand`: a shape that has no inputs. */
export type Held =
  | { form: 'fixed'; text: string }
  | { form: 'list'; text: string }
  | { form: 'range'; first: string; last: string; step: string }
  | { form: 'random'; first: string; last: string; seed: string; count: string }
  | { form: 'hand' }
export type Form = Held['form']

const plain = (value: Json | undefined): value is string | number => typeof value === 'string' || typeof value === 'number'
const text = (value: Json | undefined): string => (plain(value) ? String(value) : '')

/** What was typed: a number where it is one that is written so, else its text for the daemon to judge. */
export function typed(given: string, numeric: boolean): Json {
  const trimmed = given.trim()
  const number = Number(trimmed)
  return numeric && /^\d+$/.test(trimmed) && Number.isSafeInteger(number) ? number : trimmed
}

/** Both ends of `"a-b"`. */
function ends(value: string): { first: string; last: string } {
  const cut = value.indexOf('-')
  return cut < 0 ? { first: value, last: '' } : { first: value.slice(0, cut).trim(), last: value.slice(cut + 1).trim() }
}

/** How a value is shown; nothing is a fixed value that is not given. */
export function heldOf(value: Json | undefined): Held {
  if (value === undefined) return { form: 'fixed', text: '' }
  if (plain(value)) return { form: 'fixed', text: String(value) }
  if (!isTable(value)) return { form: 'hand' }
  const only = (...keys: string[]) => Object.entries(value).every(([key, one]) => keys.includes(key) && (key === 'list' || plain(one)))
  if (Array.isArray(value.list) && value.list.every(plain) && only('list')) return { form: 'list', text: value.list.join(', ') }
  if (typeof value.range === 'string' && only('range', 'step')) {
    return { form: 'range', ...ends(value.range), step: text(value.step) }
  }
  if (typeof value.random === 'string' && only('random', 'seed', 'count')) {
    return { form: 'random', ...ends(value.random), seed: text(value.seed), count: text(value.count) }
  }
  return { form: 'hand' }
}

/** The value that inputs mean; `undefined`: not given. */
export function valueOf(held: Exclude<Held, { form: 'hand' }>, numeric: boolean): Json | undefined {
  const span = (given: { first: string; last: string }) => `${given.first.trim()}-${given.last.trim()}`
  const maybe = (key: string, given: string) => (given.trim() === '' ? {} : { [key]: typed(given, true) })
  switch (held.form) {
    case 'fixed':
      return held.text.trim() === '' ? undefined : typed(held.text, numeric)
    case 'list':
      return { list: held.text.split(/[\s,]+/).filter(Boolean).map((one) => typed(one, numeric)) }
    case 'range':
      // A step below 0 is no number that is written with digits alone.
      return { range: span(held), ...(/^-\d+$/.test(held.step.trim()) ? { step: Number(held.step) } : maybe('step', held.step)) }
    case 'random':
      return { random: span(held), ...maybe('seed', held.seed), ...maybe('count', held.count) }
  }
}

/** The field in another form, with as much of its values as that takes. */
export function turned(held: Held, form: Form, initial: string): Held {
  const [first, last] = (() => {
    switch (held.form) {
      case 'fixed': return [held.text || initial, held.text || initial]
      case 'list': return [held.text.split(/[\s,]+/)[0] ?? '', held.text.split(/[\s,]+/).at(-1) ?? '']
      case 'hand': return [initial, initial]
      default: return [held.first, held.last]
    }
  })()
  switch (form) {
    case 'list': return { form, text: first === last ? first : `${first}, ${last}` }
    case 'range': return { form, first, last, step: '' }
    case 'random': return { form, first, last, seed: '', count: '' }
    default: return { form: 'fixed', text: first }
  }
}
