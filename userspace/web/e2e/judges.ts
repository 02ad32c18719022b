//! What judges a page from outside: axe, and the kernel's own counters.

import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import AxeBuilder from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'

/** Patience with a loaded machine, ms. */
export const PATIENCE_MS = 60_000

/** Fails on violations of WCAG 2.2, levels A and AA, light and dark. */
export async function accessible(page: Page, what = page.url()): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']).analyze()
    const told = violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(', ')}`)
    expect(told, `${what}, ${colorScheme}`).toEqual([])
  }
  await page.emulateMedia({ colorScheme: null })
}

/** Frames that the kernel counted at a PORT `if@netns`. */
export function kernel(port: string): { tx: number; rx: number } {
  const [device = '', netns] = port.split('@')
  const inside = netns ? ['-n', netns] : []
  const [link] = JSON.parse(execFileSync('ip', [...inside, '-s', '-j', 'link', 'show', 'dev', device], { encoding: 'utf8' })) as [
    { stats64: { tx: { packets: number }; rx: { packets: number } } },
  ]
  return { tx: link.stats64.tx.packets, rx: link.stats64.rx.packets }
}

/** Waits until `ask` gives what `enough` takes. */
export async function until<T>(ask: () => Promise<T> | T, enough: (value: T) => boolean, what: string): Promise<T> {
  const end = Date.now() + PATIENCE_MS
  for (;;) {
    const value = await ask()
    if (enough(value)) return value
    if (Date.now() > end) throw new Error(`waited in vain until ${what}: ${JSON.stringify(value)}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** The file that a click gives. */
export async function download(page: Page, click: () => Promise<void>): Promise<{ name: string; text: string }> {
  const [file] = await Promise.all([page.waitForEvent('download'), click()])
  return { name: file.suggestedFilename(), text: await readFile(await file.path(), 'utf8') }
}
