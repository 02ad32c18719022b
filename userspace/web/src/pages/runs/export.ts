//! A result as files to take home: JSON as it is, rows as CSV (RFC 4180), JUnit for CI, HTML to read.

import type { SampleRow } from '@/api/schema'
import type { RunResult } from '@/api/results/run'
import { moment, span } from '@/format'
import { GROUPS, METRICS } from './metrics'

/** A field, quoted where it must be; a spreadsheet must not take a name for a formula. */
function field(value: string | number | null | undefined): string {
  if (value == null) return ''
  if (typeof value === 'number') return String(value)
  const plain = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}

function table(rows: (string | number | null | undefined)[][]): string {
  return rows.map((row) => `${row.map(field).join(',')}\r\n`).join('')
}

/** A row for each flow; the columns are the keys of the JSON, empty is null. */
export function flowsCsv(result: RunResult): string {
  const head = ['name', 'tx_port', 'rx_port', 'verdict', ...METRICS.map((metric) => metric.key)]
  const rows = result.flows.map((flow) => [
    flow.name, flow.tx_port, flow.rx_port, flow.verdict, ...METRICS.map((metric) => metric.of(flow)),
  ])
  return table([head, ...rows])
}

const SAMPLE = [
  't', 'tx_frames', 'rx_frames', 'tx_pps', 'rx_pps', 'tx_bps_l2', 'rx_bps_l2', 'loss_ratio', 'p50_ns', 'p99_ns', 'p999_ns', 'max_ns',
] as const

/** A row for each flow and interval. */
export function samplesCsv(flows: { name: string; samples: SampleRow[] }[]): string {
  const rows = flows.flatMap((flow) => flow.samples.map((row) => [flow.name, ...SAMPLE.map((key) => row[key])]))
  return table([['flow', ...SAMPLE], ...rows])
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
function escaped(text: string): string {
  // XML 1.0 has no other control characters, not even escaped.
  return text.replace(/[&<>"']/g, (sign) => ESCAPES[sign] as string).replace(/[\0-\x08\x0b\x0c\x0e-\x1f]/g, '�')
}

/** What the result says of a flow. */
export function reasonsOf(result: RunResult, flow: string): string[] {
  return result.reasons.filter((reason) => reason.startsWith(`${flow}: `))
}

/** A test case for each flow: `ok` passes, `loss` fails, the others measured nothing and are errors. */
export function junit(name: string, result: RunResult): string {
  const seconds = ((result.duration_ns ?? 0) / 1e9).toFixed(3)
  const failures = result.flows.filter((flow) => flow.verdict === 'loss').length
  const errors = result.flows.filter((flow) => flow.verdict !== 'loss' && flow.verdict !== 'ok').length
  const cases = result.flows.map((flow) => {
    const head = `    <testcase classname="${escaped(name)}" name="${escaped(flow.name)}" time="${seconds}"`
    if (flow.verdict === 'ok') return `${head}/>`
    const kind = flow.verdict === 'loss' ? 'failure' : 'error'
    const why = escaped(reasonsOf(result, flow.name).join('\n') || flow.verdict)
    return `${head}>\n      <${kind} message="${escaped(flow.verdict)}">${why}</${kind}>\n    </testcase>`
  })
  const counts = `tests="${result.flows.length}" failures="${failures}" errors="${errors}" time="${seconds}"`
  const suite = `  <testsuite name="${escaped(name)}" ${counts} timestamp="${escaped(result.started)}">\n${cases.join('\n')}\n  </testsuite>`
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${counts}>\n${suite}\n</testsuites>\n`
}

const STYLE = `:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:90rem;padding:0 1rem}
table{border-collapse:collapse;font-size:.9rem}th,td{padding:.25rem .6rem;border:1px solid #8886;text-align:right}
th[scope=row],td.word{text-align:left}.wide{overflow-x:auto}`

/** One page that needs nothing else. */
export function html(name: string, result: RunResult): string {
  const title = escaped(name)
  const sections = GROUPS.map((group) => {
    const metrics = METRICS.filter((metric) => metric.group === group)
    const head = metrics.map((metric) => `<th scope="col">${escaped(metric.name)}</th>`).join('')
    const rows = result.flows.map((flow) => {
      const cells = metrics.map((metric) => `<td>${escaped(metric.show(metric.of(flow)))}</td>`).join('')
      return `<tr><th scope="row">${escaped(flow.name)}</th><td class="word">${escaped(flow.verdict)}</td>${cells}</tr>`
    })
    return `<h2>${group}</h2><div class="wide"><table><thead><tr><th scope="col">flow</th><th scope="col">verdict</th>${head}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`
  })
  const { tool, host } = result
  const reasons = result.reasons.map((reason) => `<li>${escaped(reason)}</li>`).join('')
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${STYLE}</style></head>
<body><h1>${title}: ${escaped(result.verdict)}</h1>
<p>${escaped(moment(result.started))}, ${escaped(span(result.duration_ns))}; ${escaped(`${tool.name} ${tool.version}`)} on ${escaped(`${host.name}, Linux ${host.kernel}, ${host.cpus} CPUs`)}</p>
<ul>${reasons}</ul>
${sections.join('\n')}
</body></html>
`
}
