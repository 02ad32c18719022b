//! What the end-to-end tests share beside the daemon and the browser: axe in both schemes, the kernel's counters, files.

import { AxeBuilder } from '@axe-core/playwright'
import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'

/** No violation of WCAG 2.2 level A or AA, in light and in dark. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']).analyze()
    const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`)
    expect(told, `${page.url()} in ${colorScheme}`).toEqual([])
  }
  await page.emulateMedia({ colorScheme: null })
}

/** What the kernel counted at a PORT. */
export function kernelFrames(port: string): { tx: number; rx: number } {
  const [name, namespace] = port.split('@')
  const args = [...(namespace ? ['-n', namespace] : []), '-s', '-j', 'link', 'show', 'dev', name ?? '']
  const [link] = JSON.parse(execFileSync('ip', args, { encoding: 'utf8' }))
  return { tx: link.stats64.tx.packets, rx: link.stats64.rx.packets }
}

/** The file that a click gives. */
export async function download(page: Page, click: () => Promise<void>): Promise<{ name: string; text: string }> {
  const [file] = await Promise.all([page.waitForEvent('download'), click()])
  return { name: file.suggestedFilename(), text: await readFile(await file.path(), 'utf8') }
}
