//! The geometry of a plot: two axes and marks on them, in the units of an SVG of fixed size.

/** Sizes of the picture, which is then as wide as its figure. */
export const WIDTH = 440
export const HEIGHT = 290
export const LEFT = 72
export const RIGHT = 14
export const TOP = 10
export const BOTTOM = 46

/** How many colours there are: --c0 to --c7. */
export const SERIES = 8

/** An axis: from one value to another, with ticks. */
export interface Axis {
  title: string
  from: number
  to: number
  ticks: { at: number; name: string }[]
}

/** What stands on the axes; `words` are for those who point at a mark. */
export type Mark =
  | { is: 'line'; class: string; points: string }
  | { is: 'path'; class: string; d: string; words: string }
  | { is: 'bar'; class: string; x: number; y: number; width: number; height: number; words: string }

/** A plot with its title and what its marks mean. */
export interface Chart {
  title: string
  legend: { class: string; name: string }[]
  x: Axis
  y: Axis
  marks: Mark[]
}

type Point = [x: number, y: number]

/** Round numbers from 0 to at least `most`, not more than eight. */
export function ticks(most: number): number[] {
  const top = Number.isFinite(most) && most > 0 ? most : 1
  const rough = top / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((times) => times * power).find((value) => value >= rough) ?? power
  // A hair less, or 0.3 / 0.1 would need a fourth step.
  const steps = Math.ceil(top / step - 1e-9)
  return Array.from({ length: steps + 1 }, (_, at) => at * step)
}

/** An amount on an axis: `10M`, `2.5k`. */
export function amount(value: number): string {
  const [unit, prefix] = ([[1e9, 'G'], [1e6, 'M'], [1e3, 'k']] as const).find(([size]) => Math.abs(value) >= size) ?? [1, '']
  return `${Math.round((value / unit) * 1000) / 1000}${prefix}`
}

/** A time on an axis, from nanoseconds: `1.5 ms`. */
export function duration(value: number): string {
  const [unit, name] = ([[1e9, 's'], [1e6, 'ms'], [1e3, 'µs']] as const).find(([size]) => Math.abs(value) >= size) ?? [1, 'ns']
  return `${Math.round((value / unit) * 1000) / 1000} ${name}`
}

/** From 0 to at least `most`, in round steps. */
export function linear(title: string, most: number, show: (value: number) => string): Axis {
  const all = ticks(most)
  return { title, from: 0, to: all.at(-1) ?? 1, ticks: all.map((at) => ({ at, name: show(at) })) }
}

/** From `least`, which may be below 0, to `most`. */
export function between(title: string, least: number, most: number, show: (value: number) => string): Axis {
  if (least >= 0) return linear(title, most, show)
  const step = ticks(Math.max(most, -least))[1] ?? 1
  const from = -Math.ceil(-least / step - 1e-9) * step
  const steps = Math.ceil((Math.max(most, 0) - from) / step - 1e-9)
  const all = Array.from({ length: steps + 1 }, (_, at) => from + at * step)
  return { title, from, to: all.at(-1) ?? step, ticks: all.map((at) => ({ at, name: show(at) })) }
}

/** 0 to 100 %, whatever the values are (RFC 2544, 26.3). */
export function percents(title: string): Axis {
  return { title, from: 0, to: 1, ticks: [0, 1, 2, 3, 4, 5].map((fifth) => ({ at: fifth / 5, name: String(fifth * 20) })) }
}

/** A place for each name, the first at 0. */
export function names(title: string, all: string[]): Axis {
  return { title, from: -0.5, to: all.length - 0.5, ticks: all.map((name, at) => ({ at, name })) }
}

/** Where a value lies, in the units of the picture. */
export function place(x: Axis, y: Axis, [right, up]: Point): Point {
  const part = (axis: Axis, value: number) => Math.min(1, Math.max(0, (value - axis.from) / (axis.to - axis.from)))
  return [LEFT + part(x, right) * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - part(y, up) * (HEIGHT - TOP - BOTTOM)]
}

/** Puts marks on two axes. */
export class Plot {
  readonly marks: Mark[] = []

  constructor(
    readonly x: Axis,
    readonly y: Axis,
  ) {}

  /** The distance of two neighbouring names. */
  step(): number {
    return (WIDTH - LEFT - RIGHT) / (this.x.to - this.x.from)
  }

  line(kind: string, points: Point[]): void {
    const text = points.map((point) => place(this.x, this.y, point).map((value) => value.toFixed(1)).join(','))
    this.marks.push({ is: 'line', class: `line ${kind}`, points: text.join(' ') })
  }

  /** A marker: the shape tells the series as the colour does; hollow: not valid, or not sure. */
  marker(series: number, point: Point, words: string, hollow = false): void {
    const [x, y] = place(this.x, this.y, point)
    const at = (dx: number, dy: number) => `M${(x + dx).toFixed(1)} ${(y + dy).toFixed(1)}`
    const shapes = [`${at(-4, 0)}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z`, `${at(-3.5, -3.5)}h7v7h-7z`, `${at(0, -5)}l5 5l-5 5l-5 -5z`, `${at(0, -5)}l5 8.5h-10z`]
    const d = shapes[series % 4] ?? ''
    this.marks.push({ is: 'path', class: `mark c${series % SERIES}${hollow ? ' hollow' : ''}`, d, words })
  }

  /** A cross: frames were lost. */
  cross(point: Point, words: string): void {
    const [x, y] = place(this.x, this.y, point)
    this.marks.push({ is: 'path', class: 'cross', d: `M${(x - 4).toFixed(1)} ${(y - 4).toFixed(1)}l8 8m0 -8l-8 8`, words })
  }

  /** A bar from 0 up, `width` wide in the units of the picture. */
  bar(series: number, [at, value]: Point, width: number, words: string): void {
    const [centre, top] = place(this.x, this.y, [at, value])
    const [, foot] = place(this.x, this.y, [at, 0])
    this.marks.push({ is: 'bar', class: `bar c${series % SERIES}`, x: centre - width / 2, y: top, width, height: Math.max(0.5, foot - top), words })
  }

  /** A whisker from `low` to `high`. */
  whisker(at: number, low: number, high: number): void {
    const [[x, bottom], [, top]] = [place(this.x, this.y, [at, low]), place(this.x, this.y, [at, high])]
    const d = `M${(x - 5).toFixed(1)} ${bottom.toFixed(1)}h10m-5 0V${top.toFixed(1)}m-5 0h10`
    this.marks.push({ is: 'path', class: 'whisker', d, words: '' })
  }

  chart(title: string, legend: [kind: string, name: string][]): Chart {
    return { title, legend: legend.map(([kind, name]) => ({ class: kind, name })), x: this.x, y: this.y, marks: this.marks }
  }
}
