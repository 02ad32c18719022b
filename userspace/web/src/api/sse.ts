//! Server-sent events out of a body (WHATWG HTML, 9.2.6), for EventSource sends no token.

/** One event. */
export interface ServerEvent {
  id: string
  kind: string
  data: string
}

/** Cuts a body into events. */
export class EventParser {
  private rest = ''
  private id = ''
  private kind = ''
  private lines: string[] = []

  /** The events that end within this piece. */
  feed(piece: string): ServerEvent[] {
    const lines = (this.rest + piece).split('\n')
    this.rest = lines.pop() ?? ''
    const events: ServerEvent[] = []
    for (const line of lines) {
      const event = this.line(line.endsWith('\r') ? line.slice(0, -1) : line)
      if (event) events.push(event)
    }
    return events
  }

  private line(line: string): ServerEvent | null {
    if (line === '') return this.dispatch()
    const colon = line.indexOf(':')
    // A comment keeps the connection alive.
    if (colon === 0) return null
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (name === 'data') this.lines.push(value)
    else if (name === 'event') this.kind = value
    else if (name === 'id') this.id = value
    return null
  }

  private dispatch(): ServerEvent | null {
    const event = { id: this.id, kind: this.kind || 'message', data: this.lines.join('\n') }
    const empty = this.lines.length === 0
    this.kind = ''
    this.lines = []
    return empty ? null : event
  }
}
