//! The octets of a frame as rows, and what each of them is.

/** Octets from `offset` on. */
export interface Span {
  offset: number
  octets: number
}

/** A row of a hex view, or rows of payload that are not shown. */
export type HexRow = { offset: number; octets: string[] } | { offset: number; hidden: number }

/** Pairs of hexadecimal digits. */
export function octetsOf(hex: string): string[] {
  return hex.match(/../g) ?? []
}

/** Whether the octet at `at` is within one of `spans`. */
export function inSpans(at: number, spans: readonly Span[]): boolean {
  return spans.some((span) => at >= span.offset && at < span.offset + span.octets)
}

/** Rows of `width` octets; four and more in a row without anything of `telling` are hidden unless `all`. */
export function rowsOf(octets: readonly string[], width: number, telling: readonly Span[], all: boolean): HexRow[] {
  const rows: HexRow[] = []
  let quiet: { offset: number; octets: string[] }[] = []
  const settle = () => {
    const first = quiet[0]
    if (first && quiet.length >= 4 && !all) {
      rows.push({ offset: first.offset, hidden: quiet.reduce((sum, row) => sum + row.octets.length, 0) })
    } else rows.push(...quiet)
    quiet = []
  }
  for (let offset = 0; offset < octets.length; offset += width) {
    const row = { offset, octets: octets.slice(offset, offset + width) }
    const tells = telling.some((span) => span.offset < offset + row.octets.length && span.offset + span.octets > offset)
    if (tells || offset === 0) {
      settle()
      rows.push(row)
    } else quiet.push(row)
  }
  settle()
  return rows
}

/** Printable ASCII, a dot for the rest. */
export function ascii(octets: readonly string[]): string {
  return octets.map((octet) => Number.parseInt(octet, 16)).map((code) => (code > 32 && code < 127 ? String.fromCharCode(code) : '.')).join('')
}
