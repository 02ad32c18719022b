//! What a service of Y.1564 offered and what came through, step by step.

import type { ServiceRow } from '@/api/results/suite'
import { megabits } from '@/format/exact'
import { amount, type Chart, linear, names, Plot, SERIES } from './plot'

/** Bars of the information rate received, lines at CIR and at CIR and EIR. */
export function service(row: ServiceRow): Chart | null {
  const steps = [...row.configuration, ...(row.performance ? [row.performance] : [])].filter((step) => step.per_direction.length > 0)
  if (steps.length === 0) return null
  const ceiling = row.cir_bps + row.eir_bps
  const top = steps.reduce((most, step) => Math.max(most, step.offered_bps), ceiling)
  const plot = new Plot(names('step', steps.map((step) => step.step)), linear('information rate, bit/s', top, amount))
  const ways = Math.max(...steps.map((step) => step.per_direction.length))
  const width = Math.min((plot.step() * 0.7) / ways, 40)
  steps.forEach((step, at) => {
    step.per_direction.forEach((found, way) => {
      const bad = step.verdict === 'fail' || step.verdict === 'invalid'
      const aside = at + ((way - (ways - 1) / 2) * width) / plot.step()
      plot.bar(bad ? SERIES - 1 : way, [aside, found.ir_mean_bps], width * 0.9, `${step.step}, ${found.tx} to ${found.rx}: ${megabits(found.ir_mean_bps)} Mbit/s`)
    })
    plot.line('theory', [[at - 0.4, step.offered_bps], [at + 0.4, step.offered_bps]])
  })
  const last = steps.length - 0.5
  plot.line('c1', [[-0.5, row.cir_bps], [last, row.cir_bps]])
  if (row.eir_bps > 0) plot.line('c4', [[-0.5, ceiling], [last, ceiling]])
  const legend: [string, string][] = [['c0', 'received'], ['c7', 'received, promise not kept'], ['theory', 'offered'], ['c1', 'CIR']]
  if (row.eir_bps > 0) legend.push(['c4', 'CIR + EIR'])
  return plot.chart(`Service ${row.name}`, legend)
}
